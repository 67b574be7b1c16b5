//! One attempt to connect to one address: which calls, in which order, and what their answers come
//! to.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::Duration;

use super::attempt::{Attempt, Destination, Stage};
use super::outcome::Outcome;
use crate::catalogue::errnos::{self, EAGAIN};
use crate::kernel::clock::Stopwatch;
use crate::kernel::connecting::{Connecting, Ended, Refusal, SocketOptions};
use crate::kernel::error_queue::IcmpError;
use crate::kernel::patience::{Event, Patience, Waited};
use crate::kernel::unix_binding::UnixType;
use crate::model::{Family, Protocol, UnixName};

/// Python's three ways of connecting, which give three different codes for the same silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `settimeout(t)`: EAGAIN (11) at the deadline.
    #[default]
    Deadline,
    /// No timeout: as long as the kernel tries, and ETIMEDOUT (110) then.
    Block,
    /// `setblocking(False)`: EINPROGRESS (115) at once; what came of it is waited for all the same.
    Nonblock,
}

/// How a connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Close {
    /// By RST, which leaves no TIME_WAIT on either side.
    #[default]
    Rst,
    /// By FIN, as most programs do. The TIME_WAIT is then ours.
    Fin,
}

/// What is said over the connection, and what is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// Sent once connected. Of UDP an empty datagram is sent if this is empty.
    pub send: Vec<u8>,
    /// What is waited for.
    pub hear: Hear,
}

/// What is waited for once connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hear {
    /// Nothing. Of UDP an answer all the same, without which nothing is known.
    #[default]
    Nothing,
    /// What a server says unasked; that it says nothing is no failure.
    Banner,
    /// An answer, without which the attempt has failed.
    Reply,
}

/// How to connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which of Python's ways.
    pub mode: Mode,
    /// Addresses of this family alone.
    pub family: Option<Family>,
    /// What the socket is given first.
    pub socket: SocketOptions,
    /// How it is closed.
    pub close: Close,
    /// What is said over it.
    pub talk: Talk,
}

/// Bytes of a reply that are kept.
const REPLY: usize = 4096;
/// How long a server may take for its banner.
pub const BANNER: Duration = Duration::from_secs(2);
/// Pauses between attempts at a Unix socket whose queue is full: it cannot be waited for.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Tries `destination` once. `None` if the user interrupted.
pub fn try_once(
    destination: &Destination,
    options: &Options,
    patience: &Patience<'_>,
) -> Option<Attempt> {
    let stopwatch = Stopwatch::start();
    let is_udp = matches!(destination, Destination::Internet(Protocol::Udp, _));
    let patience = match options.mode {
        // No kernel gives up waiting for a datagram.
        Mode::Block if !is_udp => patience.endless(),
        Mode::Block | Mode::Deadline | Mode::Nonblock => *patience,
    };
    let probe = Probe { destination, options, patience, stopwatch };
    match destination {
        Destination::Internet(Protocol::Tcp, address) => probe.tcp(*address),
        Destination::Internet(Protocol::Udp, address) => probe.udp(*address),
        Destination::Unix(name, kind) => probe.unix(name, *kind),
    }
}

struct Probe<'a> {
    destination: &'a Destination,
    options: &'a Options,
    patience: Patience<'a>,
    stopwatch: Stopwatch,
}

