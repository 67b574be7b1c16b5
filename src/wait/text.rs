//! The answer for people: one sentence; where it was in vain, what was seen how often, and what to
//! do.

use std::time::Duration;

use super::advice::advice;
use super::look::Due;
use super::report::WaitReport;
use super::tally::{Quorum, Reason, Tally};
use super::target::{Condition, Subject};
use crate::model::Severity;
use crate::output::numbers::{count, float, thousands};
use crate::output::{Align, Style, render_fitting, sanitize, stated, wrapped};

/// Targets whose reasons are told one by one; of more, the table has the last.
const TOLD: usize = 4;

/// The whole answer.
pub fn render(report: &WaitReport, style: Style) -> String {
    let mut text = headline(report, style);
    if report.targets.len() > 1 {
        text += &format!("\n{}", table(report, style));
    }
    if report.met {
        return text;
    }
    let open: Vec<&Tally> = report.targets.iter().filter(|it| !it.is_met()).collect();
    for tally in open.iter().take(TOLD) {
        text += &reasons(tally, open.len() > 1, style);
    }
    if report.signal.is_some() {
        return text;
    }
    text += &what_to_do(&open, report.elapsed, style);
    text
}

/// The verdict in a sentence.
pub fn headline(report: &WaitReport, style: Style) -> String {
    let took = elapsed(took(report));
    let met = report.targets.iter().filter(|it| it.is_met());
    let (word, severity) = match (report.met, report.signal) {
        (true, _) => ("READY", Severity::Ok),
        (false, Some(_)) => ("INTERRUPTED", Severity::Warning),
        (false, None) if report.is_blind() => ("UNKNOWN", Severity::Warning),
        (false, None) => ("TIMEOUT", Severity::Critical),
    };
    let sentence = match (report.targets.as_slice(), report.met) {
        ([one], true) => format!("{}, after {took} and {}", is_so(one), attempts(one)),
        ([one], false) => format!("{}, after {took} and {}", is_not_so(one), attempts(one)),
        (many, true) => match (report.quorum, met.clone().min_by_key(|it| it.met_at)) {
            (Quorum::Any, Some(first)) => {
                format!("{}, the first of {}, after {took}", is_so(first), many.len())
            }
            _ => format!("all {} targets were met, after {took}", many.len()),
        },
        (many, false) => {
            let never = many.iter().find(|it| it.is_final && !it.is_met());
            let never = never.map(|it| format!(": {}", is_not_so(it))).unwrap_or_default();
            format!("{} of {} targets were met, after {took}{never}", met.count(), many.len())
        }
    };
    let by = report.signal.map(|signal| format!(" by {signal}: ")).unwrap_or_default();
    let sentence = format!("{by}{sentence}");
    stated(severity, word, sentence.trim_start(), style)
}

/// The time of the sentence: that of the last look that was needed, or of all that was spent.
fn took(report: &WaitReport) -> Duration {
    let met = report.targets.iter().filter_map(|it| it.met_at);
    let decisive = match (report.met, report.quorum) {
        (false, _) => None,
        (true, Quorum::All) => met.max(),
        (true, Quorum::Any) => met.min(),
    };
    decisive.unwrap_or(report.elapsed)
}

/// What it is, and in brackets what was seen; behind a comma where that has brackets of its own.
pub fn with_seen(state: &str, seen: &str) -> String {
    if seen.contains('(') { format!("{state}, {seen}") } else { format!("{state} ({seen})") }
}

fn attempts(tally: &Tally) -> String {
    count(tally.attempts, "attempt")
}

/// `db:5432 is up`
fn is_so(tally: &Tally) -> String {
    let target = sanitize(&tally.watch.text);
    let seen = tally.last.as_ref().map(|seen| sanitize(&seen.words)).unwrap_or_default();
    match (tally.watch.condition, &tally.watch.subject) {
        (Condition::Up | Condition::Down, Subject::Listener(_)) | (Condition::Below, _) => {
            format!("{target}: {seen}")
        }
        (Condition::Up, _) => with_seen(&format!("{target} is up"), &seen),
        (Condition::Down, _) => with_seen(&format!("{target} is down"), &seen),
        (Condition::Refused, _) => with_seen(&format!("{target} refuses"), &seen),
        (Condition::Free, _) => format!("{target} is free to bind"),
        (Condition::Echo, _) => format!("{target} echoes"),
    }
}

