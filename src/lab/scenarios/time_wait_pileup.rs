//! A client that closes first, again and again: TIME_WAITs on its side, each of which keeps a port
//! from a destination for 60 s.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;

use super::loopback::{Connection, Repeated, connect, keep_time_waits, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::wait_for_all_closed;
use crate::lab::stage::Stage;
use crate::output::numbers::{count, thousands};

/// `time-wait-pileup`.
pub static SCENARIO: Scenario = Scenario {
    name: "time-wait-pileup",
    about: "a client closes first: one port each",
    sockets: Some(20_000),
    per_destination: Some(PORTS),
    make,
};

/// The ephemeral ports: the range of a new namespace (`net/ipv4/af_inet.c`, `inet_init_net`).
const LOW: u64 = 32_768;
const PORT_RANGE: &str = "net.ipv4.ip_local_port_range";
const PORTS: u64 = 28_232;
/// How many of them connect(2) is shown at a time.
const WINDOW: u64 = 16;

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    // 2, the default, gives the ports back after a second here: these are loopback addresses.
    stage.set("net.ipv4.tcp_tw_reuse", "0")?;
    stage.set("net.ipv4.tcp_max_tw_buckets", &(size.sockets + 1000).max(131_072).to_string())?;
    keep_time_waits(stage)?;
    let listeners = listeners(stage, size.destinations)?;
    pile_up(stage, &listeners, size.sockets)?;
    wait_for_all_closed(size.sockets)?;
    let mut scene = Scene::default();
    let most = size.sockets.div_ceil(size.destinations);
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

const WHAT: &str = "connect, accept, client closes";

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
    let repeated = Repeated::start(sockets, WHAT);
    for first in (0..share(0)).step_by(usize::try_from(WINDOW)?) {
        let last = (first + WINDOW).min(PORTS) - 1;
        stage.set_silently(PORT_RANGE, &format!("{} {}", LOW + first, LOW + last))?;
        for (share, listener) in (0..).map(share).zip(listeners) {
            for _ in first..share.min(first + WINDOW) {
                connect(listener).and_then(Connection::client_closes_first).context(WHAT)?;
            }
        }
    }
    repeated.tell(stage)?;
    stage.set(PORT_RANGE, &format!("{LOW} {}", LOW + PORTS - 1))
}
