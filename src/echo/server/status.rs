//! The live line of `--status`: its words. The scribe draws it, on standard error if that is a terminal.

use std::time::Duration;

use super::report::ServerReport;
use crate::output::numbers::{bytes, count, float, thousands, whole};

/// What was there when the line was made last.
#[derive(Debug, Default)]
pub struct Status {
    before: (Duration, u64),
}

impl Status {
    /// What there is now, and how fast it moves.
    pub fn words(&mut self, report: &ServerReport) -> String {
        let it = &report.connections;
        let came = it.received_bytes + report.datagrams.received_bytes;
        let (since, before) = self.before;
        let seconds = report.elapsed.saturating_sub(since).as_secs_f64();
        let rate = if seconds > 0.0 { float(came.saturating_sub(before)) / seconds } else { 0.0 };
        self.before = (report.elapsed, came);
        format!(
            "{} open, {} taken, {}, {}/s in",
            count(it.open, "connection"),
            thousands(it.accepted),
            count(report.datagrams.received, "datagram"),
            bytes(whole(rate))
        )
    }
}
