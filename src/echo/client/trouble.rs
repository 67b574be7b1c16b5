//! What went wrong with a peer, in words: what happened, to which address, what it means, what helps.
//! Pure.

use std::net::IpAddr;

pub use super::failure::{Failure, Step, Why};
use crate::echo::address::Carrier;

/// What went wrong with which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The address.
    pub address: String,
    /// What.
    pub failure: Failure,
    /// What carries the bytes there.
    pub carrier: Carrier,
    /// The source that was asked for.
    pub source: Option<IpAddr>,
}

impl Trouble {
    /// A message with a hint.
    pub fn message(&self) -> String {
        self.message_of(&self.headline())
    }

    /// The same where a reply has begun to come: what there is of it.
    pub fn message_behind(&self, came: &str) -> String {
        let Self { address, failure, .. } = self;
        self.message_of(&format!("only {came} came from {address}: {}", failure.title()))
    }

    fn message_of(&self, headline: &str) -> String {
        let meaning = self.failure.meaning(self.carrier);
        let hint = self.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{headline}: {meaning}{hint}")
    }

    /// What happened, to which address.
    pub fn headline(&self) -> String {
        let Self { address, failure, source, .. } = self;
        let does = match failure.step {
            Step::Resolve => "cannot resolve",
            Step::Bind | Step::Connect => "cannot connect to",
            Step::Send => "cannot send to",
            Step::Receive => "no reply from",
        };
        let from = source.map(|source| format!(" from {source}")).unwrap_or_default();
        format!("{does} {address}{from}: {}", failure.title())
    }

    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        let name = self.failure.name();
        match (self.failure.step, name.as_str()) {
            (_, "interrupted" | "closed") => None,
            (Step::Resolve, _) => {
                Some("is the name right; an address in its place needs no name server".to_owned())
            }
            (Step::Bind, _) => Some(
                "`ip -brief address` lists the addresses there are; without --source, the kernel \
                 chooses one"
                    .to_owned(),
            ),
            (_, "ECONNREFUSED" | "ENOENT" | "self-connect") => Some(format!(
                "`netkit echo server {}` starts a server there; {}",
                self.address,
                self.connect()
            )),
            (Step::Connect, "EADDRNOTAVAIL") if self.address.contains("://[") => Some(
                "`ip -6 address` shows whether there is IPv6; `netkit states --time-wait` tells where \
                 the ports are"
                    .to_owned(),
            ),
            (Step::Connect, "EADDRNOTAVAIL") => Some(
                "`netkit states --time-wait` tells where the ports are; a load with --close rst leaves \
                 none in TIME_WAIT"
                    .to_owned(),
            ),
            (Step::Connect, "EMFILE") => {
                Some("`ulimit -Hn` shows the limit, which root can raise; fewer --connections".to_owned())
            }
            (Step::Connect, _) => Some(self.connect()),
            (Step::Send | Step::Receive, "timeout") => {
                Some("a longer --timeout waits for a server that is slow".to_owned())
            }
            (Step::Send | Step::Receive, "ECONNRESET" | "EPIPE") => {
                Some("the server's own log says which".to_owned())
            }
            (Step::Send | Step::Receive, "EMSGSIZE") => Some(
                "a shorter message, of a load a smaller --size: UDP over IPv4 carries 65,507 bytes at \
                 most"
                    .to_owned(),
            ),
            (Step::Send | Step::Receive, _) => None,
        }
    }

    /// The command that says more, with what this connection was asked for.
    fn connect(&self) -> String {
        let source = self.source.map(|source| format!("--source {source} ")).unwrap_or_default();
        let (kind, address) = match self.carrier {
            Carrier::UnixDgram => ("--type dgram ", self.address.replacen("unix-dgram", "unix", 1)),
            Carrier::UnixSeqpacket => {
                ("--type seqpacket ", self.address.replacen("unix-seqpacket", "unix", 1))
            }
            Carrier::Tcp | Carrier::Udp | Carrier::UnixStream => ("", self.address.clone()),
        };
        format!("`netkit connect {source}{kind}{address}` says how far it gets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(step: Step, why: Why, carrier: Carrier) -> Trouble {
        let address = format!("{}://127.0.0.1:8081", carrier.name());
        Trouble { address, failure: Failure { step, why }, carrier, source: None }
    }

    #[test]
    fn a_message_has_what_where_why_and_what_helps() {
        let refused = trouble(Step::Connect, Why::Errno(111, None), Carrier::Tcp).message();
        for words in [
            "cannot connect to tcp://127.0.0.1:8081: ECONNREFUSED (111) Connection refused: ",
            "nobody listens",
            "\nhint: `netkit echo server tcp://127.0.0.1:8081` starts",
            "`netkit connect tcp://127.0.0.1:8081` says",
        ] {
            assert!(refused.contains(words), "no {words:?} in {refused}");
        }
        let reset = trouble(Step::Receive, Why::Errno(104, None), Carrier::Tcp).message();
        assert!(reset.contains("RST") && reset.contains("hint: "), "{reset}");
        let silent = trouble(Step::Receive, Why::Late, Carrier::Udp).message();
        assert!(silent.contains("loopback") && silent.contains("--timeout"), "{silent}");
    }

    #[test]
    fn the_source_that_was_asked_for_is_in_the_message_and_in_the_hint() {
        let from = |trouble: Trouble| Trouble { source: "10.0.0.9".parse().ok(), ..trouble };
        let refused = from(trouble(Step::Connect, Why::Errno(111, None), Carrier::Tcp)).message();
        assert!(refused.contains("tcp://127.0.0.1:8081 from 10.0.0.9: "), "{refused}");
        assert!(refused.contains("connect --source 10.0.0.9 tcp://127.0.0.1:8081`"), "{refused}");
        let absent = from(trouble(Step::Bind, Why::Errno(99, None), Carrier::Tcp)).message();
        assert!(absent.contains("no interface") && !absent.contains("port left"), "{absent}");
        assert!(absent.contains("without --source"), "{absent}");
    }

    #[test]
    fn the_command_in_the_hint_is_one_that_works() {
        let hint = Trouble {
            address: "unix-dgram:/run/a".to_owned(),
            ..trouble(Step::Connect, Why::Errno(2, None), Carrier::UnixDgram)
        };
        let hint = hint.hint().unwrap();
        assert!(hint.contains("`netkit connect --type dgram unix:/run/a`"), "{hint}");
    }
}
