//! One connection of a load: what is under way on it, and how far.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::Duration;

use socket2::Socket;

use super::pattern::{Pattern, Piece};
use super::plan::Close;
use super::run::Run;
use super::schedule::Due;
use crate::echo::client::target::{self, Peer};
use crate::echo::client::trouble::{Failure, Step, Why};
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

/// What is lost with a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    /// Messages that were under way.
    pub messages: usize,
    /// Those of them that count.
    pub counted: u64,
    /// The bytes of these.
    pub bytes: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    Connecting(Socket),
    Open(Socket),
}

/// A connection.
#[derive(Debug, Default)]
pub struct Connection {
    state: State,
    flights: VecDeque<Flight>,
    /// How many of them are sent whole, and how many bytes of the next.
    sent: usize,
    sent_bytes: usize,
    /// How many bytes of the first have come.
    came_bytes: usize,
    is_idle: bool,
    /// Whether the peer will send nothing more: it is given no message any more, and read to its end.
    pub is_ending: bool,
    /// Whether bytes wait for room.
    pub wants_room: bool,
    /// When connecting began.
    pub began_ns: u64,
    /// Failures since something came.
    pub failures: u32,
    /// When it is to be opened again.
    pub retry_ns: Option<u64>,
    /// Whether it is not opened any more.
    pub is_given_up: bool,
}

impl Connection {
    /// Whether there is no socket.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether connect(2) is under way.
    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(_))
    }

    /// Begins to connect to `peer`; true if that is done already.
    pub fn open(
        &mut self,
        peer: &Peer,
        run: &Run<'_>,
        (number, now_ns): (u64, u64),
    ) -> Result<bool, Failure> {
        const EINPROGRESS: i32 = 115;
        let failed = |why| Failure { step: Step::Connect, why };
        self.began_ns = now_ns;
        let connecting = peer.begin(&run.plan.socket)?;
        let first = connecting.first();
        if first != 0 && first != EINPROGRESS {
            return Err(failed(Why::Errno(first, connecting.icmp())));
        }
        let socket = connecting.into_socket();
        target::set_nodelay(peer.carrier, &socket);
        // Writable is what a connection becomes when it is there.
        let interest = if first == 0 { Interest::Reading } else { Interest::Both };
        let added = run.poller.add(&socket, number, interest);
        added.map_err(|error| failed(Why::of(&error)))?;
        self.wants_room = first != 0;
        self.state = if first == 0 { State::Open(socket) } else { State::Connecting(socket) };
        Ok(first == 0)
    }

    /// Whether connect(2) has come to its end.
    pub fn finish_connecting(&mut self) -> Result<bool, Failure> {
        let State::Connecting(socket) = &self.state else { return Ok(true) };
        let failed = |why| Err(Failure { step: Step::Connect, why });
        match socket.take_error() {
            Ok(Some(error)) | Err(error) => {
                return failed(Why::on(socket.as_fd(), &error));
            }
            Ok(None) => {}
        }
        let Ok(peer) = socket.peer_addr() else { return Ok(false) };
        if peer.as_socket().is_some() && socket.local_addr().is_ok_and(|local| local == peer) {
            return failed(Why::Itself);
        }
        if let State::Connecting(socket) = std::mem::take(&mut self.state) {
            self.state = State::Open(socket);
        }
        Ok(true)
    }

    /// Puts a message at the end of what is to be sent.
    pub fn queue(&mut self, piece: Piece, due: Due, now_ns: u64) {
        self.is_idle = false;
        self.flights.push_back(Flight {
            piece,
            intended_ns: due.intended_ns,
            sent_ns: now_ns,
            counts: due.counts,
            is_wrong: false,
        });
    }

    /// Whether it has room for a message now and had none before.
    pub fn becomes_idle(&mut self, pipeline: usize, reconnects: bool) -> bool {
        let is_open = matches!(self.state, State::Open(_)) && !self.is_ending;
        let can = if reconnects { self.is_closed() } else { is_open };
        if self.is_idle || !can || self.flights.len() >= pipeline {
            return false;
        }
        self.is_idle = true;
        true
    }

    /// The peer has said that it will send nothing more. What has no socket any more has no peer.
    pub fn note_ending(&mut self) {
        self.is_ending = matches!(self.state, State::Open(_));
    }

    /// Whether it has broken while it had room: it is idle no more.
    pub fn has_left_idle(&mut self, reconnects: bool) -> bool {
        let has_left = !reconnects && !matches!(self.state, State::Open(_));
        self.is_idle &= !has_left;
        has_left
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

    /// Closes what is broken; what is lost with it.
    pub fn break_off(&mut self) -> Loss {
        let mut loss = Loss { messages: self.flights.len(), ..Loss::default() };
        for flight in self.flights.iter().filter(|flight| flight.counts) {
            loss.counted += 1;
            loss.bytes += u64::try_from(flight.piece.length).unwrap_or(0);
        }
        self.reset();
        loss
    }

    /// Closes it.
    pub fn close(&mut self, close: Close) {
        if let (State::Open(socket), Close::Rst) = (&self.state, close) {
            // Without it, it is closed by FIN: no harm but a TIME_WAIT.
            socket.set_linger(Some(Duration::ZERO)).unwrap_or_default();
        }
        self.reset();
    }

    /// Says by FIN that nothing more will come, and gives the socket, whose peer may close now too.
    pub fn part(&mut self) -> Option<Socket> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(socket) => socket.shutdown(Shutdown::Write).ok().map(|()| socket),
            State::Connecting(_) | State::Closed => None,
        }
    }

    fn reset(&mut self) {
        self.state = State::Closed;
        self.flights.clear();
        (self.sent, self.sent_bytes, self.came_bytes) = (0, 0, 0);
        self.wants_room = false;
        self.is_ending = false;
    }

    /// What waits to be opened again is opened at the next look.
    pub fn retry_at_once(&mut self) {
        self.retry_ns = self.retry_ns.map(|_| 0);
    }
}
