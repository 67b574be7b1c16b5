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
    /// Those of these that were not sent on another connection before.
    pub new: u64,
    /// The bytes of these.
    pub new_bytes: u64,
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

    /// Whether the peer has closed it in order, by FIN, or had said before that it would, behind the reply
    /// to another message. So a server ends that answers so many messages a connection and no more.
    pub fn has_parted(&self, why: Why) -> bool {
        // What follows a FIN is EPIPE: `tcp_reset` in TCP_CLOSE_WAIT, `tcp_sendmsg_locked`.
        let is_in_order = why == Why::Closed || (why == Why::Errno(EPIPE, None) && self.is_ending);
        is_in_order && self.has_answered
    }

    /// Takes the messages under way, none of which has been heard of yet; how many of them count and were
    /// not sent on another connection before.
    ///
    /// Where the peer [has parted](Self::has_parted), they have met nobody, and may be sent once more
    /// (RFC 9112, section 9.3.1, has the same of requests that are idempotent).
    pub fn take_unheard(&mut self) -> (VecDeque<Flight>, u64) {
        if self.came_bytes > 0 {
            return (VecDeque::new(), 0);
        }
        let new = self.flights.iter().filter(|it| it.counts && !it.is_resent).count();
        (std::mem::take(&mut self.flights), u64::try_from(new).unwrap_or(0))
    }

    /// Has `flights` sent once more, before any other, as soon as it is opened again: first on a new
    /// connection, so that whoever does not answer them then never will.
    pub fn send_again(&mut self, flights: VecDeque<Flight>) {
        self.flights = flights;
        self.flights.iter_mut().for_each(|flight| flight.is_resent = true);
    }

    /// It is open now. In a closed loop, the time of what is sent once more begins anew: none of what
    /// connecting again took is the server's.
    pub fn begin_again(&mut self, now_ns: u64, is_closed_loop: bool) {
        for flight in self.flights.iter_mut().filter(|flight| flight.is_resent) {
            flight.sent_ns = now_ns;
            if is_closed_loop {
                flight.intended_ns = now_ns;
            }
        }
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
            if !flight.is_resent {
                loss.new += 1;
                loss.new_bytes += u64::try_from(flight.piece.length).unwrap_or(0);
            }
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
