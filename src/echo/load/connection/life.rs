//! How a connection comes to be, and how it ends.

use std::collections::VecDeque;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::time::Duration;

use socket2::Socket;

use super::{Connection, Flight, State};
use crate::catalogue::errnos::{EINPROGRESS, EPIPE};
use crate::echo::client::failure::{Failure, Step, Why};
use crate::echo::client::target::{self, Peer};
use crate::echo::load::plan::Close;
use crate::echo::load::run::Run;
use crate::kernel::epoll::Interest;

/// Whether and when a connection is opened again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// It has not broken.
    #[default]
    NoNeed,
    /// At this moment.
    At(u64),
    /// It is given up.
    Never,
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

impl Connection {
    /// Begins to connect to `peer`; true if that is done already.
    pub fn open(
        &mut self,
        peer: &Peer,
        run: &Run<'_>,
        (number, now_ns): (u64, u64),
    ) -> Result<bool, Failure> {
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

    /// Takes the messages that may be sent once more, where the peer has closed it by FIN or has said
    /// before that it would: it had answered others, and nothing has come of these. A message that was on
    /// its way when the peer closed has met nobody (RFC 9112, section 9.3.1, has the same of requests that
    /// are idempotent).
    pub fn take_unheard(&mut self, why: Why) -> VecDeque<Flight> {
        // What follows a FIN is EPIPE: `tcp_reset` in TCP_CLOSE_WAIT, `tcp_sendmsg_locked`.
        let is_in_order = why == Why::Closed || (why == Why::Errno(EPIPE, None) && self.is_ending);
        let is_first = self.flights.iter().all(|flight| !flight.is_resent);
        if !(is_in_order && is_first && self.has_answered && self.came_bytes == 0) {
            return VecDeque::new();
        }
        std::mem::take(&mut self.flights)
    }

    /// The step that a message waits in; `None` where none is under way.
    pub fn awaits(&self) -> Option<Step> {
        self.flights.front()?;
        Some(if self.is_connecting() { Step::Connect } else { Step::Receive })
    }

    /// Messages under way on it that count.
    pub fn counted(&self) -> u64 {
        let counted = self.flights.iter().filter(|flight| flight.counts);
        u64::try_from(counted.count()).unwrap_or(0)
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
        self.has_answered = false;
    }

    /// What waits to be opened again is opened at the next look.
    pub fn retry_at_once(&mut self) {
        if matches!(self.again, Again::At(_)) {
            self.again = Again::At(0);
        }
    }
}
