//! The plain refusal, with the reason that it most often has: a server is there, and listens on
//! another address than the one that is asked for.

use std::net::Ipv4Addr;

use super::connecting::{fails, fails_as};
use super::loopback::listen;
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-refused`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-refused",
    about: "the server listens on another address",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let server = listen(stage, Ipv4Addr::new(127, 0, 0, 2))?;
    fails(stage, HERE, Errno::ECONNREFUSED)?;
    let mut claims = fails_as("refused", Errno::ECONNREFUSED);
    claims.push(Claim::is("by RST, not by ICMP", "/results/0/icmp", ()));
    let mut scene = Scene::default();
    scene.ask(format!("connect {HERE}"), claims);
    scene.hold(server);
    Ok(scene)
}
