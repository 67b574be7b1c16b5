//! Open connections have every port to a destination: connect(2) fails with EADDRNOTAVAIL, though
//! nothing is in TIME_WAIT, and no setting for it helps.

use std::net::Ipv4Addr;

use super::connecting::{fails, fails_as};
use super::loopback::{connect, listen};
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-no-port-left`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-no-port-left",
    about: "open connections have every port",
    sockets: None,
    per_destination: None,
    make,
};

/// A narrow range, soon used up.
const RANGE: &str = "40000 40003";
const PORTS: u64 = 4;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    stage.set("net.ipv4.ip_local_port_range", RANGE)?;
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    for _ in 0..PORTS {
        let connection = stage.does("client", "connect, accept", connect(&listener))?;
        scene.hold(connection.client);
        scene.hold(connection.server);
    }
    fails(stage, HERE, Errno::EADDRNOTAVAIL)?;
    let mut claims = fails_as("local_error", Errno::EADDRNOTAVAIL);
    claims.push(Claim::is("before a SYN was sent", "/results/0/stage", "connect"));
    scene.ask(format!("connect {HERE}"), claims);
    scene.hold(listener);
    Ok(scene)
}