fn is_not_so(tally: &Tally) -> String {
    let target = sanitize(&tally.watch.text);
    match tally.watch.condition {
        Condition::Up => format!("{target} is not up"),
        Condition::Down => format!("{target} is not down"),
        Condition::Refused => format!("{target} does not refuse"),
        Condition::Free if tally.is_final => {
            format!("this user may not bind {target}, so that no wait can tell when it is free")
        }
        Condition::Free => format!("{target} is not free to bind"),
        Condition::Echo => format!("{target} does not echo"),
        Condition::Below => format!("{target} is not met"),
    }
}

fn table(report: &WaitReport, style: Style) -> String {
    let columns = [
        ("TARGET", Align::Left),
        ("FOR", Align::Left),
        ("MET AFTER", Align::Right),
        ("ATTEMPTS", Align::Right),
        ("LAST SEEN", Align::Left),
    ];
    let row = |tally: &Tally| {
        vec![
            sanitize(&tally.watch.text),
            tally.watch.condition.name().to_owned(),
            tally.met_at.map_or_else(|| "-".to_owned(), elapsed),
            thousands(tally.attempts),
            tally.last.as_ref().map_or_else(|| "-".to_owned(), |seen| sanitize(&seen.words)),
        ]
    };
    render_fitting(&columns, report.targets.iter().map(row).collect(), style.width)
}

/// What was seen, how often, and what it means.
fn reasons(tally: &Tally, has_others: bool, style: Style) -> String {
    let title = if has_others {
        format!("What was seen of {}", sanitize(&tally.watch.text))
    } else {
        "What was seen".to_owned()
    };
    let line = |reason: &Reason| {
        let times = format!("{} ×", thousands(reason.count));
        let text = format!("{}: {}", sanitize(&reason.words), sanitize(&reason.meaning));
        wrapped(&format!("  {times:>8} "), &text, style.width)
    };
    let mut lines: Vec<String> = tally.reasons.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("  nothing: the first attempt was not at its end".to_owned());
    }
    format!("\n{}\n{}\n", style.title(&title), lines.join("\n"))
}

fn what_to_do(open: &[&Tally], waited: Duration, style: Style) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in open.iter().take(TOLD).flat_map(|tally| advice(tally, waited)) {
        let line = wrapped("  ", &sanitize(&line), style.width);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    format!("\n{}\n{}\n", style.title("What to do"), lines.join("\n"))
}

/// `free in 41 s (43 s at most)`
pub fn due_words(tally: &Tally, due: Due) -> String {
    let what = if tally.watch.condition == Condition::Free { "free" } else { "so" };
    let whole = |duration: Duration| {
        let seconds = u64::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        elapsed(Duration::from_secs(seconds))
    };
    match due {
        Due { left: Duration::ZERO, .. } => format!("{what} any moment"),
        Due { left, at_most: Some(most) } => {
            format!("{what} in {} ({} at most)", whole(left), whole(most))
        }
        Due { left, at_most: None } => {
            format!("{what} in {} if no more are added", whole(left))
        }
    }
}

/// A time as people say it: `12 ms`, `3.2 s`, `41 s`, `2 min 5 s`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds, duration.as_millis()) {
        (0, 0) => "less than 1 ms".to_owned(),
        (0, ms) => format!("{ms} ms"),
        (1..10, ms) => format!("{:.1} s", float(u64::try_from(ms / 100).unwrap_or(0)) / 10.0),
        (10..120, _) => format!("{seconds} s"),
        (120..7200, _) => match seconds % 60 {
            0 => format!("{} min", seconds / 60),
            rest => format!("{} min {rest} s", seconds / 60),
        },
        (_, _) => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
