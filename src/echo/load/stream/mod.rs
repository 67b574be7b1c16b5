//! The load over streams: TCP and Unix sockets of type `SOCK_STREAM`.
//!
//! One thread and epoll(7) instead of tokio: a task and its waker for each message, and a clock read
//! for each of tokio's timers, cost a client that has little else to do (0.78 to 0.94 of what a C
//! client reaches was measured of tokio). Here a message costs a send, a recv, a comparison and a
//! record.

mod ending;
mod opening;
mod replies;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::connection::{Again, Connection, Flight};
use super::pattern::Pattern;
use super::run::{Run, Woken};
use crate::echo::client::target::Peer;
use crate::kernel::aligned::AlignedBuffer;

/// What one read takes at most.
const READ: usize = 256 * 1024;
/// How often connections are looked over for what takes too long.
const SWEEP_NS: u64 = 10_000_000;

/// A load over streams.
pub struct Streams<'a, 'b> {
    run: &'a mut Run<'b>,
    peer: &'a Peer,
    pattern: Pattern,
    connections: Vec<Connection>,
    /// Connections that have room for a message, in the order in which they came to have it.
    idle: VecDeque<usize>,
    under_way: usize,
    /// Connections whose peers have closed them in order: they are opened again at once, but not while what
    /// a wait has brought is gone through, in which there may be more of the old ones.
    parted: Vec<usize>,
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
            parted: Vec::new(),
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
            let tally = &streams.run.tally;
            let (opened, failed) = (tally.connects.count(), tally.not_opened);
            let elapsed = Duration::from_nanos(streams.run.now_ns());
            tracing::info!(opened, failed, ?elapsed, "connected");
        }
        streams.run.begin();
        streams.next_sweep_ns = SWEEP_NS;
        streams.go_round()?;
        streams.run.tally.is_given_up |= streams.is_deserted();
        streams.run.finish();
        streams.count_under_way();
        streams.close_all();
        Ok(())
    }

    fn go_round(&mut self) -> io::Result<()> {
        loop {
            let now_ns = self.run.now_ns();
            self.hand_out();
            self.run.leave_what_is_behind(now_ns);
            self.open_parted(now_ns);
            let next = self.run.peek(now_ns);
            if self.run.ends(now_ns, next, self.under_way) {
                return Ok(());
            }
            if self.is_hopeless() {
                self.run.abandon();
                return Ok(());
            }
            // Without room, what is due waits for a reply.
            let due_ns = if self.idle.is_empty() { u64::MAX } else { next.moment_ns(now_ns) };
            self.turn(now_ns, due_ns.min(self.next_sweep_ns))?;
        }
    }

    /// Nobody has ever answered, or no connection is left.
    fn is_hopeless(&self) -> bool {
        if self.run.plan.reconnect {
            let failed = self.run.tally.not_opened;
            let connections = u64::try_from(self.connections.len()).unwrap_or(u64::MAX);
            return !self.has_connected && self.under_way == 0 && failed >= connections;
        }
        self.connections.iter().all(|it| it.again == Again::Never)
    }

    /// Whether at the end no connection is left, though some were to be tried again. One that has only
    /// been closed behind a reply has not failed twice.
    fn is_deserted(&self) -> bool {
        let is_gone = |it: &Connection| it.is_closed() && it.failures > 1;
        !self.run.plan.reconnect && self.connections.iter().all(is_gone)
    }

    /// One wait, and what it has brought.
    fn turn(&mut self, now_ns: u64, until_ns: u64) -> io::Result<()> {
        let Woken::By(count) = self.run.wait(now_ns, until_ns)? else { return Ok(()) };
        for index in 0..count {
            let number = self.run.poller.number(index);
            let is_ending = self.run.poller.is_ending(index);
            if let Some(index) = number.and_then(|it| usize::try_from(it).ok()) {
                if let Some(connection) = self.connections.get_mut(index).filter(|_| is_ending) {
                    connection.note_ending();
                }
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
        let Some(flight) = self.next(index, now_ns) else { return false };
        let Some(connection) = self.connections.get_mut(index) else { return true };
        connection.queue(flight);
        if connection.is_closed() {
            self.open(index, now_ns);
        } else {
            self.flush(index);
        }
        self.make_idle(index);
        true
    }

    /// The next message of the schedule, if one is due.
    fn next(&mut self, index: usize, now_ns: u64) -> Option<Flight> {
        let due = self.run.take(now_ns)?;
        let piece = self.pattern.piece(index, self.number);
        self.number += 1;
        if due.counts {
            self.run.tally.sent += 1;
            self.run.tally.bytes_sent += u64::try_from(piece.length).unwrap_or(0);
        }
        self.under_way += 1;
        Some(Flight::new(piece, due, now_ns))
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

    fn flush(&mut self, index: usize) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        if let Err(failure) = connection.flush(&self.pattern, &self.run.poller, number) {
            self.broken(index, failure);
        }
    }
}
