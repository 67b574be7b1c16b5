//! Addresses and routes of a namespace of our own, made without ip(8).

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use nix::net::if_::if_nametoindex;

use super::rtnetlink::{MAKE, ask, attribute};

/// `include/linux/socket.h`
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// `include/uapi/linux/rtnetlink.h`
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTA_DST: u16 = 1;
const RTA_GATEWAY: u16 = 5;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
/// `include/uapi/linux/if_addr.h`
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// No second is spent on looking whether another host has the address (RFC 4862, 5.4).
const IFA_F_NODAD: u8 = 2;

/// What becomes of packets to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// They go to this router.
    Via(IpAddr),
    /// They are dropped without a word; for what this machine sends, the call fails with EINVAL.
    Blackhole,
    /// They are answered "host unreachable".
    Unreachable,
    /// They are answered "administratively prohibited".
    Prohibit,
}

impl fmt::Display for Route {
    /// As ip-route(8) has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Via(router) => write!(f, "via {router}"),
            Self::Blackhole => f.write_str("blackhole"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Prohibit => f.write_str("prohibit"),
        }
    }
}

impl Route {
    /// `RTN_UNICAST` and so on.
    fn kind(self) -> u8 {
        match self {
            Self::Via(_) => 1,
            Self::Blackhole => 6,
            Self::Unreachable => 7,
            Self::Prohibit => 8,
        }
    }
}

/// Adds a route of the main table.
pub(super) fn add_route(to: IpNet, route: Route) -> nix::Result<()> {
    // `struct rtmsg`: family, lengths of destination and source, tos, table, protocol, scope, type,
    // flags.
    let mut fixed = vec![family(to.addr()), to.prefix_len(), 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0];
    fixed.push(route.kind());
    fixed.extend([0; 4]);
    let mut body = vec![fixed, attribute(RTA_DST, &bytes(to.network()))?];
    if let Route::Via(router) = route {
        body.push(attribute(RTA_GATEWAY, &bytes(router))?);
    }
    ask(RTM_NEWROUTE, MAKE, &body)
}

/// Gives the interface an address, and so the route to the network that it is in.
pub(super) fn add_address(interface: &str, address: IpNet) -> nix::Result<()> {
    // `struct ifaddrmsg`: family, length, flags, scope, index.
    let mut fixed = vec![family(address.addr()), address.prefix_len(), IFA_F_NODAD, 0];
    fixed.extend(if_nametoindex(interface)?.to_ne_bytes());
    let own = bytes(address.addr());
    ask(RTM_NEWADDR, MAKE, &[fixed, attribute(IFA_LOCAL, &own)?, attribute(IFA_ADDRESS, &own)?])
}

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
