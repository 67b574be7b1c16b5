//! Faults that a server makes on purpose, for the tests of other people's clients.

use std::str::FromStr;
use std::time::Duration;

use crate::echo::amounts::{parse_bytes, parse_percent};

/// What is to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Each reply waits for so long.
    pub delay: Duration,
    /// By how much that varies, either way.
    pub jitter: Duration,
    /// Of the messages, this share is not answered.
    pub drop: Share,
    /// And this share is answered twice.
    pub duplicate: Share,
    /// When a connection is reset.
    pub reset_after: Option<ResetAfter>,
    /// What is closed after the first reply.
    pub close: Option<Close>,
    /// Replies are sent in pieces of so many bytes.
    pub slice: Option<usize>,
}

impl Faults {
    /// Whether anything is to go wrong.
    pub fn are_any(&self) -> bool {
        *self != Self::default()
    }
}

/// A share of 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    /// `1`, `0.1%`, `50 %`: percent in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        parse_percent(text).map(|percent| Self(percent / 100.0))
    }
}

/// When a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResetAfter {
    /// After so many bytes were sent.
    Bytes(u64),
    /// At any message, in this share of them.
    Any(Share),
}

impl FromStr for ResetAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.ends_with('%') {
            return text.parse().map(Self::Any);
        }
        let or_percent = |why| format!("{why}; of messages, a share is in percent, as in 1%");
        parse_bytes(text).map(Self::Bytes).map_err(or_percent)
    }
}

/// What is closed after the first reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The connection: the server keeps the TIME_WAIT.
    All,
    /// The way to the client; what comes is still read.
    Writing,
}

/// A sequence of numbers that look like chance and can be had again (SplitMix64).
#[derive(Clone, Copy, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Whether it strikes, in `share` of all cases.
    pub fn strikes(&mut self, share: Share) -> bool {
        share.0 > 0.0 && self.fraction() < share.0
    }

    /// A number from 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        // 32 bits, which is as much as `f64::from` takes.
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// How long a reply waits.
    pub fn wait(&mut self, faults: &Faults) -> Duration {
        let least = faults.delay.saturating_sub(faults.jitter);
        let most = faults.delay.saturating_add(faults.jitter);
        least + most.saturating_sub(least).mul_f64(self.fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent() {
        assert_eq!("1".parse(), Ok(Share(0.01)));
        assert_eq!("50 %".parse(), Ok(Share(0.5)));
        assert_eq!("100%".parse(), Ok(Share(1.0)));
        for wrong in ["", "%", "101", "-1%", "NaN", "x"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
        assert_eq!("10%".parse(), Ok(ResetAfter::Any(Share(0.1))));
        assert_eq!("10".parse(), Ok(ResetAfter::Bytes(10)));
        assert_eq!("64k".parse(), Ok(ResetAfter::Bytes(65_536)));
        assert!("-1".parse::<ResetAfter>().is_err());
    }

    #[test]
    fn chance_strikes_as_often_as_it_should_and_can_be_repeated() {
        let mut chance = Chance::new(1);
        let strikes = (0..100_000).filter(|_| chance.strikes(Share(0.1))).count();
        assert!((9_700..10_300).contains(&strikes), "{strikes}");
        let [mut one, mut other] = [Chance::new(7); 2];
        assert!((0..100).all(|_| one.next() == other.next()));
        assert!((0..100).all(|_| !one.strikes(Share(0.0)) && one.strikes(Share(1.0))));
    }

    #[test]
    fn a_wait_is_around_the_delay() {
        let ms = Duration::from_millis;
        let faults = Faults { delay: ms(10), jitter: ms(4), ..Faults::default() };
        let mut chance = Chance::new(3);
        assert!((0..1000).map(|_| chance.wait(&faults)).all(|it| (ms(6)..=ms(14)).contains(&it)));
    }
}
