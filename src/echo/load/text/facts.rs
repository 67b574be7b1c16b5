//! What there is to say of a load besides its times, each in a sentence.

use crate::echo::load::latency::Summary;
use crate::echo::load::report::{DatagramReport, LoadReport};
use crate::output::numbers::{
    count, float, plural, short_duration, small_percent_text, thousands, whole,
};

/// The sentences.
pub(super) fn facts(report: &LoadReport) -> Vec<String> {
    let counts = &report.counts;
    let mut facts = Vec::new();
    if counts.lost > 0 {
        facts.push(lost(report));
    }
    if counts.under_way > 0 {
        facts.push(format!(
            "{} under way when it was interrupted, and not counted as lost",
            plural(counts.under_way, "message was", "messages were")
        ));
    }
    if counts.resent > 0 {
        facts.push(format!(
            "{} sent once more: the server had closed the connection before it answered",
            plural(counts.resent, "message was", "messages were")
        ));
    }
    if counts.corrupted > 0 {
        facts.push(format!(
            "{} not what had been sent",
            plural(counts.corrupted, "reply was", "replies were")
        ));
    }
    if counts.unexpected_bytes > 0 {
        facts.push(format!(
            "{} came that nobody had asked for",
            count(counts.unexpected_bytes, "byte")
        ));
    }
    facts.extend(report.datagrams.as_ref().map(datagrams));
    facts.extend(report.connect.as_ref().map(connects));
    if counts.not_opened > 0 {
        facts
            .push(format!("{} could not be opened", count(counts.not_opened, super::flow(report))));
    }
    let megabytes = float(counts.bytes_received) / 1e6;
    if megabytes >= 1.0 && report.measured_ms > 0 {
        let each = megabytes * 1000.0 / float(report.measured_ms);
        facts.push(format!("{megabytes:.1} MB back, {each:.1} MB a second"));
    }
    if let (Some(made), "tcp", true) =
        (report.time_wait.made, report.carrier, report.connect.is_some())
    {
        let now = report.time_wait.now.map(|it| format!(", {} there now", thousands(it)));
        facts.push(format!(
            "TIME_WAIT: {} began in this network namespace meanwhile{}",
            thousands(made),
            now.unwrap_or_default()
        ));
    }
    facts.extend(report.warnings.iter().map(|it| format!("warning: {it}")));
    facts
}

/// What was lost, and how.
fn lost(report: &LoadReport) -> String {
    let counts = &report.counts;
    let parts = [
        (counts.timed_out, "had no reply in time"),
        (counts.refused, "ended in an error"),
        (counts.cut, "were under way when the connection broke"),
        (counts.unsent - counts.behind, "could not be sent"),
        (counts.behind, "could not be begun in time: more was asked for than could be offered"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> =
        parts.map(|(number, words)| format!("{} {words}", thousands(number))).collect();
    let share = counts.loss_percent.map(small_percent_text).unwrap_or_default();
    format!("lost {} ({share}): {}", thousands(counts.lost), parts.join(", "))
}

fn connects(it: &Summary) -> String {
    let time = |us: f64| short_duration(whole(us.round()));
    match it.count {
        1 => format!("connected in {}", time(it.max_us)),
        times => format!(
            "connected {} times, in {} on average, {} at most",
            thousands(times),
            time(it.mean_us),
            time(it.max_us)
        ),
    }
}

fn datagrams(it: &DatagramReport) -> String {
    let depth = match it.reordered {
        0 => String::new(),
        _ => format!(" (by {} at most)", it.reorder_depth),
    };
    let jitter = it.jitter_us.map(|us| format!(", jitter {}", short_duration(whole(us.round()))));
    let stray =
        if it.stray > 0 { format!(", {} stray", thousands(it.stray)) } else { String::new() };
    format!(
        "{} late, {} duplicated, {} reordered{depth}{stray}{}",
        thousands(it.late),
        thousands(it.duplicated),
        thousands(it.reordered),
        jitter.unwrap_or_default()
    )
}
