//! The end of a pileup: every port to a destination is in TIME_WAIT, and connect(2) fails.

use std::net::Ipv4Addr;

use super::connecting::fails_as;
use super::loopback::{connect, keep_time_waits, listen, repeatedly};
use crate::catalogue::findings::{CONNECT_PORTS_EXHAUSTED, TW_PORTS_EXHAUSTED};
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::wait_for_all_closed;
use crate::lab::stage::Stage;

/// `ports-exhausted`.
pub static SCENARIO: Scenario = Scenario {
    name: "ports-exhausted",
    about: "no port is left, connect() fails",
    sockets: None,
    per_destination: None,
    make,
};

/// A narrow range, soon used up.
const RANGE: &str = "40000 40099";
const PORTS: u64 = 100;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    stage.set("net.ipv4.ip_local_port_range", RANGE)?;
    stage.set("net.ipv4.tcp_tw_reuse", "0")?;
    keep_time_waits(stage)?;
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    repeatedly(stage, PORTS, "connect, accept, client closes", || {
        connect(&listener)?.client_closes_first()
    })?;
    wait_for_all_closed(PORTS)?;
    let end = listener.local_addr()?;
    let one_more = connect(&listener);
    stage.is_refused("client", format_args!("connect({end})"), one_more, Errno::EADDRNOTAVAIL)?;
    let mut scene = Scene::default();
    scene.ask(
        "states --time-wait",
        vec![
            Claim::exits(1),
            Claim::finds(TW_PORTS_EXHAUSTED),
            Claim::is("no port is left", "/pileup/destinations/0/headroom", 0),
            Claim::is("all are in TIME_WAIT", "/pileup/destinations/0/time_wait", PORTS),
            Claim::is("of 100 that there are", "/pileup/ephemeral/available", PORTS),
        ],
    );
    let mut claims = fails_as("local_error", Errno::EADDRNOTAVAIL);
    claims.push(Claim::is("no SYN was sent", "/results/0/stage", "connect"));
    claims.push(Claim::finds(CONNECT_PORTS_EXHAUSTED));
    scene.ask(format!("connect {end}"), claims);
    scene.hold(listener);
    Ok(scene)
}
