//! What a CI job demands of a run, and whether it was met. Pure.

use serde::Serialize;

/// What is demanded; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// The 99th percentile at most, in microseconds.
    pub max_p99_us: Option<f64>,
    /// What may be lost, in percent.
    pub max_loss_percent: Option<f64>,
    /// Replies a second at least.
    pub min_rate: Option<f64>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The 99th percentile in microseconds; `None` if nothing came back.
    pub p99_us: Option<f64>,
    /// What was lost, in percent; `None` if nothing was sent.
    pub loss_percent: Option<f64>,
    /// Replies a second.
    pub rate: f64,
}

/// One demand, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The option: `max-p99`, `max-loss`, `min-rate`.
    pub name: &'static str,
    /// The limit: in microseconds, in percent, a second.
    pub limit: f64,
    /// What was measured; `None` if there was nothing to measure.
    pub measured: Option<f64>,
    /// Whether it was met.
    pub is_met: bool,
}

impl Thresholds {
    /// Each demand, in the order of the help. What could not be measured is not met.
    pub fn judge(&self, measured: &Measured) -> Vec<Verdict> {
        let at_most = |name, limit: Option<f64>, value: Option<f64>| {
            let limit = limit?;
            let is_met = value.is_some_and(|value| value <= limit);
            Some(Verdict { name, limit, measured: value, is_met })
        };
        let rate = self.min_rate.map(|limit| Verdict {
            name: "min-rate",
            limit,
            measured: Some(measured.rate),
            is_met: measured.rate >= limit,
        });
        [
            at_most("max-p99", self.max_p99_us, measured.p99_us),
            at_most("max-loss", self.max_loss_percent, measured.loss_percent),
            rate,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Thresholds = Thresholds {
        max_p99_us: Some(5000.0),
        max_loss_percent: Some(0.1),
        min_rate: Some(1000.0),
    };

    fn missed(measured: &Measured) -> Vec<&'static str> {
        let verdicts = ALL.judge(measured);
        verdicts.iter().filter(|it| !it.is_met).map(|it| it.name).collect()
    }

    #[test]
    fn the_limit_itself_is_met() {
        let at = Measured { p99_us: Some(5000.0), loss_percent: Some(0.1), rate: 1000.0 };
        assert!(missed(&at).is_empty());
        assert_eq!(ALL.judge(&at).len(), 3);
    }

    #[test]
    fn each_that_is_missed_is_named() {
        let good = Measured { p99_us: Some(1.0), loss_percent: Some(0.0), rate: 1e6 };
        assert_eq!(missed(&Measured { p99_us: Some(5000.1), ..good }), ["max-p99"]);
        assert_eq!(missed(&Measured { loss_percent: Some(0.11), ..good }), ["max-loss"]);
        assert_eq!(missed(&Measured { rate: 999.9, ..good }), ["min-rate"]);
    }

    #[test]
    fn what_could_not_be_measured_is_not_met_and_what_was_not_asked_is_not_judged() {
        let nothing = Measured { p99_us: None, loss_percent: None, rate: 0.0 };
        assert_eq!(missed(&nothing), ["max-p99", "max-loss", "min-rate"]);
        assert!(Thresholds::default().judge(&nothing).is_empty());
    }
}
