//! How long to pause between two looks: a little at first, longer and longer, never in step with
//! others.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::str::FromStr;
use std::time::Duration;

use crate::kernel::clock::parse_time;
use crate::output::numbers::ratio;

/// How much longer each pause is than the one before.
const GROWTH: f64 = 1.6;
/// The longest pause where a look is answered by this host itself, and so costs microseconds:
/// whatever began within it is noticed in half of this, in the median.
const AT_HAND: Duration = Duration::from_millis(10);
/// Of more targets than a handful, all together are not looked at more often than at these times.
const APART: Duration = Duration::from_micros(500);
/// The pause once a timer of the kernel's is due.
pub const DUE: Duration = Duration::from_millis(5);

/// The least and the longest pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    min: Duration,
    max: Duration,
    /// The longest pause where a look is answered by this host itself; `None` where the user asked
    /// for an interval, which then holds for all.
    at_hand: Option<Duration>,
}

impl Interval {
    /// The interval for so many targets, if the user asked for none.
    pub fn of(targets: usize) -> Self {
        let apart = APART.saturating_mul(u32::try_from(targets).unwrap_or(u32::MAX));
        Self {
            min: Duration::from_millis(10),
            max: Duration::from_secs(1),
            at_hand: Some(AT_HAND.max(apart)),
        }
    }
}

impl FromStr for Interval {
    type Err = String;

    /// `10ms..1s`, or one time for both.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let (min, max) = (parse_time(min)?, parse_time(max)?);
        if min < Duration::from_millis(1) {
            return Err("the least pause is 1ms, so that looking leaves others room".to_owned());
        }
        if max < min {
            return Err(
                "the longest pause is below the least: write MIN..MAX, as in 10ms..1s".to_owned()
            );
        }
        Ok(Self { min, max, at_hand: None })
    }
}

/// Where a look is answered, which decides how often it may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By this host itself, at once.
    AtHand,
    /// By somebody else, or by a walk over a large table.
    Afar,
    /// By a timer of the kernel's, which is due after this time.
    Due(Duration),
}

/// The pauses of one target.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    interval: Interval,
    next: Duration,
}

impl Backoff {
    /// Pauses that begin at the least one.
    pub fn new(interval: Interval) -> Self {
        Self { interval, next: interval.min }
    }

    /// Something changed: more is likely to change soon.
    pub fn restart(&mut self) {
        self.next = self.interval.min;
    }

    /// The next pause; `chance` of 0 to 1 makes it up to a quarter shorter or longer.
    pub fn pause(&mut self, reach: Reach, chance: f64) -> Duration {
        let longest = match reach {
            Reach::Due(left) => return left.max(DUE),
            Reach::AtHand => self.interval.at_hand.unwrap_or(self.interval.max),
            Reach::Afar => self.interval.max,
        };
        let pause = self.next.mul_f64(0.75 + chance / 2.0).clamp(self.interval.min, longest);
        self.next = self.next.mul_f64(GROWTH).min(longest);
        pause
    }
}

/// A number of 0 to 1, another one each time.
pub fn chance() -> f64 {
    // The standard library seeds each hasher anew, from the kernel's random numbers.
    let bits = RandomState::new().build_hasher().finish();
    ratio(bits >> 12, 1 << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(interval: Interval, reach: Reach, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::new(interval);
        (0..count).map(|_| backoff.pause(reach, 0.5)).collect()
    }

    #[test]
    fn pauses_grow_to_the_longest_and_stay_there() {
        let far = pauses(Interval::of(1), Reach::Afar, 14);
        assert_eq!(far.first(), Some(&Duration::from_millis(10)));
        assert!(far.is_sorted());
        assert_eq!(far.last(), Some(&Duration::from_secs(1)));
    }

    #[test]
    fn what_is_at_hand_is_looked_at_often_unless_the_user_says_otherwise() {
        assert_eq!(pauses(Interval::of(1), Reach::AtHand, 9).last(), Some(&AT_HAND));
        let given: Interval = "10ms..1s".parse().unwrap();
        assert_eq!(pauses(given, Reach::AtHand, 14).last(), Some(&Duration::from_secs(1)));
        let many = pauses(Interval::of(256), Reach::AtHand, 14);
        assert_eq!(many.last(), Some(&Duration::from_millis(128)), "2,000 looks a second of all");
    }

    #[test]
    fn chance_shortens_or_lengthens_within_the_limits() {
        let mut backoff = Backoff::new("100ms".parse().unwrap());
        assert_eq!(backoff.pause(Reach::Afar, 0.0), Duration::from_millis(100));
        assert_eq!(backoff.pause(Reach::Afar, 1.0), Duration::from_millis(100));
        let mut backoff = Backoff::new("100ms..10s".parse().unwrap());
        backoff.pause(Reach::Afar, 0.5);
        assert_eq!(backoff.pause(Reach::Afar, 0.0), Duration::from_millis(120));
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(drawn.iter().all(|it| (0.0..=1.0).contains(it)));
        assert!(drawn.iter().any(|it| *it < 0.4) && drawn.iter().any(|it| *it > 0.6));
    }

    #[test]
    fn a_change_begins_anew_and_a_timer_is_waited_for() {
        let mut backoff = Backoff::new(Interval::of(1));
        for _ in 0..9 {
            backoff.pause(Reach::Afar, 0.5);
        }
        backoff.restart();
        assert_eq!(backoff.pause(Reach::Afar, 0.5), Duration::from_millis(10));
        let left = Duration::from_millis(900);
        assert_eq!(backoff.pause(Reach::Due(left), 0.5), left);
        assert_eq!(backoff.pause(Reach::Due(Duration::ZERO), 0.5), DUE);
    }

    #[test]
    fn wrong_intervals_say_what_is_wrong() {
        for (text, words) in [
            ("1s..10ms", "below the least"),
            ("0", "1ms"),
            ("10ms..", "is not a time"),
            ("fast", "is not a time"),
        ] {
            let error = text.parse::<Interval>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!("50ms".parse::<Interval>(), "50ms..50ms".parse());
    }
}
