//! What came of an attempt, in one word: decided by the error number, the call, and the ICMP message
//! if there was one.

use serde::Serialize;

use crate::catalogue::errnos;
use crate::kernel::error_queue::IcmpError;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The other end's kernel took the connection; of UDP, somebody answered.
    Connected,
    /// The host said no: an RST, a port of UDP that nobody has, a Unix name that nobody listens at.
    Refused,
    /// An ICMP message said that it is not allowed, or that there is no such port for TCP.
    Rejected,
    /// Nobody answered.
    TimedOut,
    /// There is no way there, from here or from a router.
    Unreachable,
    /// The socket met itself: nobody listens.
    SelfConnect,
    /// The name has no address.
    ResolveFailed,
    /// This machine could not try.
    LocalError,
    /// This machine does not allow it.
    Denied,
}

/// Every outcome, in the order of the contract.
pub const OUTCOMES: [Outcome; 9] = [
    Outcome::Connected,
    Outcome::Refused,
    Outcome::Rejected,
    Outcome::TimedOut,
    Outcome::Unreachable,
    Outcome::SelfConnect,
    Outcome::ResolveFailed,
    Outcome::LocalError,
    Outcome::Denied,
];

impl Outcome {
    /// The word in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::SelfConnect => "self_connect",
            Self::ResolveFailed => "resolve_failed",
            Self::LocalError => "local_error",
            Self::Denied => "denied",
        }
    }

    /// What an error number of this machine's, or of an RST, comes to.
    pub fn of_code(code: i32) -> Self {
        match errnos::name(code).as_str() {
            "OK" => Self::Connected,
            "ECONNREFUSED" | "ECONNRESET" | "EPIPE" => Self::Refused,
            "ETIMEDOUT" | "EAGAIN" => Self::TimedOut,
            "ENETUNREACH" | "EHOSTUNREACH" | "ENETDOWN" | "EHOSTDOWN" | "ENONET" => {
                Self::Unreachable
            }
            "EACCES" | "EPERM" => Self::Denied,
            _ => Self::LocalError,
        }
    }

    /// What an ICMP message comes to, for a connection of TCP or a datagram of UDP.
    pub fn of_icmp(icmp: &IcmpError, is_udp: bool) -> Self {
        let is_port = (icmp.is_v6, icmp.kind, icmp.code) == (false, 3, 3)
            || (icmp.is_v6, icmp.kind, icmp.code) == (true, 1, 4);
        if is_port && is_udp {
            // The host's own answer for a port that nobody has (RFC 1122, section 4.1.3.1). For one of
            // TCP it has an RST, so that the message is a firewall's.
            Self::Refused
        } else if is_no_way(icmp) {
            Self::Unreachable
        } else {
            Self::Rejected
        }
    }
}

/// Messages by which a router says that it cannot deliver; the others that end a connect(2) say that
/// somebody does not want to.
fn is_no_way(icmp: &IcmpError) -> bool {
    match (icmp.is_v6, icmp.kind) {
        // Network or host unreachable, unknown, isolated, or not for this type of service.
        (false, 3) => matches!(icmp.code, 0 | 1 | 5 | 6 | 7 | 8 | 11 | 12),
        // Time exceeded.
        (false, 11) | (true, 3) => true,
        // No route, beyond scope, address unreachable.
        (true, 1) => matches!(icmp.code, 0 | 2 | 3),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icmp(is_v6: bool, kind: u8, code: u8) -> IcmpError {
        IcmpError { is_v6, kind, code, from: None, errno: 113 }
    }

    #[test]
    fn a_firewall_rejects_and_a_router_without_a_way_is_unreachable() {
        for (message, tcp, udp) in [
            (icmp(false, 3, 13), Outcome::Rejected, Outcome::Rejected),
            (icmp(false, 3, 10), Outcome::Rejected, Outcome::Rejected),
            (icmp(false, 3, 3), Outcome::Rejected, Outcome::Refused),
            (icmp(false, 3, 1), Outcome::Unreachable, Outcome::Unreachable),
            (icmp(false, 3, 0), Outcome::Unreachable, Outcome::Unreachable),
            (icmp(false, 11, 0), Outcome::Unreachable, Outcome::Unreachable),
            (icmp(true, 1, 1), Outcome::Rejected, Outcome::Rejected),
            (icmp(true, 1, 4), Outcome::Rejected, Outcome::Refused),
            (icmp(true, 1, 0), Outcome::Unreachable, Outcome::Unreachable),
            (icmp(true, 3, 0), Outcome::Unreachable, Outcome::Unreachable),
        ] {
            assert_eq!(Outcome::of_icmp(&message, false), tcp, "{message:?}");
            assert_eq!(Outcome::of_icmp(&message, true), udp, "{message:?}");
        }
    }

    #[test]
    fn words_are_those_of_the_json() {
        for outcome in OUTCOMES {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.word());
        }
    }
}
