//! From the start to the verdict: listens to the watchers, counts, and knows when it is over.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::interval::Interval;
use super::look::Manner;
use super::progress::{Progress, Standing};
use super::tally::{Quorum, Tally};
use super::target::Watch;
use super::watchers::{Told, start};
use crate::kernel::KernelError;
use crate::kernel::ending_signals::{EndingSignals, Signal};

/// How often signals are looked for, where nothing else happens.
const TICK: Duration = Duration::from_millis(50);
/// How long past the deadline looks that end with it are waited for.
const GRACE: Duration = Duration::from_millis(150);

/// What is to be done.
pub struct Task<'a> {
    /// The targets.
    pub watches: Vec<Watch>,
    /// How many have to be met.
    pub quorum: Quorum,
    /// The pauses.
    pub interval: Interval,
    /// How looks are made; the deadline.
    pub manner: Manner,
    /// What ends it early.
    pub signals: &'a EndingSignals,
}

/// How it ended.
pub struct Course {
    /// What became of each target.
    pub tallies: Vec<Tally>,
    /// Whether enough are met.
    pub is_reached: bool,
    /// How long it took.
    pub elapsed: Duration,
    /// What ended it early.
    pub signal: Option<Signal>,
}

/// Waits, in the network namespace of the calling thread.
pub fn follow(task: Task<'_>, progress: &mut Progress<'_>) -> Result<Course, KernelError> {
    let Task { watches, quorum, interval, manner, signals } = task;
    let (clock, deadline) = (manner.clock, manner.deadline);
    let told = start(&watches, interval, &manner)?;
    let mut tallies: Vec<Tally> = watches.into_iter().map(Tally::new).collect();
    let mut signal = None;
    let mut is_reached = false;
    loop {
        match told.recv_timeout(TICK) {
            Ok(Told::Looked(index, timed)) => {
                if let Some(tally) = tallies.get_mut(index) {
                    let at = timed.ended;
                    if let Some(change) = tally.add(timed) {
                        progress.changed(tally, &change, at);
                    }
                }
            }
            Ok(Told::Failed(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        is_reached = quorum.is_reached(&tallies);
        // One that comes with success waits for whom it was sent to: it is not ours to swallow.
        signal = if is_reached { None } else { signals.take() };
        let now = clock.elapsed();
        let is_over = is_reached || quorum.is_out_of_reach(&tallies) || signal.is_some();
        if is_over || deadline.is_some_and(|end| now > end + GRACE) {
            break;
        }
        progress.tick(Standing { tallies: &tallies, quorum, now, deadline });
    }
    Ok(Course { tallies, is_reached, elapsed: clock.elapsed(), signal })
}
