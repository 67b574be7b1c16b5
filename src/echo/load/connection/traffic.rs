//! What goes over a connection: messages there, and what comes back of them.

use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsFd as _;

use socket2::Socket;

use super::{Connection, State};
use crate::echo::client::failure::{Failure, Step, Why};
use crate::echo::load::pattern::{Pattern, Piece};
use crate::echo::load::schedule::Due;
use crate::kernel::epoll::{Interest, Poller};

/// A message that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    /// What is to come back.
    pub piece: Piece,
    /// When it was due.
    pub intended_ns: u64,
    /// When it was sent.
    pub sent_ns: u64,
    /// Whether it counts.
    pub counts: bool,
    /// Whether a byte was not as expected.
    pub is_wrong: bool,
    /// Whether it was sent on another connection before.
    pub is_resent: bool,
}

/// What bytes that came were.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// So many were of the message that is next; more of it is to come.
    Partly(usize),
    /// So many, and the message is whole.
    Whole {
        /// Bytes that were of it.
        taken: usize,
        /// The message.
        flight: Flight,
    },
    /// Of none: nothing is under way.
    Unexpected,
}

impl Flight {
    /// The message of `piece`, which is sent now.
    pub fn new(piece: Piece, due: Due, now_ns: u64) -> Self {
        Self {
            piece,
            intended_ns: due.intended_ns,
            sent_ns: now_ns,
            counts: due.counts,
            is_wrong: false,
            is_resent: false,
        }
    }
}

impl Connection {
    /// Puts a message at the end of what is to be sent.
    pub fn queue(&mut self, flight: Flight) {
        self.is_idle = false;
        self.flights.push_back(flight);
    }

    /// Sends what there is to send, as far as there is room.
    pub fn flush(
        &mut self,
        pattern: &Pattern,
        poller: &Poller,
        number: u64,
    ) -> Result<(), Failure> {
        let State::Open(socket) = &self.state else { return Ok(()) };
        let failed = |error: &io::Error| Failure { step: Step::Send, why: Why::of(error) };
        let mut is_full = false;
        while let Some(flight) = self.flights.get(self.sent) {
            match socket.send(pattern.rest(flight.piece, self.sent_bytes)) {
                Ok(taken) => {
                    self.sent_bytes += taken;
                    if self.sent_bytes >= flight.piece.length {
                        self.sent += 1;
                        self.sent_bytes = 0;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    is_full = true;
                    break;
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        if is_full != self.wants_room {
            self.wants_room = is_full;
            let interest = if is_full { Interest::Both } else { Interest::Reading };
            poller.change(socket, number, interest).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Receives into `scratch`; `None` if there is nothing now.
    pub fn receive(&self, scratch: &mut [u8]) -> Result<Option<usize>, Failure> {
        let State::Open(socket) = &self.state else { return Ok(None) };
        let mut reader: &Socket = socket;
        let failed = |why| Err(Failure { step: Step::Receive, why });
        match reader.read(scratch) {
            Ok(0) => failed(Why::Closed),
            Ok(came) => Ok(Some(came)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => failed(Why::on(socket.as_fd(), &error)),
        }
    }

    /// Takes of `bytes` what belongs to the message that is next.
    pub fn take(&mut self, bytes: &[u8], pattern: &Pattern, verify: bool) -> Progress {
        let is_being_sent = self.sent == 0;
        let Some(flight) = self.flights.front_mut() else { return Progress::Unexpected };
        // No more can come back of a message than was sent of it.
        let there = if is_being_sent { self.sent_bytes } else { flight.piece.length };
        let taken = bytes.len().min(there.saturating_sub(self.came_bytes));
        if taken == 0 {
            return Progress::Unexpected;
        }
        let bytes = bytes.get(..taken).unwrap_or_default();
        if verify && !pattern.is_next(flight.piece, self.came_bytes, bytes) {
            flight.is_wrong = true;
        }
        self.came_bytes += taken;
        if self.came_bytes < flight.piece.length {
            return Progress::Partly(taken);
        }
        let flight = *flight;
        self.flights.pop_front();
        self.sent = self.sent.saturating_sub(1);
        self.came_bytes = 0;
        self.failures = 0;
        self.has_answered = true;
        Progress::Whole { taken, flight }
    }

    /// The step that has taken longer than the timeout.
    pub fn is_late(&self, now_ns: u64, timeout_ns: u64) -> Option<Step> {
        let is_past = |moment: u64| now_ns.saturating_sub(moment) > timeout_ns;
        match (&self.state, self.flights.front()) {
            (State::Connecting(_), _) => is_past(self.began_ns).then_some(Step::Connect),
            (State::Open(_), Some(flight)) => is_past(flight.sent_ns).then_some(Step::Receive),
            (State::Open(_), None) | (State::Closed, _) => None,
        }
    }
}
