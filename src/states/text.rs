//! `netkit states` for people: the verdict in one sentence, the evidence in numbers, what to do.

use super::pileup::{DestinationVerdict, Pileup};
use super::query::Groups;
use super::report::StatesReport;
use super::verdict::{MINI_SOCKET_BYTES, far_end, is_about_destination, size};
use crate::catalogue::states::meaning;
use crate::kernel::owners::Owners;
use crate::model::{Endpoint, Severity, StateClass, TcpState};
use crate::output::numbers::{
    bar, count, duration, float, histogram, percent, percent_text, plural, rate, ratio, thousands,
};
use crate::output::{Align, Style, render_table, sanitize};

/// Columns of the bar in the table of states.
const BAR: u16 = 12;
/// Services that are named in a verdict; the rest is counted.
const SERVICES: usize = 5;

/// The whole answer.
pub fn render(report: &StatesReport, style: Style) -> String {
    match (&report.groups, &report.pileup) {
        (Some(groups), _) => grouped(report, groups, style),
        (None, Some(pileup)) => verdict(report, pileup, style),
        (None, None) => overview(report, style),
    }
}

fn overview(report: &StatesReport, style: Style) -> String {
    let mut text = format!("{}\n", first_line(report));
    if !report.states.is_empty() {
        text += &format!("\n{}", states_table(report, style));
    }
    text += &format!("\n{}", claims(report));
    if let Some(owners) = &report.close_wait_owners {
        text.push_str(&close_wait(report, owners));
    }
    let seen = |state| {
        report
            .states
            .iter()
            .any(|it| it.state == StateClass::State(state))
    };
    if seen(TcpState::TIME_WAIT) {
        text.push_str("`netkit states --time-wait` judges whether TIME_WAIT is a problem here\n");
    }
    text
}

/// `1,284 TCP sockets in this network namespace (sock_diag, 2.1 ms)`
fn first_line(report: &StatesReport) -> String {
    let noun = format!("{} socket", report.view.protocols);
    format!(
        "{} ({}, {:.1} ms)",
        count(report.total, &noun),
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
    let row = |state: &super::report::StateCount| {
        vec![
            state.state.name().into_owned(),
            thousands(state.sockets),
            percent_text(percent(state.sockets, report.total)),
            bar(ratio(state.sockets, report.total), BAR),
            meaning(state.state).to_owned(),
        ]
    };
    render_table(
        &columns,
        report.states.iter().map(row).collect(),
        style.width,
    )
}

/// What the kernel's counters say, for comparison.
fn claims(report: &StatesReport) -> String {
    let stat = report.counters.sockstat;
    let Some(in_use) = stat.tcp_in_use else {
        return "the kernel's own counters could not be read\n".to_owned();
    };
    format!(
        "The kernel counts {} in use, {} in TIME_WAIT or FIN_WAIT2 of no\n\
         program (tw), and on the whole machine {} that close without one (orphan)\n",
        count(in_use + stat.tcp6_in_use.unwrap_or(0), "TCP socket"),
        thousands(stat.time_wait.unwrap_or(0)),
        thousands(stat.orphans_machine_wide.unwrap_or(0)),
    )
}

/// CLOSE_WAIT is a program that does not close: its name is what the reader needs.
fn close_wait(report: &StatesReport, found: &Owners) -> String {
    let class = StateClass::State(TcpState::CLOSE_WAIT);
    let sockets = report
        .states
        .iter()
        .find(|it| it.state == class)
        .map_or(0, |it| it.sockets);
    let mut text = String::new();
    if found.owners.is_empty() {
        text += &format!(
            "{} in CLOSE_WAIT; no process that you may see holds them\n",
            count(sockets, "socket")
        );
    }
    for owner in found.owners.iter().take(SERVICES) {
        text += &format!(
            "{} (pid {}) holds {} in CLOSE_WAIT: the peers have closed, it has not\n",
            sanitize(&owner.name),
            owner.pid,
            count(owner.sockets, "socket"),
        );
    }
    if found.hidden_processes > 0 {
        text += &format!(
            "{} could not be looked into; root can\n",
            plural(found.hidden_processes, "process", "processes")
        );
    }
    text
}

fn grouped(report: &StatesReport, groups: &Groups, style: Style) -> String {
    let mut columns: Vec<_> = groups
        .keys
        .iter()
        .map(|key| (key.heading(), Align::Left))
        .collect();
    columns.extend([("SOCKETS", Align::Right), ("SHARE", Align::Right)]);
    let rows = groups.groups.iter().map(|group| {
        let values = group.key.values.iter().map(|value| value.text());
        let share = percent_text(percent(group.sockets, report.total));
        values.chain([thousands(group.sockets), share]).collect()
    });
    let mut text = format!("{}\n\n", first_line(report));
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
    let sentence = match (worst, pileup.time_wait) {
        (Some(finding), _) => finding.message.clone(),
        (None, 0) => "no socket is in TIME_WAIT".to_owned(),
        (None, 1) => "1 socket in TIME_WAIT, and it is not in your way".to_owned(),
        (None, waits) => {
            format!(
                "{} in TIME_WAIT, and none of them is in your way",
                count(waits, "socket")
            )
        }
    };
    (severity.headline(), sentence)
}

fn verdict(report: &StatesReport, pileup: &Pileup, style: Style) -> String {
    let (word, sentence) = judgement(report);
    let mut text = stated(
        pileup.severity.unwrap_or(Severity::Warning),
        word,
        &sentence,
        style,
    );
    let further = report
        .findings
        .iter()
        .skip(1)
        .filter(|it| it.severity > Severity::Info);
    for other in further.filter(|it| !is_about_destination(it)) {
        text += &stated(
            other.severity,
            other.severity.headline(),
            &other.message,
            style,
        );
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

/// `CRITICAL  10.0.3.7 cannot …`, the word in its colour.
fn stated(severity: Severity, word: &str, sentence: &str, style: Style) -> String {
    let plain = wrapped(&format!("{word}  "), sentence, style.width);
    let painted = style.severity(severity, word);
    format!("{}\n", plain.replacen(word, &painted, 1))
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
    let shown = if report.view.top == 0 {
        all
    } else {
        report.view.top.min(all)
    };
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
            count(
                u64::try_from(cut.len()).unwrap_or(u64::MAX),
                "more destination"
            ),
            thousands(waits)
        );
    }
    text
}

fn unknown() -> String {
    "?".to_owned()
}

/// When no port is left.
fn full_in(there: &DestinationVerdict) -> String {
    match (there.exhaustion_s, there.headroom) {
        (_, None) => unknown(),
        (Some(seconds), _) if seconds <= 0.0 => "full now".to_owned(),
        (Some(seconds), _) => duration(seconds),
        (None, _) if there.rate_per_s <= 0.0 => "idle".to_owned(),
        (None, _) => "never at this rate".to_owned(),
    }
}

fn evidence(report: &StatesReport, pileup: &Pileup) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(port_lines(pileup));
    lines.extend(worst_lines(pileup));
    lines.extend(service_lines(pileup));
    if pileup.side_unknown > 0 {
        lines.push(format!(
            "{} in TIME_WAIT may have been opened or accepted here: nothing tells",
            thousands(pileup.side_unknown)
        ));
    }
    lines.extend(bucket_line(report, pileup));
    lines.extend(sample_lines(pileup));
    let notes = report
        .findings
        .iter()
        .filter(|it| it.severity == Severity::Info);
    lines.extend(
        notes
            .filter(|it| !is_about_destination(it))
            .map(|it| it.message.clone()),
    );
    lines.extend(age_line(pileup));
    lines
}

