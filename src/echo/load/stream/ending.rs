//! What becomes of messages whose connection ends before their reply, and of those under way at the end
//! of the load.

use super::Streams;
use crate::echo::client::trouble::{Failure, Why};
use crate::echo::load::connection::{Connection, Flight};

impl Streams<'_, '_> {
    /// Keeps what connection `index` has not answered, to be sent once more, where `why` allows that.
    /// Whether there is any.
    pub(super) fn keep_unheard(&mut self, index: usize, why: Why) -> bool {
        let Some(connection) = self.connections.get_mut(index) else { return false };
        let flights = connection.take_unheard(why);
        let counted = flights.iter().filter(|flight| flight.counts).count();
        self.run.tally.resent += u64::try_from(counted).unwrap_or(0);
        let has_unheard = !flights.is_empty();
        self.unheard.extend(flights);
        has_unheard
    }

    /// The first that is to be sent once more. In a closed loop its time begins anew: none of what netkit
    /// waits before it connects again is the server's.
    pub(super) fn again(&mut self, now_ns: u64) -> Option<Flight> {
        if self.run.is_interrupted {
            return None;
        }
        let mut flight = self.unheard.pop_front()?;
        if self.run.plan.rate.is_none() {
            flight.intended_ns = now_ns;
        }
        flight.sent_ns = now_ns;
        flight.is_resent = true;
        Some(flight)
    }

    /// Says what becomes of those that are under way at the end: had the user not interrupted, they have
    /// had their time.
    pub(super) fn settle(&mut self) {
        let waiting = self.unheard.drain(..).filter(|flight| flight.counts).count();
        let waiting = u64::try_from(waiting).unwrap_or(0);
        if self.run.is_interrupted {
            let on_connections: u64 = self.connections.iter().map(Connection::counted).sum();
            self.run.tally.under_way += waiting + on_connections;
            return;
        }
        self.run.tally.cut += waiting;
        for index in 0..self.connections.len() {
            if let Some(step) = self.connections.get(index).and_then(Connection::awaits) {
                self.broken(index, Failure { step, why: Why::Late });
            }
        }
    }
}
