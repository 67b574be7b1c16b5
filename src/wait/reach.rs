//! Waiting until an address accepts, refuses, or echoes: one attempt of `netkit connect` a look.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::interval::{Reach, chance};
use super::look::{Look, Seen};
use super::target::Condition;
use crate::catalogue::errnos;
use crate::connect::{Attempt, Destination, Hear, Options, Outcome, Patience, Stage, Talk, Target, attempt};
use crate::kernel::clock::Stopwatch;
use crate::kernel::interfaces;
use crate::model::Protocol;
use crate::output::numbers::whole;

/// An answer of this host comes within this time; what takes longer asked somebody else, if only a
/// resolver.
const AT_ONCE: Duration = Duration::from_millis(5);

/// How an attempt is made.
#[derive(Clone, Debug)]
pub struct Asking {
    /// How long it may take.
    pub timeout: Duration,
    /// How to connect.
    pub options: Options,
}

/// The looks at one address.
#[derive(Default)]
pub struct ReachLook {
    /// Which addresses are this host's own.
    own: HashMap<IpAddr, bool>,
}

impl ReachLook {
    /// Looks once, for no longer than `left`.
    pub fn look(
        &mut self,
        target: &Target,
        condition: Condition,
        asking: &Asking,
        left: Option<Duration>,
    ) -> Look {
        let stopwatch = Stopwatch::start();
        let patience = Patience::of(left.map_or(asking.timeout, |left| left.min(asking.timeout)));
        let payload = payload();
        let talk = match condition {
            Condition::Echo => Talk { send: payload.clone(), hear: Hear::Reply },
            _ => asking.options.talk.clone(),
        };
        let options = Options { talk, ..asking.options.clone() };
        // Nothing can interrupt it: signals are the follower's.
        let Some(attempt) = attempt(target, &options, &patience) else { return nothing() };
        let is_at_hand = self.is_own(&attempt) && stopwatch.elapsed() < AT_ONCE.max(attempt.elapsed);
        let judged = judge(&attempt, target, condition, &payload);
        Look {
            is_met: judged.is_met,
            is_telling: judged.is_telling,
            seen: seen(&attempt, judged.outcome),
            due: None,
            reach: if is_at_hand { Reach::AtHand } else { Reach::Afar },
        }
    }

    /// Whether this host itself answered.
    fn is_own(&mut self, attempt: &Attempt) -> bool {
        match &attempt.destination {
            Some(Destination::Unix(..)) => true,
            None => false,
            Some(Destination::Internet(_, end)) => {
                let ip = end.ip();
                let is_here = |ip: IpAddr| {
                    ip.is_loopback()
                        || ip.is_unspecified()
                        || interfaces::addresses().iter().any(|(_, own)| *own == ip)
                };
                *self.own.entry(ip).or_insert_with(|| is_here(ip.to_canonical()))
            }
        }
    }
}
