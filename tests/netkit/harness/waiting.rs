//! Waiting for what the kernel does in its own time: a condition and a deadline, no plain sleep.

use std::time::{Duration, Instant};

/// How long anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Calls `attempt` until it succeeds; at the deadline, panics with its last complaint.
pub fn eventually<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(complaint) if Instant::now() > end => {
                panic!("not within {DEADLINE:?}: {complaint}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
