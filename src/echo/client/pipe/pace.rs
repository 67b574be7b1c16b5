//! How far ahead of what comes back a Unix stream is sent.
//!
//! A server may stand still for ever once more is under way than it holds: socat(1) with PIPE writes
//! 8 KiB into its own pipe where poll(2) has said that 4 KiB fit, and nobody but itself would read them.
//! Over a Unix socket that came of each of eight streams of 20 MiB sent as fast as there was room (and of
//! socat's own with `-b 262144`), of none over TCP, and of none at this pace, which is that of nc(1).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Bytes that are sent at a time.
pub const PIECE: usize = 24 * 1024;
/// Bytes that may be under way before the next piece: with it, less than a pipe holds, 64 KiB (pipe(7)).
const AHEAD: u64 = 24 * 1024;
/// A server from which nothing comes for so long does not send back what it is sent, or not yet.
const LULL: Duration = Duration::from_millis(50);

/// Keeps a sender close to what comes back.
#[derive(Debug, Default)]
pub struct Pace {
    came: Mutex<u64>,
    moves: Condvar,
    /// Whether what comes back is not waited for.
    is_off: AtomicBool,
}

impl Pace {
    /// So many bytes have come.
    pub fn came(&self, bytes: u64) {
        *self.came.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        self.moves.notify_one();
    }

    /// Waits, `sent` bytes having been sent, until enough of them have come back, or it is plain that
    /// they do not; for longer where `is_held_up`, and nothing could come.
    pub fn wait(&self, sent: u64, is_held_up: impl Fn() -> bool) {
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.saturating_sub(*came) > AHEAD {
            if self.is_off.load(Ordering::Relaxed) {
                return;
            }
            let before = *came;
            let waited = self.moves.wait_timeout(came, LULL);
            let (now, lull) = waited.unwrap_or_else(PoisonError::into_inner);
            came = now;
            // A wait may end before its time, for nothing.
            if lull.timed_out() && *came == before && !is_held_up() {
                self.is_off.store(true, Ordering::Relaxed);
            }
        }
        self.is_off.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_waited_for_and_a_server_that_sends_nothing_is_not() {
        let pace = Pace::default();
        pace.wait(AHEAD, || false);
        std::thread::scope(|scope| {
            scope.spawn(|| pace.came(1));
            // Also where that takes longer than a lull.
            pace.wait(AHEAD + 1, || *pace.came.lock().unwrap() == 0);
        });
        pace.wait(u64::MAX, || false);
        assert!(pace.is_off.load(Ordering::Relaxed));
        pace.came(AHEAD);
        pace.wait(AHEAD + 1, || false);
        assert!(!pace.is_off.load(Ordering::Relaxed));
    }
}
