//! When the next message is due. Pure: the time comes from outside, in nanoseconds since the start.
//!
//! With a rate, messages are due at fixed moments whatever the server does (an open loop), and a
//! latency counts from there: a server that stalls for a second makes all messages of that second
//! late, also those that it has kept from being sent. Without one, the next message is due when the
//! one before is answered (a closed loop), which asks a stalled server for nothing and so hides the
//! stall.

use crate::output::numbers::{float, whole};

/// What there is to send, and when.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Messages after the warm-up.
    pub count: Option<u64>,
    /// When the last may be due; warm-up included.
    pub end_ns: Option<u64>,
    /// Messages a second.
    pub rate: Option<f64>,
    /// Until when messages do not count.
    pub warmup_ns: u64,
    begun: u64,
    counted: u64,
}

/// A message that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it was to be sent.
    pub intended_ns: u64,
    /// Whether it counts: the warm-up was over.
    pub counts: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Now(Due),
    /// Nothing before this moment.
    At(u64),
    /// Nothing any more.
    Over,
}

impl Schedule {
    /// One that has not begun.
    pub fn new(
        count: Option<u64>,
        duration_ns: Option<u64>,
        rate: Option<f64>,
        warmup_ns: u64,
    ) -> Self {
        let end_ns = duration_ns.map(|duration| warmup_ns.saturating_add(duration));
        Self { count, end_ns, rate, warmup_ns, begun: 0, counted: 0 }
    }

    /// What is due at `now_ns`, without taking it.
    pub fn peek(&self, now_ns: u64) -> Next {
        let intended_ns = match self.rate {
            Some(rate) => whole(float(self.begun) * 1e9 / rate),
            None => now_ns,
        };
        let is_late = self.end_ns.is_some_and(|end_ns| intended_ns >= end_ns);
        if is_late || self.count.is_some_and(|count| self.counted >= count) {
            Next::Over
        } else if intended_ns > now_ns {
            Next::At(intended_ns)
        } else {
            Next::Now(Due { intended_ns, counts: intended_ns >= self.warmup_ns })
        }
    }

    /// Messages of the count that were not taken; 0 without a count.
    pub fn rest(&self) -> u64 {
        self.count.map_or(0, |count| count.saturating_sub(self.counted))
    }

    /// Takes what is due at `now_ns`.
    pub fn take(&mut self, now_ns: u64) -> Next {
        let next = self.peek(now_ns);
        if let Next::Now(due) = next {
            self.begun += 1;
            self.counted += u64::from(due.counts);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn due(intended_ns: u64, counts: bool) -> Next {
        Next::Now(Due { intended_ns, counts })
    }

    #[test]
    fn with_a_rate_what_was_missed_is_due_at_its_own_time() {
        let mut schedule = Schedule::new(None, Some(SECOND), Some(4.0), 0);
        assert_eq!(schedule.take(0), due(0, true));
        assert_eq!(schedule.take(1), Next::At(SECOND / 4));
        // Nothing could be sent for a while: the moments stay.
        assert_eq!(schedule.take(SECOND), due(SECOND / 4, true));
        assert_eq!(schedule.take(SECOND), due(SECOND / 2, true));
        assert_eq!(schedule.take(2 * SECOND), due(SECOND / 4 * 3, true));
        assert_eq!(schedule.take(2 * SECOND), Next::Over);
    }

    #[test]
    fn without_a_rate_it_is_always_now_until_the_end() {
        let mut schedule = Schedule::new(None, Some(SECOND), None, 0);
        assert_eq!(schedule.take(5), due(5, true));
        assert_eq!(schedule.take(SECOND - 1), due(SECOND - 1, true));
        assert_eq!(schedule.take(SECOND), Next::Over);
    }

    #[test]
    fn the_warm_up_comes_before_count_and_duration() {
        let mut schedule = Schedule::new(Some(2), Some(SECOND), None, SECOND);
        for now in [0, 1, 2, SECOND - 1] {
            assert_eq!(schedule.take(now), due(now, false));
        }
        assert_eq!(schedule.rest(), 2);
        assert_eq!(schedule.take(SECOND), due(SECOND, true));
        assert_eq!(schedule.take(2 * SECOND - 1), due(2 * SECOND - 1, true));
        assert_eq!(schedule.take(2 * SECOND - 1), Next::Over);
        assert_eq!(schedule.rest(), 0);
        let by_time = Schedule::new(Some(2), Some(SECOND), None, SECOND);
        assert_eq!(by_time.peek(2 * SECOND), Next::Over);
    }
}
