//! Waiting until an address accepts, refuses, or echoes: one attempt of `netkit connect` a look.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::interval::{Reach, chance};
use super::look::{Look, Seen};
use super::target::Condition;
use crate::catalogue::{connect_errnos, eai, errnos};
use crate::connect::{
    Attempt, Destination, Hear, Options, Outcome, Patience, Stage, Talk, Target, attempt,
};
use crate::kernel::clock::Stopwatch;
use crate::kernel::interfaces;
use crate::model::{Family, Protocol, UnixName};
use crate::output::numbers::whole;

/// An answer of this host comes within this time; what takes longer asked somebody else, if only a
/// resolver.
const AT_ONCE: Duration = Duration::from_millis(5);

/// How an attempt is made.
#[derive(Clone, Debug)]
pub struct Asking {
    /// How long it may take.
    pub timeout: Duration,
    /// Addresses of this family alone.
    pub family: Option<Family>,
    /// What is said to it; `None` for nothing, and over UDP for a line of our own.
    pub send: Option<Vec<u8>>,
    /// Whether it has to answer.
    pub expects_reply: bool,
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
        let talk = if condition == Condition::Echo {
            Talk { send: payload.clone(), hear: Hear::Reply }
        } else {
            // A service of UDP may well not answer an empty datagram.
            let own = if is_udp(target) { payload.clone() } else { Vec::new() };
            let hear = if asking.expects_reply { Hear::Reply } else { Hear::Nothing };
            Talk { send: asking.send.clone().unwrap_or(own), hear }
        };
        let options = Options { talk, family: asking.family, ..Options::default() };
        // Nothing can interrupt it: signals are the follower's.
        let Some(attempt) = attempt(target, &options, &patience) else { return nothing() };
        let is_at_hand =
            self.is_own(&attempt) && stopwatch.elapsed() < AT_ONCE.max(attempt.elapsed);
        let mut judged = judge(&attempt, target, condition, &payload);
        if asking.expects_reply && is_mute(&attempt, target) {
            judged = Judged { is_met: false, outcome: "no_reply", ..judged };
        }
        Look {
            is_met: judged.is_met,
            is_telling: judged.is_telling,
            is_final: false,
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

fn is_udp(target: &Target) -> bool {
    matches!(target, Target::Internet { protocol: Protocol::Udp, .. })
}

/// What an attempt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judged {
    is_met: bool,
    is_telling: bool,
    outcome: &'static str,
}

fn judge(attempt: &Attempt, target: &Target, condition: Condition, sent: &[u8]) -> Judged {
    let is_echo = attempt.reply.as_deref() == Some(sent);
    let outcome = match (attempt.outcome, condition) {
        (Outcome::Connected, Condition::Echo) if is_echo => "echoed",
        (Outcome::Connected, Condition::Echo) => "no_echo",
        // It took the connection, and then closed it or said nothing.
        (_, Condition::Echo) if !is_udp(target) && is_past_connect(attempt) => "no_echo",
        (outcome, _) => outcome.word(),
    };
    let presence = Presence::of(attempt, is_udp(target));
    let is_met = match condition {
        Condition::Up => attempt.is_connected(),
        Condition::Echo => outcome == "echoed",
        Condition::Refused => attempt.outcome == Outcome::Refused,
        Condition::Down => presence == Presence::Absent,
        Condition::Free | Condition::Below => false,
    };
    Judged { is_met, is_telling: presence != Presence::Untried, outcome }
}

/// Whether it took the connection, and then said nothing.
fn is_mute(attempt: &Attempt, target: &Target) -> bool {
    let is_closed = attempt.is_connected() && attempt.reply.as_ref().is_none_or(Vec::is_empty);
    !is_udp(target) && (is_closed || !attempt.is_connected() && is_past_connect(attempt))
}

fn is_past_connect(attempt: &Attempt) -> bool {
    matches!(attempt.stage, Stage::Send | Stage::Reply)
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// It accepts, or did not say that it does not.
    Possible,
    /// It does not accept.
    Absent,
    /// This host could not try.
    Untried,
}

impl Presence {
    fn of(attempt: &Attempt, is_udp: bool) -> Self {
        match attempt.outcome {
            Outcome::Connected => Self::Possible,
            Outcome::Refused if !is_udp && is_past_connect(attempt) => Self::Possible,
            Outcome::Refused | Outcome::Rejected | Outcome::Unreachable | Outcome::SelfConnect => {
                Self::Absent
            }
            // Silence is what most services of UDP answer to what they do not understand, and what
            // a connection that was accepted may come to.
            Outcome::TimedOut => match attempt.stage {
                Stage::Call(_) if !is_udp => Self::Absent,
                Stage::Resolve | Stage::Call(_) | Stage::Send | Stage::Reply => Self::Possible,
            },
            // Of a resolver that fails, nothing follows; that there is no such name is an answer.
            Outcome::ResolveFailed => match attempt.name().as_str() {
                "EAI_NONAME" | "EAI_NODATA" | "EAI_ADDRFAMILY" => Self::Absent,
                _ => Self::Possible,
            },
            Outcome::LocalError => match errnos::name(attempt.code).as_str() {
                // The path of a Unix socket; and another type of socket than was asked for.
                "ENOENT" | "ENOTDIR" => Self::Absent,
                "EPROTOTYPE" => Self::Possible,
                _ => Self::Untried,
            },
            Outcome::Denied => Self::Untried,
        }
    }
}

fn seen(attempt: &Attempt, outcome: &'static str) -> Seen {
    let destination = attempt.destination.as_ref();
    let from = attempt.icmp.and_then(|icmp| icmp.from);
    let by = from.or_else(|| destination.and_then(Destination::ip)).map(|ip| ip.to_string());
    let words = match (outcome, &by, from) {
        ("connected", Some(ip), _) if attempt.stage == Stage::Reply => format!("answered by {ip}"),
        ("connected", Some(ip), _) => format!("connected to {ip}"),
        ("echoed", ..) => "it sent back what was sent".to_owned(),
        ("no_reply", ..) if attempt.is_connected() => {
            "it took the connection, and closed it without a word".to_owned()
        }
        ("no_echo", ..) if attempt.is_connected() => match attempt.reply.as_deref() {
            Some([]) => "it took the connection, and closed it without a word".to_owned(),
            _ => "it answered, but not with what was sent".to_owned(),
        },
        ("no_echo" | "no_reply", ..) => {
            format!("it took the connection, then {}", attempt.reason())
        }
        ("refused", Some(ip), None) => {
            format!("{} ({}) refused by {ip}", attempt.name(), attempt.code)
        }
        ("resolve_failed", ..) if !attempt.deadline => {
            format!("{} ({})", attempt.name(), attempt.code)
        }
        ("timed_out", Some(ip), None) => format!("{}, from {ip}", attempt.reason()),
        _ => attempt.reason(),
    };
    Seen {
        outcome,
        code: Some(attempt.code),
        name: Some(attempt.name()),
        by,
        words,
        meaning: meaning(outcome, attempt).to_owned(),
        help: Vec::new(),
    }
}

fn meaning(outcome: &str, attempt: &Attempt) -> &'static str {
    let name = attempt.name();
    let of_errno = match &attempt.destination {
        Some(Destination::Unix(..)) => connect_errnos::unix(&name),
        Some(Destination::Internet(..)) | None => connect_errnos::internet(&name),
    };
    if outcome == "refused"
        && let Some(Destination::Unix(UnixName::Abstract(_), _)) = attempt.destination
    {
        return "nobody in this network namespace listens at this name";
    }
    match (outcome, attempt.stage, of_errno) {
        ("connected", ..) => "the other end took the connection, or answered",
        ("echoed", ..) => "what was sent came back",
        ("no_reply", ..) => {
            "the kernel there takes connections; the program does not answer, or not to this"
        }
        ("no_echo", ..) => "it is no echo service, or another one than was meant",
        ("timed_out", Stage::Reply, _) => {
            "it took what was sent, if it is there, and did not answer"
        }
        ("timed_out", ..) => "nobody answered: the host is down, or packets are dropped",
        ("self_connect", ..) => "nobody listens: the kernel connected the attempt to itself",
        ("resolve_failed", ..) if attempt.deadline => {
            "no name server answered: that says nothing about the host"
        }
        ("resolve_failed", ..) => eai::meaning(attempt.code),
        ("rejected", ..) => "a firewall forbids it",
        (_, _, Some(errno)) => errno.meaning,
        (_, _, None) => "this host could not try",
    }
}

/// An attempt that was interrupted tells nothing.
fn nothing() -> Look {
    let seen = Seen {
        outcome: "local_error",
        code: None,
        name: None,
        by: None,
        words: "interrupted".to_owned(),
        meaning: "the attempt did not come to its end".to_owned(),
        help: Vec::new(),
    };
    Look { is_met: false, is_telling: false, is_final: false, seen, due: None, reach: Reach::Afar }
}

/// Another one for each attempt, so that what comes late is not taken for an answer.
fn payload() -> Vec<u8> {
    format!("netkit wait {:09}\n", whole(chance() * 999_999_999.0)).into_bytes()
}
