//! `netkit connect` for people: what came of it, why, what helps.

use super::layers::{LayerStep, Status};
use super::outcome::Outcome;
use super::probe::BANNER;
use super::report::{Row, Tail};
use super::stream::Detail;
use crate::catalogue::errnos;
use crate::model::Severity;
use crate::output::numbers::{count, microseconds_of, percent_text, short_duration, thousands};
use crate::output::{Align, Style, render_fitting, sanitize, stated, wrapped};

/// Lines of a reply that are shown.
const SAID: usize = 4;

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
    let severity = match (row.met, row.causes.is_empty()) {
        (false, _) => Severity::Critical,
        (true, false) if row.outcome == Outcome::Connected => Severity::Warning,
        (true, _) => Severity::Ok,
    };
    (severity, word)
}

/// `10.0.9.20  EHOSTUNREACH (113) No route to host, after 0.8 ms`
fn sentence(row: &Row, detail: Detail) -> String {
    let target = sanitize(&row.target);
    let address = row.address.as_deref().map(sanitize);
    // An address that was written as such is not said twice.
    let address = address.filter(|it| !target.contains(it.as_str()));
    let address = address.map(|it| format!("  {it}")).unwrap_or_default();
    let sequence = row.sequence.map(|it| format!("  #{it}")).unwrap_or_default();
    let [elapsed, timeout] = [row.elapsed_us, row.timeout_us].map(short_duration);
    let code = match (row.outcome, row.deadline) {
        (Outcome::Connected, _) => format!("in {elapsed}"),
        (Outcome::SelfConnect, _) => format!("the socket met itself, after {elapsed}"),
        (Outcome::ResolveFailed, true) => {
            format!("the name was not resolved by our deadline of {timeout}")
        }
        (Outcome::ResolveFailed, false) => format!("{} ({}), after {elapsed}", row.name, row.code),
        (_, true) if row.connect_ex == Some(errnos::EAGAIN) && detail == Detail::Full => {
            format!("nothing by our deadline of {timeout}: EAGAIN (11) to connect_ex")
        }
        (_, true) => format!("nothing by our deadline of {timeout}"),
        _ if detail == Detail::Line => format!("{} ({}), after {elapsed}", row.name, row.code),
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
    text += &stated(severity, word, &sentence(row, Detail::Full), style);
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
    if let Some(layers) = &row.layers {
        text += &format!("\n{}", self::layers(layers, style));
    }
    // A failure that was expected needs no advice.
    let is_wanted = !row.met || row.outcome == Outcome::Connected;
    if !row.advice.is_empty() && is_wanted {
        let gap = if row.layers.is_some() { "\n" } else { "" };
        text += &format!("{gap}{}\n", style.title("What to do"));
        for advice in &row.advice {
            text += &format!("{}\n", wrapped("  ", &sanitize(advice), style.width));
        }
    }
    text
}

/// The walk, a step a line.
fn layers(layers: &[LayerStep], style: Style) -> String {
    let columns = [
        ("STEP", Align::Left),
        ("OSI", Align::Right),
        ("SPOKEN", Align::Left),
        ("STATUS", Align::Left),
        ("SEEN", Align::Left),
    ];
    let row = |it: &LayerStep| {
        let status = match it.status {
            Status::Ok => "ok",
            Status::Stops => "STOPS",
            Status::Unknown => "-",
            Status::NotReached => "not reached",
        };
        let seen = match it.status {
            Status::Stops => format!("{}; by hand: {}", sanitize(&it.seen), sanitize(&it.by_hand)),
            Status::Ok | Status::Unknown | Status::NotReached => sanitize(&it.seen),
        };
        vec![it.step.to_owned(), it.span.clone(), it.protocols.join(" "), status.to_owned(), seen]
    };
    render_fitting(&columns, layers.iter().map(row).collect(), style.width)
}

fn facts(row: &Row) -> Vec<String> {
    let mut facts = Vec::new();
    if !row.met && row.expected != ["ok"] {
        let expected = row.expected.join(", or ");
        facts.push(format!("expected: {}", sanitize(&expected)));
    }
    if row.is_listened_to && row.outcome == Outcome::Connected {
        facts.extend(match row.reply.as_deref() {
            None => Some(format!(
                "it said nothing unasked within {}",
                short_duration(microseconds_of(BANNER))
            )),
            Some("") => Some("it said nothing, and closed the connection".to_owned()),
            Some(_) => None,
        });
    }
    if let Some(reply) = row.reply.as_deref().filter(|it| !it.is_empty()) {
        facts.extend(said(reply));
    }
    if row.connect_ex != Some(row.code) && !row.deadline {
        facts.extend(row.connect_ex.map(|code| {
            if row.target.starts_with("udp://") && code == 0 {
                "connect_ex gives 0: connect() of a datagram socket sends nothing".to_owned()
            } else {
                format!("connect_ex gives {code} ({}) in this mode", errnos::name(code))
            }
        }));
    }
    facts
}

/// The first lines of a reply, and how much there is.
fn said(reply: &str) -> Vec<String> {
    let mut lines = reply.trim_end().lines();
    let mut facts = vec![format!("it said: {}", sanitize(lines.next().unwrap_or_default()))];
    facts.extend(lines.by_ref().take(SAID - 1).map(|line| format!("  {}", sanitize(line))));
    let more = lines.count();
    if more > 0 {
        let more = count(u64::try_from(more).unwrap_or(u64::MAX), "more line");
        facts.push(format!("and {more}, which --json has"));
    }
    facts
}

/// A row in a line.
pub fn line(row: &Row, style: Style) -> String {
    let (severity, word) = headline(row);
    let word = format!("{word:<11}");
    let room = usize::from(style.width).saturating_sub(word.len() + 2);
    let full = sentence(row, Detail::Full);
    // What the code's name says is left out first.
    let sentence = if full.chars().count() <= room { full } else { sentence(row, Detail::Line) };
    format!("{}  {sentence}\n", style.severity(severity, &word))
}

/// What stands behind the rows.
pub fn tail(tail: &Tail, style: Style) -> String {
    let mut text = String::new();
    for it in &tail.statistics {
        let address = it.address.as_deref().filter(|address| !it.target.contains(address));
        let address = address.map(|it| format!("  {}", sanitize(it))).unwrap_or_default();
        let title = format!("{}{address}", sanitize(&it.target));
        text += &format!("\n{}\n", style.title(&title));
        let mut counts = vec![count(it.attempts, "attempt")];
        let others =
            it.outcomes.iter().map(|(outcome, n)| format!("{} {}", thousands(*n), words(*outcome)));
        counts.extend(others);
        if it.unmet_percent > 0.0 {
            counts.push(format!("{} not as expected", percent_text(it.unmet_percent)));
        }
        text += &format!("{}\n", wrapped("  ", &counts.join(", "), style.width));
        if let Some(times) = &it.connected_us {
            let [min, mean, max, deviation] =
                [times.min, times.mean, times.max, times.standard_deviation].map(short_duration);
            let times = format!(
                "connected in {min} at least, {mean} in the mean, {max} at most; deviation {deviation}"
            );
            text += &format!("{}\n", wrapped("  ", &times, style.width));
        }
    }
    text
}

fn words(outcome: Outcome) -> String {
    outcome.word().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::attempt::Attempt;
    use crate::connect::causes::Diagnosis;
    use crate::connect::statistics::Statistics;

    fn row(outcome: Outcome, code: i32) -> Row {
        let attempt = Attempt { outcome, code, ..Attempt::new(None) };
        let expect = ["ok".parse().unwrap()];
        let row = Row::new("127.0.0.1:9".to_owned(), &attempt, Diagnosis::default(), &expect);
        Row { sequence: Some(1), elapsed_us: 155, ..row }
    }

    #[test]
    fn a_line_is_one_line_of_the_terminal() {
        let refused = row(Outcome::Refused, errnos::ECONNREFUSED);
        let at = |width| line(&refused, Style { width, ..Style::PLAIN });
        assert!(at(100).ends_with("ECONNREFUSED (111) Connection refused, after 155 µs\n"));
        assert!(at(80).ends_with("#1  ECONNREFUSED (111), after 155 µs\n"), "{}", at(80));
        let late = Row {
            deadline: true,
            connect_ex: Some(errnos::EAGAIN),
            timeout_us: 2_000_000,
            ..row(Outcome::TimedOut, errnos::EAGAIN)
        };
        let late = line(&late, Style { width: 80, ..Style::PLAIN });
        assert!(late.ends_with("nothing by our deadline of 2.0 s\n"), "{late}");
    }

    #[test]
    fn what_was_expected_is_said_where_it_was_something_else() {
        let attempt = Attempt { outcome: Outcome::Connected, ..Attempt::new(None) };
        let expect = ["refused".parse().unwrap(), "timeout".parse().unwrap()];
        let row = Row::new("127.0.0.1:9".to_owned(), &attempt, Diagnosis::default(), &expect);
        let text = block(&row, true, Style::PLAIN);
        assert!(text.contains("\n  expected: refused, or timeout\n"), "{text}");
        let text = block(&self::row(Outcome::Refused, errnos::ECONNREFUSED), true, Style::PLAIN);
        assert!(!text.contains("expected"), "{text}");
    }

    #[test]
    fn a_server_that_does_not_speak_unasked_is_said_to_be_mute() {
        let mute = Row { is_listened_to: true, ..row(Outcome::Connected, 0) };
        let text = |row: &Row| block(row, true, Style::PLAIN);
        assert!(text(&mute).contains("it said nothing unasked within 2.0 s"), "{}", text(&mute));
        let speaks = Row { reply: Some("hello".to_owned()), ..mute };
        assert!(!text(&speaks).contains("nothing"), "{}", text(&speaks));
        let closed = Row { reply: Some(String::new()), ..speaks };
        assert!(text(&closed).contains("closed the connection"), "{}", text(&closed));
    }

    #[test]
    fn a_reply_is_told_by_its_lines_and_no_more_than_a_few() {
        assert_eq!(said("+PONG\r\n"), ["it said: +PONG"]);
        let http = said("HTTP/1.0 200 OK\r\nA: 1\r\nB: \u{1b}\r\nC: 3\r\n\r\n<html>\n");
        let expected = [
            "it said: HTTP/1.0 200 OK",
            "  A: 1",
            "  B: \\u{1b}",
            "  C: 3",
            "and 2 more lines, which --json has",
        ];
        assert_eq!(http, expected);
    }

    #[test]
    fn the_walk_of_what_is_well_ends_without_an_empty_line() {
        let walked = Row { layers: Some(Vec::new()), ..row(Outcome::Connected, 0) };
        let text = block(&walked, true, Style::PLAIN);
        assert!(!text.ends_with("\n\n"), "{text:?}");
        let advised = Row { advice: vec!["a".to_owned()], met: false, ..walked };
        let text = block(&advised, true, Style::PLAIN);
        assert!(text.contains("\n\nWhat to do\n"), "{text:?}");
    }

    #[test]
    fn statistics_tell_the_loss_and_stay_within_the_terminal() {
        let mut statistics = Statistics::of("127.0.0.1:9".to_owned(), None);
        statistics.count(&row(Outcome::Refused, errnos::ECONNREFUSED));
        for elapsed_us in [198, 285, 5900] {
            statistics.count(&Row { elapsed_us, ..row(Outcome::Connected, 0) });
        }
        let all = Tail { statistics: vec![statistics], ..Tail::default() };
        let text = tail(&all, Style { width: 80, ..Style::PLAIN });
        assert!(
            text.contains("4 attempts, 3 connected, 1 refused, 25 % not as expected"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
