//! `netkit sysctl` for people.

use super::report::{SettingReport, SourceRef, SysctlFinding, SysctlReport, View};
use super::survey::System;
use crate::model::Severity;
use crate::output::numbers::{count, plural};
use crate::output::{Align, Style, render_table, sanitize, stated, wrapped};

/// As many settings, and no more, are shown in full.
const IN_FULL: usize = 3;

/// The whole answer.
pub fn render(report: &SysctlReport, style: Style) -> String {
    match report.view {
        View::Check | View::Lint => findings(report, style),
        View::Show if report.settings.len() <= IN_FULL => {
            report.settings.iter().map(|it| in_full(it, style)).collect::<Vec<_>>().join("\n")
        }
        View::Show => shown(report, style),
        View::Diff => diff(report, style),
    }
}

fn findings(report: &SysctlReport, style: Style) -> String {
    let groups = grouped(&report.findings);
    let worst = groups.first().map_or(Severity::Ok, Group::severity);
    let number =
        |severity| length(groups.iter().filter(|group| group.severity() == severity).count());
    let counts = [
        plural(number(Severity::Critical), "critical finding", "critical findings"),
        count(number(Severity::Warning), "warning"),
        count(number(Severity::Info), "note"),
    ];
    let counts: Vec<String> = counts.into_iter().filter(|it| !it.starts_with("0 ")).collect();
    let looked_at = &report.looked_at;
    let sentence = match (worst, counts.as_slice()) {
        (_, []) => format!("nothing is wrong in {looked_at}"),
        (Severity::Info, counts) => {
            format!("nothing is wrong in {looked_at}; {}", counts.join(", "))
        }
        (_, [one]) => format!("{one} in {looked_at}"),
        (_, [most @ .., last]) => format!("{} and {last} in {looked_at}", most.join(", ")),
    };
    let serious = if worst == Severity::Info { Severity::Ok } else { worst };
    let mut text = stated(serious, serious.headline(), &sentence, style);
    for group in &groups {
        text += &group.render(style);
    }
    if report.view == View::Check && !groups.is_empty() {
        text +=
            "\n`netkit sysctl explain KEY` says more of a key, `… diff` what a reboot changes\n";
    }
    text
}

/// The findings about one thing: the same key in the same place, or the same line.
struct Group<'a>(Vec<&'a SysctlFinding>);

/// The groups, the worst first.
fn grouped(findings: &[SysctlFinding]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in findings {
        let is_same = |group: &&mut Group<'_>| {
            group.0.first().is_some_and(|it| {
                (it.key.is_some() || it.source.is_some())
                    && it.key == finding.key
                    && it.source == finding.source
            })
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.0.push(finding),
            None => groups.push(Group(vec![finding])),
        }
    }
    groups
}

impl Group<'_> {
    /// That of the worst, which is the first.
    fn severity(&self) -> Severity {
        self.0.first().map_or(Severity::Ok, |it| it.severity)
    }

    /// What it is about, what is the matter, what to do.
    fn render(&self, style: Style) -> String {
        let Some(first) = self.0.first() else { return String::new() };
        let word = self.severity().headline();
        let mut text = format!("\n{}", stated(self.severity(), word, &title(first), style));
        let lead = if self.0.len() > 1 { "  - " } else { "  " };
        for finding in &self.0 {
            text += &format!("{}\n", wrapped(lead, &sanitize(&finding.message), style.width));
        }
        let mut said: Vec<&String> = Vec::new();
        for advice in self.0.iter().flat_map(|it| &it.advice) {
            if !said.contains(&advice) {
                text += &format!("{}\n", wrapped("  → ", &sanitize(advice), style.width));
                said.push(advice);
            }
        }
        text
    }
}

/// `net.ipv4.tcp_fin_timeout = 30  /etc/sysctl.conf:4`
fn title(finding: &SysctlFinding) -> String {
    let value = finding.configured.as_ref().filter(|_| finding.source.is_some());
    let value = value.map(|value| format!(" = {}", cell(Some(value)))).unwrap_or_default();
    let place = match &finding.source {
        Some(SourceRef { file, line: Some(line) }) => format!("{file}:{line}"),
        Some(SourceRef { file, line: None }) => file.clone(),
        None => String::new(),
    };
    let key = finding.key.as_deref().unwrap_or_default();
    match (key.is_empty(), place.is_empty()) {
        (false, false) => sanitize(&format!("{key}{value}  {place}")),
        (false, true) => sanitize(key),
        (true, _) => sanitize(&place),
    }
}

