//! `netkit sysctl` for people.

use super::report::{SettingReport, SysctlFinding, SysctlReport, View};
use crate::model::Severity;
use crate::output::numbers::count;
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
    let kernel = report.kernel.as_deref().map(|it| format!(" (Linux {it})")).unwrap_or_default();
    let looked_at = count(length(report.settings.len()), "setting");
    let worst = report.findings.iter().map(|it| it.severity).max().unwrap_or(Severity::Ok);
    let serious = report.findings.iter().filter(|it| it.severity > Severity::Info).count();
    let sentence = match (serious, report.findings.len()) {
        (0, 0) => format!("nothing is wrong in {looked_at}{kernel}"),
        (0, notes) => format!("nothing is wrong in {looked_at}{kernel}; {}", count(length(notes), "note")),
        (found, _) => format!("{} in {looked_at}{kernel}", count(length(found), "finding")),
    };
    let mut text = stated(worst, worst.headline(), &sentence, style);
    for finding in &report.findings {
        text += &one(finding, style);
    }
    if report.view == View::Check {
        text += "\n`netkit sysctl diff` shows what a reboot would change, `… explain KEY` a setting\n";
    }
    text
}

/// A finding: what it is about, what is the matter, what to do.
fn one(finding: &SysctlFinding, style: Style) -> String {
    let place = match (&finding.key, &finding.source) {
        (Some(key), Some(source)) => format!("{key}  {}:{}", source.file, source.line),
        (None, Some(source)) if source.line == 0 => source.file.clone(),
        (None, Some(source)) => format!("{}:{}", source.file, source.line),
        (Some(key), None) => key.clone(),
        (None, None) => finding.id.to_owned(),
    };
    let mut text = format!("\n{}", stated(finding.severity, finding.severity.headline(), &sanitize(&place), style));
    let assigned = match (&finding.configured, &finding.running) {
        (Some(configured), _) if !finding.message.contains(configured.as_str()) => {
            format!("= {configured}: ")
        }
        (None, Some(running)) if !finding.message.contains(running.as_str()) => {
            format!("= {running}: ")
        }
        _ => String::new(),
    };
    let message = sanitize(&format!("{assigned}{}", finding.message));
    text += &format!("{}\n", wrapped("  ", &message, style.width));
    for advice in &finding.advice {
        text += &format!("{}\n", wrapped("  → ", &sanitize(advice), style.width));
    }
    text
}

fn in_full(setting: &SettingReport, style: Style) -> String {
    let mut text = format!("{}\n", style.title(&sanitize(&setting.key)));
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let lead = format!("  {name:<9}");
            text += &format!("{}\n", wrapped(&lead, &sanitize(&value), style.width));
        }
    };
    let unit = match setting.unit {
        Some(unit @ ("s" | "ms" | "bytes" | "pages")) => format!(" {unit}"),
        _ => String::new(),
    };
    let with_unit = |value: &String| if value.is_empty() { "(empty)".to_owned() } else { format!("{value}{unit}") };
    line("meaning", setting.meaning.map(str::to_owned));
    line("running", Some(setting.running.as_ref().map_or_else(|| "there is no such key here".to_owned(), with_unit)));
    line("default", setting.default.as_ref().map(with_unit).or_else(|| setting.default_formula.map(str::to_owned)));
    line("accepts", setting.accepts.clone());
    line("scope", setting.scope.map(|scope| match scope {
        "namespace" => "each network namespace has its own".to_owned(),
        _ => "the whole machine".to_owned(),
    }));
    line("since", setting.since.as_ref().map(|release| format!("Linux {release}")));
    line("gone", setting.until.as_ref().map(|release| format!("since Linux {release}")));
    text
}

fn shown(report: &SysctlReport, style: Style) -> String {
    let columns = [("SETTING", Align::Left), ("RUNNING", Align::Left), ("DEFAULT", Align::Left), ("WHAT IT DOES", Align::Left)];
    let row = |it: &SettingReport| {
        vec![sanitize(&it.key), cell(it.running.as_ref()), default(it), it.meaning.unwrap_or("").to_owned()]
    };
    if report.settings.is_empty() {
        return "no such key in the catalogue, in the kernel or in a file\n".to_owned();
    }
    render_table(&columns, report.settings.iter().map(row).collect(), style.width)
}

fn diff(report: &SysctlReport, style: Style) -> String {
    if report.settings.is_empty() {
        return "running values, files and defaults say the same\n".to_owned();
    }
    let columns = [
        ("SETTING", Align::Left),
        ("DEFAULT", Align::Left),
        ("AT BOOT", Align::Left),
        ("AFTER sysctl --system", Align::Left),
        ("RUNNING", Align::Left),
    ];
    let row = |it: &SettingReport| {
        vec![
            sanitize(&it.key),
            default(it),
            cell(it.systemd.as_ref()),
            cell(it.procps.as_ref()),
            cell(it.running.as_ref()),
        ]
    };
    let mut text = render_table(&columns, report.settings.iter().map(row).collect(), style.width);
    text += "\nAT BOOT is what systemd-sysctl sets; - is not set, so that the default stands\n";
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
