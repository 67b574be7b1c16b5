//! A prompt: each line is sent, and its reply shown with the time that it took.
//!
//! An empty line is not sent: to a server that reads messages, it is nothing that could be answered,
//! and a client that waits for the answer waits for ever. A server that went away is said, and with the
//! next line connected to again.

use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};

use super::args::Args;
use super::exchange::{exchange, text_of};
use super::link::Link;
use super::replies::{Judged, Message, judge};
use super::target::{Peer, connect_any};
use super::trouble::{Trouble, Why};
use crate::exit::Exit;
use crate::kernel::clock::Stopwatch;
use crate::kernel::ending_signals::{Signal, number};
use crate::kernel::patience::Patience;
use crate::output::numbers::{microseconds_of, short_duration};
use crate::output::{Outcome, Screen, Style, sanitize, wrapped};

const PROMPT: &str = ">> ";

/// A conversation.
struct Conversation<'a, 'b> {
    args: &'a Args,
    peers: &'a [Peer],
    timeout: Duration,
    screen: &'a mut Screen<'b>,
    link: Option<Link>,
    /// Whether a reply was judged and was wrong.
    was_wrong: bool,
}

/// Reads lines for as long as there are any, and sends them over `link`.
pub fn run(
    args: &Args,
    (peers, link): (&[Peer], Link),
    timeout: Duration,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let mut talk = Conversation { args, peers, timeout, screen, link: None, was_wrong: false };
    talk.connected(link)?;
    let mut editor = Editor::<(), MemHistory>::with_history(Config::default(), MemHistory::new())?;
    loop {
        match editor.readline(PROMPT) {
            Ok(typed) if typed.is_empty() => {
                talk.say("an empty line is nothing that could come back: not sent")?;
            }
            Ok(typed) => {
                // A history that is full forgets.
                drop(editor.add_history_entry(&typed));
                talk.line(&typed)?;
            }
            Err(ReadlineError::Eof) => {
                return Ok(ended(if talk.was_wrong { Exit::Found } else { Exit::Fine }));
            }
            Err(ReadlineError::Interrupted) => {
                return Ok(ended(Exit::Signal(number(Signal::SIGINT))));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn ended(exit: Exit) -> Outcome {
    Outcome { exit, messages: Vec::new() }
}

impl Conversation<'_, '_> {
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.screen.out, "{text}")?;
        self.screen.out.flush()
    }

    fn connected(&mut self, link: Link) -> std::io::Result<()> {
        let (remote, local) = (sanitize(&link.remote()), sanitize(&link.local()));
        self.link = Some(link);
        self.say(&format!("connected to {remote} (getpeername) from {local} (getsockname)"))
    }

    /// Sends a line, over a new connection if the last one has ended.
    fn line(&mut self, typed: &str) -> std::io::Result<()> {
        if let Some(link) = &self.link {
            let late = late_bytes(link);
            let end = link.ended();
            if !late.is_empty() {
                self.say(&format!("late: {}", sanitize(&text_of(&late))))?;
            }
            if let Some(failure) = end {
                let words = failure.title();
                self.link = None;
                self.say(&format!("{words}; connecting again"))?;
            }
        }
        if self.link.is_none() && !self.connect()? {
            return Ok(());
        }
        let Some(link) = &self.link else { return Ok(()) };
        let is_bare = link.peer.carrier.keeps_messages() || self.args.no_newline;
        let message = Message::new(typed, self.args.transform, is_bare);
        let stopwatch = Stopwatch::start();
        let came = exchange(link, &message, &Patience::of(self.timeout));
        let took = short_duration(microseconds_of(stopwatch.elapsed()));
        match came {
            Ok(reply) => {
                let is_wrong = self.args.verifies() && judge(&message, &reply) == Judged::Wrong;
                self.was_wrong |= is_wrong;
                let expected = sanitize(&text_of(&message.expected));
                let verdict =
                    if is_wrong { format!("  expected `{expected}`") } else { String::new() };
                self.say(&format!("{}  ({took}){verdict}", sanitize(&text_of(&reply))))
            }
            Err((_, trouble)) => self.lost(&trouble),
        }
    }

    fn connect(&mut self) -> std::io::Result<bool> {
        let options = self.args.socket();
        match connect_any(self.peers, &options, self.timeout, &Patience::ENDLESS) {
            Ok((peer, socket)) => {
                let link = Link::new(peer, socket).with_source(self.args.source());
                self.connected(link).map(|()| true)
            }
            Err(trouble) => self.say(&told(&trouble, self.screen.style)).map(|()| false),
        }
    }

    /// A line had no answer. A silent server is left connected; one that is gone is not.
    fn lost(&mut self, trouble: &Trouble) -> std::io::Result<()> {
        let is_udp = trouble.carrier == crate::echo::address::Carrier::Udp;
        if trouble.failure.why != Why::Late && !is_udp {
            self.link = None;
        }
        self.say(&told(trouble, self.screen.style))
    }
}

/// A trouble in lines of the terminal.
fn told(trouble: &Trouble, style: Style) -> String {
    let message = trouble.message();
    let lines = message.lines().map(sanitize).map(|line| match line.strip_prefix("hint: ") {
        Some(hint) => wrapped("hint: ", hint, style.width),
        None => wrapped("", &line, style.width),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What has come since the last reply: the answer to a line that nobody waits for any more.
fn late_bytes(link: &Link) -> Vec<u8> {
    const MOST: usize = 64 * 1024;
    let mut late = Vec::new();
    let mut buffer = vec![0; MOST];
    while late.len() < MOST {
        if link.ended().is_some() {
            break;
        }
        match link.receive(&mut buffer, &Patience::of(Duration::ZERO)) {
            Ok(0) | Err(_) => break,
            Ok(came) => late.extend_from_slice(buffer.get(..came).unwrap_or_default()),
        }
    }
    late
}
