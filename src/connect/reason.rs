//! What came of an attempt, in words.

use super::attempt::{Attempt, Stage};
use super::outcome::Outcome;
use crate::catalogue::{eai, errnos};

impl Attempt {
    /// One sentence without a full stop: `ECONNREFUSED (111) Connection refused`, `no answer`, with
    /// who said so if that is known.
    pub fn reason(&self) -> String {
        match (self.outcome, self.stage) {
            (Outcome::Connected, _) => "connected".to_owned(),
            (Outcome::SelfConnect, _) => "nobody listens: the socket met itself".to_owned(),
            (Outcome::ResolveFailed, _) if self.deadline => {
                "no answer of the resolver in time".to_owned()
            }
            (Outcome::ResolveFailed, _) => {
                format!("{} ({}) {}", self.name(), self.code, eai::meaning(self.code))
            }
            (Outcome::TimedOut, Stage::Reply) => "no reply in time".to_owned(),
            (Outcome::TimedOut, _) if self.deadline => "no answer in time".to_owned(),
            _ => self.errno_and_sender(),
        }
    }

    /// `EHOSTUNREACH (113) No route to host, by 10.0.1.254 (ICMP 3/13)`
    fn errno_and_sender(&self) -> String {
        let errno = format!("{} ({}) {}", self.name(), self.code, errnos::text(self.code));
        match self.icmp {
            None => errno,
            Some(icmp) => {
                let from = icmp.from.map(|ip| format!("{ip} ")).unwrap_or_default();
                let version = if icmp.is_v6 { "ICMPv6" } else { "ICMP" };
                format!("{errno}, by {from}({version} {}/{})", icmp.kind, icmp.code)
            }
        }
    }
}
