//! How many connections there are, of all and of each address, how many replies to datagrams wait for
//! their time, and how many of each there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The most replies to datagrams that wait: with --delay, what comes while so many wait is not answered.
const WAITING: usize = 4096;

/// The connections that are open, and the replies that wait.
#[derive(Debug, Default)]
pub struct Limits {
    max: Option<usize>,
    max_per_address: Option<usize>,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    waiting: AtomicUsize,
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

    /// Counts one more, of `address`; false if that now has more than it may. It is counted all the
    /// same, until it leaves.
    pub fn enter(&self, address: Option<IpAddr>) -> bool {
        self.open.fetch_add(1, Ordering::AcqRel);
        let (Some(max), Some(address)) = (self.max_per_address, address) else { return true };
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let own = by_address.entry(address).or_default();
        *own += 1;
        *own <= max
    }

    /// Counts one less, which has entered.
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

    /// Counts one more reply that waits; false if as many do as may, and it is not counted.
    pub fn one_waits(&self) -> bool {
        let has_room = self.waiting.fetch_add(1, Ordering::AcqRel) < WAITING;
        if !has_room {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        has_room
    }

    /// Counts one less, which was sent.
    pub fn one_has_waited(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.ended.notify_waiters();
    }

    /// Whether no connection is open, and no reply waits.
    pub fn are_all_done(&self) -> bool {
        self.open() == 0 && self.waiting.load(Ordering::Acquire) == 0
    }

    /// Waits until a connection ends.
    pub async fn one_ends(&self) {
        self.ended.notified().await;
    }

    /// Waits until `is_so`, which is looked at whenever a connection has ended or a reply was sent.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_one_too_many_leaves_the_others_counted() {
        let limits = Limits::new(Some(3), Some(1));
        let [one, other] = [1, 2].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        assert!(limits.enter(one) && limits.enter(other));
        for _ in 0..5 {
            assert!(!limits.enter(one));
            limits.leave(one);
            assert_eq!((limits.open(), limits.has_room()), (2, true));
        }
        limits.leave(one);
        assert!(limits.enter(one));
        // A Unix socket has no address, and no limit of one.
        assert!(limits.enter(None));
        assert!(!limits.has_room());
        for entered in [one, other, None] {
            limits.leave(entered);
        }
        assert_eq!(limits.open(), 0);
        assert!(limits.by_address.lock().unwrap().is_empty());
    }
}
