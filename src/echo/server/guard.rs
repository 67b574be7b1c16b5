//! Which datagrams may be answered: the rules that keep an echo server from being somebody's weapon.
//!
//! RFC 862 sends back whatever came, so that one datagram with a forged source makes any two services
//! that answer talk to each other for ever (CVE-1999-0103, CVE-2024-2169). What is here is what inetd of
//! OpenBSD does (`dg_badinput`), and more: ports alone do not stop a loop between high ports.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::echo::datagram;

/// Ports below this one are those of services (`ip_unprivileged_port_start`): a client has none.
const FIRST_UNPRIVILEGED: u16 = 1024;

/// Why a datagram is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It had no bytes.
    Empty,
    /// It was longer than what is sent back.
    TooLong,
    /// It came from the port of a service.
    PrivilegedPort,
    /// It came from a port of this server.
    OwnPort,
    /// It came from or was sent to a multicast or broadcast address.
    NotUnicast,
    /// It had come round: what sent it was a server's reply.
    Looped,
    /// It is not one of netkit's own, and others are not answered here.
    Foreign,
    /// It is a reply of netkit's.
    Reply,
    /// Its source sends too many.
    SourceRate,
    /// All sources together send too many.
    GlobalRate,
    /// Its reply would be larger than it is.
    Larger,
    /// It was to be dropped.
    Dropped,
    /// Too many replies wait to be sent, with --delay.
    Waiting,
    /// The reply could not be sent.
    NotSent,
    /// Its sender has no name to send to.
    NoName,
    /// Its reply was held back by --delay when the server ended.
    Cut,
}

impl Refusal {
    /// What is said of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::PrivilegedPort => "from the port of a service, below 1024",
            Self::OwnPort => "from a port of this server",
            Self::NotUnicast => "from or to a multicast or broadcast address",
            Self::Looped => "a server's reply that came round",
            Self::Foreign => "not netkit's own, which alone are answered here",
            Self::Reply => "a reply of netkit's",
            Self::SourceRate => "over the rate of one source",
            Self::GlobalRate => "over the rate of all sources",
            Self::Larger => "the reply would be larger",
            Self::Waiting => "too many replies wait to be sent",
            Self::Dropped => "dropped, as asked for",
            Self::NotSent => "the reply could not be sent",
            Self::NoName => "from a socket without a name",
            Self::Cut => "held back when the server ended",
        }
    }
}

/// What is asked about a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its source.
    pub source: (IpAddr, u16),
    /// Whether it was sent to this machine's address alone.
    pub is_to_us_alone: bool,
    /// The hops that it had left.
    pub hops: Option<u32>,
}

/// The rules of a server.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Its own ports.
    pub own_ports: Vec<u16>,
    /// Whether it answers netkit's own datagrams alone.
    pub is_strict: bool,
    /// The hops that a datagram of this machine starts with.
    pub default_hops: u32,
}

impl Rules {
    /// Whether a datagram may be answered.
    pub fn judge(&self, question: &Question<'_>) -> Result<(), Refusal> {
        let (address, port) = question.source;
        let is_netkits = datagram::Header::of(question.bytes);
        if question.bytes.is_empty() {
            Err(Refusal::Empty)
        } else if !is_one_host(address) || !question.is_to_us_alone {
            Err(Refusal::NotUnicast)
        } else if port < FIRST_UNPRIVILEGED {
            Err(Refusal::PrivilegedPort)
        } else if self.own_ports.contains(&port) {
            Err(Refusal::OwnPort)
        } else if self.has_come_round(address, question.hops) {
            Err(Refusal::Looped)
        } else if is_netkits.is_some_and(|header| !header.is_request) {
            Err(Refusal::Reply)
        } else if self.is_strict && is_netkits.is_none() {
            Err(Refusal::Foreign)
        } else {
            Ok(())
        }
    }

