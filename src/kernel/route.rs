//! Which way a packet would take: `RTM_GETROUTE`, what `ip route get` asks (`net/ipv4/route.c`,
//! `inet_rtm_getroute`; `net/ipv6/route.c`, `inet6_rtm_getroute`). Nothing is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::errno::Errno;

use super::rtnetlink::{ask, put_attribute};
use super::sock_diag::attribute;

/// `include/uapi/linux/rtnetlink.h`
const RTM_GETROUTE: u16 = 26;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const RTA_MARK: u16 = 16;
/// `struct rtmsg`.
const ROUTE: usize = 12;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteQuestion {
    /// Where to. The scope of an IPv6 address is the interface to leave by.
    pub to: SocketAddr,
    /// The source address, if that is fixed.
    pub from: Option<IpAddr>,
    /// The interface, if that is fixed.
    pub interface: Option<u32>,
    /// The mark of the packet.
    pub mark: Option<u32>,
}

/// What kind of a route it is (`RTN_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// To somebody else.
    Unicast,
    /// To this machine.
    Local,
    /// Drops, which connect(2) sees as EINVAL.
    Blackhole,
    /// Answers "unreachable".
    Unreachable,
    /// Answers "prohibited".
    Prohibit,
    /// Any other, by its number: broadcast 3, multicast 5.
    Other(u8),
}

/// A way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What kind.
    pub kind: RouteKind,
    /// The interface that it leaves by.
    pub interface: Option<u32>,
    /// The next router; `None` if the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The source address that the kernel would choose.
    pub source: Option<IpAddr>,
}

/// Asks for the way. Fails with what the kernel says to who wants to go there: ENETUNREACH without a
/// route, and of IPv4 EINVAL, EACCES or EHOSTUNREACH for a route that forbids it
/// (`net/ipv4/fib_semantics.c`, `fib_props`).
pub fn lookup(question: &RouteQuestion) -> Result<Route, Errno> {
    let answer = ask((RTM_GETROUTE, 0), &request(question))?;
    parse(&answer).ok_or(Errno::EBADMSG)
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn request(question: &RouteQuestion) -> Vec<u8> {
    let to = question.to.ip().to_canonical();
    let bits = if to.is_ipv4() { 32 } else { 128 };
    let source = question.from.map(|ip| ip.to_canonical()).filter(|it| !it.is_unspecified());
    let source_bits = if source.is_some() { bits } else { 0 };
    // Family, lengths of the addresses; service, table, protocol, scope and type: any; flags.
    let mut body = vec![if to.is_ipv4() { 2 } else { 10 }, bits, source_bits, 0];
    body.extend([0; 8]);
    put_attribute(&mut body, RTA_DST, &octets(to));
    if let Some(source) = source {
        put_attribute(&mut body, RTA_SRC, &octets(source));
    }
    let scope = match question.to {
        SocketAddr::V6(to) => Some(to.scope_id()).filter(|it| *it != 0),
        SocketAddr::V4(_) => None,
    };
    if let Some(interface) = question.interface.or(scope) {
        put_attribute(&mut body, RTA_OIF, &interface.to_ne_bytes());
    }
    if let Some(mark) = question.mark {
        put_attribute(&mut body, RTA_MARK, &mark.to_ne_bytes());
    }
    body
}

fn parse(body: &[u8]) -> Option<Route> {
    let header: &[u8; ROUTE] = body.first_chunk()?;
    let attributes = body.get(ROUTE..).unwrap_or_default();
    let number =
        |kind| attribute(attributes, kind)?.first_chunk().map(|it| u32::from_ne_bytes(*it));
    let address = |kind| {
        let bytes = attribute(attributes, kind)?;
        let v4 = || <[u8; 4]>::try_from(bytes).ok().map(|it| Ipv4Addr::from(it).into());
        let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|it| Ipv6Addr::from(it).into());
        v4().or_else(v6)
    };
    Some(Route {
        kind: match header[7] {
            1 => RouteKind::Unicast,
            2 => RouteKind::Local,
            6 => RouteKind::Blackhole,
            7 => RouteKind::Unreachable,
            8 => RouteKind::Prohibit,
            other => RouteKind::Other(other),
        },
        interface: number(RTA_OIF),
        gateway: address(RTA_GATEWAY),
        source: address(RTA_PREFSRC),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_has_its_interface_and_router() {
        let mut body = vec![2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0];
        put_attribute(&mut body, RTA_OIF, &2_u32.to_ne_bytes());
        put_attribute(&mut body, RTA_GATEWAY, &[10, 0, 0, 1]);
        let route = parse(&body).unwrap();
        assert_eq!((route.kind, route.interface), (RouteKind::Unicast, Some(2)));
        assert_eq!(route.gateway.unwrap().to_string(), "10.0.0.1");
        assert_eq!((route.source, parse(&body[..11])), (None, None));
    }

    #[test]
    fn this_machine_is_a_local_route() {
        let question = RouteQuestion {
            to: "127.0.0.1:80".parse().unwrap(),
            from: None,
            interface: None,
            mark: None,
        };
        assert_eq!(lookup(&question).map(|it| it.kind), Ok(RouteKind::Local));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(parse(&bytes).is_none() || bytes.len() >= ROUTE);
        }
    }
}
