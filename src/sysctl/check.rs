//! From what the kernel has and the files say to findings. Pure.

use super::expectation::Expectation;
use super::files::{Name, Peer, Status};
use super::profile::Profile;
use super::report::{SourceRef, SysctlFinding};
use super::rules::{Machine, Together, combine, judge, myth};
use super::saved::ENDING;
use super::survey::{Assignment, Known, Survey};
use crate::catalogue::findings::{
    SYSCTL_BAD_LINE, SYSCTL_DEAD_KEY, SYSCTL_DRIFT, SYSCTL_EXPECTATION, SYSCTL_FILE_IGNORED,
    SYSCTL_NONSENSE_VALUE, SYSCTL_NOT_PERSISTENT, SYSCTL_PRECEDENCE_CONFLICT, SYSCTL_PROFILE,
    SYSCTL_UNKNOWN_KEY,
};
use crate::catalogue::sysctls::{Scope, SysctlEntry};
use crate::kernel::sysctl_tree::Running;
use crate::model::{Severity, SysctlKey, SysctlKind, SysctlValue};

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
        let running = known.and_then(|it| it.running.value());
        let of_line = Line { assignment, running, machine: &machine };
        found.extend(of_line.findings(known.and_then(|it| it.entry)));
        found.extend(known.and_then(|known| unknown_key(&assignment, known, survey)));
    }
    for (key, known) in &survey.keys {
        let running = of_running(key, known, &machine);
        // A line that says the same was judged already.
        found.extend(running.filter(|it| {
            !found.iter().any(|line| line.key == it.key && line.message == it.message)
        }));
        found.extend(at_boot(key, known));
    }
    found.extend(combinations(survey, listening));
    found.extend(survey.problems().into_iter().map(bad_line));
    let files = survey
        .files()
        .filter(|(path, procps, _)| **procps != Status::Used || survey.sets_something(path));
    found.extend(files.filter_map(|(path, procps, systemd)| ignored_file(path, procps, systemd)));
    found.extend(vain_exclusions(survey));
    sort(&mut found);
    found
}

/// The worst first, and each once.
pub fn sort(found: &mut Vec<SysctlFinding>) {
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key.cmp(&b.key)));
    found.dedup();
}

/// A judgement on the value that is there now.
fn of_running(key: &SysctlKey, known: &Known, machine: &Machine) -> Option<SysctlFinding> {
    let (kind, running) = (known.kind?, known.running.value()?);
    let judgement = judge(key, &kind.parse(running).ok()?.value, machine)?;
    Some(SysctlFinding {
        key: Some(key.to_string()),
        running: Some(running.to_owned()),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    })
}

/// What differs between the files and the kernel, and between those who read the files.
fn at_boot(key: &SysctlKey, known: &Known) -> Option<SysctlFinding> {
    let running = known.running.value()?;
    let [procps, systemd] = Peer::ALL.map(|peer| known.left(peer));
    let about = |id, severity, message: String, write: &super::files::Write| SysctlFinding {
        key: Some(key.to_string()),
        running: Some(running.to_owned()),
        configured: Some(write.value.clone()),
        source: Some(SourceRef::from(&write.source)),
        ..finding(id, severity, message)
    };
    match (procps, systemd) {
        (Some(procps), Some(systemd)) if !known.is_same(&procps.value, &systemd.value) => {
            let message = format!(
                "a reboot leaves {}, `sysctl --system` {} ({}); running {}",
                shown(&systemd.value),
                shown(&procps.value),
                procps.source,
                shown(running)
            );
            let finding = about(SYSCTL_PRECEDENCE_CONFLICT, Severity::Warning, message, systemd);
            let advice = "set it in one file alone; systemd-sysctl does not read /etc/sysctl.conf";
            Some(SysctlFinding { advice: vec![advice.to_owned()], ..finding })
        }
        (Some(procps), None) => {
            let default = known.fixed_default();
            if default.is_some_and(|default| known.is_same(default, &procps.value)) {
                return None;
            }
            let message = format!(
                "running {}, and {} after a reboot: systemd-sysctl does not read this file",
                shown(running),
                default.unwrap_or("the kernel's default")
            );
            let finding = about(SYSCTL_NOT_PERSISTENT, Severity::Warning, message, procps);
            let advice =
                "if it is to stay, set it in a file in /etc/sysctl.d whose name ends in .conf";
            Some(SysctlFinding { advice: vec![advice.to_owned()], ..finding })
        }
        (_, Some(systemd)) if !known.is_same(&systemd.value, running) => {
            let message =
                format!("running {}; a reboot makes it {}", shown(running), shown(&systemd.value));
            let finding = about(SYSCTL_DRIFT, Severity::Warning, message, systemd);
            let advice = "`sysctl --system` makes it so now; or correct the file";
            Some(SysctlFinding { advice: vec![advice.to_owned()], ..finding })
        }
        (None, None) => lost_at_reboot(key, known, running),
        _ => None,
    }
}

/// A value in a sentence: tabs are blanks, and nothing is said.
fn shown(value: &str) -> String {
    match value.split_whitespace().collect::<Vec<_>>().join(" ") {
        empty if empty.is_empty() => "empty".to_owned(),
        value => value,
    }
}