/// The supply of ports.
fn port_lines(pileup: &Pileup) -> Vec<String> {
    let ports = pileup.ephemeral;
    let (Some(low), Some(high), Some(available)) = (ports.low, ports.high, ports.available) else {
        return vec!["net.ipv4.ip_local_port_range could not be read".to_owned()];
    };
    let unseen = match ports.unseen_bound_at_most {
        0 => String::new(),
        at_most => format!(
            " (at most {} more were not looked at: --bound)",
            thousands(at_most)
        ),
    };
    vec![format!(
        "{} ephemeral ports ({low}–{high}), {} reserved, {} held by bind{unseen}",
        thousands(available),
        thousands(ports.reserved.unwrap_or(0)),
        thousands(ports.bound.unwrap_or(0)),
    )]
}

/// What is to be known of the worst destination.
fn worst_lines(pileup: &Pileup) -> Vec<String> {
    let Some(worst) = pileup.destinations.first() else {
        return Vec::new();
    };
    let closed = worst.closed_here_first + worst.closed_there_first;
    let mut lines = Vec::new();
    if closed > 0 {
        lines.push(format!(
            "this side closed first: {} of {} to {}",
            thousands(worst.closed_here_first),
            thousands(closed),
            far_end(worst)
        ));
    }
    if worst.fin_wait2_mini > 0 {
        let ports = plural(worst.fin_wait2_mini, "port is", "ports are");
        lines.push(format!(
            "{ports} held by FIN_WAIT2: the peer has not closed its end"
        ));
    }
    if worst.used_percent > Some(50.0) {
        lines
            .push("connect() is slow: past half of the ports the kernel searches twice".to_owned());
    }
    lines.push(reuse_line(worst, pileup));
    lines
}

