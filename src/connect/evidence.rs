//! What surrounds an attempt, as far as it was looked at: values alone, for the judgement.

use std::fmt;
use std::net::IpAddr;

use crate::kernel::Errno;
use crate::kernel::neighbour::NeighbourState;
use crate::kernel::owners::Holder;
use crate::kernel::route::{Route, RouteKind};
use crate::kernel::unix_binding::FileKind;
use crate::model::{Endpoint, PortRange, TcpState};

/// What was seen. `None` and empty are "not looked at, or not to be seen".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Whether the destination is this machine.
    pub is_here: bool,
    /// Whether `--layers` shows the way beside it.
    pub is_walked: bool,
    /// The source address, where that was asked for.
    pub source: Option<IpAddr>,
    /// The way there, or the kernel's refusal.
    pub route: Option<Result<Route, Errno>>,
    /// The priority of the rule that says "unreachable" for it.
    pub rule: Option<u32>,
    /// Interfaces that are down, where there is no route.
    pub down: Vec<String>,
    /// The hops that a packet may take, where that was asked for.
    pub ttl: Option<u8>,
    /// The interface that it leaves by.
    pub interface: Option<String>,
    /// Whether that is up, and has a carrier.
    pub link: Option<(bool, bool)>,
    /// The next hop, and what is known of it.
    pub neighbour: Option<(IpAddr, NeighbourState)>,
    /// The queue of the listener here.
    pub queue: Option<Queue>,
    /// Sockets of this port here that are at another address, or do not listen.
    pub others: Vec<Other>,
    /// Whether IPv6 is switched off here.
    pub ipv6_is_off: Option<bool>,
    /// The interfaces that have the address, where it lacks one.
    pub scopes: Vec<String>,
    /// The ports that connect(2) may choose from, and how many of them go to this destination.
    pub ports: Option<Ports>,
    /// A Unix name.
    pub unix: Option<UnixEvidence>,
}

/// What of this machine's routing forbids the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidding {
    /// Its type, in the word of ip-route(8).
    pub word: &'static str,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Route,
    Rule(u32),
    /// The kernel says the same for both.
    Either,
}

impl fmt::Display for Forbidding {
    /// ``an `unreachable` route``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word;
        let article = if word == "unreachable" { "an" } else { "a" };
        match self.by {
            By::Route => write!(f, "{article} `{word}` route"),
            By::Rule(priority) => write!(f, "rule {priority}, of type `{word}`,"),
            By::Either => write!(f, "{article} `{word}` route or rule"),
        }
    }
}

/// Interfaces that are named: a machine can have very many that are down.
const NAMED: usize = 3;

impl Evidence {
    /// `eth0 is down`, `eth0, eth1 are down`; `None` where none is known to be.
    pub fn links_down(&self) -> Option<String> {
        let names: Vec<_> = self.down.iter().take(NAMED).map(String::as_str).collect();
        let more = if self.down.len() > NAMED { " and others" } else { "" };
        let verb = if self.down.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("{}{more} {verb} down", names.join(", ")))
    }

    /// The route or rule that is to blame. Of IPv4 a route that forbids is an error of the question
    /// (`net/ipv4/fib_semantics.c`, `fib_props`), and so is a rule.
    pub fn forbidding(&self) -> Option<Forbidding> {
        // The same EINVAL is the answer to a source that cannot leave this machine.
        let is_stuck = self.source.is_some_and(|it| it.is_loopback()) && !self.is_here;
        let (word, by) = match self.route.as_ref()? {
            Err(Errno::EINVAL) if is_stuck => return None,
            Err(Errno::EINVAL) => ("blackhole", By::Either),
            Err(Errno::EACCES) => ("prohibit", By::Either),
            Err(Errno::EHOSTUNREACH) => ("unreachable", By::Route),
            Err(_) => ("unreachable", By::Rule(self.rule?)),
            Ok(route) => match route.kind {
                RouteKind::Blackhole => ("blackhole", By::Route),
                RouteKind::Prohibit => ("prohibit", By::Route),
                RouteKind::Unreachable => ("unreachable", By::Route),
                RouteKind::Unicast | RouteKind::Local | RouteKind::Other(_) => return None,
            },
        };
        Some(Forbidding { word, by })
    }
}

/// The accept queue of a listener: full when there are more than the limit (`sk_acceptq_is_full`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait to be accepted.
    pub waiting: u32,
    /// The backlog of listen(2), cut to net.core.somaxconn.
    pub limit: u32,
}

impl Queue {
    /// Whether the next SYN is dropped.
    pub fn is_full(self) -> bool {
        self.waiting > self.limit
    }
}

/// Another socket with the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// Where it is bound.
    pub local: Endpoint,
    /// LISTEN, BOUND_INACTIVE, or CLOSE for UDP.
    pub state: TcpState,
    /// Who has it.
    pub owner: Option<Holder>,
}

/// The ports of connect(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// `net.ipv4.ip_local_port_range`.
    pub range: PortRange,
    /// Of them, those that are not reserved.
    pub usable: u64,
    /// Those that go to this destination already, in whatever state.
    pub taken: u64,
}

/// What is at a Unix name.
#[derive(Clone, Debug, PartialEq)]
pub struct UnixEvidence {
    /// The file; of an abstract name nothing.
    pub file: FileKind,
    /// The sockets that have it: type and state.
    pub sockets: Vec<(u8, TcpState)>,
    /// The part of the path that this user may not pass, and why.
    pub barrier: Option<(String, Barrier)>,
}

/// What of a path is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// It does not exist.
    Missing,
    /// This user may not search it.
    NoSearch,
    /// This user may not write to it, as connect(2) must.
    NoWrite,
}
