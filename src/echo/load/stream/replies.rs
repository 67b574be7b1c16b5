//! What comes on the connections of a load.

use super::Streams;
use crate::echo::load::connection::Progress;
use crate::echo::load::tally::Reply;

impl Streams<'_, '_> {
    /// Connection `index` can go on: it is there, or has room, or bytes.
    pub(super) fn go_on(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        if connection.is_closed() {
            return;
        }
        if connection.is_connecting() {
            match connection.finish_connecting() {
                Ok(false) => return,
                Ok(true) => self.opened(index),
                Err(failure) => return self.broken(index, failure),
            }
        } else if connection.wants_room {
            self.flush(index);
        }
        self.read(index);
    }

    fn read(&mut self, index: usize) {
        loop {
            let Some(connection) = self.connections.get_mut(index) else { return };
            if connection.is_closed() || connection.is_connecting() {
                return;
            }
            let came = match connection.receive(&mut self.scratch) {
                Ok(None) => return,
                Ok(Some(came)) => came,
                Err(failure) => return self.broken(index, failure),
            };
            // The end that a peer has said to come behind it is not told again.
            let is_all = came < self.scratch.len() && !connection.is_ending;
            self.take(index, came);
            if is_all {
                return;
            }
        }
    }

    /// Takes the first `came` bytes of what was read, by connection `index`.
    fn take(&mut self, index: usize, came: usize) {
        let now_ns = self.run.now_ns();
        let plan = self.run.plan;
        let mut at = 0;
        while at < came {
            let Some(connection) = self.connections.get_mut(index) else { return };
            let bytes = self.scratch.get(at..came).unwrap_or_default();
            match connection.take(bytes, &self.pattern, plan.verify) {
                Progress::Unexpected => {
                    let number = u64::try_from(bytes.len()).unwrap_or(0);
                    self.run.tally.unexpected_bytes += number;
                    break;
                }
                Progress::Partly(taken) => at += taken,
                Progress::Whole { taken, flight } => {
                    at += taken;
                    self.under_way -= 1;
                    if flight.counts {
                        let tally = &mut self.run.tally;
                        tally.bytes_received += u64::try_from(flight.piece.length).unwrap_or(0);
                        tally.corrupted += u64::from(flight.is_wrong);
                        let (intended_ns, sent_ns) = (flight.intended_ns, flight.sent_ns);
                        tally.reply(&Reply { intended_ns, sent_ns, now_ns });
                    }
                    if plan.reconnect {
                        connection.close(plan.close);
                        self.make_idle(index);
                        return;
                    }
                }
            }
        }
        self.make_idle(index);
        // At once, for the server to go on while the others are read.
        if plan.rate.is_none() {
            self.hand_out();
        }
    }
}