fn in_full(setting: &SettingReport, style: Style) -> String {
    let mut text = format!("{}\n", style.title(&sanitize(&setting.key)));
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let lead = format!("  {name:<9}");
            text += &format!("{}\n", wrapped(&lead, &sanitize(&value), style.width));
        }
    };
    let value = |value: &String| with_unit(&cell(Some(value)), setting);
    line("meaning", setting.meaning.map(str::to_owned));
    line(
        "running",
        Some(match (&setting.running, setting.exists) {
            (Some(running), _) => value(running),
            (None, Some(true)) => "may not be read".to_owned(),
            (None, _) => "there is no such key here".to_owned(),
        }),
    );
    line(
        "default",
        setting.default.as_ref().map(value).or_else(|| setting.default_formula.map(str::to_owned)),
    );
    line("accepts", setting.accepts.clone());
    line(
        "scope",
        setting.scope.map(|scope| match scope {
            "namespace" => "each network namespace has its own".to_owned(),
            _ => "the whole machine".to_owned(),
        }),
    );
    line("since", setting.since.as_ref().map(|release| format!("Linux {release}")));
    line("gone", setting.until.as_ref().map(|release| format!("since Linux {release}")));
    text
}

/// Each in two lines: its value and what it could be, and what it does.
fn shown(report: &SysctlReport, style: Style) -> String {
    let mut text = String::new();
    for setting in &report.settings {
        let value = match (&setting.running, setting.exists) {
            (None, Some(true)) => "may not be read".to_owned(),
            (None, _) => "not here".to_owned(),
            (value, _) => format!("= {}", with_unit(&cell(value.as_ref()), setting)),
        };
        let default = match (&setting.default, setting.default_formula) {
            (Some(default), _) => Some(format!("default {}", cell(Some(default)))),
            (None, formula) => formula.map(|formula| format!("default: {formula}")),
        };
        let scope = setting.scope.map(|scope| match scope {
            "namespace" => "per namespace".to_owned(),
            _ => "global".to_owned(),
        });
        let since = setting.since.as_ref().map(|release| format!("since Linux {release}"));
        let until = setting.until.as_ref().map(|release| format!("gone since Linux {release}"));
        let facts = [default, setting.accepts.clone(), scope, since, until];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        let lead = format!("{} {}", style.title(&sanitize(&setting.key)), value);
        text += &format!("{lead}\n");
        if !facts.is_empty() {
            text += &format!("{}\n", wrapped("  ", &sanitize(&facts.join("; ")), style.width));
        }
        if let Some(meaning) = setting.meaning {
            text += &format!("{}\n", wrapped("  ", meaning, style.width));
        }
    }
    text
}

/// A value and what it counts, where that is not plain from the key.
fn with_unit(value: &str, setting: &SettingReport) -> String {
    match setting.unit {
        Some(unit @ ("s" | "ms" | "bytes" | "pages")) if value != "(empty)" => {
            format!("{value} {unit}")
        }
        _ => value.to_owned(),
    }
}

fn diff(report: &SysctlReport, style: Style) -> String {
    let number = count(length(report.settings.len()), "setting");
    let differ = if report.settings.len() == 1 { "differs" } else { "differ" };
    let of = if report.system == System::Files { "in" } else { "of" };
    let verdict = match report.settings.as_slice() {
        [] if report.system == System::Files => {
            format!("{} set no more than the defaults", report.looked_at)
        }
        [] => format!("running values, files and defaults say the same: {}", report.looked_at),
        [..] => format!("{number} {of} {} {differ}", report.looked_at),
    };
    let verdict = wrapped("", &verdict, style.width) + "\n";
    if report.settings.is_empty() {
        return verdict;
    }
    let has_running = report.system != System::Files;
    let mut columns = vec![
        ("SETTING", Align::Left),
        ("DEFAULT", Align::Left),
        ("AT BOOT", Align::Left),
        ("AFTER sysctl --system", Align::Left),
    ];
    columns.extend(has_running.then_some(("RUNNING", Align::Left)));
    let row = |it: &SettingReport| {
        let mut row = vec![
            sanitize(&it.key),
            default(it),
            cell(it.systemd.as_ref()),
            cell(it.procps.as_ref()),
        ];
        row.extend(has_running.then(|| cell(it.running.as_ref())));
        row
    };
    let table = render_table(&columns, report.settings.iter().map(row).collect(), style.width);
    let note = "AT BOOT is what systemd-sysctl sets; - is not set, so that the default stands";
    format!("{verdict}\n{table}\n{}\n", wrapped("", note, style.width))
}

fn default(setting: &SettingReport) -> String {
    match (&setting.default, setting.default_formula) {
        (None, Some(_)) => "by formula".to_owned(),
        (default, _) => cell(default.as_ref()),
    }
}

/// Tabs would break the columns; what is not there is a dash, and what is empty says so.
fn cell(value: Option<&String>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.is_empty() => "(empty)".to_owned(),
        Some(value) => sanitize(&value.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
