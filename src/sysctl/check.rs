//! From what the kernel has and the files say to findings. Pure.

use super::boot::at_boot;
use super::expectation::Expectation;
use super::file_findings::file_findings;
use super::files::Peer;
use super::line::Line;
use super::profile::Profile;
use super::report::{SourceRef, SysctlFinding};
use super::rules::{Machine, judge};
use super::survey::{Assignment, Known, Survey, System};
use super::together;
use crate::catalogue::findings::{SYSCTL_EXPECTATION, SYSCTL_PROFILE, SYSCTL_UNKNOWN_KEY};
use crate::catalogue::sysctls::Scope;
use crate::model::{Severity, SysctlKey, SysctlKind};

/// A finding without a key, a line or values.
pub fn finding(id: &'static str, severity: Severity, message: String) -> SysctlFinding {
    SysctlFinding {
        id,
        severity,
        key: None,
        message,
        running: None,
        configured: None,
        source: None,
        advice: Vec::new(),
    }
}

/// Everything that is to be said of `survey`, the worst first.
pub fn findings(survey: &Survey, listening: &[u16]) -> Vec<SysctlFinding> {
    let mut found: Vec<SysctlFinding> = Vec::new();
    let ehash_entries = survey.number("net.ipv4.tcp_ehash_entries");
    let machine = Machine { ehash_entries, kernel: survey.target };
    for assignment in survey.assignments() {
        let known = survey.keys.get(assignment.key);
        let of_line = Line { assignment, machine: &machine };
        found.extend(of_line.findings(known.and_then(|it| it.entry)));
        found.extend(known.and_then(|known| unknown_key(&of_line, known, survey)));
    }
    for (key, known) in &survey.keys {
        let running = of_running(key, known, &machine);
        // A line that says the same was judged already.
        found.extend(running.filter(|it| {
            !found.iter().any(|line| line.key == it.key && line.message == it.message)
        }));
        found.extend(at_boot(survey, key, known));
    }
    let value = |key: &SysctlKey| survey.value(key).map(str::to_owned);
    let together = together::judged(value, listening, survey.target).into_iter();
    found.extend(together.map(|(key, judgement)| SysctlFinding {
        source: source_at_boot(survey, key),
        ..together::found(key, judgement)
    }));
    found.extend(file_findings(survey));
    with_running(&mut found, survey);
    sort(&mut found);
    found
}

/// The line that `key` is from, where what a boot leaves is judged.
fn source_at_boot(survey: &Survey, key: &str) -> Option<SourceRef> {
    let known = survey.keys.get(&SysctlKey::parse(key).ok()?)?;
    let left = known.left(Peer::Systemd).filter(|_| survey.system == System::Files)?;
    Some(SourceRef::from(&left.source))
}

/// What a finding is about has its running value beside it, whatever was judged.
fn with_running(found: &mut [SysctlFinding], survey: &Survey) {
    for it in found.iter_mut().filter(|it| it.running.is_none()) {
        it.running = it.key.as_deref().and_then(|key| survey.running(key)).map(str::to_owned);
    }
}

/// The worst first, and each once.
pub fn sort(found: &mut Vec<SysctlFinding>) {
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key.cmp(&b.key)));
    found.dedup();
}

/// A judgement on the value that is there now.
fn of_running(key: &SysctlKey, known: &Known, machine: &Machine) -> Option<SysctlFinding> {
    let (kind, running) = (known.kind?, known.running()?);
    let judgement = judge(key, &kind.parse(running).ok()?.value, machine)?;
    Some(SysctlFinding {
        key: Some(key.to_string()),
        running: Some(running.to_owned()),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    })
}

/// A line about a key that is not there.
fn unknown_key(line: &Line<'_>, known: &Known, survey: &Survey) -> Option<SysctlFinding> {
    if survey.system == System::Files {
        return line.unknown(known.entry);
    }
    let is_gone = known.entry.is_some_and(|entry| entry.gone(survey.target).is_some());
    if !known.is_absent() || is_gone {
        return None;
    }
    let is_child = survey.system == System::Namespace;
    let Assignment { key, value, source, may_fail } = line.assignment;
    let (severity, message) = match known.entry {
        Some(entry) if entry.scope == Scope::Global && is_child => {
            (Severity::Info, "it is the machine's, and not shown in this network namespace")
        }
        Some(_) => match line.unknown(known.entry) {
            Some(young) => return Some(young),
            None => (
                Severity::Warning,
                "this kernel does not have it: its module is not loaded, or was left out",
            ),
        },
        // Only the network's own are hidden there.
        None if is_child && key.components().first().is_some_and(|it| it == "net") => (
            Severity::Info,
            "it is not shown in this network namespace: it is the machine's, or there is none",
        ),
        None => (Severity::Warning, "this kernel has no such key"),
    };
    let severity = if may_fail { Severity::Info } else { severity };
    Some(SysctlFinding {
        key: Some(key.to_string()),
        configured: Some(value.to_owned()),
        source: Some(SourceRef::from(source)),
        advice: vec!["correct the name, or remove the line".to_owned()],
        ..finding(SYSCTL_UNKNOWN_KEY, severity, message.to_owned())
    })
}

/// What was expected and is not so.
pub fn expectations(survey: &Survey, expected: &[Expectation]) -> Vec<SysctlFinding> {
    let unmet = expected.iter().filter_map(|it| unmet(survey, it).map(|why| (it, why)));
    unmet
        .map(|(expectation, why)| SysctlFinding {
            key: Some(expectation.key.to_string()),
            running: survey.running(&expectation.key.to_string()).map(str::to_owned),
            configured: Some(expectation.to_string()),
            ..finding(SYSCTL_EXPECTATION, Severity::Critical, why)
        })
        .collect()
}

/// What a profile wants and is not so.
pub fn profile(survey: &Survey, profile: &Profile) -> Vec<SysctlFinding> {
    let unmet = profile.wants.iter().filter_map(|want| {
        let why = unmet(survey, &want.expectation)?;
        Some(SysctlFinding {
            key: Some(want.expectation.key.to_string()),
            running: survey.running(&want.expectation.key.to_string()).map(str::to_owned),
            configured: Some(want.expectation.to_string()),
            advice: vec![want.why.clone()],
            ..finding(SYSCTL_PROFILE, Severity::Warning, format!("profile {}: {why}", profile.name))
        })
    });
    unmet.collect()
}

/// Why an expectation is not met; `None` if it is.
fn unmet(survey: &Survey, expectation: &Expectation) -> Option<String> {
    let known = survey.keys.get(&expectation.key);
    let kind = known.and_then(|known| known.kind);
    let Some(value) = survey.value(&expectation.key) else {
        let why = match survey.system {
            System::Files if kind.is_some() => {
                "no file sets it, and its default is not the same on every machine"
            }
            System::Files => "no file sets it",
            System::Booted | System::Namespace | System::Foreign => {
                "this kernel has no such key to read"
            }
        };
        return Some(format!("expected {expectation}, but {why}"));
    };
    match expectation.is_met(value, kind.unwrap_or(SysctlKind::Word)) {
        Ok(true) => None,
        Ok(false) if survey.system == System::Files => {
            Some(format!("expected {expectation}, after a boot {value}"))
        }
        Ok(false) => Some(format!("expected {expectation}, running {value}")),
        Err(why) => Some(format!("expected {expectation}: {why}")),
    }
}
