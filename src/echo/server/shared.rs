//! What all connections of a server share: what it was asked for, its limits, its counts, its log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use socket2::Socket;
use tokio::sync::Notify;

use super::faults::ResetAfter;
use super::guard::Refusal;
use super::limits::Limits;
use super::log::{Line, Log, Opened};
use super::options::Options;
use super::tally::{DatagramTally, End, Tally};
use crate::catalogue::errnos;
use crate::kernel::clock::now;
use crate::kernel::{io_text, serving};

/// The server, as its connections see it.
pub struct Shared {
    pub(super) options: Options,
    pub(super) limits: Limits,
    /// One for each thread that serves.
    pub(super) tallies: Vec<Tally>,
    pub(super) datagrams: DatagramTally,
    pub(super) accepted: AtomicU64,
    /// How often the server stopped taking connections, at `max_connections`.
    pub(super) at_limit: AtomicU64,
    pub(super) lost_lines: AtomicU64,
    accept_errors: Mutex<BTreeMap<i32, u64>>,
    log: Mutex<Option<Log>>,
    is_taken: AtomicBool,
    /// With --one-off, that nothing more is to be taken.
    pub(super) one_is_taken: Notify,
    pub(super) one_is_done: Notify,
}

impl Shared {
    /// A server that has served nobody yet.
    pub fn new(options: Options, log: Option<Log>) -> Self {
        let limits = Limits::new(options.max_connections, options.max_per_address);
        let tallies = (0..options.threads.max(1)).map(|_| Tally::default()).collect();
        Self {
            options,
            limits,
            tallies,
            datagrams: DatagramTally::default(),
            accepted: AtomicU64::new(0),
            at_limit: AtomicU64::new(0),
            lost_lines: AtomicU64::new(0),
            accept_errors: Mutex::default(),
            log: Mutex::new(log),
            is_taken: AtomicBool::new(false),
            one_is_taken: Notify::new(),
            one_is_done: Notify::new(),
        }
    }

    /// Whether one more connection may be taken.
    pub fn may_accept(&self) -> bool {
        let is_used_up = self.options.one_off && self.is_taken.load(Ordering::Relaxed);
        self.limits.has_room() && !is_used_up
    }

    /// Whether one more datagram may be answered: with `--one-off`, the first alone.
    pub fn takes_datagram(&self) -> bool {
        !self.options.one_off || !self.is_taken.swap(true, Ordering::Relaxed)
    }

    /// Counts an error of accept(2).
    pub fn accept_failed(&self, error: &std::io::Error) {
        tracing::info!(error = io_text(error), "accept failed");
        let mut errors = self.accept_errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(error.raw_os_error().unwrap_or(0)).or_default() += 1;
    }

    /// The errors of accept(2) so far.
    pub fn accept_errors(&self) -> BTreeMap<i32, u64> {
        self.accept_errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a datagram of so many bytes, and how many were sent back; if none, a `-vv` tells why, and
    /// asks `from` whose it was.
    pub fn datagram(
        &self,
        length: usize,
        answered: Result<usize, Refusal>,
        from: impl Fn() -> String,
    ) {
        self.datagrams.came(length);
        self.settle(length, answered, from);
    }

    /// The same of one that was counted when it came.
    pub fn settle(
        &self,
        length: usize,
        answered: Result<usize, Refusal>,
        from: impl Fn() -> String,
    ) {
        if let Err(refusal) = answered {
            tracing::debug!(from = from(), length, why = refusal.words(), "not answered");
        }
        self.datagrams.settled(answered);
        if answered.is_ok() {
            self.one_is_answered();
        }
    }

    /// A datagram is answered, now or later: with --one-off, the last.
    pub fn one_is_answered(&self) {
        if self.options.one_off {
            self.one_is_done.notify_one();
        }
    }

    /// Writes `line` to the log.
    pub fn write(&self, line: String) {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.as_ref().is_some_and(|log| !log.add(line)) {
            self.lost_lines.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends the log: no line will come any more.
    pub fn close_log(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Where connections are taken.
pub struct Local {
    /// The address, as it is logged.
    pub name: Arc<str>,
    /// Whether a read ends where a message does.
    pub keeps_messages: bool,
}

/// A connection in the books of its server, from when it was taken until this is dropped.
pub struct Visit {
    pub(super) shared: Arc<Shared>,
    /// The thread that serves it.
    hand: usize,
    source: Option<IpAddr>,
    opened: Option<Box<Opened>>,
    local: Arc<str>,
    /// Whether a read ends where a message does.
    pub(super) keeps_messages: bool,
    pub(super) id: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) end: End,
    pub(super) errno: Option<i32>,
}

impl Visit {
    /// Enters `socket`, which was taken at `local`. `None` if its address has as many as it may; it
    /// is counted and logged then.
    pub fn begin(
        shared: &Arc<Shared>,
        socket: &Socket,
        local: &Local,
        hand: usize,
    ) -> Option<Self> {
        let id = shared.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        shared.is_taken.store(true, Ordering::Relaxed);
        if shared.options.one_off {
            shared.one_is_taken.notify_one();
        }
        let is_counted = shared.limits.counts_addresses();
        let source = is_counted.then(|| serving::peer_address(socket)).flatten();
        let opened = shared.options.log.is_some().then(|| {
            let (at, since) = (now(), Instant::now());
            Box::new(Opened { id, peer: serving::peer_name(socket), at, since })
        });
        // Nothing is looked up for it where nobody listens.
        tracing::info!(id, peer = serving::peer_name(socket), at = %local.name, "taken");
        let is_in = shared.limits.enter(source);
        let visit = Self {
            shared: Arc::clone(shared),
            hand,
            source,
            opened,
            local: Arc::clone(&local.name),
            keeps_messages: local.keeps_messages,
            id,
            received: 0,
            sent: 0,
            end: if is_in { End::Cut } else { End::MaxPerAddress },
            errno: None,
        };
        is_in.then_some(visit)
    }

    /// How many bytes may go back before the connection is to be reset.
    pub fn room_before_reset(&self) -> Option<usize> {
        match self.shared.options.faults.reset_after {
            Some(ResetAfter::Bytes(most)) => usize::try_from(most.saturating_sub(self.sent)).ok(),
            Some(ResetAfter::Any(_)) | None => None,
        }
    }

    /// Counts bytes that came.
    pub fn received(&mut self, length: u64) {
        self.received += length;
        if let Some(tally) = self.shared.tallies.get(self.hand) {
            tally.received.add(length);
            tally.reads.add(1);
        }
    }

    /// Counts bytes that went back.
    pub fn sent(&mut self, length: u64) {
        self.sent += length;
        if let Some(tally) = self.shared.tallies.get(self.hand) {
            tally.sent.add(length);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let shared = &self.shared;
        let why = self.end.words();
        tracing::info!(id = self.id, received = self.received, sent = self.sent, why, "ended");
        if let Some(tally) = shared.tallies.get(self.hand) {
            tally.ended(self.end);
        }
        if let (Some(opened), Some(format)) = (&self.opened, shared.options.log) {
            let errno = self.errno.map(errnos::name);
            let line = Line {
                received_bytes: self.received,
                sent_bytes: self.sent,
                ..Line::of(opened, &self.local, self.end, errno)
            };
            shared.write(line.write(format));
        }
        shared.limits.leave(self.source);
        if shared.options.one_off {
            shared.one_is_done.notify_one();
        }
    }
}
