//! A prompt: each line is sent, and its reply shown with the time that it took.
//!
//! An empty line is not sent: to a server that reads messages, it is nothing that could be answered,
//! and a client that waits for the answer waits for ever. A server that went away is said, and with the
//! next line connected to again.

use std::time::Duration;

use super::args::Args;
use super::earlier::{Earlier, Stray};
use super::exchange::{exchange, text_of};
use super::link::Link;
use super::quote::quoted;
use super::replies::{Judged, Message, judge};
use super::target::{Peer, connect_any};
use super::trouble::{Trouble, Why};
use super::typing::{Typed, Typing};
use crate::exit::Exit;
use crate::kernel::clock::Stopwatch;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::patience::Patience;
use crate::output::numbers::{microseconds_of, short_duration};
use crate::output::{Outcome, Screen, Style, sanitize, wrapped};

/// How long the end waits for a reply that is late: as long as one that comes in pieces may pause.
const GRACE: Duration = Duration::from_millis(500);

/// A conversation.
struct Conversation<'a, 'b> {
    args: &'a Args,
    peers: &'a [Peer],
    timeout: Duration,
    signals: &'a EndingSignals,
    screen: &'a mut Screen<'b>,
    link: Option<Link>,
    /// Whether a reply was wrong or missing, or the connection broke.
    has_failed: bool,
    /// Lines whose reply did not come in time, and may still.
    unanswered: usize,
    earlier: Earlier,
}

/// Reads lines for as long as there are any and none of `signals` has come, and sends them over `link`.
pub fn run(
    args: &Args,
    (peers, link): (&[Peer], Link),
    signals: &EndingSignals,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let timeout = args.timeout(link.peer.carrier);
    let mut talk = Conversation {
        args,
        peers,
        timeout,
        signals,
        screen,
        link: Some(link),
        has_failed: false,
        unanswered: 0,
        earlier: Earlier::default(),
    };
    talk.connected()?;
    let mut typing = Typing::begin(signals)?;
    loop {
        match typing.next(talk.screen.out)? {
            Typed::Line(text) if text.is_empty() => {
                talk.late(Duration::ZERO)?;
                talk.tell("an empty line is nothing that could come back: not sent")?;
            }
            Typed::Line(text) => typing.meanwhile(|| talk.line(&text))?,
            Typed::NotText { with_rest } => {
                talk.has_failed = true;
                talk.tell(not_text(with_rest))?;
            }
            Typed::End => {
                let grace = if talk.unanswered > 0 { GRACE } else { Duration::ZERO };
                talk.late(grace)?;
                break;
            }
            // Which is the exit code, too.
            Typed::Signal => break,
        }
    }
    let exit = if talk.has_failed { Exit::Found } else { Exit::Fine };
    Ok(Outcome { exit, messages: Vec::new() })
}

fn not_text(with_rest: bool) -> &'static str {
    if with_rest {
        "that line is not UTF-8: it is not sent, nor what was typed in one go behind it; standard input \
         that is no terminal is sent whatever it is"
    } else {
        "that line is not UTF-8: it is not sent; standard input that is no terminal is sent whatever it is"
    }
}

