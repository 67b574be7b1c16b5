//! A router on the way forbids the destination, and says so by ICMP. Of IPv4 that is EHOSTUNREACH,
//! "No route to host"; of IPv6 the same is EACCES (`net/ipv4/icmp.c`, `icmp_err_convert`;
//! `net/ipv6/icmp.c`, `tab_unreach`). Which router it was, only the error queue tells.

use std::net::UdpSocket;
use std::time::Duration;

use super::connecting::fails_as;
use super::router::{Way, router, routes};
use crate::catalogue::findings::CONNECT_REJECTED;
use crate::kernel::Errno;
use crate::kernel::new_route::NewRoute;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `icmp-reject`.
pub static SCENARIO: Scenario = Scenario {
    name: "icmp-reject",
    about: "a router says: prohibited",
    sockets: None,
    per_destination: None,
    make,
};

/// Destination unreachable, administratively prohibited: of ICMP (RFC 1812, 5.2.7.1) and of ICMPv6
/// (RFC 4443, 3.1).
const V4: (u8, u8) = (3, 13);
const V6: (u8, u8) = (1, 1);

/// How long the message may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let (v4, v6) = (Way::v4(), Way::v6());
    let router = router(stage, &[v4, v6])?;
    let mut scene = Scene::default();
    for (way, errno, message) in [(v4, Errno::EHOSTUNREACH, V4), (v6, Errno::EACCES, V6)] {
        routes(stage, &router, &way, NewRoute::Prohibit)?;
        is_rejected(stage, &way, errno)?;
        scene.ask(format!("connect {}", way.server), claims(&way, errno, message));
    }
    scene.hold(router);
    Ok(scene)
}

/// A client of UDP, for it is told with the next call. One of TCP that does not ask for its errors
/// (IP_RECVERR) would be told when the SYN is sent again, a second later: the message comes while
/// connect(2) has the socket (`net/ipv4/tcp_ipv4.c`, `tcp_v4_err`).
fn is_rejected(stage: &mut Stage<'_>, way: &Way, errno: Errno) -> anyhow::Result<()> {
    let client = UdpSocket::bind((way.client.addr(), 0))?;
    let call = format!("connect({}) of UDP", way.server);
    stage.does("client", call, client.connect(way.server))?;
    let sent = client.send(b"hello")?;
    stage.say("client", "send(\"hello\")", sent)?;
    client.set_read_timeout(Some(PATIENCE))?;
    stage.is_refused("client", "recv()", client.recv(&mut [0]), errno)
}

fn claims(way: &Way, errno: Errno, (kind, code): (u8, u8)) -> Vec<Claim> {
    let mut claims = fails_as("rejected", errno);
    let router = way.router.to_string();
    claims.push(Claim::is("the router did it", "/results/0/icmp/from", router));
    claims.push(Claim::is("by a message of this type", "/results/0/icmp/type", kind));
    claims.push(Claim::is("with this code", "/results/0/icmp/code", code));
    claims.push(Claim::finds(CONNECT_REJECTED));
    claims
}
