//! A load for people.

mod facts;
mod latencies;

use std::collections::BTreeSet;

use latencies::{histogram, percentiles, titled};

use super::report::{End, ErrorRow, LoadReport};
use super::thresholds::Verdict;
use crate::echo::client::failure_row::FailureRow;
use crate::echo::client::replies::CHANGES;
use crate::echo::transform::Transform;
use crate::model::Severity;
use crate::output::numbers::{count, plural, rate, rounded, short_duration, thousands, whole};
use crate::output::{Style, sanitize, stated, wrapped};

/// What a server is that sends more than it was sent.
const TALKS: &str = "an echo server sends no more than it was sent: this one greets, or has words of its own; \
                     a message after the target, instead of a load, shows them";

/// What helps where connections have no room for what is due.
const NO_ROOM: &str = "the server or the connections are too slow for this rate: more --connections or --pipeline \
                       let more be under way at once; or a lower --rate";
/// The same where nothing that is not answered holds the next one back, or each has a connection of its own.
const NO_ROOM_FOR_DATAGRAMS: &str =
    "the server or this machine is too slow for this rate: a lower --rate";
const NO_ROOM_FOR_CONNECTIONS: &str = "the server or the connections are too slow for this rate: more --connections let more be \
     under way at once; or a lower --rate";

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
        text += &titled(title, &percentiles(latency, style.width), style);
        if let Some(from_send) = &report.latency_from_send {
            let title = "From the moment it was sent: what a closed loop would have shown";
            text += &titled(title, &percentiles(from_send, style.width), style);
        }
        text += &format!("\n{}", histogram(latency, style.width));
    }
    let facts = facts::facts(report);
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
        let FailureRow { step, code, name, meaning, .. } = &error.failure;
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        let line = format!("{} × {name}{code} in {step}: {meaning}", thousands(error.count));
        text += &format!("{}\n", wrapped("  ", &sanitize(&line), style.width));
    }
    for hint in hints(report) {
        text += &format!("{}\n", wrapped("hint: ", &sanitize(hint), style.width));
    }
    text
}

/// Each hint once, in the order of the errors.
fn hints(report: &LoadReport) -> Vec<&str> {
    let counts = &report.counts;
    // Hardly by chance. Datagrams take no --transform in a load.
    let is_changed = report.datagrams.is_none()
        && report.transform == Transform::None
        && counts.corrupted * 2 > counts.received;
    let is_talkative = counts.unexpected_bytes > 0 && !is_changed;
    let of_errors = report.errors.iter().filter_map(|it| it.failure.hint.as_deref());
    let mut hints: Vec<_> = is_changed.then_some(CHANGES).into_iter().chain(of_errors).collect();
    hints.extend(is_talkative.then_some(TALKS));
    hints.extend(no_room(report));
    let mut seen = BTreeSet::new();
    hints.retain(|hint| seen.insert(*hint));
    hints
}

/// What helps where more was asked for than could be offered, unless connections were missing.
fn no_room(report: &LoadReport) -> Option<&'static str> {
    let counts = &report.counts;
    let has_all = counts.not_opened == 0 && report.end != End::GivenUp;
    (counts.behind > 0 && has_all).then_some(match (report.datagrams, report.reconnect) {
        (Some(_), _) => NO_ROOM_FOR_DATAGRAMS,
        (None, true) => NO_ROOM_FOR_CONNECTIONS,
        (None, false) => NO_ROOM,
    })
}

