//! Routes added to a namespace of our own, without ip(8).

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::rtnetlink::{ACKNOWLEDGE, MAKE, ask, put_attribute};

/// `include/linux/socket.h`
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// `include/uapi/linux/rtnetlink.h`
const RTM_NEWROUTE: u16 = 24;
const RTA_DST: u16 = 1;
const RTA_GATEWAY: u16 = 5;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;

/// What is to become of packets to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewRoute {
    /// They go to this router.
    Via(IpAddr),
    /// They are dropped without a word; for what this machine sends, the call fails with EINVAL.
    Blackhole,
    /// They are answered "administratively prohibited".
    Prohibit,
}

impl fmt::Display for NewRoute {
    /// As ip-route(8) has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Via(router) => write!(f, "via {router}"),
            Self::Blackhole => f.write_str("blackhole"),
            Self::Prohibit => f.write_str("prohibit"),
        }
    }
}

impl NewRoute {
    /// `RTN_UNICAST` and so on.
    fn kind(self) -> u8 {
        match self {
            Self::Via(_) => 1,
            Self::Blackhole => 6,
            Self::Prohibit => 8,
        }
    }
}

/// Adds a route to the main table.
pub(super) fn add_route(to: IpNet, route: NewRoute) -> nix::Result<()> {
    ask((RTM_NEWROUTE, ACKNOWLEDGE | MAKE), &request(to, route)).map(drop)
}

fn request(to: IpNet, route: NewRoute) -> Vec<u8> {
    // `struct rtmsg`: family, lengths of destination and source, tos; table, protocol, scope, type;
    // flags.
    let mut body = vec![family(to.addr()), to.prefix_len(), 0, 0];
    body.extend([RT_TABLE_MAIN, RTPROT_STATIC, 0, route.kind()]);
    body.extend([0; 4]);
    put_attribute(&mut body, RTA_DST, &bytes(to.network()));
    if let NewRoute::Via(router) = route {
        put_attribute(&mut body, RTA_GATEWAY, &bytes(router));
    }
    body
}

pub(super) fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

pub(super) fn bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_to_a_network_and_through_a_router_or_nowhere() {
        let to: IpNet = "198.51.100.9/24".parse().unwrap();
        let nowhere = request(to, NewRoute::Blackhole);
        assert_eq!(nowhere[..8], [2, 24, 0, 0, 254, 4, 0, 6]);
        assert_eq!(nowhere[12..], [8, 0, 1, 0, 198, 51, 100, 0]);
        let through = request(to, NewRoute::Via("192.0.2.1".parse().unwrap()));
        assert_eq!((through[7], &through[20..]), (1, &[8, 0, 5, 0, 192, 0, 2, 1][..]));
    }
}
