//! A router on the way forbids the destination, and says so by ICMP. Of IPv4 that is EHOSTUNREACH,
//! "No route to host"; of IPv6 the same is EACCES (`net/ipv4/icmp.c`, `icmp_err_convert`;
//! `net/ipv6/icmp.c`, `tab_unreach`). Which router it was, only the error queue tells.

use super::connecting::{fails, fails_as};
use super::router::{Way, router, routes};
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

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let (v4, v6) = (Way::v4(), Way::v6());
    let router = router(stage, &[v4, v6])?;
    let mut scene = Scene::default();
    for way in [v4, v6] {
        routes(stage, &router, &way, NewRoute::Prohibit)?;
    }
    fails(stage, v4.server, Errno::EHOSTUNREACH)?;
    // Without IPV6_RECVERR, this kernel's connect(2) would see the message after a second only.
    stage.say("client", format_args!("leaves connect({}) to netkit", v6.server), "")?;
    scene.ask(format!("connect {}", v4.server), claims(&v4, Errno::EHOSTUNREACH, V4));
    scene.ask(format!("connect {}", v6.server), claims(&v6, Errno::EACCES, V6));
    scene.hold(router);
    Ok(scene)
}

fn claims(way: &Way, errno: Errno, (kind, code): (u8, u8)) -> Vec<Claim> {
    let mut claims = fails_as("rejected", errno);
    let router = way.router.to_string();
    claims.push(Claim::is("the router did it", "/results/0/icmp/from", router));
    claims.push(Claim::is("by a message of this type", "/results/0/icmp/type", kind));
    claims.push(Claim::is("with this code", "/results/0/icmp/code", code));
    claims
}
