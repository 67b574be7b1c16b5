//! The plain case: another server listens there.

use super::loopback::PORT;
use super::server::{HERE, Sharing, in_use, listen};
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
    let mut scene = Scene::default();
    let own = std::process::id();
    scene.ask(
        format!("bind 127.0.0.1:{PORT}"),
        vec![
            Claim::exits(1),
            Claim::is("the code is that of the second", "/code", 98),
            Claim::is("a listener is in the way", "/blockers/*/role", vec!["listener"]),
            Claim::is(format!("it is process {own}"), "/blockers/0/owners/0/pid", own),
            Claim::is("it does not go away by itself", "/frees_itself", false),
            Claim::is("SO_REUSEADDR does not help", "/remedies/[id=reuse_addr]/helps", false),
            Claim::is("nor does SO_REUSEPORT", "/remedies/[id=reuse_port]/helps", false),
        ],
    );
    scene.hold(server);
    Ok(scene)
}
