//! What came of many attempts at one address: counts and times, none of the attempts being kept.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::Outcome;
use super::report::Row;
use crate::output::numbers::{float, rounded, whole};

/// Attempts at one address of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// The target as it was written.
    pub target: String,
    /// The address; `None` of attempts that ended at the name.
    pub address: Option<String>,
    /// How many.
    pub attempts: u64,
    /// How many were as expected.
    pub met: u64,
    /// How many were not, in percent.
    pub unmet_percent: f64,
    /// How many ended in each way.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How long those took that connected; `None` if none did.
    pub connected_us: Option<Times>,
    #[serde(skip)]
    sums: Sums,
}

/// Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Times {
    /// The shortest.
    pub min: u64,
    /// The arithmetic mean.
    pub mean: u64,
    /// The longest.
    pub max: u64,
    /// The standard deviation, of all of them.
    pub standard_deviation: u64,
}

/// Mean and squares as they come (Welford's method, which does not lose small differences of large
/// numbers).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    number: u64,
    mean: f64,
    squares: f64,
}

impl Statistics {
    /// No attempt yet.
    pub fn of(target: String, address: Option<String>) -> Self {
        Self { target, address, ..Self::default() }
    }

    /// Counts an attempt.
    pub fn count(&mut self, row: &Row) {
        self.attempts += 1;
        self.met += u64::from(row.met);
        let unmet = float(self.attempts - self.met) / float(self.attempts);
        self.unmet_percent = rounded(unmet * 100.0, 2);
        *self.outcomes.entry(row.outcome).or_default() += 1;
        if row.outcome == Outcome::Connected {
            self.time(row.elapsed_us);
        }
    }

    fn time(&mut self, microseconds: u64) {
        let sums = &mut self.sums;
        sums.number += 1;
        let before = float(microseconds) - sums.mean;
        sums.mean += before / float(sums.number);
        sums.squares += before * (float(microseconds) - sums.mean);
        let old = self.connected_us;
        self.connected_us = Some(Times {
            min: old.map_or(microseconds, |it| it.min.min(microseconds)),
            mean: whole(sums.mean.round()),
            max: old.map_or(microseconds, |it| it.max.max(microseconds)),
            standard_deviation: whole((sums.squares / float(sums.number)).sqrt().round()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::attempt::Attempt;
    use crate::connect::causes::Diagnosis;

    fn row(outcome: Outcome, elapsed_us: u64) -> Row {
        let attempt = Attempt { outcome, ..Attempt::new(None) };
        let expect = ["ok".parse().unwrap()];
        let row = Row::new("a:1".to_owned(), &attempt, Diagnosis::default(), &expect);
        Row { elapsed_us, ..row }
    }

    #[test]
    fn times_are_those_of_what_connected() {
        let mut statistics = Statistics::of("a:1".to_owned(), None);
        statistics.count(&row(Outcome::TimedOut, 3_000_000));
        assert_eq!((statistics.connected_us, statistics.unmet_percent), (None, 100.0));
        for elapsed in [2, 4, 4, 4, 5, 5, 7, 9] {
            statistics.count(&row(Outcome::Connected, elapsed));
        }
        let times = Times { min: 2, mean: 5, max: 9, standard_deviation: 2 };
        assert_eq!(statistics.connected_us, Some(times));
        assert_eq!((statistics.attempts, statistics.met, statistics.unmet_percent), (9, 8, 11.11));
        assert_eq!(statistics.outcomes[&Outcome::TimedOut], 1);
    }
}