fn reuse_line(worst: &DestinationVerdict, pileup: &Pileup) -> String {
    let mode = pileup
        .reuse
        .tcp_tw_reuse
        .map_or_else(unknown, |mode| mode.to_string());
    let delay = duration(f64::from(pileup.reuse.delay_ms) / 1000.0);
    if worst.hold_ms < super::census::TIME_WAIT_MS {
        return format!(
            "tcp_tw_reuse = {mode}: ports come back after {delay}, {} can be reused now",
            thousands(worst.reusable)
        );
    }
    let why = match (pileup.reuse.tcp_tw_reuse, pileup.reuse.timestamps) {
        (None, _) | (_, None) => "could not be read, and is taken for off",
        (Some(0), _) => "is off",
        (_, Some(false)) => "cannot work: tcp_timestamps is 0",
        _ => "covers loopback addresses only",
    };
    format!("ports come back after 60 s; tcp_tw_reuse = {mode} {why}")
}

/// The server side: it costs no ports, and that has to be said.
fn service_lines(pileup: &Pileup) -> Vec<String> {
    let mut lines: Vec<String> = pileup
        .services
        .iter()
        .take(SERVICES)
        .map(|service| {
            let end = Endpoint::new(service.address, service.port);
            let bytes = service.time_wait * MINI_SOCKET_BYTES;
            format!(
                "{} on the server side of {end}: they cost no ports, {}, and refuse nobody",
                thousands(service.time_wait),
                size(bytes)
            )
        })
        .collect();
    let rest = pileup.services.get(SERVICES..).unwrap_or_default();
    if !rest.is_empty() {
        let waits: u64 = rest.iter().map(|service| service.time_wait).sum();
        lines.push(format!(
            "{} on the server side of {}",
            thousands(waits),
            count(
                u64::try_from(rest.len()).unwrap_or(u64::MAX),
                "other service"
            )
        ));
    }
    lines
}

fn bucket_line(report: &StatesReport, pileup: &Pileup) -> Option<String> {
    let limit = pileup.bucket_limit?;
    let used = pileup.buckets_used_percent?;
    let overflows = match pileup.overflows_since_boot {
        None => "overflows unknown".to_owned(),
        Some(0) => "no overflow since boot".to_owned(),
        Some(overflows) => format!("{} since boot", count(overflows, "overflow")),
    };
    let now = report
        .counters
        .sockstat
        .time_wait
        .unwrap_or(pileup.time_wait);
    Some(match limit {
        u32::MAX => format!("net.ipv4.tcp_max_tw_buckets sets no limit; {overflows}"),
        limit => format!(
            "{} ({}) of net.ipv4.tcp_max_tw_buckets ({}) used; {overflows}",
            percent_text(used),
            thousands(now),
            thousands(u64::from(limit))
        ),
    })
}

fn sample_lines(pileup: &Pileup) -> Vec<String> {
    let Some(sample) = pileup.sample else {
        return Vec::new();
    };
    let per_second = |value: Option<f64>| value.map_or_else(unknown, rate);
    vec![format!(
        "over {}: {} into TIME_WAIT, {} reused, {} opened, {} accepted a second",
        duration(sample.seconds),
        per_second(sample.time_wait_per_s),
        per_second(sample.recycled_per_s),
        per_second(sample.active_opens_per_s),
        per_second(sample.passive_opens_per_s),
    )]
}

/// Ten seconds a character, young to old.
fn age_line(pileup: &Pileup) -> Option<String> {
    if pileup.time_wait == 0 {
        return None;
    }
    let counts: Vec<u64> = pileup.ages.iter().map(|age| age.sockets).collect();
    let within = counts.get(..6).unwrap_or_default();
    let last_minute = float(within.iter().sum());
    let overdue = counts.get(6).copied().unwrap_or(0);
    let overdue = if overdue > 0 {
        format!(", {} due any moment", thousands(overdue))
    } else {
        String::new()
    };
    Some(format!(
        "ages 0 s [{}] 60 s, {}/s on average{overdue}",
        within
            .iter()
            .map(|count| histogram_of(*count, within))
            .collect::<String>(),
        rate(last_minute / 60.0)
    ))
}

/// Three characters for one decade, so that the row of them is readable.
fn histogram_of(count: u64, all: &[u64]) -> String {
    let largest = all.iter().copied().max().unwrap_or(0);
    let one: String = histogram(&[count, largest]).chars().take(1).collect();
    one.repeat(3)
}

fn advice(report: &StatesReport, pileup: &Pileup, style: Style) -> String {
    let serious = || {
        report
            .findings
            .iter()
            .filter(|it| it.severity > Severity::Info)
    };
    let worst_destination = serious().find(|it| is_about_destination(it));
    let others = serious().filter(|it| !is_about_destination(it));
    let mut steps: Vec<&String> = Vec::new();
    for step in worst_destination
        .into_iter()
        .chain(others)
        .flat_map(|finding| &finding.advice)
    {
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

/// `text` in lines of `width`, the first after `lead`, the others below its text.
fn wrapped(lead: &str, text: &str, width: u16) -> String {
    let indent = lead.chars().count();
    let mut lines = lead.to_owned();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > usize::from(width) {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}
