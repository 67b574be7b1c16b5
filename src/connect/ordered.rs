//! Many pieces of work at once, their results in the order of the pieces.
//!
//! Threads, and no event loop: an attempt is then the same few calls whether there is one target or
//! ten thousand, a slow name costs the others nothing, and what an attempt waits for is one
//! descriptor. Sixty-four of them keep as many deadlines running; a target of this machine never
//! waits at all.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Bytes of a worker's stack; the resolver has a thread of its own.
const STACK: usize = 256 * 1024;

/// Results for each worker that may wait for those before them.
const AHEAD: usize = 16;

/// What is under way.
struct Belt<R> {
    /// The results of the pieces from `delivered` on; `None` while they are worked on.
    results: VecDeque<Option<R>>,
    delivered: usize,
    is_exhausted: bool,
    is_stopped: bool,
}

struct Shared<I, R> {
    source: Mutex<I>,
    belt: Mutex<Belt<R>>,
    has_room: Condvar,
    is_done: Condvar,
    room: usize,
}

/// Calls `work` for each piece of `source` on `workers` threads, and `deliver` with each result in
/// the order of the pieces; until one fails, or there are none left. No more than a few pieces a
/// worker are held at a time.
///
/// Fails with what `deliver` fails with.
pub fn in_order<T, R, E>(
    source: impl Iterator<Item = T> + Send,
    workers: usize,
    work: impl Fn(T) -> R + Sync,
    mut deliver: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
{
    let shared = Shared {
        source: Mutex::new(source),
        belt: Mutex::new(Belt {
            results: VecDeque::new(),
            delivered: 0,
            is_exhausted: false,
            is_stopped: false,
        }),
        has_room: Condvar::new(),
        is_done: Condvar::new(),
        room: workers.max(1) * AHEAD,
    };
    thread::scope(|scope| {
        let mut running = 0;
        for _ in 0..workers.max(1) {
            let begun = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || shared.work_off(&work));
            // Where the system allows no more threads, those that there are do the work.
            running += usize::from(begun.is_ok());
        }
        if running == 0 {
            shared.belt().is_exhausted = true;
            return shared.alone(&work, &mut deliver);
        }
        let delivered = shared.hand_over(&mut deliver);
        shared.belt().is_stopped = true;
        shared.has_room.notify_all();
        delivered
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T, I: Iterator<Item = T>, R> Shared<I, R> {
    fn belt(&self) -> MutexGuard<'_, Belt<R>> {
        lock(&self.belt)
    }

    /// A worker: takes pieces until there are none.
    fn work_off(&self, work: &impl Fn(T) -> R) {
        while let Some((piece, number)) = self.take() {
            let result = work(piece);
            let mut belt = self.belt();
            let place = number - belt.delivered;
            if let Some(slot) = belt.results.get_mut(place) {
                *slot = Some(result);
            }
            if place == 0 {
                self.is_done.notify_one();
            }
        }
    }

    /// The next piece and its number. The source is read while results are handed over: it may be
    /// somebody who types.
    fn take(&self) -> Option<(T, usize)> {
        let mut source = lock(&self.source);
        let mut belt = self.belt();
        while belt.results.len() >= self.room && !belt.is_stopped {
            belt = self.has_room.wait(belt).unwrap_or_else(PoisonError::into_inner);
        }
        if belt.is_stopped || belt.is_exhausted {
            return None;
        }
        drop(belt);
        let piece = source.next();
        let mut belt = self.belt();
        let Some(piece) = piece else {
            belt.is_exhausted = true;
            self.is_done.notify_one();
            return None;
        };
        belt.results.push_back(None);
        Some((piece, belt.delivered + belt.results.len() - 1))
    }

    fn hand_over<E>(&self, deliver: &mut impl FnMut(R) -> Result<(), E>) -> Result<(), E> {
        loop {
            let mut belt = self.belt();
            let result = loop {
                match belt.results.front() {
                    Some(Some(_)) => break belt.results.pop_front().flatten(),
                    None if belt.is_exhausted => return Ok(()),
                    Some(None) | None => {
                        belt = self.is_done.wait(belt).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            belt.delivered += 1;
            drop(belt);
            self.has_room.notify_one();
            if let Some(result) = result {
                deliver(result)?;
            }
        }
    }

    /// The same without any thread.
    fn alone<E>(
        &self,
        work: &impl Fn(T) -> R,
        deliver: &mut impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let Some(piece) = lock(&self.source).next() else { return Ok(()) };
            deliver(work(piece))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_whoever_is_first() {
        let mut seen = Vec::new();
        let slow = |number: u64| {
            thread::sleep(std::time::Duration::from_micros(number * 7 % 50));
            number
        };
        in_order(0..5000, 8, slow, |it| {
            seen.push(it);
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(seen, (0..5000).collect::<Vec<_>>());
    }

    #[test]
    fn a_failure_stops_the_work_and_little_is_held() {
        let taken = AtomicUsize::new(0);
        let count = |number: usize| {
            taken.fetch_add(1, Ordering::Relaxed);
            number
        };
        let delivered =
            in_order(0.., 2, count, |number| if number < 10 { Ok(()) } else { Err(number) });
        assert_eq!(delivered, Err(10));
        assert!(taken.load(Ordering::Relaxed) <= 11 + 2 * AHEAD + 2);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(in_order(std::iter::empty::<u8>(), 4, |it| it, |_| Err(())), Ok(()));
    }
}
