//! `netkit connect` for people: what came of it, why, what helps.

use super::outcome::Outcome;
use super::report::{Row, Tail};
use crate::catalogue::errnos;
use crate::model::Severity;
use crate::output::numbers::short_duration;
use crate::output::{Style, sanitize, stated, wrapped};

/// The word of a headline.
fn headline(row: &Row) -> (Severity, &'static str) {
    let word = match row.outcome {
        Outcome::Connected if row.met => "OPEN",
        Outcome::Connected => "CONNECTED",
        Outcome::Refused => "REFUSED",
        Outcome::Rejected => "REJECTED",
        Outcome::TimedOut if row.stage == "reply" => "SILENT",
        Outcome::TimedOut => "NO ANSWER",
        Outcome::Unreachable => "UNREACHABLE",
        Outcome::SelfConnect => "NOBODY",
        Outcome::ResolveFailed => "NO ADDRESS",
        Outcome::LocalError => "FAILED",
        Outcome::Denied => "DENIED",
    };
    (if row.met { Severity::Ok } else { Severity::Critical }, word)
}

/// `10.0.9.20  EHOSTUNREACH (113) No route to host, after 0.8 ms`
fn sentence(row: &Row) -> String {
    let target = sanitize(&row.target);
    let address = row.address.as_deref().map(sanitize);
    // An address that was written as such is not said twice.
    let address = address.filter(|it| !target.contains(it.as_str()));
    let address = address.map(|it| format!("  {it}")).unwrap_or_default();
    let sequence = row.sequence.map(|it| format!("  #{it}")).unwrap_or_default();
    let elapsed = short_duration(row.elapsed_us);
    let code = match (row.outcome, row.deadline) {
        (Outcome::Connected, _) => format!("in {elapsed}"),
        (Outcome::SelfConnect, _) => format!("the socket met itself, after {elapsed}"),
        (Outcome::ResolveFailed, _) => format!("{} ({}), after {elapsed}", row.name, row.code),
        (_, true) => format!("by our deadline, after {elapsed}; EAGAIN (11) to connect_ex"),
        _ => {
            let text = errnos::text(row.code);
            format!("{} ({}) {text}, after {elapsed}", row.name, row.code)
        }
    };
    format!("{target}{address}{sequence}  {code}")
}

/// The whole of a row.
pub fn block(row: &Row, is_first: bool, style: Style) -> String {
    let (severity, word) = headline(row);
    let mut text = if is_first { String::new() } else { "\n".to_owned() };
    text += &stated(severity, word, &sentence(row), style);
    // What is known of the cause says more than what the code can mean.
    if row.causes.is_empty() && !(row.outcome == Outcome::Connected && row.met) {
        text += &format!("{}\n", wrapped("  ", &row.meaning, style.width));
    }
    for cause in &row.causes {
        text += &format!("{}\n", wrapped("  ", &sanitize(cause), style.width));
    }
    for fact in facts(row) {
        text += &format!("{}\n", wrapped("  ", &fact, style.width));
    }
    if !row.advice.is_empty() && !(row.met && row.outcome != Outcome::Connected) {
        text += &format!("{}\n", style.title("What to do"));
        for advice in &row.advice {
            text += &format!("{}\n", wrapped("  ", &sanitize(advice), style.width));
        }
    }
    text
}

fn facts(row: &Row) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(reply) = row.reply.as_deref().filter(|it| !it.is_empty()) {
        facts.push(format!("it said: {}", sanitize(reply.trim_end())));
    }
    if row.connect_ex != Some(row.code) && !row.deadline {
        facts.extend(
            row.connect_ex.map(|code| {
                format!("connect_ex gives {code} ({}) in this mode", errnos::name(code))
            }),
        );
    }
    facts
}

/// A row in a line.
pub fn line(row: &Row, style: Style) -> String {
    let (severity, word) = headline(row);
    format!("{}  {}\n", style.severity(severity, &format!("{word:<11}")), sentence(row))
}

/// What stands behind the rows.
pub fn tail(_tail: &Tail, _rows: u64, _style: Style) -> String {
    String::new()
}
