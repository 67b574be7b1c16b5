//! The plain case: another server listens there.

use super::server::{HERE, Sharing, in_use, is_held_as, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `address-in-use-listener`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-listener",
    about: "another server listens on the address",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let server = listen(stage, HERE)?;
    for sharing in Sharing::ALL {
        in_use(stage, "second", HERE, sharing)?;
    }
    let mut claims = is_held_as("listener");
    claims.extend([
        Claim::is("SO_REUSEADDR does not help", "/remedies/[id=reuse_addr]/helps", false),
        Claim::is("nor does SO_REUSEPORT", "/remedies/[id=reuse_port]/helps", false),
    ]);
    let mut scene = Scene::default();
    scene.ask(format!("bind {HERE}"), claims);
    scene.hold(server);
    Ok(scene)
}
