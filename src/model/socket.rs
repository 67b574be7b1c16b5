//! One row of the kernel's socket tables.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::{Endpoint, StateClass, TcpState};

/// How long a socket stays in TIME_WAIT, in milliseconds: a constant of the kernel, which no sysctl
/// changes (`include/net/tcp.h`, `TCP_TIMEWAIT_LEN`).
pub const TIME_WAIT_MS: u32 = 60_000;

/// The transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// The name in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The address family that the socket was made with. An IPv6 socket can carry IPv4 traffic: see
/// [`Socket::v4_mapped`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// `AF_INET`.
    Ipv4,
    /// `AF_INET6`.
    Ipv6,
}

impl Family {
    /// The name in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// What is wrong with `ip` where `-4` or `-6` wants addresses of this family alone.
    pub fn leaves_out(self, ip: IpAddr) -> Option<&'static str> {
        match (self, ip) {
            (Self::Ipv4, IpAddr::V6(_)) => Some("-4 leaves out IPv6 addresses"),
            (Self::Ipv6, IpAddr::V4(_)) => Some("-6 leaves out IPv4 addresses"),
            (Self::Ipv4, IpAddr::V4(_)) | (Self::Ipv6, IpAddr::V6(_)) => None,
        }
    }
}

/// What a socket's timer will do, by the kernel's number (`idiag_timer`; `tr` in /proc/net/tcp).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKind(u8);

impl TimerKind {
    /// Retransmission, or the tail loss probe.
    pub const RETRANSMIT: Self = Self(1);
    /// Keepalive; on a connection that is being closed, the end of its life.
    pub const KEEPALIVE: Self = Self(2);
    /// The end of a TIME_WAIT or FIN_WAIT2 mini-socket.
    pub const TIME_WAIT: Self = Self(3);
    /// Zero window probe.
    pub const PERSIST: Self = Self(4);
    /// Delayed acknowledgement.
    pub const DELAYED_ACK: Self = Self(5);

    /// The timer with the kernel's number `code`; 0 means that none runs.
    #[inline]
    pub const fn from_kernel(code: u8) -> Option<Self> {
        if code == 0 { None } else { Some(Self(code)) }
    }

    /// The name in JSON and tables; `timer_n` for a number without one.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::RETRANSMIT => "retransmit",
            Self::KEEPALIVE => "keepalive",
            Self::TIME_WAIT => "time_wait",
            Self::PERSIST => "persist",
            Self::DELAYED_ACK => "delayed_ack",
            Self(code) => return Cow::Owned(format!("timer_{code}")),
        })
    }
}

/// A running timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What happens when it fires.
    pub kind: TimerKind,
    /// Milliseconds until then; 0 is "any moment": the kernel's timer wheel is up to seconds late.
    pub expires_ms: u32,
    /// Retransmissions or probes sent without an answer.
    pub retransmits: u8,
}

/// One socket as the kernel shows it. Copied by value: no row owns memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The family that the socket was made with.
    pub family: Family,
    /// The state by the kernel's number.
    pub state: TcpState,
    /// This end.
    pub local: Endpoint,
    /// The other end; port 0 when there is none.
    pub remote: Endpoint,
    /// An IPv6 socket with IPv4 traffic; the addresses above are then the IPv4 ones.
    pub v4_mapped: bool,
    /// Bytes received and not read; for a listener, connections that wait for accept(2).
    pub recv_queue: u32,
    /// Bytes sent and not acknowledged; for a listener, the limit of its accept queue, which
    /// /proc does not tell (`None`).
    pub send_queue: Option<u32>,
    /// The running timer.
    pub timer: Option<Timer>,
    /// The owner's user id; `None` for rows that only the kernel holds.
    pub uid: Option<u32>,
    /// The socket's inode; `None` for rows that only the kernel holds.
    pub inode: Option<u32>,
    /// The index of the interface that the socket is bound to.
    pub interface: Option<u32>,
    /// The kernel's unique number of the socket; it survives the change to TIME_WAIT.
    pub cookie: Option<u64>,
    /// Whether this host sent the connection's SYN, where the kernel's `tcp_info` was asked for and
    /// proves it.
    pub opened_here: Option<bool>,
    /// `IPV6_V6ONLY` of an IPv6 listener, where the kernel says it.
    pub v6_only: Option<bool>,
}

impl Socket {
    /// Whether this is a mini-socket: what the kernel keeps of a connection that no program holds,
    /// in TIME_WAIT or in FIN_WAIT2 (`include/net/inet_timewait_sock.h`).
    #[inline]
    pub fn is_mini(&self) -> bool {
        self.timer.is_some_and(|timer| timer.kind == TimerKind::TIME_WAIT)
    }

    /// What the socket is counted under.
    #[inline]
    pub fn class(&self) -> StateClass {
        match (self.protocol, self.state) {
            (Protocol::Tcp, TcpState::FIN_WAIT2) if self.is_mini() => StateClass::FinWait2Mini,
            (Protocol::Udp, TcpState::CLOSE) => StateClass::UdpUnconnected,
            (_, state) => StateClass::State(state),
        }
    }
}
