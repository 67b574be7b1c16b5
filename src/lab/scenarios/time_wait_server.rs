//! A server that closes first: the TIME_WAITs are its own, and cost nobody a port.

use std::net::Ipv4Addr;

use super::loopback::{connect, listen, repeatedly};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::{Stage, wait_for_time_waits};
use crate::output::numbers::count;

/// `time-wait-server`.
pub static SCENARIO: Scenario = Scenario {
    name: "time-wait-server",
    about: "a server closes first, and nobody suffers",
    sockets: Some(2_000),
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    stage.set("net.ipv4.tcp_max_tw_buckets", &(size.sockets * 2).max(131_072).to_string())?;
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    repeatedly(stage, size.sockets, "connect, accept, server closes", || {
        connect(&listener)?.server_closes_first();
        Ok(())
    })?;
    wait_for_time_waits(size.sockets)?;
    let mut scene = Scene::default();
    let sockets = count(size.sockets, "socket");
    scene.ask(
        "states --time-wait",
        vec![
            Claim::exits(0),
            Claim::is("all is well", "/pileup/severity", "ok"),
            Claim::is(format!("{sockets} in TIME_WAIT"), "/pileup/time_wait", size.sockets),
            Claim::is("no destination suffers", "/pileup/destinations", Vec::<u8>::new()),
            Claim::is("the server has them all", "/pileup/services/0/time_wait", size.sockets),
        ],
    );
    scene.hold(listener);
    Ok(scene)
}