/// A value that somebody set by hand.
fn lost_at_reboot(key: &SysctlKey, known: &Known, running: &str) -> Option<SysctlFinding> {
    known.entry.filter(|entry| entry.is_writable)?;
    let default = known.fixed_default()?;
    if known.is_same(running, default) {
        return None;
    }
    Some(SysctlFinding {
        key: Some(key.to_string()),
        running: Some(running.to_owned()),
        advice: vec!["put it into a file in /etc/sysctl.d if it is to stay".to_owned()],
        ..finding(
            SYSCTL_NOT_PERSISTENT,
            Severity::Info,
            format!(
                "running {}, and no file sets it: after a reboot it is {}",
                shown(running),
                shown(default)
            ),
        )
    })
}

/// One line that sets a key, judged without a look at the system.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The line.
    pub assignment: Assignment<'a>,
    /// What the key has now; `None` where that is not looked at.
    pub running: Option<&'a str>,
    /// What values are measured against, and the kernel that is judged for.
    pub machine: &'a Machine,
}

impl Line<'_> {
    fn about(
        &self,
        id: &'static str,
        severity: Severity,
        message: impl Into<String>,
        advice: &str,
    ) -> SysctlFinding {
        SysctlFinding {
            key: Some(self.assignment.key.to_string()),
            running: self.running.map(str::to_owned),
            configured: Some(self.assignment.value.to_owned()),
            source: Some(SourceRef::from(self.assignment.source)),
            advice: vec![advice.to_owned()],
            ..finding(id, severity, message.into())
        }
    }

    /// What is to be said of it, where `entry` is what is known of its key.
    pub fn findings(&self, entry: Option<&SysctlEntry>) -> Vec<SysctlFinding> {
        let Some(entry) = entry else { return Vec::new() };
        if let Some(dead) = self.dead(entry) {
            return vec![dead];
        }
        let mut found: Vec<SysctlFinding> = self.value(entry).into_iter().collect();
        // What does harm is worse than what does nothing.
        if found.iter().all(|it| it.severity < Severity::Critical) {
            found.extend(self.myth(entry));
        }
        found
    }

    /// A key that this kernel does not have any more, or that nothing reads.
    fn dead(&self, entry: &SysctlEntry) -> Option<SysctlFinding> {
        let gone = entry.gone(self.machine.kernel)?;
        let truth = entry.myth.map(|myth| format!("; {}", myth.truth)).unwrap_or_default();
        let fails = entry.until.is_some() && !self.assignment.may_fail;
        let (severity, advice) = if fails {
            (Severity::Critical, "remove the line: `sysctl -p` fails on it")
        } else {
            (Severity::Warning, "remove the line")
        };
        Some(self.about(SYSCTL_DEAD_KEY, severity, format!("{gone}{truth}"), advice))
    }

    /// A value that the kernel refuses, reads in part, or takes to nobody's good.
    fn value(&self, entry: &SysctlEntry) -> Option<SysctlFinding> {
        let nonsense = |severity, message: String, advice: &str| {
            Some(self.about(SYSCTL_NONSENSE_VALUE, severity, message, advice))
        };
        if !entry.is_writable {
            return nonsense(
                Severity::Warning,
                "it can only be read".to_owned(),
                "remove the line",
            );
        }
        let kind = entry.kind_in(self.machine.kernel);
        let parsed = match kind.parse(self.assignment.value) {
            Ok(parsed) => parsed,
            Err(bad) => {
                let message = format!("the kernel refuses `{}`: {bad}", self.assignment.value);
                let advice = format!("it takes {kind}");
                return nonsense(Severity::Warning, message, &advice);
            }
        };
        if let Some(judgement) = judge(self.assignment.key, &parsed.value, self.machine) {
            return Some(self.about(
                judgement.id,
                judgement.severity,
                judgement.why,
                judgement.advice,
            ));
        }
        let dropped = parsed.dropped?;
        let message = if dropped.starts_with(['#', ';']) {
            format!("`{dropped}` is no comment but part of the value; the kernel drops it")
        } else {
            format!("the kernel drops `{dropped}`: it reads one value less")
        };
        nonsense(Severity::Warning, message, "a comment has a line of its own")
    }

    /// What people expect of the value in vain.
    fn myth(&self, entry: &SysctlEntry) -> Option<SysctlFinding> {
        let parsed = entry.kind_in(self.machine.kernel).parse(self.assignment.value).ok()?;
        let told = myth(entry, &parsed.value, self.machine)?;
        Some(self.about(told.id, told.severity, told.why, told.advice))
    }
}

