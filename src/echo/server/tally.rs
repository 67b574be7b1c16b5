//! What a server counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::guard::Refusal;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The peer closed.
    PeerClosed,
    /// The peer reset it.
    PeerReset,
    /// Nothing came and nothing was taken for the idle time.
    Idle,
    /// As many bytes as may had come.
    MaxBytes,
    /// A message came that was longer than what is sent back.
    TooLong,
    /// Its address had as many connections as it may.
    MaxPerAddress,
    /// The server reset it, as it was told to.
    FaultReset,
    /// The server closed it, as it was told to.
    FaultClosed,
    /// It was still open when the time to drain was over.
    Cut,
    /// Another error of the socket.
    Failed,
}

impl End {
    /// What is said of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::PeerClosed => "the client closed",
            Self::PeerReset => "the client reset it",
            Self::Idle => "idle for too long",
            Self::MaxBytes => "the client sent as many bytes as it may",
            Self::TooLong => "a message was too long",
            Self::MaxPerAddress => "its address has as many as it may",
            Self::FaultReset => "reset, as asked for",
            Self::FaultClosed => "closed first, as asked for",
            Self::Cut => "cut when the server ended",
            Self::Failed => "failed",
        }
    }
}

/// One number that counts up. One thread alone adds to it, so that adding is a load and a store.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `number`.
    pub fn add(&self, number: u64) {
        self.0.store(self.get().wrapping_add(number), Ordering::Relaxed);
    }

    /// How much it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one thread counts: its connections' bytes and ends. A cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Tally {
    /// Bytes received.
    pub received: Counter,
    /// Bytes sent.
    pub sent: Counter,
    /// Reads that brought something.
    pub reads: Counter,
    ends: Mutex<BTreeMap<End, u64>>,
}

/// What comes and goes in datagrams.
#[derive(Debug, Default)]
pub struct DatagramTally {
    /// Datagrams received.
    pub received: Counter,
    /// Their bytes.
    pub received_bytes: Counter,
    /// Datagrams answered.
    pub sent: Counter,
    /// Their bytes.
    pub sent_bytes: Counter,
    refused: Mutex<BTreeMap<Refusal, u64>>,
}

impl DatagramTally {
    /// Counts a datagram of so many bytes.
    pub fn came(&self, length: usize) {
        self.received.add(1);
        self.received_bytes.add(u64::try_from(length).unwrap_or(0));
    }

    /// Counts what has become of one: how many bytes were sent back.
    pub fn settled(&self, answered: Result<usize, Refusal>) {
        match answered {
            Ok(length) => {
                self.sent.add(1);
                self.sent_bytes.add(u64::try_from(length).unwrap_or(0));
            }
            Err(why) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                *refused.entry(why).or_default() += 1;
            }
        }
    }

    /// Why how many were not answered.
    pub fn refused(&self) -> BTreeMap<Refusal, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tally {
    /// Counts an end.
    pub fn ended(&self, end: End) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner).entry(end).or_default() += 1;
    }

    /// The ends so far.
    pub fn ends(&self) -> BTreeMap<End, u64> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
