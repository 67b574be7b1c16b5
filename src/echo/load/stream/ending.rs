//! What becomes of messages that are under way at the end of the load.

use super::Streams;
use crate::echo::client::trouble::{Failure, Why};
use crate::echo::load::connection::Connection;

impl Streams<'_, '_> {
    /// Says what becomes of those that are under way at the end: had the user not interrupted, they have
    /// had their time.
    pub(super) fn settle(&mut self) {
        if self.run.is_interrupted {
            let on_connections: u64 = self.connections.iter().map(Connection::counted).sum();
            self.run.tally.under_way += on_connections;
            return;
        }
        for index in 0..self.connections.len() {
            let Some(connection) = self.connections.get_mut(index) else { return };
            if let Some(step) = connection.awaits() {
                self.broken(index, Failure { step, why: Why::Late });
            } else {
                // What would have been sent once more.
                self.run.tally.cut += connection.break_off().counted;
            }
        }
    }
}
