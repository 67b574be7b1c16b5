//! The machine's own routing table forbids the destination: EACCES, which looks like a matter of
//! users and files.

use super::connecting::{fails, fails_as};
use super::router::Way;
use crate::kernel::Errno;
use crate::kernel::new_route::NewRoute;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-denied`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-denied",
    about: "a route of type `prohibit`",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let way = Way::v4();
    stage.route(way.network, NewRoute::Prohibit)?;
    fails(stage, way.server, Errno::EACCES)?;
    let mut claims = fails_as("denied", Errno::EACCES);
    claims.push(Claim::is("no router said so", "/results/0/icmp", ()));
    let mut scene = Scene::default();
    scene.ask(format!("connect {}", way.server), claims);
    Ok(scene)
}
