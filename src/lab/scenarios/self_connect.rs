//! Nobody listens, and connect(2) succeeds: it picked the destination's own port as the source, and
//! the two SYNs of a simultaneous open are one (RFC 9293, 3.5). A test that waits for a server on a
//! port of the ephemeral range is told now and then that it is up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::ensure;

use super::connecting::try_connect;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `self-connect`.
pub static SCENARIO: Scenario = Scenario {
    name: "self-connect",
    about: "nobody listens, and a client connects",
    sockets: None,
    per_destination: None,
    make,
};

/// Of two ports connect(2) tries the one of the range's own parity first
/// (`net/ipv4/inet_hashtables.c`, `__inet_hash_connect`).
const RANGE: &str = "41000 41001";
const PORT: u16 = 41_000;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let end = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    stage.set("net.ipv4.ip_local_port_range", RANGE)?;
    let client = stage.does("client", format_args!("connect({end})"), try_connect(end))?;
    let (own, peer) = (client.local_addr()?.as_socket(), client.peer_addr()?.as_socket());
    ensure!(own == Some(end) && peer == own, "it did not meet itself: there is no condition");
    stage.say("client", "getsockname(), getpeername()", format_args!("{end} both"))?;
    // A close by FIN would leave the port in TIME_WAIT, and the next client would get another.
    client.set_linger(Some(Duration::ZERO))?;
    drop(client);
    stage.say("client", "close() by RST", 0)?;
    let mut scene = Scene::default();
    scene.ask(
        format!("connect {end}"),
        vec![
            Claim::exits(1),
            Claim::is("the socket met itself", "/results/0/outcome", "self_connect"),
            Claim::is("connect(2) had no error", "/results/0/code", 0),
            Claim::is("from the port that it went to", "/results/0/local/port", PORT),
        ],
    );
    scene.ask("states", vec![Claim::is("nobody listens", "/states/[state=LISTEN]", ())]);
    Ok(scene)
}
