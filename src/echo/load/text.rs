//! A load for people.

use super::latency::Summary;
use super::report::{DatagramReport, ErrorRow, LoadReport};
use super::thresholds::Verdict;
use crate::model::Severity;
use crate::output::numbers::{
    bar, count, float, percent, percent_text, plural, rate, ratio, short_duration, thousands, whole,
};
use crate::output::{Style, sanitize, stated, wrapped};

/// Columns of the longest bar.
const BAR: u16 = 40;

/// All of it.
pub fn load(report: &LoadReport, style: Style) -> String {
    let mut text = headline(report, style);
    text += &format!("{}\n", wrapped("  ", &circumstances(report), style.width));
    for verdict in &report.thresholds {
        text += &threshold(verdict, style);
    }
    if let Some(latency) = &report.latency {
        let title = match &report.latency_from_send {
            Some(_) => "Latency, from the moment each message was due",
            None => "Latency, from the moment each message was sent",
        };
        text += &format!("\n{}\n{}", style.title(title), percentiles(latency, style.width));
        if let Some(from_send) = &report.latency_from_send {
            let title = "From the moment it was sent: what a closed loop would have shown";
            text += &format!("\n{}\n{}", style.title(title), percentiles(from_send, style.width));
        }
        text += &format!("\n{}", histogram(latency));
    }
    let facts = facts(report);
    if !facts.is_empty() {
        text.push('\n');
    }
    for fact in facts {
        text += &format!("{}\n", wrapped("  ", &fact, style.width));
    }
    if !report.errors.is_empty() {
        text += &format!("\n{}\n", style.title("What failed"));
    }
    for error in &report.errors {
        let code = error.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let line = format!(
            "{} {}{code} in {}: {}",
            thousands(error.count),
            error.name,
            error.step,
            error.meaning
        );
        text += &format!("{}\n", wrapped("  ", &sanitize(&line), style.width));
    }
    for hint in hints(report) {
        text += &format!("{}\n", wrapped("hint: ", &sanitize(hint), style.width));
    }
    text
}

/// Each hint once, in the order of the errors.
fn hints(report: &LoadReport) -> Vec<&str> {
    let mut hints: Vec<&str> = report.errors.iter().filter_map(|it| it.hint.as_deref()).collect();
    let mut seen = std::collections::BTreeSet::new();
    hints.retain(|hint| seen.insert(*hint));
    hints
}

fn headline(report: &LoadReport, style: Style) -> String {
    let counts = &report.counts;
    if let Some(cause) = cause(report) {
        return stated(Severity::Critical, "NO REPLY", &sanitize(&cause.headline), style);
    }
    let (severity, word) = match report.is_fine() {
        true => (Severity::Ok, "OK"),
        false if counts.received == 0 => (Severity::Critical, "NO REPLY"),
        false if counts.corrupted > 0 || counts.unexpected_bytes > 0 => {
            (Severity::Critical, "CORRUPTED")
        }
        false if report.thresholds.iter().any(|it| !it.is_met) => (Severity::Critical, "MISSED"),
        false => (Severity::Critical, "LOSS"),
    };
    let (received, sent) = (thousands(counts.received), thousands(counts.sent + counts.unsent));
    let compared = if report.verified { ", each byte compared" } else { "" };
    let sentence = format!(
        "{}  {received} of {sent} replies{compared}, {} a second",
        sanitize(&report.target),
        rate(counts.rate_per_s)
    );
    stated(severity, word, &sentence, style)
}

/// What has kept every reply away, most often.
fn cause(report: &LoadReport) -> Option<&ErrorRow> {
    // Of equals, the first.
    let most = report.errors.iter().rev().max_by_key(|it| it.count);
    most.filter(|_| report.counts.received == 0)
}

