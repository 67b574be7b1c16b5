//! How long things took: percentiles and a histogram, none of the values being kept.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::output::numbers::{float, rounded};

/// The percentiles that are told.
pub const PERCENTILES: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];
/// The longest time that is told apart, in nanoseconds: what is longer counts as this.
const LONGEST_NS: u64 = 3_600_000_000_000;
/// Decimal digits that hold.
const DIGITS: u8 = 3;

/// Times. The shortest, the longest and the sum are exact; the histogram keeps three digits of each, and
/// a percentile from it is never outside the shortest and the longest.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Option<Histogram<u64>>,
    shortest_ns: u64,
    longest_ns: u64,
    sum_ns: u128,
}

impl Default for Latencies {
    fn default() -> Self {
        // These bounds are good for the crate; without it nothing would be recorded.
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).ok();
        Self { histogram, shortest_ns: u64::MAX, longest_ns: 0, sum_ns: 0 }
    }
}

/// What is told of them, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min_us: f64,
    /// The arithmetic mean.
    pub mean_us: f64,
    /// The standard deviation.
    pub standard_deviation_us: f64,
    /// The longest.
    pub max_us: f64,
    /// The times that so many percent did not exceed.
    pub percentiles: Vec<Percentile>,
    /// How many there were of each length.
    pub histogram: Vec<Bar>,
}

/// A percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentile {
    /// Which.
    pub percent: f64,
    /// Its value.
    pub us: f64,
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// Times up to this, and longer than that of the bar before.
    pub to_us: f64,
    /// How many.
    pub count: u64,
}

impl Latencies {
    /// Counts a time.
    pub fn record(&mut self, nanoseconds: u64) {
        self.shortest_ns = self.shortest_ns.min(nanoseconds);
        self.longest_ns = self.longest_ns.max(nanoseconds);
        self.sum_ns += u128::from(nanoseconds);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(nanoseconds.max(1));
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// The time, in microseconds, that so many percent do not exceed; `None` if there are no times.
    pub fn percentile_us(&self, percent: f64) -> Option<f64> {
        let histogram = self.histogram.as_ref().filter(|it| !it.is_empty())?;
        let value_ns = histogram.value_at_percentile(percent);
        Some(us(value_ns.clamp(self.shortest_ns, self.longest_ns)))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        let mut histogram = self.histogram.take();
        if let Some(histogram) = &mut histogram {
            histogram.reset();
        }
        *self = Self { histogram, shortest_ns: u64::MAX, longest_ns: 0, sum_ns: 0 };
    }

    /// What is told of them; `None` if there are none.
    pub fn summary(&self) -> Option<Summary> {
        let histogram = self.histogram.as_ref().filter(|it| !it.is_empty())?;
        let percentile = |percent| Some(Percentile { percent, us: self.percentile_us(percent)? });
        let mean_ns = self.sum_ns / u128::from(histogram.len());
        Some(Summary {
            count: histogram.len(),
            min_us: us(self.shortest_ns),
            mean_us: us(u64::try_from(mean_ns).unwrap_or(u64::MAX)),
            standard_deviation_us: rounded(histogram.stdev() / 1000.0, 1),
            max_us: us(self.longest_ns),
            percentiles: PERCENTILES.into_iter().filter_map(percentile).collect(),
            histogram: bars(histogram),
        })
    }
}

/// Bars whose ends are 1, 2 and 5 of each power of ten: from the first that holds a time to the last.
fn bars(histogram: &Histogram<u64>) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut below = 0;
    for power in 3..13 {
        for step in [1, 2, 5] {
            let to_ns = step * 10_u64.pow(power);
            let upto = histogram.count_between(0, to_ns);
            let count = upto.saturating_sub(below);
            below = upto.max(below);
            if count > 0 || (!bars.is_empty() && upto < histogram.len()) {
                bars.push(Bar { to_us: us(to_ns), count });
            }
        }
    }
    bars
}

fn us(nanoseconds: u64) -> f64 {
    rounded(float(nanoseconds) / 1000.0, 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_nothing() {
        let latencies = Latencies::default();
        assert_eq!((latencies.summary(), latencies.percentile_us(99.0)), (None, None));
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let mut latencies = Latencies::default();
        (1..=1000).for_each(|value| latencies.record(value * 1000));
        let summary = latencies.summary().unwrap();
        assert_eq!((summary.count, summary.min_us, summary.max_us), (1000, 1.0, 1000.0));
        assert!((summary.mean_us - 500.5).abs() < 0.5, "{summary:?}");
        for (percent, us) in [(50.0, 500.0), (90.0, 900.0), (99.0, 990.0), (99.9, 999.0)] {
            let found = latencies.percentile_us(percent).unwrap();
            assert!((found - us).abs() < us / 500.0, "p{percent} is {found}, not {us}");
        }
        latencies.clear();
        assert_eq!(latencies.count(), 0);
    }

    #[test]
    fn one_time_has_one_value() {
        for time in [1, 999, 28_090_423, 3_600_000_000_001] {
            let mut latencies = Latencies::default();
            latencies.record(time);
            let summary = latencies.summary().unwrap();
            let mut values = vec![summary.min_us, summary.mean_us, summary.max_us];
            values.extend(summary.percentiles.iter().map(|it| it.us));
            assert_eq!(values, vec![us(time); values.len()]);
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_in_order(times in proptest::collection::vec(0_u64..100_000_000, 1..60)) {
            let mut latencies = Latencies::default();
            for time in &times {
                latencies.record(*time);
            }
            let summary = latencies.summary().unwrap();
            let mut values = vec![summary.min_us];
            values.extend(summary.percentiles.iter().map(|it| it.us));
            values.push(summary.max_us);
            prop_assert!(values.is_sorted(), "{values:?}");
            prop_assert!((summary.min_us..=summary.max_us).contains(&summary.mean_us));
        }
    }

    #[test]
    fn every_value_is_in_one_bar_and_gaps_are_shown() {
        let mut latencies = Latencies::default();
        for (ns, times) in [(500, 1), (1_500, 2), (90_000, 3), (3_000_000, 1)] {
            (0..times).for_each(|_| latencies.record(ns));
        }
        let bars = latencies.summary().unwrap().histogram;
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 7);
        assert_eq!((bars[0].to_us, bars[0].count), (1.0, 1));
        assert_eq!((bars[1].to_us, bars[1].count), (2.0, 2));
        assert_eq!((bars[2].to_us, bars[2].count), (5.0, 0));
        let last = bars.last().unwrap();
        assert_eq!((last.to_us, last.count), (5000.0, 1));
    }

    #[test]
    fn the_longest_is_not_lost() {
        let mut latencies = Latencies::default();
        latencies.record(u64::MAX);
        latencies.record(0);
        assert_eq!(latencies.summary().unwrap().count, 2);
    }
}
