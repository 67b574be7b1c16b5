//! One connection of a load: what is under way on it, and how far.

mod life;
mod traffic;

use std::collections::VecDeque;

pub use life::Again;
use socket2::Socket;
pub use traffic::{Flight, Progress};

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    Connecting(Socket),
    Open(Socket),
}

/// A connection.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each becomes true by another event, in any order"
)]
pub struct Connection {
    state: State,
    flights: VecDeque<Flight>,
    /// How many of them are sent whole, and how many bytes of the next.
    sent: usize,
    sent_bytes: usize,
    /// How many bytes of the first have come.
    came_bytes: usize,
    is_idle: bool,
    /// Whether a reply has come since it was opened.
    has_answered: bool,
    /// Whether the peer will send nothing more: it is given no message any more, and read to its end.
    pub is_ending: bool,
    /// Whether bytes wait for room.
    pub wants_room: bool,
    /// When connecting began.
    pub began_ns: u64,
    /// Failures since something came.
    pub failures: u32,
    /// Whether and when it is to be opened again.
    pub again: Again,
}

impl Connection {
    /// Whether there is no socket.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether messages are under way on it, or wait for it.
    pub fn has_flights(&self) -> bool {
        !self.flights.is_empty()
    }

    /// Whether connect(2) is under way.
    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(_))
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
        self.is_ending = !self.is_closed();
    }

    /// Whether it has broken, or is about to end, while it had room: it is idle no more.
    pub fn has_left_idle(&mut self, reconnects: bool) -> bool {
        let is_open = matches!(self.state, State::Open(_)) && !self.is_ending;
        let has_left = !reconnects && !is_open;
        self.is_idle &= !has_left;
        has_left
    }
}