fn circumstances(report: &LoadReport) -> String {
    let flows = if report.carrier == "udp" { "flow" } else { "connection" };
    let connections = count(u64::try_from(report.connections).unwrap_or(0), flows);
    let size = if report.size_min == report.size_max {
        format!("{} bytes", report.size_min)
    } else {
        format!("{} to {} bytes", report.size_min, report.size_max)
    };
    let each = if report.reconnect { ", a new one for each message" } else { "" };
    let cut = if report.interrupted { "; interrupted" } else { "" };
    if cause(report).is_some() {
        let counts = &report.counts;
        let answered = match counts.sent + counts.unsent {
            0 => "no message was sent".to_owned(),
            all => format!("0 of {} answered", count(all, "message")),
        };
        return format!("{connections}{each}, {size}; {answered}{cut}");
    }
    let loop_kind = match report.rate_asked {
        Some(asked) => format!("open loop, {} a second asked for", rate(asked)),
        None if report.pipeline > 1 => format!("closed loop, {} under way", report.pipeline),
        None => "closed loop: a server that stalls is asked for nothing meanwhile".to_owned(),
    };
    let took = short_duration(report.measured_us);
    format!("{connections}{each}, {size}, {took}, {loop_kind}{cut}")
}

fn threshold(verdict: &Verdict, style: Style) -> String {
    let (severity, word) =
        if verdict.is_met { (Severity::Ok, "met") } else { (Severity::Critical, "MISSED") };
    format!("  {}  --{}\n", style.severity(severity, word), demand(verdict))
}

/// `max-p99 5.0 ms: 54.6 ms`
pub fn demand(verdict: &Verdict) -> String {
    let shown = |value: f64| match verdict.name {
        "max-p99" => short_duration(whole(value)),
        "max-loss" => format!("{value} %"),
        _ => format!("{} a second", rate(value)),
    };
    let measured = verdict.measured.map_or("nothing to measure".to_owned(), shown);
    format!("{} {}: {measured}", verdict.name, shown(verdict.limit))
}

/// Names above their values, as many beside each other as there is room for.
fn percentiles(summary: &Summary, width: u16) -> String {
    /// Columns of a value and the blanks before it: `p99.99`, `13.9 ms`.
    const COLUMN: usize = 9;
    let time = |us: f64| short_duration(whole(us.round()));
    let mut values = vec![("min".to_owned(), time(summary.min_us))];
    values.extend(summary.percentiles.iter().map(|it| (format!("p{}", it.percent), time(it.us))));
    values.push(("max".to_owned(), time(summary.max_us)));
    let mut text = String::new();
    for line in values.chunks((usize::from(width) / COLUMN).max(1)) {
        let names: String = line.iter().map(|(name, _)| format!("{name:>COLUMN$}")).collect();
        let times: String = line.iter().map(|(_, time)| format!("{time:>COLUMN$}")).collect();
        text += &format!("{names}\n{times}\n");
    }
    text
}

fn histogram(summary: &Summary) -> String {
    let most = summary.histogram.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let line = |it: &super::latency::Bar| {
        let upto = short_duration(whole(it.to_us));
        let share = percent_text(percent(it.count, summary.count));
        let bar = if it.count == 0 { String::new() } else { bar(ratio(it.count, most), BAR) };
        let share = if it.count == 0 { String::new() } else { share };
        format!("  {:>9}  {share:>6}  {bar}", format!("≤ {upto}")).trim_end().to_owned() + "\n"
    };
    summary.histogram.iter().map(line).collect()
}

fn facts(report: &LoadReport) -> Vec<String> {
    let counts = &report.counts;
    let mut facts = Vec::new();
    if counts.lost > 0 {
        // What came late was given up in time, and is not lost.
        let late = report.datagrams.as_ref().map_or(0, |it| it.late);
        let parts = [
            (counts.timed_out.saturating_sub(late), "had no reply in time"),
            (counts.cut, "were under way when the connection broke"),
            (counts.unsent, "could not be sent"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> =
            parts.map(|(number, words)| format!("{} {words}", thousands(number))).collect();
        let because =
            if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        let share = counts.loss_percent.map(percent_text).unwrap_or_default();
        facts.push(format!("lost {} ({share}){because}", thousands(counts.lost)));
    }
    if counts.corrupted > 0 {
        facts.push(format!(
            "{} were not what had been sent",
            plural(counts.corrupted, "reply", "replies")
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
        facts.push(format!("{} could not be opened", count(counts.not_opened, "connection")));
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
