//! What is known after an attempt.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::outcome::Outcome;
use crate::catalogue::{eai, errnos};
use crate::kernel::connecting::Step;
use crate::kernel::error_queue::IcmpError;
use crate::kernel::unix_binding::UnixType;
use crate::model::{Protocol, UnixName};

/// An address that can be connected to: nothing has to be resolved any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An Internet address.
    Internet(Protocol, SocketAddr),
    /// A Unix socket.
    Unix(UnixName, UnixType),
}

impl fmt::Display for Destination {
    /// The address alone, as the JSON has it: `10.0.9.20`, `fe80::1%2`, `/run/app.sock`, `@name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(_, SocketAddr::V6(it)) if it.scope_id() != 0 => {
                write!(f, "{}%{}", it.ip(), it.scope_id())
            }
            Self::Internet(_, it) => it.ip().fmt(f),
            Self::Unix(UnixName::Path(path), _) => path.display().fmt(f),
            Self::Unix(UnixName::Abstract(name), _) => {
                write!(f, "@{}", String::from_utf8_lossy(name))
            }
        }
    }
}

impl Destination {
    /// The address with its port, or the name of the Unix socket.
    pub(super) fn end(&self) -> String {
        match self {
            Self::Internet(Protocol::Tcp, end) => end.to_string(),
            Self::Internet(Protocol::Udp, end) => format!("udp://{end}"),
            Self::Unix(name, _) => name.to_string(),
        }
    }

    /// The IP address; `None` of a Unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Internet(_, it) => Some(it.ip()),
            Self::Unix(..) => None,
        }
    }
}

/// How far an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The name.
    Resolve,
    /// A call of the socket's.
    Call(Step),
    /// send(2) once connected.
    Send,
    /// The wait for an answer.
    Reply,
}

impl Stage {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Call(step) => step.name(),
            Self::Send => "send",
            Self::Reply => "reply",
        }
    }
}

/// What came of an attempt at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address; `None` if the name has none.
    pub destination: Option<Destination>,
    /// In one word.
    pub outcome: Outcome,
    /// The error number; 0 for none; negative for a code of getaddrinfo(3). At a deadline of ours
    /// EAGAIN (11), or `EAI_AGAIN` (-3) if the name was still being looked up.
    pub code: i32,
    /// What Python's `socket.connect_ex` gives in the same mode; `None` where it raises.
    pub connect_ex: Option<i32>,
    /// Whether it was our deadline that ended it, and not the kernel.
    pub deadline: bool,
    /// The call that it ended with.
    pub stage: Stage,
    /// From the first call to the answer.
    pub elapsed: Duration,
    /// This end.
    pub local: Option<SocketAddr>,
    /// The ICMP message that ended it.
    pub icmp: Option<IcmpError>,
    /// How often the SYN was sent again.
    pub syn_retransmits: Option<u32>,
    /// The round trip of the handshake.
    pub rtt_us: Option<u32>,
    /// The first bytes of the other end; empty if it closed without a word.
    pub reply: Option<Vec<u8>>,
}

impl Attempt {
    /// An attempt of which nothing is known yet.
    pub(super) fn new(destination: impl Into<Option<Destination>>) -> Self {
        Self {
            destination: destination.into(),
            outcome: Outcome::LocalError,
            code: 0,
            connect_ex: None,
            deadline: false,
            stage: Stage::Call(Step::Connect),
            elapsed: Duration::ZERO,
            local: None,
            icmp: None,
            syn_retransmits: None,
            rtt_us: None,
            reply: None,
        }
    }

    /// Whether the other end took it.
    pub fn is_connected(&self) -> bool {
        self.outcome == Outcome::Connected
    }

    /// Whether the ICMP message is of this machine's own kernel, about somebody else: of its packet
    /// filter, or of its neighbour table.
    pub(super) fn is_told_by_this_machine(&self) -> bool {
        let Some(from) = self.icmp.and_then(|it| it.from) else { return false };
        let is = |ip: IpAddr| ip.to_canonical() == from;
        let destination = self.destination.as_ref().and_then(Destination::ip);
        self.local.is_some_and(|it| is(it.ip())) && !destination.is_some_and(is)
    }

    /// The C name of the code: `ECONNREFUSED`, `EAI_NONAME`; `OK` for 0.
    pub fn name(&self) -> String {
        if self.code < 0 { eai::name(self.code) } else { errnos::name(self.code) }
    }
}
