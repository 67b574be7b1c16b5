//! No way to go: the machine has no route to the address, and no default route.

use super::connecting::{fails, fails_as};
use super::router::Way;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-no-route`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-no-route",
    about: "there is no route, not even a default one",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    for way in [Way::v4(), Way::v6()] {
        fails(stage, way.server, Errno::ENETUNREACH)?;
        let mut claims = fails_as("unreachable", Errno::ENETUNREACH);
        claims.push(Claim::is("no router said so", "/results/0/icmp", ()));
        scene.ask(format!("connect {}", way.server), claims);
    }
    Ok(scene)
}
