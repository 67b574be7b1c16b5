//! What becomes of messages that are under way at the end of the load.

use super::Streams;
use crate::echo::load::connection::Connection;

impl Streams<'_, '_> {
    /// Counts those that are under way where the user has interrupted: else each has had its time.
    pub(super) fn count_under_way(&mut self) {
        if self.run.is_interrupted {
            let on_connections: u64 = self.connections.iter().map(Connection::counted).sum();
            self.run.tally.under_way += on_connections;
        }
    }
}
