//! When the next message is due. Pure: the time comes from outside, in nanoseconds since the start.
//!
//! With a rate, messages are due at fixed moments whatever the server does (an open loop), and a
//! latency counts from there: a server that stalls for a second makes all messages of that second
//! late, also those that it has kept from being sent. Without one, the next message is due when the
//! one before is answered (a closed loop), which asks a stalled server for nothing and so hides the
//! stall.

use crate::output::numbers::{float, whole};

/// What is due by the end may wait so long behind it: a hiccup of the server, or of this machine, is none
/// of a load that cannot be offered.
pub const HICCUP_NS: u64 = 100_000_000;

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
    is_closed: bool,
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

impl Next {
    /// The moment until which there is nothing to begin.
    pub fn moment_ns(self, now_ns: u64) -> u64 {
        match self {
            Self::Now(_) => now_ns,
            Self::At(moment_ns) => moment_ns,
            Self::Over => u64::MAX,
        }
    }
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
        Self { count, end_ns, rate, warmup_ns, begun: 0, counted: 0, is_closed: false }
    }

    /// What is due at `now_ns`, without taking it.
    pub fn peek(&self, now_ns: u64) -> Next {
        let intended_ns = match self.rate {
            Some(rate) => whole(float(self.begun) * 1e9 / rate),
            None => now_ns,
        };
        let is_late = self.end_ns.is_some_and(|end_ns| intended_ns >= end_ns);
        if is_late || self.is_counted_out() || self.is_closed {
            Next::Over
        } else if intended_ns > now_ns {
            Next::At(intended_ns)
        } else {
            Next::Now(Due { intended_ns, counts: intended_ns >= self.warmup_ns })
        }
    }

    /// Whether what is next has waited for so long that it is not to be begun any more: it was due by the
    /// end, which is past, and [`HICCUP_NS`] before now. A closed loop is never behind, and a count alone has
    /// no end.
    pub fn is_behind(&self, now_ns: u64) -> bool {
        let is_past = self.rate.is_some() && self.end_ns.is_some_and(|end_ns| now_ns >= end_ns);
        is_past
            && matches!(self.peek(now_ns), Next::Now(due) if due.intended_ns + HICCUP_NS <= now_ns)
    }

    /// Whether the time that was asked for is over, or the count reached before; so too where there is none.
    pub fn is_past(&self, now_ns: u64) -> bool {
        self.is_counted_out() || self.end_ns.is_none_or(|end_ns| now_ns >= end_ns)
    }

    fn is_counted_out(&self) -> bool {
        self.count.is_some_and(|count| self.counted >= count)
    }

    /// Nothing is due any more; what would have been, is the rest.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Messages that count and were not taken: of the count, or of the rate until the end. 0 where there
    /// is neither.
    pub fn rest(&self) -> u64 {
        let of_count = self.count.map(|count| count.saturating_sub(self.counted));
        let of_time = self.rate.zip(self.end_ns).map(|(rate, end_ns)| {
            let due_before = |moment_ns| whole((float(moment_ns) * rate / 1e9).ceil());
            due_before(end_ns).saturating_sub(self.begun.max(due_before(self.warmup_ns)))
        });
        match (of_count, of_time) {
            (Some(of_count), Some(of_time)) => of_count.min(of_time),
            (of_count, of_time) => of_count.or(of_time).unwrap_or(0),
        }
    }

    /// The time that was asked for, without the warm-up: the duration, or what the count takes at the
    /// rate. `None` where a count alone ends it.
    pub fn span_ns(&self) -> Option<u64> {
        let of_count =
            self.count.zip(self.rate).map(|(count, rate)| whole(float(count) * 1e9 / rate));
        let of_time = self.end_ns.map(|end_ns| end_ns.saturating_sub(self.warmup_ns));
        match (of_count, of_time) {
            (Some(of_count), Some(of_time)) => Some(of_count.min(of_time)),
            (None, _) if self.is_counted_out() => None,
            (of_count, of_time) => of_count.or(of_time),
        }
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
    fn what_was_not_taken_is_known_without_taking_it() {
        let rest = |count, rate, warmup_ns, taken: u64| {
            let mut schedule = Schedule::new(count, Some(2 * SECOND), rate, warmup_ns);
            for _ in 0..taken {
                schedule.take(10 * SECOND);
            }
            let told = schedule.rest();
            let mut left = 0;
            while let Next::Now(due) = schedule.take(10 * SECOND) {
                left += u64::from(due.counts);
            }
            assert_eq!(told, left, "{count:?} {rate:?} {warmup_ns} {taken}");
            told
        };
        assert_eq!(rest(None, Some(4.0), 0, 3), 5);
        assert_eq!(rest(None, Some(4.0), SECOND, 3), 8);
        assert_eq!(rest(None, Some(3.5), SECOND, 5), 6);
        assert_eq!(rest(Some(5), Some(4.0), 0, 3), 2);
        assert_eq!(rest(Some(50), Some(4.0), 0, 3), 5);
        assert_eq!(Schedule::new(None, Some(SECOND), None, 0).rest(), 0);
    }

    #[test]
    fn what_could_not_be_begun_by_the_end_is_not_begun_behind_it() {
        let mut schedule = Schedule::new(None, Some(SECOND), Some(10.0), 0);
        (0..9).for_each(|_| {
            schedule.take(SECOND);
        });
        // The last was due 100 ms before the end.
        assert!(!schedule.is_behind(SECOND - 1));
        assert!(schedule.is_behind(SECOND));
        assert_eq!(schedule.peek(SECOND), due(SECOND / 10 * 9, true));
        schedule.close();
        assert_eq!((schedule.peek(SECOND), schedule.rest()), (Next::Over, 1));
        assert!(!schedule.is_behind(2 * SECOND));
        // One that was due right before the end has as long behind it.
        let mut schedule = Schedule::new(None, Some(SECOND), Some(100.0), 0);
        (0..99).for_each(|_| {
            schedule.take(SECOND);
        });
        assert!(!schedule.is_behind(SECOND + 89_999_999));
        assert!(schedule.is_behind(SECOND + 90_000_000));
        let by_count = Schedule::new(Some(5), None, Some(10.0), 0);
        assert!(!by_count.is_behind(9 * SECOND));
        let closed_loop = Schedule::new(None, Some(SECOND), None, 0);
        assert!(!closed_loop.is_behind(9 * SECOND));
    }

    #[test]
    fn the_time_is_over_at_its_end_though_nothing_more_is_due() {
        let mut schedule = Schedule::new(None, Some(3 * SECOND), Some(0.5), 0);
        assert_eq!(
            [0, 2].map(|at| schedule.take(at * SECOND)),
            [0, 2].map(|at| due(at * SECOND, true))
        );
        assert_eq!(schedule.peek(2 * SECOND), Next::Over);
        assert_eq!([2, 3].map(|at| schedule.is_past(at * SECOND)), [false, true]);
        let mut counted = Schedule::new(Some(1), Some(SECOND), Some(2.0), 0);
        assert!(!counted.is_past(0));
        counted.take(0);
        assert!(counted.is_past(0) && Schedule::new(Some(1), None, None, 0).is_past(0));
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

    #[test]
    fn what_is_asked_for_takes_its_time() {
        let second = Some(SECOND);
        let span = |count, duration, rate, taken: usize| {
            let mut schedule = Schedule::new(count, duration, rate, SECOND);
            (0..taken).for_each(|_| {
                schedule.take(2 * SECOND - 1);
            });
            schedule.span_ns()
        };
        assert_eq!(span(None, second, None, 0), second);
        assert_eq!(span(Some(10), None, Some(5.0), 0), Some(2 * SECOND));
        assert_eq!(span(Some(10), second, Some(5.0), 0), second);
        assert_eq!(span(Some(2), second, Some(5.0), 0), Some(SECOND * 2 / 5));
        // A count that is reached before its time ends it; one that is not does not.
        assert_eq!(span(Some(3), second, None, 3), None);
        assert_eq!(span(Some(3), second, None, 2), second);
        assert_eq!(span(Some(3), None, None, 0), None);
    }
}
