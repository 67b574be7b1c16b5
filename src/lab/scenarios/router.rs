//! A router between the client and where it wants to go: another namespace, at the other end of a
//! veth pair. Networks and addresses are those for documentation (RFC 5737, RFC 3849).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::loopback::PORT;
use crate::kernel::new_route::NewRoute;
use crate::kernel::second_ns::SecondNs;
use crate::lab::stage::Stage;

/// What the interface is called at both ends.
pub const LINK: &str = "veth";

const ROUTER_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const CLIENT_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
/// On the client's own network, and nobody's.
const NOBODY_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const FAR_4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));
const ROUTER_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1));
const CLIENT_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2));
const FAR_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 9));

/// One side of what there is to reach: by IPv4 or by IPv6.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The router on it.
    pub router: IpAddr,
    /// The client's end of the link to the router.
    pub client: IpNet,
    /// A server behind the router.
    pub server: SocketAddr,
    /// The network that the server is in.
    pub network: IpNet,
}

impl Way {
    /// By IPv4.
    pub fn v4() -> Self {
        Self::new((ROUTER_4, CLIENT_4, FAR_4), 24)
    }

    /// By IPv6.
    pub fn v6() -> Self {
        Self::new((ROUTER_6, CLIENT_6, FAR_6), 64)
    }

    /// A host on the client's own network that is not there.
    pub fn absent_host() -> SocketAddr {
        SocketAddr::new(NOBODY_4, PORT)
    }

    fn new((router, client, server): (IpAddr, IpAddr, IpAddr), prefix: u8) -> Self {
        Self {
            router,
            client: IpNet::new_assert(client, prefix),
            server: SocketAddr::new(server, PORT),
            network: IpNet::new_assert(server, prefix).trunc(),
        }
    }

    fn router_end(&self) -> IpNet {
        IpNet::new_assert(self.router, self.client.prefix_len())
    }
}

/// Puts a router on these ways, the client's routes to it included. It forwards, and does not limit
/// how many ICMP messages it sends.
pub fn router(stage: &mut Stage<'_>, ways: &[Way]) -> anyhow::Result<SecondNs> {
    let router = stage.sandbox().second_ns(LINK)?;
    let here = ways.iter().map(|way| way.client).collect::<Vec<_>>();
    let there = ways.iter().map(Way::router_end).collect::<Vec<_>>();
    stage.sandbox().furnish(LINK, &here)?;
    router.furnish(LINK, &there)?;
    for way in ways {
        stage.say("router", format_args!("is {} on `{LINK}`", way.router), "")?;
        let keys: &[_] = match way.router {
            IpAddr::V4(_) => &[("net.ipv4.ip_forward", "1"), ("net.ipv4.icmp_ratelimit", "0")],
            IpAddr::V6(_) => {
                &[("net.ipv6.conf.all.forwarding", "1"), ("net.ipv6.icmp.ratelimit", "0")]
            }
        };
        keys.iter().try_for_each(|(key, value)| router.set(key, value))?;
        stage.route(way.network, NewRoute::Via(way.router))?;
    }
    Ok(router)
}

/// Adds a route of the router's to the network of `way`.
pub fn routes(
    stage: &mut Stage<'_>,
    router: &SecondNs,
    way: &Way,
    route: NewRoute,
) -> anyhow::Result<()> {
    router.add_route(way.network, route)?;
    stage.say("router", format_args!("route {} {route}", way.network), "")
}
