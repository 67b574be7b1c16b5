//! Why an attempt ended as it did: a pure judgement of its code and of what surrounds it.

use super::attempt::{Attempt, Destination, Stage};
use super::outcome::Outcome;
use crate::catalogue::{connect_errnos, eai, errnos, icmp};
use crate::model::Finding;

/// What an attempt means, why, and what helps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnosis {
    /// What it means, in a sentence without a full stop.
    pub meaning: String,
    /// Why it is so; the likeliest first.
    pub causes: Vec<String>,
    /// What helps, in order of use.
    pub advice: Vec<String>,
    /// What of it has a name.
    pub findings: Vec<Finding>,
}

/// What `attempt` means by itself.
pub fn meaning(attempt: &Attempt) -> String {
    let is_unix = matches!(attempt.destination, Some(Destination::Unix(..)));
    let sent = attempt.icmp.and_then(|it| icmp::find(it.is_v6, it.kind, it.code));
    let text = match (attempt.outcome, attempt.stage) {
        (Outcome::Connected, Stage::Reply) if attempt.reply.as_ref().is_some_and(Vec::is_empty) => {
            "the connection was taken, and closed without a word"
        }
        (Outcome::Connected, Stage::Reply) => "somebody answers there",
        (Outcome::Connected, _) if is_unix => "a socket listens there",
        (Outcome::Connected, _) => {
            "the kernel there took the connection for somebody who listens; whether the program \
             answers is for --expect-reply to try"
        }
        (Outcome::SelfConnect, _) => {
            "nobody listens: the kernel picked the destination's own port as the source, and the \
             socket met itself"
        }
        (Outcome::ResolveFailed, _) => eai::meaning(attempt.code),
        (Outcome::TimedOut, Stage::Resolve) => {
            "the name was not resolved in time: no name server answered, which says nothing about the \
             host"
        }
        (Outcome::TimedOut, Stage::Reply) => {
            "nothing was answered in time: that proves neither that somebody listens nor that nobody \
             does"
        }
        _ => match sent {
            Some(sent) => sent.meaning,
            None => errno_meaning(attempt, is_unix),
        },
    };
    text.to_owned()
}

fn errno_meaning(attempt: &Attempt, is_unix: bool) -> &'static str {
    let name = attempt.name();
    let known = if is_unix { connect_errnos::unix(&name) } else { connect_errnos::internet(&name) };
    known.map_or_else(|| errnos::text(attempt.code), |it| it.meaning)
}

/// What is known of `attempt` without a look around.
pub fn at_first_sight(attempt: &Attempt) -> Diagnosis {
    Diagnosis { meaning: meaning(attempt), ..Diagnosis::default() }
}
