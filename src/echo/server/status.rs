//! The live line of `--status`, on standard error if that is a terminal.

use std::time::Duration;

use indicatif::ProgressBar;

use super::report::ServerReport;
use crate::output::numbers::{bytes, count, float, thousands, whole};

/// The line.
pub struct Status {
    line: ProgressBar,
    before: (Duration, u64),
}

impl Status {
    /// Begins it.
    pub fn start() -> Self {
        Self { line: ProgressBar::new_spinner(), before: (Duration::ZERO, 0) }
    }

    /// Shows what there is now, and how fast it moves.
    pub fn show(&mut self, report: &ServerReport) {
        let it = &report.connections;
        let came = it.received_bytes + report.datagrams.received_bytes;
        let (since, before) = self.before;
        let seconds = report.elapsed.saturating_sub(since).as_secs_f64();
        let rate = if seconds > 0.0 { float(came.saturating_sub(before)) / seconds } else { 0.0 };
        self.before = (report.elapsed, came);
        self.line.set_message(format!(
            "{} open, {} taken, {}, {}/s",
            count(it.open, "connection"),
            thousands(it.accepted),
            count(report.datagrams.received, "datagram"),
            bytes(whole(rate))
        ));
        self.line.tick();
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}
