//! What an attempt means by itself.

use crate::catalogue::{connect_errnos, eai, errnos, icmp};
use crate::connect::attempt::{Attempt, Destination, Stage};
use crate::connect::outcome::Outcome;
use crate::model::{Protocol, UnixName};

/// One sentence without a full stop.
pub fn meaning(attempt: &Attempt) -> String {
    let said_nothing = attempt.reply.as_ref().is_some_and(Vec::is_empty);
    let is_udp = matches!(attempt.destination, Some(Destination::Internet(Protocol::Udp, _)));
    let text = match (attempt.outcome, attempt.stage) {
        (Outcome::Connected, Stage::Reply) if said_nothing && !is_udp => {
            "the connection was taken, and closed without a word"
        }
        (Outcome::Connected, Stage::Reply) => "somebody answers there",
        (Outcome::Connected, _) => connected(attempt.destination.as_ref()),
        (Outcome::SelfConnect, _) => {
            "nobody listens: the kernel picked the destination's own port as the source, and the \
             socket met itself"
        }
        (Outcome::ResolveFailed, _) if attempt.deadline => {
            "the name was not resolved in time: no name server answered, which says nothing about the \
             host"
        }
        (Outcome::ResolveFailed, _) => eai::meaning(attempt.code),
        (Outcome::TimedOut, Stage::Reply) => {
            "nothing was answered in time: that proves neither that somebody listens nor that nobody \
             does"
        }
        _ => failed(attempt),
    };
    text.to_owned()
}

fn connected(destination: Option<&Destination>) -> &'static str {
    match destination {
        Some(Destination::Unix(_, crate::kernel::unix_binding::UnixType::Dgram)) => {
            "a datagram socket has that name; whether its program reads is for --expect-reply to try"
        }
        Some(Destination::Unix(..)) => "a socket listens there",
        Some(Destination::Internet(..)) | None => {
            "the kernel there took the connection for somebody who listens; whether the program \
             answers is for --expect-reply to try"
        }
    }
}

fn failed(attempt: &Attempt) -> &'static str {
    if attempt.is_told_by_this_machine() {
        return "this machine itself says that it does not get there, or does not let it out";
    }
    let sent = attempt.icmp.and_then(|it| icmp::find(it.is_v6, it.kind, it.code));
    if let Some(sent) = sent {
        return sent.meaning;
    }
    let name = attempt.name();
    let known = match &attempt.destination {
        Some(Destination::Unix(UnixName::Abstract(_), _)) if name == "ECONNREFUSED" => {
            return "nobody listens at this abstract name";
        }
        Some(Destination::Unix(..)) => connect_errnos::unix(&name),
        Some(Destination::Internet(..)) | None => connect_errnos::internet(&name),
    };
    known.map_or_else(|| errnos::text(attempt.code), |it| it.meaning)
}
