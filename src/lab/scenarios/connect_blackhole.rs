//! The machine's own routing table throws packets to the destination away, as fail2ban and others
//! set it up: EINVAL, which looks like an error of the program.

use super::connecting::{fails, fails_as};
use super::router::Way;
use crate::kernel::Errno;
use crate::kernel::new_route::NewRoute;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-blackhole`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-blackhole",
    about: "a route of type `blackhole`: EINVAL",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    for way in [Way::v4(), Way::v6()] {
        stage.route(way.network, NewRoute::Blackhole)?;
        fails(stage, way.server, Errno::EINVAL)?;
        let mut claims = fails_as("local_error", Errno::EINVAL);
        claims.push(Claim::is("connect(2) said so", "/results/0/stage", "connect"));
        scene.ask(format!("connect {}", way.server), claims);
    }
    Ok(scene)
}