impl Conversation<'_, '_> {
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.screen.out, "{text}")?;
        self.screen.out.flush()
    }

    /// A sentence in lines of the terminal.
    fn tell(&mut self, text: &str) -> std::io::Result<()> {
        self.say(&wrapped("", text, self.screen.style.width))
    }

    fn connected(&mut self) -> std::io::Result<()> {
        let Some(link) = &self.link else { return Ok(()) };
        let (remote, local) = (sanitize(&link.remote()), sanitize(&link.local()));
        (self.unanswered, self.earlier) = (0, Earlier::default());
        self.tell(&format!("connected to {remote} (getpeername) from {local} (getsockname)"))
    }

    /// Shows replies that have come since the last one, and waits for the first as long as `grace`.
    fn late(&mut self, grace: Duration) -> std::io::Result<()> {
        let late = self.link.as_ref().map(|link| late_replies(link, grace)).unwrap_or_default();
        if self.link.as_ref().is_some_and(|link| link.peer.carrier.keeps_messages()) {
            for datagram in &late {
                self.earlier.take(datagram);
            }
            return self.strays();
        }
        self.unanswered = self.unanswered.saturating_sub(late.len());
        late.iter().try_for_each(|reply| self.say(&format!("late: {}", sanitize(&text_of(reply)))))
    }

    /// Sends a line, over a new connection if the last one has ended.
    fn line(&mut self, typed: &str) -> std::io::Result<()> {
        self.late(Duration::ZERO)?;
        if let Some(failure) = self.link.as_ref().and_then(Link::ended) {
            // A server may close behind its reply.
            self.has_failed |= failure.why != Why::Closed;
            self.link = None;
            self.tell(&format!("{}; connecting again", failure.title()))?;
        }
        if self.link.is_none() && !self.connect()? {
            return Ok(());
        }
        let Some(link) = &self.link else { return Ok(()) };
        let is_bare = link.peer.carrier.keeps_messages() || self.args.no_newline;
        let message = Message::new(typed.as_bytes(), self.args.transform, is_bare);
        let stopwatch = Stopwatch::start();
        let patience = Patience::of(self.timeout).or(Some(self.signals.descriptor()));
        let came = exchange(link, &message, &mut self.earlier, &patience);
        let took = short_duration(microseconds_of(stopwatch.elapsed()));
        self.strays()?;
        match came {
            Ok(reply) => {
                let is_wrong = self.args.verifies() && judge(&message, &reply) == Judged::Wrong;
                self.has_failed |= is_wrong;
                let expected = quoted(&text_of(&message.expected));
                let verdict =
                    if is_wrong { format!("  expected {expected}") } else { String::new() };
                let width = self.screen.style.width;
                let reply = sanitize(&text_of(&reply));
                self.say(&beside(&reply, &format!("({took}){verdict}"), width))
            }
            Err((reply, trouble)) => self.lost(&reply, &trouble),
        }
    }

    /// Shows what came meanwhile of lines before.
    fn strays(&mut self) -> std::io::Result<()> {
        for stray in self.earlier.strays() {
            let (lead, reply) = match &stray {
                Stray::Late(reply) | Stray::Unasked(reply) => ("late", reply),
                Stray::Again(reply) => ("once more", reply),
            };
            self.unanswered -= usize::from(matches!(stray, Stray::Late(_))).min(self.unanswered);
            self.say(&format!("{lead}: {}", sanitize(&text_of(reply))))?;
        }
        Ok(())
    }

    fn connect(&mut self) -> std::io::Result<bool> {
        let options = self.args.socket();
        let patience = Patience::ENDLESS.or(Some(self.signals.descriptor()));
        match connect_any(self.peers, &options, self.timeout, &patience) {
            Ok((peer, socket)) => {
                self.link = Some(Link::new(peer, socket).with_source(self.args.source()));
                self.connected().map(|()| true)
            }
            Err(trouble) if trouble.failure.why == Why::Interrupted => Ok(false),
            Err(trouble) => {
                self.has_failed = true;
                self.say(&told(&trouble.message(), self.screen.style)).map(|()| false)
            }
        }
    }

    /// A line had no answer. A silent server is left connected; one that is gone is not.
    fn lost(&mut self, reply: &[u8], trouble: &Trouble) -> std::io::Result<()> {
        if trouble.failure.why == Why::Interrupted {
            return Ok(());
        }
        self.has_failed = true;
        self.unanswered += usize::from(trouble.failure.why == Why::Late);
        let is_udp = trouble.carrier == crate::echo::address::Carrier::Udp;
        if trouble.failure.why != Why::Late && !is_udp {
            self.link = None;
        }
        let message = if reply.is_empty() {
            trouble.message()
        } else {
            trouble.message_behind(&quoted(&text_of(reply)))
        };
        self.say(&told(&message, self.screen.style))
    }
}

/// What went wrong in lines of the terminal.
fn told(message: &str, style: Style) -> String {
    let lines = message.lines().map(sanitize).map(|line| match line.strip_prefix("hint: ") {
        Some(hint) => wrapped("hint: ", hint, style.width),
        None => wrapped("", &line, style.width),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A reply and what is said of it, below it where a line of the terminal has no room for both.
fn beside(reply: &str, said: &str, width: u16) -> String {
    let column = reply.chars().count() % usize::from(width.max(1));
    if column + 2 + said.chars().count() <= usize::from(width) {
        format!("{reply}  {said}")
    } else {
        format!("{reply}\n{}", wrapped("", said, width))
    }
}

/// What has come since the last reply, or comes within `grace`: the answers to lines that nobody waits
/// for any more; of a stream, in lines.
fn late_replies(link: &Link, grace: Duration) -> Vec<Vec<u8>> {
    const MOST: usize = 64 * 1024;
    let keeps_messages = link.peer.carrier.keeps_messages();
    let mut replies = Vec::new();
    let mut stream = Vec::new();
    let mut total = 0;
    let mut buffer = vec![0; MOST];
    let mut patience = Patience::of(grace);
    while total < MOST && link.ended().is_none() {
        match link.receive(&mut buffer, &patience) {
            Ok(0) | Err(_) => break,
            Ok(came) => {
                total += came;
                let bytes = buffer.get(..came).unwrap_or_default();
                if keeps_messages {
                    replies.push(bytes.to_vec());
                } else {
                    stream.extend_from_slice(bytes);
                }
            }
        }
        patience = Patience::of(Duration::ZERO);
    }
    replies.extend(stream.split_inclusive(|it| *it == b'\n').map(<[u8]>::to_vec));
    replies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_beside_a_reply_stands_below_it() {
        assert_eq!(beside("hello", "(12 µs)", 40), "hello  (12 µs)");
        let long = "a".repeat(36);
        assert_eq!(beside(&long, "(12 µs)", 40), format!("{long}\n(12 µs)"));
        assert_eq!(beside(&"a".repeat(45), "(12 µs)", 40), format!("{}  (12 µs)", "a".repeat(45)));
    }
}