fn headline(report: &LoadReport, style: Style) -> String {
    let counts = &report.counts;
    if let Some(cause) = cause(report) {
        return stated(Severity::Critical, "NO REPLY", &sanitize(&cause.headline), style);
    }
    if let Some(so_far) = before_any_reply(report) {
        let sentence = format!("{}  {so_far}", sanitize(&report.target));
        return stated(Severity::Warning, "INTERRUPTED", &sentence, style);
    }
    let (severity, word) = match report.is_fine() {
        true => (Severity::Ok, "OK"),
        false if counts.received == 0 => (Severity::Critical, "NO REPLY"),
        false if counts.corrupted > 0 || counts.unexpected_bytes > 0 => {
            (Severity::Critical, "CORRUPTED")
        }
        false if report.end == End::GivenUp => (Severity::Critical, "GIVEN UP"),
        false if report.thresholds.iter().any(|it| !it.is_met) => (Severity::Critical, "MISSED"),
        false if counts.lost == 0 => (Severity::Critical, "INCOMPLETE"),
        false => (Severity::Critical, "LOSS"),
    };
    let (received, sent) = (thousands(counts.received), thousands(counts.due));
    let compared = if report.verified { ", each byte compared" } else { "" };
    let sentence = format!(
        "{}  {received} of {sent} replies{compared}, {} a second",
        sanitize(&report.target),
        rate(counts.rate_per_s)
    );
    stated(severity, word, &sentence, style)
}

/// What there is to say of a load that was interrupted before a reply came, or was missed.
fn before_any_reply(report: &LoadReport) -> Option<String> {
    let counts = &report.counts;
    if report.end != End::Interrupted || counts.received + counts.lost > 0 {
        return None;
    }
    Some(match (counts.under_way, report.measured_us) {
        (0, 0) => "before measuring began: nothing is known of the server".to_owned(),
        (0, _) => "before a message was sent that counts".to_owned(),
        (under_way, _) => format!(
            "before a reply came: {} under way",
            plural(under_way, "message was", "messages were")
        ),
    })
}

/// What has kept every reply away, most often.
fn cause(report: &LoadReport) -> Option<&ErrorRow> {
    // Of equals, the first.
    let most = report.errors.iter().rev().max_by_key(|it| it.count);
    most.filter(|_| report.counts.received == 0)
}

/// What there are `--connections` of.
fn flow(report: &LoadReport) -> &'static str {
    if matches!(report.carrier, "udp" | "unix-dgram") { "flow" } else { "connection" }
}

fn circumstances(report: &LoadReport) -> String {
    let whole_of = |number| u64::try_from(number).unwrap_or(u64::MAX);
    let connections = count(whole_of(report.connections), flow(report));
    let size = if report.size_min == report.size_max {
        count(whole_of(report.size_min), "byte")
    } else {
        format!(
            "{} to {}",
            thousands(whole_of(report.size_min)),
            count(whole_of(report.size_max), "byte")
        )
    };
    let each = if report.reconnect { ", a new one for each message" } else { "" };
    let cut = match report.end {
        End::Planned => "",
        End::Interrupted => "; interrupted",
        End::GivenUp => "; given up: nobody is there any more",
    };
    if cause(report).is_some() {
        let counts = &report.counts;
        let answered = match counts.due {
            0 => "no message was sent".to_owned(),
            all => format!("0 of {} answered", count(all, "message")),
        };
        return format!("{connections}{each}, {size}; {answered}");
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
    let padded = format!("{word:<6}");
    format!("  {}  --{}\n", style.severity(severity, &padded), demand(verdict))
}

/// `max-p99 5.0 ms: it was 54.6 ms`
pub fn demand(verdict: &Verdict) -> String {
    let shown = |value: f64| match verdict.name {
        "max-p99" => short_duration(whole(value.round())),
        "max-loss" => format!("{} %", rounded(value, 4)),
        _ => format!("{} a second", rate(value)),
    };
    let measured = match verdict.measured {
        Some(measured) => format!("it was {}", shown(measured)),
        None => "there was nothing to measure".to_owned(),
    };
    // A limit that is missed by less than is shown.
    let measured = match verdict.measured {
        Some(it) if !verdict.is_met && shown(it) == shown(verdict.limit) => {
            format!(
                "{measured}, {} than that by a little",
                if it > verdict.limit { "more" } else { "less" }
            )
        }
        _ => measured,
    };
    format!("{} {}: {measured}", verdict.name, shown(verdict.limit))
}
