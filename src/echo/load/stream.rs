//! The load over streams: TCP and Unix sockets of type `SOCK_STREAM`.
//!
//! One thread and epoll(7) instead of tokio: a task and its waker for each message, and a clock read
//! for each of tokio's timers, cost a client that has little else to do (0.78 to 0.94 of what a C
//! client reaches was measured of tokio). Here a message costs a send, a recv, a comparison and a
//! record.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use super::connection::{Connection, Progress};
use super::pattern::Pattern;
use super::plan::Close;
use super::run::{Run, Woken};
use super::schedule::Next;
use super::tally::Reply;
use crate::echo::client::target::Peer;
use crate::echo::client::trouble::{Failure, Why};
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::patience::{Event, Patience};

/// What one read takes at most.
const READ: usize = 256 * 1024;
/// How often connections are looked over for what takes too long.
const SWEEP_NS: u64 = 10_000_000;
/// Failures in a row after which a connection is not opened again.
const MOST_FAILURES: u32 = 8;
/// How long peers may take at the end to close too.
const PARTING: Duration = Duration::from_millis(200);
/// The pause after the first of them; each is twice the one before.
const PAUSE_NS: u64 = 10_000_000;

/// A load over streams.
pub struct Streams<'a, 'b> {
    run: &'a mut Run<'b>,
    peer: &'a Peer,
    pattern: Pattern,
    connections: Vec<Connection>,
    /// Connections that have room for a message, in the order in which they came to have it.
    idle: VecDeque<usize>,
    under_way: usize,
    scratch: AlignedBuffer,
    next_sweep_ns: u64,
    number: u64,
    has_connected: bool,
}

impl<'a, 'b> Streams<'a, 'b> {
    /// Loads `peer`, to the end.
    pub fn drive(peer: &'a Peer, run: &'a mut Run<'b>) -> io::Result<()> {
        let plan = run.plan;
        let (shortest, longest) = plan.sizes;
        let mut streams = Self {
            peer,
            pattern: Pattern::new(shortest, longest, plan.transform),
            connections: (0..plan.connections).map(|_| Connection::default()).collect(),
            idle: VecDeque::with_capacity(plan.connections),
            under_way: 0,
            scratch: AlignedBuffer::new(READ),
            next_sweep_ns: SWEEP_NS,
            number: 0,
            has_connected: false,
            run,
        };
        if streams.run.plan.reconnect {
            streams.idle.extend(0..streams.connections.len());
        } else {
            streams.connect_all()?;
        }
        let (opened, failed) = (streams.run.tally.connects.count(), streams.run.tally.not_opened);
        tracing::info!(opened, failed, elapsed = ?Duration::from_nanos(streams.run.now_ns()), "connected");
        streams.run.begin();
        streams.next_sweep_ns = SWEEP_NS;
        streams.go_round()?;
        streams.close_all();
        Ok(())
    }

    /// Closes what is open; by FIN so that the peers have closed too, as far as they do that at once:
    /// until then there is no TIME_WAIT that could be counted.
    fn close_all(&mut self) {
        let close = self.run.plan.close;
        if close == Close::Rst {
            self.connections.iter_mut().for_each(|it| it.close(close));
            return;
        }
        let parted: Vec<_> = self.connections.iter_mut().filter_map(Connection::part).collect();
        let patience = Patience::of(PARTING);
        for socket in parted {
            // One that does not is closed all the same.
            let (Ok(_) | Err(_)) = patience.wait(socket.as_fd(), Event::Readable);
        }
    }

