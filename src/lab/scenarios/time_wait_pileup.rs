//! A client that closes first, again and again: TIME_WAITs on its side, each of which keeps a port
//! from a destination for 60 s.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, bail};

use super::loopback::{Repeated, connect, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::{Stage, wait_for_time_waits};
use crate::output::numbers::{count, thousands};

/// `time-wait-pileup`.
pub const SCENARIO: Scenario = Scenario {
    name: "time-wait-pileup",
    about: "TIME_WAITs of a client that closes first, one port each",
    sockets: Some(20_000),
    takes_destinations: true,
    make,
};

/// The ephemeral ports: the range of a new namespace (`net/ipv4/af_inet.c`, `inet_init_net`).
const LOW: u64 = 32_768;
const PORT_RANGE: &str = "net.ipv4.ip_local_port_range";
const PORTS: u64 = 28_232;
/// How many of them connect(2) is shown at a time.
const WINDOW: u64 = 64;

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    let destinations = destinations(size)?;
    // 2, the default, gives the ports back after a second here: these are loopback addresses.
    stage.set("net.ipv4.tcp_tw_reuse", "0")?;
    stage.set("net.ipv4.tcp_max_tw_buckets", &(size.sockets + 1000).max(131_072).to_string())?;
    let listeners = listeners(stage, destinations)?;
    pile_up(stage, &listeners, size.sockets)?;
    wait_for_time_waits(size.sockets)?;
    let mut scene = Scene::default();
    let most = size.sockets.div_ceil(destinations);
    let sockets = count(size.sockets, "socket");
    scene.ask(
        "states --time-wait --top 10",
        vec![
            Claim::is(format!("{sockets} in TIME_WAIT"), "/pileup/time_wait", size.sockets),
            Claim::is("none of them is reusable", "/pileup/destinations/0/reusable", 0),
            Claim::is(
                format!("the fullest destination has {} of them", thousands(most)),
                "/pileup/destinations/0/time_wait",
                most,
            ),
            Claim::is(
                "which leaves it the other ports",
                "/pileup/destinations/0/headroom",
                PORTS - most,
            ),
            Claim::is("this side closed first", "/pileup/destinations/0/closed_there_first", 0),
            Claim::is("no bucket was missing", "/pileup/overflows_since_boot", 0),
        ],
    );
    for listener in listeners {
        scene.hold(listener);
    }
    Ok(scene)
}

/// How many destinations: as asked for, or as many as the ports take.
fn destinations(size: Size) -> anyhow::Result<u64> {
    let needed = size.sockets.div_ceil(PORTS);
    let destinations = size.destinations.unwrap_or(needed);
    if destinations < needed {
        bail!("{} sockets need {needed} destinations", size.sockets);
    }
    Ok(destinations)
}

/// Servers on 127.1.0.1, 127.1.0.2 and on.
fn listeners(stage: &mut Stage<'_>, number: u64) -> anyhow::Result<Vec<TcpListener>> {
    let address = |number: u64| {
        let [.., high, low] = number.to_be_bytes();
        Ipv4Addr::new(127, 1, high, low)
    };
    (1..=number).map(|number| listen(stage, address(number))).collect()
}

/// Makes the connections and closes them, the same number for each listener or one more.
///
/// Past half of the ports, connect(2) tries those of one parity before it comes to the others
/// (`net/ipv4/inet_hashtables.c`, `__inet_hash_connect`): 100 us and more for each connection. So it
/// is shown few ports at a time, which are used up one after another.
fn pile_up(stage: &mut Stage<'_>, listeners: &[TcpListener], sockets: u64) -> anyhow::Result<()> {
    let number = u64::try_from(listeners.len())?;
    let share = |index: u64| sockets / number + u64::from(index < sockets % number);
    let what = "connect, accept, close by the client";
    let many = Repeated::start(sockets, what);
    for first in (0..share(0)).step_by(usize::try_from(WINDOW)?) {
        let last = (first + WINDOW).min(PORTS) - 1;
        stage.set_silently(PORT_RANGE, &format!("{} {}", LOW + first, LOW + last))?;
        for (index, listener) in (0..).zip(listeners) {
            for _ in first..share(index).min(first + WINDOW) {
                connect(listener).with_context(|| what)?.client_closes_first();
            }
        }
    }
    many.tell(stage)?;
    stage.set(PORT_RANGE, &format!("{LOW} {}", LOW + PORTS - 1))
}
