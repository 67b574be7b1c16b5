//! `netkit states` for people.

mod evidence;
mod verdict;

use super::grouping::Groups;
use super::report::{StateCount, StatesReport};
use crate::catalogue::states::meaning;
use crate::kernel::owners::Owners;
use crate::model::{StateClass, TcpState};
use crate::output::numbers::{bar, count, percent, percent_text, plural, ratio, thousands};
use crate::output::{Align, Style, render_table, sanitize, wrapped};

/// Columns of the bar in the table of states.
const BAR: u16 = 10;
/// Processes that are named as holders of a pile.
const OWNERS: usize = 5;

/// The whole answer.
pub fn render(report: &StatesReport, style: Style) -> String {
    match (&report.groups, &report.pileup) {
        (Some(groups), _) => grouped(report, groups, style),
        (None, Some(pileup)) => verdict::verdict(report, pileup, style),
        (None, None) => overview(report, style),
    }
}

fn overview(report: &StatesReport, style: Style) -> String {
    let mut text = format!("{}\n", first_line(report));
    if !report.states.is_empty() {
        text += &format!("\n{}", states_table(report, style));
    }
    if report.view.protocols != "UDP" {
        text += &format!("\n{}", claims(report, style));
    }
    if let Some(owners) = &report.close_wait_owners {
        text.push_str(&close_wait(report, owners, style));
    }
    let seen = |state| report.states.iter().any(|it| it.state == StateClass::State(state));
    if seen(TcpState::TIME_WAIT) {
        text.push_str("`netkit states --time-wait` judges whether TIME_WAIT is a problem here\n");
    }
    text
}

/// `1,284 TCP sockets in this network namespace (sock_diag, 2.1 ms)`
fn first_line(report: &StatesReport) -> String {
    let noun = format!("{} socket", report.view.protocols);
    format!(
        "{}{} in {} ({}, {:.1} ms)",
        count(report.total, &noun),
        if report.view.is_filtered { " asked for" } else { "" },
        sanitize(&report.view.place),
        report.source,
        report.elapsed.as_secs_f64() * 1000.0
    )
}

fn states_table(report: &StatesReport, style: Style) -> String {
    let columns = [
        ("STATE", Align::Left),
        ("SOCKETS", Align::Right),
        ("SHARE", Align::Right),
        ("", Align::Left),
        ("WHAT IT MEANS", Align::Left),
    ];
    let row = |state: &StateCount| {
        vec![
            state.state.name().into_owned(),
            thousands(state.sockets),
            percent_text(percent(state.sockets, report.total)),
            bar(ratio(state.sockets, report.total), BAR),
            meaning(state.state).to_owned(),
        ]
    };
    render_table(&columns, report.states.iter().map(row).collect(), style.width)
}

/// What the kernel's counters say, for comparison.
fn claims(report: &StatesReport, style: Style) -> String {
    let stat = report.counters.sockstat;
    let Some(in_use) = stat.tcp_in_use else {
        return "sockstat, the kernel's own count, could not be read\n".to_owned();
    };
    let sentence = format!(
        "{} in use, {} tw (TIME_WAIT, and FIN_WAIT2 of no program); {} machine-wide",
        count(in_use.saturating_add(stat.tcp6_in_use.unwrap_or(0)), "TCP socket"),
        stat.time_wait.map_or_else(|| "?".to_owned(), thousands),
        stat.orphans_machine_wide
            .map_or_else(|| "? orphans".to_owned(), |orphans| count(orphans, "orphan")),
    );
    wrapped("sockstat: ", &sentence, style.width) + "\n"
}

/// CLOSE_WAIT is a program that does not close: its name is what the reader needs.
fn close_wait(report: &StatesReport, found: &Owners, style: Style) -> String {
    let class = StateClass::State(TcpState::CLOSE_WAIT);
    let sockets = report.states.iter().find(|it| it.state == class).map_or(0, |it| it.sockets);
    let mut lines = Vec::new();
    if found.owners.is_empty() {
        let sockets = count(sockets, "socket");
        lines.push(format!("{sockets} in CLOSE_WAIT; no process that you may see holds them"));
    }
    for owner in found.owners.iter().take(OWNERS) {
        lines.push(format!(
            "{} (pid {}) holds {} in CLOSE_WAIT: the peers have closed, it has not",
            sanitize(&owner.name),
            owner.pid,
            count(owner.sockets, "socket"),
        ));
    }
    if found.hidden_processes > 0 {
        let hidden = plural(found.hidden_processes, "process", "processes");
        lines.push(format!("{hidden} could not be looked into; root can"));
    }
    lines.iter().map(|line| wrapped("", line, style.width) + "\n").collect()
}

fn grouped(report: &StatesReport, groups: &Groups, style: Style) -> String {
    let mut columns: Vec<_> = groups.keys.iter().map(|key| (key.heading(), Align::Left)).collect();
    columns.extend([("SOCKETS", Align::Right), ("SHARE", Align::Right)]);
    let rows = groups.groups.iter().map(|group| {
        let values = group.key.values.iter().map(|value| value.text("-"));
        let share = percent_text(percent(group.sockets, report.total));
        values.chain([thousands(group.sockets), share]).collect()
    });
    let mut text = format!("{}\n", first_line(report));
    if groups.groups.is_empty() {
        return text;
    }
    text.push('\n');
    text.push_str(&render_table(&columns, rows.collect(), style.width));
    if groups.cut.groups > 0 {
        text += &format!(
            "\n{} with {} not shown; `--top 0` shows all\n",
            count(groups.cut.groups, "more group"),
            count(groups.cut.sockets, "socket")
        );
    }
    text
}
