//! The one place that asks what time it is.

use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

/// The wall clock to the millisecond, as RFC 3339 writes it.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// A stopwatch that does not jump with the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to run.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits for `duration`; a signal that ends the process ends this too.
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}
