//! The verdict on TIME_WAIT for people: one sentence, the destinations, the evidence, what helps.

use super::evidence::evidence;
use super::first_line;
use crate::catalogue::findings::is_about_destination;
use crate::model::{Severity, StateClass, TcpState};
use crate::output::numbers::{count, duration, percent_text, rate, thousands};
use crate::output::{Align, Style, render_table, stated, wrapped};
use crate::states::pileup::{DestinationVerdict, Pileup};
use crate::states::report::StatesReport;
use crate::states::verdict::far_end;

/// The severity's word and the sentence that comes with it.
fn judgement(report: &StatesReport) -> (&'static str, String) {
    let Some(pileup) = &report.pileup else {
        return ("", first_line(report));
    };
    let Some(severity) = pileup.severity else {
        let sentence = "the ephemeral ports could not be read, so there is no verdict on them";
        return ("UNKNOWN", sentence.to_owned());
    };
    let worst = report.findings.first().filter(|_| severity > Severity::Ok);
    // Of those that were asked for: the pileup counts the whole namespace.
    let class = StateClass::State(TcpState::TIME_WAIT);
    let asked_for = report.states.iter().find(|it| it.state == class).map_or(0, |it| it.sockets);
    let sentence = match (worst, asked_for) {
        (Some(finding), _) => finding.message.clone(),
        (None, 0) if pileup.time_wait == 0 => "no socket is in TIME_WAIT".to_owned(),
        (None, asked_for) if asked_for < pileup.time_wait => format!(
            "{} in TIME_WAIT asked for, of {} in the namespace, and no harm in them",
            count(asked_for, "socket"),
            thousands(pileup.time_wait)
        ),
        (None, 1) => "1 socket in TIME_WAIT, and it is not in your way".to_owned(),
        (None, waits) => {
            format!("{} in TIME_WAIT, and none of them is in your way", count(waits, "socket"))
        }
    };
    (severity.headline(), sentence)
}

pub(super) fn verdict(report: &StatesReport, pileup: &Pileup, style: Style) -> String {
    let (word, sentence) = judgement(report);
    let mut text = stated(pileup.severity.unwrap_or(Severity::Warning), word, &sentence, style);
    let further = report.findings.iter().skip(1).filter(|it| it.severity > Severity::Info);
    for other in further.filter(|it| !is_about_destination(it.id)) {
        text += &stated(other.severity, other.severity.headline(), &other.message, style);
    }
    if !pileup.destinations.is_empty() {
        text += &destinations(report, pileup, style);
    }
    text += &format!("\n{}\n", style.title("Evidence"));
    for line in evidence(report, pileup) {
        text += &format!("{}\n", wrapped("  ", &line, style.width));
    }
    if pileup.severity > Some(Severity::Ok) {
        text += &advice(report, pileup, style);
    }
    text
}

fn destinations(report: &StatesReport, pileup: &Pileup, style: Style) -> String {
    let columns = [
        ("FROM", Align::Left),
        ("TO", Align::Left),
        ("TIME_WAIT", Align::Right),
        ("LIVE", Align::Right),
        ("USED", Align::Right),
        ("LEFT", Align::Right),
        ("RATE/S", Align::Right),
        ("CEILING/S", Align::Right),
        ("FULL IN", Align::Left),
    ];
    let all = pileup.destinations.len();
    let shown = if report.view.top == 0 { all } else { report.view.top.min(all) };
    let rows = pileup.destinations.iter().take(shown).map(|there| {
        vec![
            there.source_address.to_string(),
            far_end(there),
            thousands(there.time_wait),
            thousands(there.live),
            there.used_percent.map_or_else(unknown, percent_text),
            there.headroom.map_or_else(unknown, thousands),
            rate(there.rate_per_s),
            there.ceiling_per_s.map_or_else(unknown, rate),
            full_in(there),
        ]
    });
    let mut text = format!("\n{}", render_table(&columns, rows.collect(), style.width));
    let cut = pileup.destinations.get(shown..).unwrap_or_default();
    if !cut.is_empty() {
        let waits: u64 = cut.iter().map(|there| there.time_wait).sum();
        text += &format!(
            "{} with {} in TIME_WAIT not shown; `--top 0` shows all\n",
            count(u64::try_from(cut.len()).unwrap_or(u64::MAX), "more destination"),
            thousands(waits)
        );
    }
    text
}

/// What stands for a number that could not be had.
pub(super) fn unknown() -> String {
    "?".to_owned()
}

/// When no port is left.
fn full_in(there: &DestinationVerdict) -> String {
    match (there.exhaustion_s, there.headroom) {
        (_, None) => unknown(),
        (Some(seconds), _) if seconds <= 0.0 => "full now".to_owned(),
        (Some(seconds), _) => duration(seconds),
        (None, _) if there.rate_per_s <= 0.0 => "idle".to_owned(),
        (None, _) => "never".to_owned(),
    }
}

fn advice(report: &StatesReport, pileup: &Pileup, style: Style) -> String {
    let serious = || report.findings.iter().filter(|it| it.severity > Severity::Info);
    let worst_destination = serious().find(|it| is_about_destination(it.id));
    let others = serious().filter(|it| !is_about_destination(it.id));
    let mut steps: Vec<&String> = Vec::new();
    for step in worst_destination.into_iter().chain(others).flat_map(|finding| &finding.advice) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let mut text = format!("\n{}\n", style.title("What helps, in this order"));
    for (number, step) in (1..).zip(&steps) {
        text += &format!("{}\n", wrapped(&format!("  {number}  "), step, style.width));
    }
    text += &format!("{}\n", style.title("What does not"));
    for myth in &pileup.does_not_help {
        text += &format!("{}\n", wrapped("  ", myth, style.width));
    }
    text
}
