//! What went wrong with a peer, in words: what happened, to which address, what it means, what helps.
//! Pure.

use crate::catalogue::{connect_errnos, eai, errnos, icmp};
use crate::echo::address::Carrier;
use crate::kernel::error_queue::IcmpError;

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name.
    Resolve,
    /// connect(2).
    Connect,
    /// send(2).
    Send,
    /// recv(2).
    Receive,
}

impl Step {
    /// `resolve`, `connect`, `send`, `receive`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
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

/// A step that failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub step: Step,
    /// How.
    pub why: Why,
}

impl Failure {
    /// The error number; `None` if it was none of the kernel's.
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
        if let Some(said) = self.icmp() {
            let words = icmp::find(said.is_v6, said.kind, said.code).map(|it| it.meaning);
            let from = said.from.map(|from| format!("{from} answered: ")).unwrap_or_default();
            let other = format!("ICMP {}/{}", said.kind, said.code);
            return format!("{from}{}", words.unwrap_or(&other));
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
        if self.step != Step::Connect
            && let Some(meaning) = of_traffic(&name, carrier)
        {
            return meaning.to_owned();
        }
        let known = match carrier {
            Carrier::Tcp | Carrier::Udp => connect_errnos::internet(&name),
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => {
                connect_errnos::unix(&name)
            }
        };
        known.map_or_else(|| errnos::text(code).to_owned(), |it| it.meaning.to_owned())
    }
}

fn late(step: Step, carrier: Carrier) -> &'static str {
    match (step, carrier) {
        (Step::Resolve, _) => "no name server answered, which says nothing about the host",
        (Step::Connect, _) => "a firewall drops it, the host is off, or its accept queue is full",
        (_, Carrier::Udp) => {
            "nobody there, a firewall, or a server that does not answer such datagrams: netkit's own \
             answers any on loopback and load's alone elsewhere"
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
        ("EMSGSIZE", _) => "the message is larger than a datagram can be there: a smaller --size",
        ("ENOBUFS", _) => "the kernel has no memory for it: a smaller --rate or --size",
        ("ETIMEDOUT", _) => {
            "the kernel gave the connection up: what was sent was never acknowledged"
        }
        _ => return None,
    })
}

/// What went wrong with which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The address.
    pub address: String,
    /// What.
    pub failure: Failure,
    /// What carries the bytes there.
    pub carrier: Carrier,
}

impl Trouble {
    /// A message with a hint.
    pub fn message(&self) -> String {
        let Self { address, failure, carrier } = self;
        let does = match failure.step {
            Step::Resolve => "cannot resolve",
            Step::Connect => "cannot connect to",
            Step::Send => "cannot send to",
            Step::Receive => "no reply from",
        };
        let title = failure.title();
        let meaning = failure.meaning(*carrier);
        let hint = self.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{does} {address}: {title}: {meaning}{hint}")
    }

    fn hint(&self) -> Option<String> {
        let address = &self.address;
        match (self.failure.step, self.failure.name().as_str()) {
            (Step::Resolve, _) | (_, "closed") => None,
            (_, "ECONNREFUSED" | "ENOENT" | "self-connect") => {
                Some(format!("netkit echo server {address} starts a server there"))
            }
            (Step::Connect, _) => Some(format!("netkit connect {address} says more")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_what_where_why_and_what_helps() {
        let trouble = |step, why, carrier| Trouble {
            address: "tcp://127.0.0.1:8081".to_owned(),
            failure: Failure { step, why },
            carrier,
        };
        let refused = trouble(Step::Connect, Why::Errno(111, None), Carrier::Tcp).message();
        for words in
            ["cannot connect to tcp://127.0.0.1:8081", "ECONNREFUSED (111)", "hint: netkit"]
        {
            assert!(refused.contains(words), "{refused}");
        }
        let reset = trouble(Step::Receive, Why::Errno(104, None), Carrier::Tcp).message();
        assert!(reset.contains("RST"), "{reset}");
        let silent = trouble(Step::Receive, Why::Late, Carrier::Udp).message();
        assert!(silent.contains("loopback"), "{silent}");
    }

    #[test]
    fn who_rejected_it_is_named() {
        let icmp = IcmpError {
            is_v6: false,
            kind: 3,
            code: 13,
            from: "10.0.0.1".parse().ok(),
            errno: 113,
        };
        let failure = Failure { step: Step::Receive, why: Why::Errno(113, Some(icmp)) };
        let meaning = failure.meaning(Carrier::Udp);
        assert!(meaning.starts_with("10.0.0.1 answered: "), "{meaning}");
    }
}
