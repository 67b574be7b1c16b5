//! How the connections of a load are opened, broken, opened again, and closed at its end.

use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

use socket2::Socket;

use super::Streams;
use crate::echo::client::trouble::{Failure, Why};
use crate::echo::load::connection::{Again, Connection};
use crate::echo::load::plan::Close;
use crate::echo::load::schedule::Next;
use crate::kernel::patience::{Event, Patience, Waited};
use crate::output::numbers::{float, whole};

/// Failures in a row after which a connection is not opened again.
const MOST_FAILURES: u32 = 8;
/// The pause after the first failure; each is twice the one before, up to [`DOUBLINGS`] times.
const PAUSE_NS: u64 = 20_000_000;
/// How often the pause is doubled: it is 1.28 s at most.
const DOUBLINGS: u32 = 6;
/// How long peers may take at the end to close too.
const PARTING: Duration = Duration::from_millis(200);

impl Streams<'_, '_> {
    /// Closes what is open; by FIN so that the peers have closed too, as far as they do that at once:
    /// until then there is no TIME_WAIT that could be counted.
    pub(super) fn close_all(&mut self) {
        let close = self.run.plan.close;
        if close == Close::Rst {
            self.connections.iter_mut().for_each(|it| it.close(close));
            return;
        }
        let parted: Vec<_> = self.connections.iter_mut().filter_map(Connection::part).collect();
        let patience = Patience::of(PARTING);
        for socket in parted {
            self.read_to_end(&socket, &patience);
        }
    }

    /// Reads what still comes on `socket`, to its end: with bytes unread, close(2) would send RST. One that
    /// does not end in time is closed all the same.
    fn read_to_end(&mut self, mut socket: &Socket, patience: &Patience<'_>) {
        while let Ok(Waited::Ready) = patience.wait(socket.as_fd(), Event::Readable) {
            if let Ok(0) | Err(_) = socket.read(&mut self.scratch) {
                return;
            }
        }
    }

    /// Opens all connections; the clock of the load starts when that is settled.
    pub(super) fn connect_all(&mut self) -> io::Result<()> {
        let rate = self.run.plan.connect_rate;
        let mut opened = 0;
        loop {
            let now_ns = self.run.now_ns();
            let due = match rate {
                Some(rate) => {
                    let seconds = float(now_ns) / 1e9;
                    let due = whole(seconds * rate) + 1;
                    usize::try_from(due).unwrap_or(usize::MAX).min(self.connections.len())
                }
                None => self.connections.len(),
            };
            while opened < due {
                self.open(opened, now_ns);
                opened += 1;
            }
            let is_settled = opened == self.connections.len()
                && !self.connections.iter().any(Connection::is_connecting);
            if is_settled || self.run.is_interrupted {
                // What waits to be tried again does so by the new clock.
                self.connections.iter_mut().for_each(Connection::retry_at_once);
                return Ok(());
            }
            self.turn(now_ns, now_ns + 1_000_000)?;
        }
    }

    pub(super) fn open(&mut self, index: usize, now_ns: u64) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        match connection.open(self.peer, self.run, (number, now_ns)) {
            Ok(true) => self.opened(index),
            Ok(false) => {}
            Err(failure) => self.broken(index, failure),
        }
    }

    pub(super) fn opened(&mut self, index: usize) {
        let now_ns = self.run.now_ns();
        let Some(connection) = self.connections.get_mut(index) else { return };
        self.run.tally.connects.record(now_ns.saturating_sub(connection.began_ns));
        connection.begin_again(now_ns, self.run.plan.rate.is_none());
        self.has_connected = true;
        self.flush(index);
        self.make_idle(index);
    }

    /// Connection `index` has failed: what was under way is lost with it, unless it may be sent once more.
    pub(super) fn broken(&mut self, index: usize, failure: Failure) {
        let now_ns = self.run.now_ns();
        let Some(connection) = self.connections.get_mut(index) else { return };
        let has_parted = connection.has_parted(failure.why);
        let (unheard, resent) =
            if has_parted { connection.take_unheard() } else { Default::default() };
        let loss = connection.break_off();
        connection.send_again(unheard);
        self.under_way -= loss.messages;
        let tally = &mut self.run.tally;
        tally.resent += resent;
        let is_of_opening = failure.is_of_opening();
        if is_of_opening {
            tally.not_opened += 1;
            tally.cut += loss.counted - loss.new;
            tally.take_back(loss.new, loss.new_bytes);
        } else if failure.why == Why::Late {
            tally.timed_out += loss.counted;
        } else {
            tally.cut += loss.counted;
        }
        // A server may close when nobody waits for anything, or while a message is on its way.
        let is_in_order = failure.why == Why::Closed || has_parted;
        if loss.messages > 0 || !is_in_order || is_of_opening {
            tally.fail(failure);
        }
        if self.run.plan.reconnect {
            tracing::debug!(connection = index, failure = failure.name(), "ended");
            return self.make_idle(index);
        }
        if has_parted {
            self.parted.push(index);
        } else {
            self.open_later(index, failure, now_ns);
        }
    }

    /// Opens again what was closed in order, without a pause: what it costs the server is what it wants.
    pub(super) fn open_parted(&mut self, now_ns: u64) {
        for index in std::mem::take(&mut self.parted) {
            let Some(connection) = self.connections.get_mut(index) else { return };
            connection.failures += 1;
            connection.again = Again::At(now_ns);
            self.open_again(index, now_ns);
        }
    }

    /// Opens connection `index` if it is time, and there is still something to send.
    fn open_again(&mut self, index: usize, now_ns: u64) {
        let has_next = self.run.peek(now_ns) != Next::Over;
        let Some(connection) = self.connections.get_mut(index) else { return };
        let is_time = matches!(connection.again, Again::At(moment) if moment <= now_ns);
        if is_time && (has_next || connection.has_flights()) {
            connection.again = Again::NoNeed;
            self.open(index, now_ns);
        }
    }

    /// After a pause, or not at all where that would be in vain.
    fn open_later(&mut self, index: usize, failure: Failure, now_ns: u64) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        connection.failures += 1;
        let is_in_vain = failure.is_of_opening() && !self.has_connected;
        if is_in_vain || connection.failures > MOST_FAILURES {
            connection.again = Again::Never;
            tracing::info!(connection = index, failure = failure.name(), "given up");
        } else {
            let pause = PAUSE_NS << connection.failures.saturating_sub(1).min(DOUBLINGS);
            connection.again = Again::At(now_ns + pause);
            let after = Duration::from_nanos(pause);
            tracing::info!(
                connection = index,
                failure = failure.name(),
                ?after,
                "connecting again"
            );
        }
    }

    /// Ends what takes too long, and opens again what waits for it.
    pub(super) fn sweep(&mut self, now_ns: u64) {
        let timeout_ns = self.run.timeout_ns();
        for index in 0..self.connections.len() {
            let Some(connection) = self.connections.get_mut(index) else { return };
            if matches!(connection.again, Again::At(_)) {
                self.open_again(index, now_ns);
            } else if let Some(step) = connection.is_late(now_ns, timeout_ns) {
                self.broken(index, Failure { step, why: Why::Late });
            }
        }
    }
}
