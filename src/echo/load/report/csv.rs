//! A load as a row of CSV.

use std::io::{self, Write};

use super::LoadReport;
use crate::output::csv_rows;

/// Writes the names and the row.
pub(super) fn write(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    let percentile = |percent: f64| {
        let all = report.latency.iter().flat_map(|it| &it.percentiles);
        let mut of_it = all.filter(|it| (it.percent - percent).abs() < 1e-9);
        of_it.next().map(|it| it.us)
    };
    let datagrams = report.datagrams;
    csv_rows(out, |csv| {
        csv.write_record([
            "target",
            "loop",
            "connections",
            "sent",
            "received",
            "lost",
            "corrupted",
            "rate_per_s",
            "p50_us",
            "p99_us",
            "p99_9_us",
            "max_us",
            "late",
            "duplicated",
            "reordered",
            "time_wait_made",
        ])?;
        csv.serialize((
            (&report.target, report.loop_kind, report.connections),
            (report.counts.sent, report.counts.received, report.counts.lost),
            (report.counts.corrupted, report.counts.rate_per_s),
            (percentile(50.0), percentile(99.0), percentile(99.9)),
            report.latency.as_ref().map(|it| it.max_us),
            (
                datagrams.map(|it| it.late),
                datagrams.map(|it| it.duplicated),
                datagrams.map(|it| it.reordered),
            ),
            report.time_wait.made,
        ))
    })
}
