//! The jitter of RFC 3550, section 6.4.1: how much one transit differs from the one before, smoothed.
//!
//! Both stamps are of the client's own clock, so that a transit is a whole round trip.

use crate::output::numbers::{float, rounded};

/// An estimate that follows the arrivals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    last_ns: Option<u64>,
    /// `None` before the second datagram.
    estimate_ns: Option<f64>,
}

impl Jitter {
    /// Takes the transit of the datagram that has just come.
    pub fn arrive(&mut self, transit_ns: u64) {
        if let Some(last_ns) = self.last_ns.replace(transit_ns) {
            let difference = float(transit_ns.abs_diff(last_ns));
            let before_ns = self.estimate_ns.unwrap_or(0.0);
            self.estimate_ns = Some(before_ns + (difference - before_ns) / 16.0);
        }
    }

    /// The estimate in microseconds; `None` of fewer than two datagrams.
    pub fn us(&self) -> Option<f64> {
        self.estimate_ns.map(|ns| rounded(ns / 1000.0, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_estimate_of_the_rfc() {
        let mut jitter = Jitter::default();
        assert_eq!(jitter.us(), None);
        jitter.arrive(1_000_000);
        assert_eq!(jitter.us(), None);
        for transit in [1_160_000, 1_000_000] {
            jitter.arrive(transit);
        }
        // 160 µs / 16 = 10; then 10 + (160 − 10) / 16 = 19.375.
        assert_eq!(jitter.us(), Some(19.4));
        let mut even = Jitter::default();
        (0..50).for_each(|_| even.arrive(777));
        assert_eq!(even.us(), Some(0.0));
    }
}
