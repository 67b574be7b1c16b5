//! A step that failed with a peer, and what that means. Opens nothing.

use std::io;
use std::os::fd::BorrowedFd;

use crate::catalogue::{connect_errnos, eai, errnos, icmp};
use crate::echo::address::Carrier;
use crate::kernel::error_queue::{IcmpError, last_icmp};

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name.
    Resolve,
    /// bind(2) to the source that was asked for.
    Bind,
    /// connect(2).
    Connect,
    /// send(2).
    Send,
    /// recv(2).
    Receive,
}

impl Step {
    /// `resolve`, `bind`, `connect`, `send`, `receive`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Bind => "bind",
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// How it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// With an error number, and the ICMP message that it is of.
    Errno(i32, Option<IcmpError>),
    /// With a code of getaddrinfo(3).
    Name(i32),
    /// Our own deadline came first.
    Late,
    /// The peer closed the connection in order.
    Closed,
    /// The socket met itself: nobody listens.
    Itself,
    /// The user interrupted.
    Interrupted,
}

impl Why {
    /// An error of the kernel's; without a number, 0.
    pub fn of(error: &io::Error) -> Self {
        Self::Errno(error.raw_os_error().unwrap_or(0), None)
    }

    /// The same of a call on `socket`, with the ICMP message that it is of.
    pub fn on(socket: BorrowedFd<'_>, error: &io::Error) -> Self {
        Self::Errno(error.raw_os_error().unwrap_or(0), last_icmp(socket))
    }
}

/// A step that failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub step: Step,
    /// How.
    pub why: Why,
}

impl Failure {
    /// Whether there was no connection yet.
    pub fn is_of_opening(&self) -> bool {
        match self.step {
            Step::Resolve | Step::Bind | Step::Connect => true,
            Step::Send | Step::Receive => false,
        }
    }

    /// The error number, or the code of getaddrinfo(3); `None` of what has neither.
    pub fn code(&self) -> Option<i32> {
        match self.why {
            Why::Errno(code, _) | Why::Name(code) => Some(code),
            Why::Late | Why::Closed | Why::Itself | Why::Interrupted => None,
        }
    }

    /// `ECONNREFUSED`, `EAI_NONAME`, `timeout`, `closed`.
    pub fn name(&self) -> String {
        match self.why {
            Why::Errno(code, _) => errnos::name(code),
            Why::Name(code) => eai::name(code),
            Why::Late => "timeout".to_owned(),
            Why::Closed => "closed".to_owned(),
            Why::Itself => "self-connect".to_owned(),
            Why::Interrupted => "interrupted".to_owned(),
        }
    }

    /// Who sent the ICMP message, and what it said.
    pub fn icmp(&self) -> Option<IcmpError> {
        match self.why {
            Why::Errno(_, icmp) => icmp,
            Why::Name(_) | Why::Late | Why::Closed | Why::Itself | Why::Interrupted => None,
        }
    }

    /// What it is called: `ECONNREFUSED (111) Connection refused`.
    pub fn title(&self) -> String {
        match self.why {
            Why::Errno(code, _) => {
                format!("{} ({code}) {}", errnos::name(code), errnos::text(code))
            }
            Why::Name(code) => format!("{} ({code})", eai::name(code)),
            Why::Late => "nothing came before the timeout".to_owned(),
            Why::Closed => "the peer closed the connection (FIN)".to_owned(),
            Why::Itself => "the socket met itself".to_owned(),
            Why::Interrupted => "interrupted".to_owned(),
        }
    }

    /// What it means, in a sentence without a full stop.
    pub fn meaning(&self, carrier: Carrier) -> String {
        // With EPERM, the ICMP message is of this host's own packet filter.
        let is_filtered = self.code() == Some(errnos::EPERM);
        if let Some(said) = self.icmp().filter(|_| !is_filtered) {
            return told_by(&said, carrier);
        }
        let code = match self.why {
            Why::Errno(code, _) => code,
            Why::Name(code) => return eai::meaning(code).to_owned(),
            Why::Late => return late(self.step, carrier).to_owned(),
            Why::Closed => {
                return "the server has ended, or has a limit for connections".to_owned();
            }
            Why::Itself => {
                return "nobody listens: the kernel picked the destination's own port as the source"
                    .to_owned();
            }
            Why::Interrupted => return String::new(),
        };
        let name = errnos::name(code);
        let own = match self.step {
            Step::Bind => of_source(&name),
            Step::Connect => of_connecting(&name, carrier),
            Step::Send | Step::Receive => of_traffic(&name, carrier),
            Step::Resolve => None,
        };
        let known = match carrier {
            Carrier::Tcp | Carrier::Udp => connect_errnos::internet(&name),
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => {
                connect_errnos::unix(&name)
            }
        };
        let meaning = own.or(known.map(|it| it.meaning));
        meaning.map_or_else(|| errnos::text(code).to_owned(), str::to_owned)
    }
}

