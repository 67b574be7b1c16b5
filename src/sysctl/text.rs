//! `netkit sysctl` for people.

use super::report::{SettingReport, SourceRef, SysctlFinding, SysctlReport, View};
use super::show;
use super::survey::System;
use crate::model::Severity;
use crate::output::numbers::{count, plural};
use crate::output::{Align, Style, render_table, sanitize, stated, wrapped};

/// The whole answer.
pub fn render(report: &SysctlReport, style: Style) -> String {
    match report.view {
        View::Check | View::Lint => findings(report, style),
        View::Show => show::render(&report.settings, style),
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

fn diff(report: &SysctlReport, style: Style) -> String {
    let number = report.settings.len();
    let verb = if number == 1 { "differs" } else { "differ" };
    let is_of_files = report.system == System::Files;
    let verdict = match (number, is_of_files) {
        (0, true) => format!("nothing but defaults is set in {}", report.looked_at),
        (0, false) => {
            format!("running values, files and defaults say the same: {}", report.looked_at)
        }
        (_, true) => {
            let number = count(length(number), "setting");
            format!("{number} {verb} from the default in {}", report.looked_at)
        }
        (_, false) => format!("{number} of {} {verb}", report.looked_at),
    };
    let verdict = wrapped("", &verdict, style.width) + "\n";
    if report.settings.is_empty() {
        return verdict;
    }
    let names = ["SETTING", "DEFAULT", "AT BOOT", "--system", "RUNNING"];
    let names = names.get(..if is_of_files { 4 } else { 5 }).unwrap_or_default();
    let row = |it: &SettingReport| {
        let files = [&it.systemd, &it.procps].map(|value| cell(value.as_ref()));
        let [at_boot, by_system] = files;
        let all =
            vec![sanitize(&it.key), default(it), at_boot, by_system, cell(it.running.as_ref())];
        all.into_iter().take(names.len()).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = report.settings.iter().map(row).collect();
    let note = "AT BOOT is what systemd-sysctl sets, --system what `sysctl --system` does; - is not set, \
                so that the default stands, or not known";
    let note = wrapped("", note, style.width);
    format!("{verdict}\n{}\n{note}\n", table_or_blocks(names, rows, style))
}

/// A table, or where that is wider than the screen a block for each row.
fn table_or_blocks(names: &[&'static str], rows: Vec<Vec<String>>, style: Style) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        cells.chain(names.get(column).copied()).map(|cell| cell.chars().count() + 1).max()
    };
    let total: usize = (0..names.len()).filter_map(width).sum();
    if total < usize::from(style.width) {
        let columns: Vec<_> = names.iter().map(|name| (*name, Align::Left)).collect();
        return render_table(&columns, rows, style.width);
    }
    let mut text = String::new();
    for row in rows {
        let mut cells = names.iter().zip(row);
        text += &cells.next().map_or(String::new(), |(_, key)| format!("{}\n", style.title(&key)));
        for (name, value) in cells {
            text += &format!("{}\n", wrapped(&format!("  {name:<8}  "), &value, style.width));
        }
    }
    text
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