    /// Opens all connections; the clock of the load starts when that is settled.
    fn connect_all(&mut self) -> io::Result<()> {
        let rate = self.run.plan.connect_rate;
        let mut opened = 0;
        loop {
            let now_ns = self.run.now_ns();
            let due = match rate {
                Some(rate) => {
                    let seconds = crate::output::numbers::float(now_ns) / 1e9;
                    let due = crate::output::numbers::whole(seconds * rate) + 1;
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

    fn go_round(&mut self) -> io::Result<()> {
        loop {
            let now_ns = self.run.now_ns();
            self.hand_out();
            let next = self.run.peek(now_ns);
            if self.run.is_interrupted || (next == Next::Over && self.under_way == 0) {
                return Ok(());
            }
            if self.run.leaves_rest(now_ns) {
                return Ok(());
            }
            if self.is_hopeless() {
                self.run.abandon();
                return Ok(());
            }
            let until_ns = match next {
                Next::At(moment) if !self.idle.is_empty() => moment.min(self.next_sweep_ns),
                Next::Now(_) if !self.idle.is_empty() => now_ns,
                Next::At(_) | Next::Now(_) | Next::Over => self.next_sweep_ns,
            };
            self.turn(now_ns, until_ns)?;
        }
    }

    /// Nobody has ever answered, or no connection is left.
    fn is_hopeless(&self) -> bool {
        if self.run.plan.reconnect {
            let failed = self.run.tally.not_opened;
            let connections = u64::try_from(self.connections.len()).unwrap_or(u64::MAX);
            return !self.has_connected && self.under_way == 0 && failed >= connections;
        }
        self.connections.iter().all(|it| it.is_given_up)
    }

    /// One wait, and what it has brought.
    fn turn(&mut self, now_ns: u64, until_ns: u64) -> io::Result<()> {
        let Woken::By(count) = self.run.wait(now_ns, until_ns)? else { return Ok(()) };
        for index in 0..count {
            let number = self.run.poller.number(index);
            if let Some(index) = number.and_then(|it| usize::try_from(it).ok()) {
                self.go_on(index);
            }
        }
        let now_ns = self.run.now_ns();
        if now_ns >= self.next_sweep_ns {
            self.next_sweep_ns = now_ns + SWEEP_NS;
            self.sweep(now_ns);
        }
        Ok(())
    }

    /// Gives what is due to connections that have room.
    fn hand_out(&mut self) {
        // Those that take a message and have room for more come again at the end of the queue.
        for _ in 0..self.idle.len().saturating_mul(self.run.plan.pipeline) {
            let Some(index) = self.idle.pop_front() else { return };
            let reconnects = self.run.plan.reconnect;
            if self.connections.get_mut(index).is_some_and(|it| it.has_left_idle(reconnects)) {
                continue;
            }
            if !self.begin_message(index) {
                self.idle.push_front(index);
                return;
            }
        }
    }

    /// Begins a message on connection `index` if one is due.
    fn begin_message(&mut self, index: usize) -> bool {
        let now_ns = self.run.now_ns();
        let Some(due) = self.run.take(now_ns) else { return false };
        let piece = self.pattern.piece(index, self.number);
        self.number += 1;
        if due.counts {
            self.run.tally.sent += 1;
            self.run.tally.bytes_sent += u64::try_from(piece.length).unwrap_or(0);
        }
        self.under_way += 1;
        let Some(connection) = self.connections.get_mut(index) else { return true };
        connection.queue(piece, due, now_ns);
        if connection.is_closed() {
            self.open(index, now_ns);
        } else {
            self.flush(index);
        }
        self.make_idle(index);
        true
    }

    fn make_idle(&mut self, index: usize) {
        let plan = self.run.plan;
        let pipeline = if plan.reconnect { 1 } else { plan.pipeline };
        if let Some(connection) = self.connections.get_mut(index)
            && connection.becomes_idle(pipeline, plan.reconnect)
        {
            self.idle.push_back(index);
        }
    }

    fn open(&mut self, index: usize, now_ns: u64) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        match connection.open(self.peer, self.run, (number, now_ns)) {
            Ok(true) => self.opened(index),
            Ok(false) => {}
            Err(failure) => self.broken(index, failure),
        }
    }

    fn opened(&mut self, index: usize) {
        let now_ns = self.run.now_ns();
        let Some(connection) = self.connections.get_mut(index) else { return };
        self.run.tally.connects.record(now_ns.saturating_sub(connection.began_ns));
        self.has_connected = true;
        self.flush(index);
        self.make_idle(index);
    }

    fn flush(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        if let Err(failure) = connection.flush(&self.pattern, &self.run.poller, number) {
            self.broken(index, failure);
        }
    }

    /// Connection `index` can go on: it is there, or has room, or bytes.
    fn go_on(&mut self, index: usize) {
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
            let is_all = came < self.scratch.len();
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

    /// Connection `index` has failed: what was under way is lost with it.
    fn broken(&mut self, index: usize, failure: Failure) {
        let now_ns = self.run.now_ns();
        let Some(connection) = self.connections.get_mut(index) else { return };
        let (lost, counted) = connection.break_off();
        self.under_way -= lost;
        let tally = &mut self.run.tally;
        let is_of_opening = failure.is_of_opening();
        if is_of_opening {
            tally.not_opened += 1;
        }
        if failure.why == Why::Late && !is_of_opening {
            tally.timed_out += counted;
        } else {
            tally.cut += counted;
        }
        // A server may close when nobody waits for anything.
        if lost > 0 || failure.why != Why::Closed || is_of_opening {
            tally.fail(failure);
        }
        if self.run.plan.reconnect {
            tracing::debug!(connection = index, failure = failure.name(), "ended");
            return self.make_idle(index);
        }
        connection.failures += 1;
        let is_in_vain = is_of_opening && !self.has_connected;
        if is_in_vain || connection.failures > MOST_FAILURES {
            connection.is_given_up = true;
            tracing::info!(connection = index, failure = failure.name(), "given up");
        } else {
            let pause = PAUSE_NS << connection.failures.min(7);
            connection.retry_ns = Some(now_ns + pause);
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
    fn sweep(&mut self, now_ns: u64) {
        let timeout_ns = self.run.timeout_ns();
        for index in 0..self.connections.len() {
            let Some(connection) = self.connections.get_mut(index) else { return };
            if connection.retry_ns.is_some_and(|moment| moment <= now_ns) {
                if self.run.peek(now_ns) != Next::Over {
                    connection.retry_ns = None;
                    self.open(index, now_ns);
                }
            } else if let Some(step) = connection.is_late(now_ns, timeout_ns) {
                self.broken(index, Failure { step, why: Why::Late });
            }
        }
    }
}
