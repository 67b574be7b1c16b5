//! A thread for each target: it looks, tells what it saw, and pauses, until it is as it should be,
//! or can never be.
//!
//! The threads are not joined. One that hangs in a call, such as a resolver's, keeps nobody waiting:
//! whoever listens to them ends by the deadline, and the process with it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::interval::{Backoff, Interval, chance};
use super::look::{Look, Looker, Manner, Seen};
use super::tally::Timed;
use super::target::Watch;
use crate::kernel::KernelError;
use crate::kernel::clock::sleep;

/// What a thread tells.
#[derive(Debug)]
pub enum Told {
    /// The target with this number was looked at.
    Looked(usize, Timed),
    /// It cannot be.
    Failed(KernelError),
}

/// Starts to watch. The threads are of the caller's network namespace. What they tell ends when all
/// of them have ended.
///
/// Fails where so many threads are not to be had.
pub fn start(
    watches: &[Watch],
    interval: Interval,
    manner: &Manner,
) -> Result<Receiver<Told>, KernelError> {
    let (teller, listener) = channel();
    for (index, watch) in watches.iter().enumerate() {
        let (watch, manner, teller) = (watch.clone(), manner.clone(), teller.clone());
        let body = move || {
            Watcher { index, teller, backoff: Backoff::new(interval) }.run(watch, manner);
        };
        thread::Builder::new().name(format!("wait-{index}")).spawn(body).map_err(|source| {
            KernelError::Program { operation: format!("start thread {index}"), source }
        })?;
    }
    Ok(listener)
}

struct Watcher {
    index: usize,
    teller: Sender<Told>,
    backoff: Backoff,
}

impl Watcher {
    fn run(mut self, watch: Watch, manner: Manner) {
        let (clock, deadline) = (manner.clock, manner.deadline);
        let mut looker = Looker::new(watch, manner);
        let mut last = None;
        loop {
            let began = clock.elapsed();
            let look = match looker.look() {
                Ok(look) => look,
                // That nobody listens any more is as good.
                Err(error) => return drop(self.teller.send(Told::Failed(error))),
            };
            tell(&looker, &look, last.as_ref(), clock.elapsed().saturating_sub(began));
            let is_done = look.is_met || look.is_final;
            let (reach, seen) = (look.reach, look.seen.clone());
            let timed = Timed { began, ended: clock.elapsed(), look };
            let took = timed.ended.saturating_sub(began);
            if last.is_some() && is_cut_short(seen.outcome, &timed, deadline) {
                return;
            }
            if self.teller.send(Told::Looked(self.index, timed)).is_err() || is_done {
                return;
            }
            if last.replace(seen.clone()).is_some_and(|last| !seen.is_like(&last)) {
                self.backoff.restart();
            }
            // From the beginning of a look to that of the next: one that was long waited enough.
            let pause = self.backoff.pause(reach, chance()).saturating_sub(took).max(LEAST);
            // One look more at the very end, with time for it to be answered.
            let reserve = LAST_LOOK + took.saturating_mul(2);
            match deadline.map(|end| end.saturating_sub(clock.elapsed())) {
                Some(left) if left <= pause.min(reserve) => return sleep(left),
                Some(left) if left <= pause => sleep(left.saturating_sub(reserve)),
                _ => sleep(pause),
            }
        }
    }
}

/// With -v what is another thing than before, with -vv every look.
fn tell(looker: &Looker, look: &Look, last: Option<&Seen>, took: Duration) {
    let target = looker.target();
    let (seen, is_met) = (&look.seen.words, look.is_met);
    if is_met || last.is_none_or(|last| !look.seen.is_like(last)) {
        tracing::info!(target, is_met, seen, ?took, "looked");
    } else {
        tracing::debug!(target, is_met, seen, ?took, "looked again");
    }
}

/// Whether the end of the run came before an answer could: of the target, that tells nothing.
fn is_cut_short(outcome: &str, timed: &Timed, deadline: Option<Duration>) -> bool {
    let is_hurried = timed.ended.saturating_sub(timed.began) < TELLING;
    outcome == "timed_out" && is_hurried && deadline.is_some_and(|end| timed.ended >= end)
}

/// Whoever is there answers within this time, but for a few.
const TELLING: Duration = Duration::from_millis(100);
/// Others are given room between two looks.
const LEAST: Duration = Duration::from_millis(1);
/// What is kept for the last look, besides the time that it takes.
const LAST_LOOK: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::super::tally::tests::timed;
    use super::*;

    #[test]
    fn silence_until_the_end_tells_something_only_if_there_was_time_for_an_answer() {
        let end = |ms| Some(Duration::from_millis(ms));
        let look = |began, ended| {
            let look = timed(began, "timed_out", "a", false);
            Timed { ended: Duration::from_millis(ended), ..look }
        };
        assert!(is_cut_short("timed_out", &look(995, 1000), end(1000)));
        assert!(!is_cut_short("timed_out", &look(800, 1000), end(1000)), "200 ms are enough");
        assert!(!is_cut_short("timed_out", &look(900, 950), end(1000)), "by its own limit");
        assert!(!is_cut_short("refused", &look(995, 1000), end(1000)));
        assert!(!is_cut_short("timed_out", &look(995, 1000), None));
    }
}