/// A line about a key that is not there.
fn unknown_key(line: &Assignment<'_>, known: &Known, survey: &Survey) -> Option<SysctlFinding> {
    if known.running != Running::Absent {
        return None;
    }
    let (severity, message) = match known.entry {
        Some(entry) if entry.gone(survey.target).is_some() => return None,
        Some(entry) if entry.scope == Scope::Global && survey.is_child_namespace() => (
            Severity::Info,
            "it is the machine's, and not shown in this network namespace".to_owned(),
        ),
        Some(entry) => (
            Severity::Warning,
            match entry.since {
                Some(since) if survey.target.is_before(since) => {
                    format!("it does not exist before Linux {since}")
                }
                _ => "this kernel does not have it: its module is not loaded, or was left out"
                    .to_owned(),
            },
        ),
        None => (Severity::Warning, "this kernel has no such key".to_owned()),
    };
    let severity = if line.may_fail { Severity::Info } else { severity };
    Some(SysctlFinding {
        key: Some(line.key.to_string()),
        configured: Some(line.value.to_owned()),
        source: Some(SourceRef::from(line.source)),
        advice: vec!["correct the name, or remove the line".to_owned()],
        ..finding(SYSCTL_UNKNOWN_KEY, severity, message)
    })
}

fn combinations(survey: &Survey, listening: &[u16]) -> Vec<SysctlFinding> {
    let pair = |one: Option<i64>, other: Option<i64>| Some((one?, other?));
    let range = survey.value("net.ipv4.ip_local_port_range").and_then(|it| it.port_range());
    let reserved = survey.value("net.ipv4.ip_local_reserved_ports").and_then(SysctlValue::ports);
    let values = Together {
        tw_reuse: survey.number("net.ipv4.tcp_tw_reuse"),
        timestamps: survey.number("net.ipv4.tcp_timestamps"),
        range,
        reserved: reserved.unwrap_or_default(),
        listening: listening.to_vec(),
        conntrack: pair(
            survey.number("net.netfilter.nf_conntrack_count"),
            survey.number("net.netfilter.nf_conntrack_max"),
        ),
    };
    let found = combine(&values).into_iter().map(|(key, judgement)| SysctlFinding {
        key: Some(key.to_owned()),
        running: survey.running(key).map(str::to_owned),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    });
    found.collect()
}

fn bad_line(problem: &super::files::FileProblem) -> SysctlFinding {
    let file = problem.file.display().to_string();
    SysctlFinding {
        source: Some(SourceRef { file, line: problem.problem.line }),
        advice: vec!["write KEY = VALUE".to_owned()],
        ..finding(SYSCTL_BAD_LINE, Severity::Warning, problem.problem.what.to_string())
    }
}

/// A file that somebody wrote and that nobody, or not everybody, reads.
fn ignored_file(
    path: &std::path::Path,
    procps: &Status,
    systemd: &Status,
) -> Option<SysctlFinding> {
    // What `apply` keeps for `undo` is not to be read.
    let is_saved = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING));
    let is_readme =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("README"));
    let (severity, message, advice) = match (procps, systemd) {
        (Status::OtherName, _) if !is_readme && !is_saved => (
            Severity::Warning,
            "nobody reads it: its name does not end in .conf".to_owned(),
            "rename it, or move it out of the directory",
        ),
        (Status::Used, Status::NotRead) => (
            Severity::Warning,
            "systemd-sysctl does not read it, so a reboot does not apply it".to_owned(),
            "move its lines to a file in /etc/sysctl.d whose name ends in .conf",
        ),
        (Status::Used, Status::Hidden) => (
            Severity::Warning,
            "systemd-sysctl passes over names that begin with a dot".to_owned(),
            "rename it",
        ),
        (Status::MaskedBy(by), _) => (
            Severity::Info,
            format!("it is masked by {}", by.display()),
            "nothing, if that is meant",
        ),
        (Status::Nothing, _) | (_, Status::Nothing) => (
            Severity::Warning,
            "it is a link to nothing, a directory or a device, and sets nothing".to_owned(),
            "remove it",
        ),
        (Status::Unreadable(why), _) => {
            (Severity::Warning, format!("it could not be read: {why}"), "run netkit as root")
        }
        _ => return None,
    };
    Some(SysctlFinding {
        source: Some(SourceRef { file: path.display().to_string(), line: 0 }),
        advice: vec![advice.to_owned()],
        ..finding(SYSCTL_FILE_IGNORED, severity, message)
    })
}

/// `-PATTERN` excludes nothing, whatever it was meant for.
fn vain_exclusions(survey: &Survey) -> Vec<SysctlFinding> {
    let [procps, _] = &survey.plans;
    let vain = procps.statements.iter().filter(|(_, statement)| {
        statement.value.is_none() && matches!(statement.name, Name::Pattern(_))
    });
    vain.map(|(source, statement)| SysctlFinding {
        source: Some(SourceRef::from(source)),
        advice: vec!["name each key that is to be left out".to_owned()],
        ..finding(
            SYSCTL_BAD_LINE,
            Severity::Warning,
            format!("`-{}` excludes nothing: an exclusion names one key", statement.key),
        )
    })
    .collect()
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
    let Some(running) = known.and_then(|known| known.running.value()) else {
        return Some(format!("expected {expectation}, but this kernel has no such key to read"));
    };
    let kind = known.and_then(|known| known.kind);
    match expectation.is_met(running, kind.unwrap_or(SysctlKind::Word)) {
        Ok(true) => None,
        Ok(false) => Some(format!("expected {expectation}, running {running}")),
        Err(why) => Some(format!("expected {expectation}: {why}")),
    }
}