    /// Whether it has been answered before. A reply goes one hop less far than the request could, so
    /// that what goes to and fro between servers dies as a packet does that goes round between routers.
    /// On loopback, where no router takes a hop, the first reply is seen for what it is.
    fn has_come_round(&self, source: IpAddr, hops: Option<u32>) -> bool {
        let Some(hops) = hops else { return false };
        hops <= 1 || (source.to_canonical().is_loopback() && hops + 1 == self.default_hops)
    }
}

/// Whether an address is that of one host. That it is the broadcast address of a network of ours, the
/// kernel has looked for: it drops such a source itself (`ip_route_input_slow`, net/ipv4/route.c).
fn is_one_host(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !v4.is_multicast() && v4 != Ipv4Addr::BROADCAST && v4.octets().first() != Some(&0)
        }
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::datagram::Header;

    fn judged(change: impl FnOnce(&mut Rules, &mut Question<'_>)) -> Result<(), Refusal> {
        let mut rules = Rules { own_ports: vec![8081], is_strict: false, default_hops: 64 };
        let source = (Ipv4Addr::LOCALHOST.into(), 40_000);
        let mut question = Question { bytes: b"x", source, is_to_us_alone: true, hops: Some(64) };
        change(&mut rules, &mut question);
        rules.judge(&question)
    }

    #[test]
    fn a_client_is_answered() {
        assert_eq!(judged(|_, _| {}), Ok(()));
        assert_eq!(judged(|_, it| it.source.1 = 1024), Ok(()));
        assert_eq!(judged(|_, it| it.hops = None), Ok(()));
        assert_eq!(judged(|_, it| it.hops = Some(2)), Ok(()));
        let far = |it: &mut Question<'_>, hops| {
            (it.source.0, it.hops) = (IpAddr::from([192, 0, 2, 1]), Some(hops));
        };
        assert_eq!(judged(|_, it| far(it, 63)), Ok(()));
    }

    #[test]
    fn what_is_no_client_is_not() {
        assert_eq!(judged(|_, it| it.bytes = b""), Err(Refusal::Empty));
        assert_eq!(judged(|_, it| it.source.1 = 1023), Err(Refusal::PrivilegedPort));
        assert_eq!(judged(|_, it| it.source.1 = 0), Err(Refusal::PrivilegedPort));
        assert_eq!(judged(|_, it| it.source.1 = 8081), Err(Refusal::OwnPort));
        assert_eq!(judged(|_, it| it.is_to_us_alone = false), Err(Refusal::NotUnicast));
        for many in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::", "::ffff:224.0.0.1"]
        {
            let address: IpAddr = many.parse().unwrap();
            assert_eq!(judged(|_, it| it.source.0 = address), Err(Refusal::NotUnicast), "{many}");
        }
    }

    #[test]
    fn what_has_come_round_is_not() {
        assert_eq!(judged(|_, it| it.hops = Some(63)), Err(Refusal::Looped));
        assert_eq!(judged(|_, it| it.hops = Some(1)), Err(Refusal::Looped));
    }

    #[test]
    fn the_strict_answer_requests_of_netkit_alone_and_nobody_answers_replies() {
        let mut bytes = Vec::new();
        let request = Header { is_request: true, run_id: 1, number: 1, sent_ns: 1 };
        request.write(40, &mut bytes);
        let mut reply = bytes.clone();
        assert!(datagram::make_reply(&mut reply));
        for is_strict in [false, true] {
            let rules = Rules { own_ports: vec![8081], is_strict, default_hops: 64 };
            let source = (Ipv4Addr::LOCALHOST.into(), 40_000);
            let question = |bytes| Question { bytes, source, is_to_us_alone: true, hops: Some(64) };
            assert_eq!(rules.judge(&question(&bytes)), Ok(()));
            assert_eq!(rules.judge(&question(&reply)), Err(Refusal::Reply));
            let foreign = rules.judge(&question(b"hello"));
            assert_eq!(foreign, if is_strict { Err(Refusal::Foreign) } else { Ok(()) });
        }
    }
}
