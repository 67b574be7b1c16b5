//! The lab for people.

use super::claim::{Checked, words};
use super::event::Event;
use super::report::{Diagnosed, LabReport, ListReport, Listed, Played};
use super::scenario::Scenario;
use super::stage::Step;
use crate::model::Severity;
use crate::output::numbers::{count, duration, float, thousands};
use crate::output::{Align, Style, render_table, sanitize, wrapped};

/// The width of the column of who calls: `server`, `client`, `sysctl`.
const WHO: usize = 8;

/// The first lines of a scenario.
pub fn opening(scenario: &Scenario, style: Style) -> String {
    format!("{}  {}\n\n", style.title(scenario.name), scenario.about)
}

/// What the worker tells, as it comes.
pub fn event(event: &Event, style: Style) -> String {
    match event {
        Event::Step(step) => step_line(step, style),
        Event::Diagnosed { diagnosed, text } => {
            diagnosis(diagnosed, text.as_deref().unwrap_or_default(), style)
        }
        // The one who shows them says the rest.
        Event::Made { .. } | Event::Cannot { .. } | Event::Done => String::new(),
    }
}

/// `  server  bind(127.0.0.1:8080) = 0`
fn step_line(step: &Step, style: Style) -> String {
    let Step { who, call, result } = step;
    let call = sanitize(call);
    let call = if result.is_empty() { call } else { format!("{call} = {}", sanitize(result)) };
    wrapped(&format!("  {who:WHO$}"), &call, style.width) + "\n"
}

/// The answer of a command, set in, and the claims on it.
fn diagnosis(diagnosed: &Diagnosed, text: &str, style: Style) -> String {
    let mut lines = format!("\n{}\n", style.title(&format!("$ {}", diagnosed.command)));
    for line in text.lines() {
        lines += format!("  {line}").trim_end();
        lines.push('\n');
    }
    lines += &format!("\n{}\n", style.title("Is that the truth?"));
    lines.extend(diagnosed.claims.iter().map(|claim| claim_line(claim, style)));
    lines
}

/// `  yes  the exit code is 1`, or `  NO   …: expected 1, found 0`
fn claim_line(claim: &Checked, style: Style) -> String {
    let Checked { what, expected, found, holds, .. } = claim;
    let (word, severity, text) = if *holds {
        ("yes", Severity::Ok, what.clone())
    } else {
        let found = sanitize(&words(found));
        ("NO ", Severity::Critical, format!("{what}: expected {expected}, found {found}"))
    };
    // Wrapped without the colour, which has no width.
    let line = wrapped("  yes  ", &text, style.width).replacen("  yes", "", 1);
    format!("  {}{line}\n", style.severity(severity, word))
}

/// The last lines of a scenario.
pub fn closing(played: &Played, style: Style) -> String {
    let (held, all) = played.score();
    let took = took(played);
    let mut lines = match played.holds {
        None => format!("\n{}\n", style.severity(Severity::Warning, "NOT RUN")),
        Some(holds) => {
            let (word, severity) =
                if holds { ("HOLDS", Severity::Ok) } else { ("FAILS", Severity::Critical) };
            let all = u64::try_from(all).unwrap_or(u64::MAX);
            let claims = format!("{held} of {}, after {took}", count(all, "claim"));
            format!("\n{}  {claims}\n", style.severity(severity, word))
        }
    };
    if let Some(pid) = played.held_by_pid {
        let enter = if played.has_user_ns { "-U -n --preserve-credentials" } else { "-n" };
        lines += &format!(
            "\nProcess {pid} holds the condition. To look at it from another terminal:\n  \
             netkit states --netns {pid}\n  \
             nsenter -t {pid} {enter} ss -tan\n\
             Enter ends it\n"
        );
    }
    lines
}

/// The last line before a shell.
pub fn before_shell(scenario: &Scenario) -> String {
    format!(
        "\nA shell inside `{}`, root in here only; `exit` ends it and the condition.\n\
         What is in TIME_WAIT is gone after 60 s: start it anew for more\n",
        scenario.name
    )
}

/// The table of `run --all`, and what went wrong.
pub fn summary(report: &LabReport, style: Style) -> String {
    let columns = [
        ("SCENARIO", Align::Left),
        ("DIAGNOSIS", Align::Left),
        ("CLAIMS", Align::Right),
        ("TIME", Align::Right),
    ];
    let rows = report.scenarios.iter().map(|played| {
        let (held, all) = played.score();
        let claims = if played.ran { format!("{held} of {all}") } else { "-".to_owned() };
        let word = match played.holds {
            None => "not run",
            Some(true) => "holds",
            Some(false) => "FAILS",
        };
        vec![played.name.to_owned(), word.to_owned(), claims, took(played)]
    });
    let mut text = format!("{}\n\n", headline(report, style));
    text += &render_table(&columns, rows.collect(), style.width);
    for played in &report.scenarios {
        text += &problems(played, style);
    }
    text
}

/// `HOLDS  netkit found the truth in each of 34 scenarios`
fn headline(report: &LabReport, style: Style) -> String {
    let number = |wanted| {
        let those = report.scenarios.iter().filter(|it| it.holds == wanted).count();
        u64::try_from(those).unwrap_or(u64::MAX)
    };
    let (held, failed, not_run) = (number(Some(true)), number(Some(false)), number(None));
    if failed > 0 {
        let word = style.severity(Severity::Critical, "FAILS");
        format!("{word}  netkit did not find the truth in {}", count(failed, "scenario"))
    } else if not_run > 0 {
        let word = style.severity(Severity::Warning, "NOT RUN");
        let scenarios = count(not_run, "scenario");
        format!("{word}  {scenarios} cannot be made here; the other {held} hold")
    } else {
        let word = style.severity(Severity::Ok, "HOLDS");
        format!("{word}  netkit found the truth in each of {}", count(held, "scenario"))
    }
}

fn problems(played: &Played, style: Style) -> String {
    let why =
        played.why_not.iter().chain(&played.hint).map(|why| format!("{}: {why}", played.name));
    let wrong = played.claims().filter(|(_, claim)| !claim.holds).map(|(it, claim)| {
        let Checked { what, expected, found, .. } = claim;
        let found = sanitize(&words(found));
        let (name, command) = (played.name, &it.command);
        format!("{name}: `{command}`: {what}: expected {expected}, found {found}")
    });
    let lines = why.chain(wrong).map(|line| wrapped("", &line, style.width));
    lines.fold(String::new(), |text, line| format!("{text}\n{line}\n"))
}

/// `netkit lab list`.
pub fn list(report: &ListReport, style: Style) -> String {
    let columns =
        [("SCENARIO", Align::Left), ("SOCKETS", Align::Right), ("WHAT IT MAKES", Align::Left)];
    let row = |it: &Listed| {
        let sockets = it.sockets.map_or_else(|| "-".to_owned(), thousands);
        vec![it.name.to_owned(), sockets, it.about.to_owned()]
    };
    let rows = report.scenarios.iter().map(row).collect();
    let mut text = render_table(&columns, rows, style.width);
    let sized = report.scenarios.iter().filter(|it| it.takes_destinations).map(|it| it.name);
    let sized = sized.collect::<Vec<_>>().join(", ");
    text += &format!("\nA number under SOCKETS can be changed by --sockets; {sized}\n");
    text += "takes --destinations too. `netkit lab run NAME` makes one and diagnoses it\n";
    text
}

fn took(played: &Played) -> String {
    duration(float(played.elapsed_us) / 1e6)
}
