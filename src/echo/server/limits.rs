//! How many connections there are, of all and of each address, and how many there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The connections that are open.
#[derive(Debug, Default)]
pub struct Limits {
    max: Option<usize>,
    max_per_address: Option<usize>,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    ended: Notify,
}

impl Limits {
    /// Limits on all and on each address.
    pub fn new(max: Option<usize>, max_per_address: Option<usize>) -> Self {
        Self { max, max_per_address, ..Self::default() }
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Whether there is room for one more.
    pub fn has_room(&self) -> bool {
        self.max.is_none_or(|max| self.open() < max)
    }

    /// Whether addresses are counted.
    pub fn counts_addresses(&self) -> bool {
        self.max_per_address.is_some()
    }

    /// Counts one more, of `address`; false if that has as many as it may.
    pub fn enter(&self, address: Option<IpAddr>) -> bool {
        if let (Some(max), Some(address)) = (self.max_per_address, address) {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let own = by_address.entry(address).or_default();
            if *own >= max {
                return false;
            }
            *own += 1;
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Counts one less.
    pub fn leave(&self, address: Option<IpAddr>) {
        if let (true, Some(address)) = (self.counts_addresses(), address) {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(own) = by_address.get_mut(&address) {
                *own = own.saturating_sub(1);
                if *own == 0 {
                    by_address.remove(&address);
                }
            }
        }
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.ended.notify_waiters();
    }

    /// Waits until a connection ends.
    pub async fn one_ends(&self) {
        self.ended.notified().await;
    }

    /// Waits until `is_so`, which is looked at whenever a connection has ended.
    pub async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            // Made before the look, so that what ends meanwhile is not missed.
            let next = self.ended.notified();
            if is_so() {
                return;
            }
            next.await;
        }
    }
}