/// Who answered by ICMP, and what that says.
fn told_by(said: &IcmpError, carrier: Carrier) -> String {
    /// Destination unreachable, port unreachable: of ICMP (RFC 792) and of `ICMPv6` (RFC 4443).
    const NO_PORT: [(bool, u8, u8); 2] = [(false, 3, 3), (true, 1, 4)];
    let from = said.from.map(|from| format!("{from} answered: ")).unwrap_or_default();
    if carrier == Carrier::Udp && NO_PORT.contains(&(said.is_v6, said.kind, said.code)) {
        return format!("{from}nobody receives at this port");
    }
    let words = icmp::find(said.is_v6, said.kind, said.code).map(|it| it.meaning);
    let other = format!("ICMP {}/{}", said.kind, said.code);
    format!("{from}{}", words.unwrap_or(&other))
}

/// What an error of bind(2) to the source means.
fn of_source(name: &str) -> Option<&'static str> {
    Some(match name {
        "EADDRNOTAVAIL" => "no interface of this network namespace has that address",
        "EINVAL" => "a link-local IPv6 address is one of an interface, which --source cannot name",
        _ => return None,
    })
}

/// What an error of connect(2) means here, where the source's own are those of bind(2).
fn of_connecting(name: &str, carrier: Carrier) -> Option<&'static str> {
    match (name, carrier) {
        ("EADDRNOTAVAIL", Carrier::Tcp | Carrier::Udp) => {
            Some("this machine has no port left for that destination, or IPv6 is off")
        }
        // `inet_autobind`, net/ipv4/af_inet.c.
        ("EAGAIN", Carrier::Udp) => Some("this machine has no port left: no source port is free"),
        // Of an abstract name it is also what a socket of another type gives.
        ("ECONNREFUSED", Carrier::UnixStream | Carrier::UnixSeqpacket) => {
            Some("nobody listens at this name with a socket of this type")
        }
        ("ECONNREFUSED", Carrier::UnixDgram) => {
            Some("nobody has this name with a socket of this type")
        }
        _ => None,
    }
}

fn late(step: Step, carrier: Carrier) -> &'static str {
    match (step, carrier) {
        (Step::Resolve, _) => "no name server answered, which says nothing about the host",
        (Step::Bind | Step::Connect, _) => {
            "a firewall drops it, the host is off, or its accept queue is full"
        }
        (_, Carrier::Udp) => {
            "nobody is there, a firewall drops it, or the server does not answer such datagrams: \
             netkit's own answers any on loopback, and elsewhere those of a load alone"
        }
        _ => "the server has taken it and does not answer: is it an echo server, does it hang",
    }
}

/// What an error means once there was a connection.
fn of_traffic(name: &str, carrier: Carrier) -> Option<&'static str> {
    Some(match (name, carrier) {
        ("ECONNRESET", _) => {
            "the server has cut the connection (RST): it crashed, closed with bytes unread, or refuses \
             more"
        }
        ("EPIPE", _) => "the server had closed the connection before this was sent",
        ("ECONNREFUSED", Carrier::Udp) => "nobody receives at this port",
        ("ECONNREFUSED" | "ENOTCONN", _) => "the server's socket is gone",
        ("EPERM", Carrier::Udp) => {
            "a packet filter of this host rejects what is sent (`nft list ruleset`, `iptables-save`)"
        }
        ("EMSGSIZE", _) => "the message is larger than a datagram can be there",
        ("ENOBUFS", _) => "the kernel has no memory for it: a smaller --rate or --size",
        ("ETIMEDOUT", _) => {
            "the kernel gave the connection up: what was sent was never acknowledged"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(is_v6: bool, kind: u8, code: u8) -> Failure {
        let from = "10.0.0.1".parse().ok();
        let icmp = IcmpError { is_v6, kind, code, from, errno: 111 };
        Failure { step: Step::Receive, why: Why::Errno(111, Some(icmp)) }
    }

    #[test]
    fn who_rejected_it_is_named() {
        let meaning = refused(false, 3, 13).meaning(Carrier::Udp);
        assert!(meaning.starts_with("10.0.0.1 answered: "), "{meaning}");
    }

    #[test]
    fn a_refused_datagram_is_not_told_of_tcp() {
        for failure in [refused(false, 3, 3), refused(true, 1, 4)] {
            let meaning = failure.meaning(Carrier::Udp);
            assert_eq!(meaning, "10.0.0.1 answered: nobody receives at this port");
        }
        assert!(refused(false, 3, 3).meaning(Carrier::Tcp).contains("a firewall rejects it"));
    }

    #[test]
    fn the_same_error_means_another_thing_in_another_step() {
        let of_unix = Failure { step: Step::Connect, why: Why::Errno(111, None) };
        let of_unix = of_unix.meaning(Carrier::UnixDgram);
        assert!(of_unix.contains("of this type"), "{of_unix}");
        let meaning = |step| Failure { step, why: Why::Errno(99, None) }.meaning(Carrier::Tcp);
        assert!(meaning(Step::Bind).contains("no interface"), "{}", meaning(Step::Bind));
        assert!(meaning(Step::Connect).contains("no port left"), "{}", meaning(Step::Connect));
        let of_udp = Failure { step: Step::Connect, why: Why::Errno(11, None) };
        assert!(of_udp.meaning(Carrier::Udp).contains("no port left"));
    }
}