impl Probe<'_> {
    fn tcp(&self, address: SocketAddr) -> Option<Attempt> {
        let connecting = match Connecting::tcp(address, &self.options.socket) {
            Ok(connecting) => connecting,
            Err(refusal) => return Some(self.refused(refusal)),
        };
        let (code, is_late) = match connecting.end(&self.patience) {
            Ended::Answered(code) => (code, false),
            Ended::Late => (EAGAIN, true),
            Ended::Interrupted => return None,
        };
        let connect_ex = match self.options.mode {
            Mode::Nonblock => connecting.first(),
            Mode::Deadline | Mode::Block => code,
        };
        let elapsed = self.stopwatch.elapsed();
        let icmp = if code == 0 { None } else { connecting.icmp() };
        let info = connecting.tcp_info();
        let mut attempt = Attempt {
            outcome: outcome(code, icmp.as_ref(), false),
            code,
            connect_ex: Some(connect_ex),
            deadline: is_late,
            elapsed,
            local: connecting.local().filter(|it| it.port() != 0),
            icmp,
            syn_retransmits: info.map(|it| it.retransmits),
            rtt_us: info.filter(|_| code == 0).map(|it| it.rtt_us),
            ..Attempt::new(self.destination.clone())
        };
        if code == 0 && connecting.is_to_itself() {
            attempt.outcome = Outcome::SelfConnect;
        } else if code == 0 {
            self.talk(&connecting, &mut attempt)?;
        }
        self.close(connecting);
        Some(attempt)
    }

    fn udp(&self, address: SocketAddr) -> Option<Attempt> {
        let connecting = match Connecting::udp(address, &self.options.socket) {
            Ok(connecting) => connecting,
            Err(refusal) => return Some(self.refused(refusal)),
        };
        let code = connecting.first();
        let mut attempt = Attempt {
            outcome: Outcome::of_code(code),
            code,
            connect_ex: Some(code),
            elapsed: self.stopwatch.elapsed(),
            local: connecting.local(),
            ..Attempt::new(self.destination.clone())
        };
        if code == 0 {
            self.ask(&connecting, &mut attempt)?;
        }
        Some(attempt)
    }

    /// Sends, and waits for whatever answers: connect(2) of a datagram socket sends nothing, so that
    /// its success says nothing of the other end.
    fn ask(&self, connecting: &Connecting, attempt: &mut Attempt) -> Option<()> {
        attempt.stage = Stage::Send;
        if let Err(code) = connecting.send(&self.options.talk.send) {
            self.failed(connecting, attempt, code);
            return Some(());
        }
        attempt.stage = Stage::Reply;
        self.hear(connecting, attempt, self.patience)
    }

    fn unix(&self, name: &UnixName, kind: UnixType) -> Option<Attempt> {
        let mut first = None;
        let mut pause = PAUSES.0;
        let connecting = loop {
            match Connecting::unix(name, kind) {
                Err(refusal) => return Some(self.refused(refusal)),
                Ok(connecting) if connecting.first() != EAGAIN => break connecting,
                // The queue is full. The kernel lets nobody wait for it but a blocking connect(2).
                Ok(connecting) => {
                    first = first.or(Some(EAGAIN));
                    if self.patience.left().is_some_and(|left| left.is_zero()) {
                        break connecting;
                    }
                    if self.patience.at_most(pause).sleep() == Ok(Waited::Interrupted) {
                        return None;
                    }
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        };
        let code = connecting.first();
        let mut attempt = Attempt {
            outcome: outcome(code, None, false),
            code,
            connect_ex: Some(match self.options.mode {
                Mode::Block => code,
                Mode::Deadline | Mode::Nonblock => first.unwrap_or(code),
            }),
            deadline: code == EAGAIN,
            elapsed: self.stopwatch.elapsed(),
            ..Attempt::new(self.destination.clone())
        };
        if code == 0 {
            self.unix_talk(&connecting, kind, &mut attempt)?;
        }
        Some(attempt)
    }

    fn unix_talk(
        &self,
        connecting: &Connecting,
        kind: UnixType,
        attempt: &mut Attempt,
    ) -> Option<()> {
        let needs_name = kind == UnixType::Dgram && self.options.talk.hear != Hear::Nothing;
        if needs_name && let Err(code) = connecting.take_any_name() {
            self.failed(connecting, attempt, code);
            return Some(());
        }
        self.talk(connecting, attempt)
    }

    /// Sends what is to be sent over a connection, and hears what is to be heard.
    fn talk(&self, connecting: &Connecting, attempt: &mut Attempt) -> Option<()> {
        let has_something_to_say = !self.options.talk.send.is_empty();
        if has_something_to_say && let Err(code) = connecting.send(&self.options.talk.send) {
            attempt.stage = Stage::Send;
            self.failed(connecting, attempt, code);
            return Some(());
        }
        match self.options.talk.hear {
            Hear::Nothing => Some(()),
            Hear::Reply => {
                attempt.stage = Stage::Reply;
                self.hear(connecting, attempt, self.patience)
            }
            Hear::Banner => {
                let before = attempt.clone();
                self.hear(connecting, attempt, self.patience.at_most(BANNER))?;
                if attempt.outcome == Outcome::TimedOut {
                    *attempt = before;
                }
                Some(())
            }
        }
    }

    /// Waits for the first bytes of the other end.
    fn hear(
        &self,
        connecting: &Connecting,
        attempt: &mut Attempt,
        patience: Patience<'_>,
    ) -> Option<()> {
        let waited = patience.wait(connecting.as_fd(), Event::Readable);
        if waited == Ok(Waited::Interrupted) {
            return None;
        }
        let mut bytes = [0; REPLY];
        let heard = match waited {
            Ok(Waited::Late) => {
                attempt.outcome = Outcome::TimedOut;
                (attempt.code, attempt.deadline) = (EAGAIN, true);
                attempt.elapsed = self.stopwatch.elapsed();
                return Some(());
            }
            Ok(_) => connecting.receive(&mut bytes),
            Err(_) => Err(errnos::ENOMEM),
        };
        match heard {
            Ok(length) => {
                attempt.reply = Some(bytes.get(..length).unwrap_or_default().to_vec());
                attempt.elapsed = self.stopwatch.elapsed();
            }
            Err(code) => self.failed(connecting, attempt, code),
        }
        Some(())
    }

    /// A call after connect(2) that failed.
    fn failed(&self, connecting: &Connecting, attempt: &mut Attempt, code: i32) {
        let is_udp = matches!(self.destination, Destination::Internet(Protocol::Udp, _));
        attempt.code = code;
        attempt.icmp = connecting.icmp();
        attempt.outcome = outcome(attempt.code, attempt.icmp.as_ref(), is_udp);
        attempt.elapsed = self.stopwatch.elapsed();
    }

    /// A call before connect(2) that failed: Python raises there.
    fn refused(&self, refusal: Refusal) -> Attempt {
        Attempt {
            outcome: Outcome::of_code(refusal.code),
            code: refusal.code,
            stage: Stage::Call(refusal.step),
            elapsed: self.stopwatch.elapsed(),
            ..Attempt::new(self.destination.clone())
        }
    }

    fn close(&self, connecting: Connecting) {
        match self.options.close {
            Close::Fin => drop(connecting),
            // Where the option cannot be set, the connection is closed by FIN.
            Close::Rst => connecting.abort().unwrap_or_default(),
        }
    }
}

fn outcome(code: i32, icmp: Option<&IcmpError>, is_udp: bool) -> Outcome {
    match icmp {
        Some(icmp) if code != 0 && icmp.errno == code => Outcome::of_icmp(icmp, is_udp),
        _ => Outcome::of_code(code),
    }
}
