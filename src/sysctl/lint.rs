//! `netkit sysctl lint FILE…`: files judged by the catalogue alone.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::{finding, sort};
use super::files::{LineProblem, Name, Peer, Source, Statement, parse};
use super::line::Line;
use super::report::{SourceRef, SysctlFinding};
use super::rules::Machine;
use super::survey::Assignment;
use super::together;
use crate::catalogue::findings::{
    SYSCTL_BAD_LINE, SYSCTL_DUPLICATE, SYSCTL_FILE_IGNORED, SYSCTL_NONSENSE_VALUE,
};
use crate::catalogue::sysctls;
use crate::model::{Severity, SysctlKey, TargetKernel};

/// What is to be said of the file at `path`, for `kernel`.
pub fn lint(path: &Path, bytes: &[u8], kernel: TargetKernel) -> Vec<SysctlFinding> {
    let [procps, systemd] = Peer::ALL.map(|peer| parse(bytes, peer));
    let mut found = Vec::new();
    let mut last: BTreeMap<SysctlKey, (Source, String)> = BTreeMap::new();
    for statement in &procps.statements {
        let source = Source { file: path.to_owned(), line: statement.line };
        found.extend(of_statement(statement, &source, kernel));
        let (Name::Key(key), Some(value)) = (&statement.name, &statement.value) else { continue };
        if let Some((earlier, other)) = last.insert(key.clone(), (source.clone(), value.clone())) {
            found.push(duplicate(key, &source, (&earlier, &other), value));
        }
    }
    found.extend(together(&last, path, kernel));
    found.extend(of_name(path).filter(|_| !last.is_empty()));
    let mut problems: Vec<&LineProblem> = procps.problems.iter().chain(&systemd.problems).collect();
    problems.sort_by_key(|problem| problem.line);
    problems.dedup_by_key(|problem| problem.line);
    found.extend(problems.into_iter().map(|problem| SysctlFinding {
        source: Some(SourceRef { file: path.display().to_string(), line: Some(problem.line) }),
        advice: vec!["write KEY = VALUE".to_owned()],
        ..finding(SYSCTL_BAD_LINE, Severity::Warning, problem.what.to_string())
    }));
    sort(&mut found);
    found
}

fn of_statement(
    statement: &Statement,
    source: &Source,
    kernel: TargetKernel,
) -> Vec<SysctlFinding> {
    let (Name::Key(key), Some(value)) = (&statement.name, &statement.value) else {
        return Vec::new();
    };
    let assignment = Assignment { key, value, source, may_fail: statement.may_fail };
    let entry = sysctls::find(key);
    let machine = Machine { kernel, ..Machine::default() };
    let line = Line { assignment, machine: &machine };
    let mut found = line.findings(entry);
    found.extend(line.unknown(entry));
    if entry.is_none() && value.contains(" #") {
        let message = format!("`{value}` has no comment in it: all of it is the value");
        found.push(SysctlFinding {
            key: Some(key.to_string()),
            configured: Some(value.clone()),
            source: Some(SourceRef::from(source)),
            advice: vec!["a comment has a line of its own".to_owned()],
            ..finding(SYSCTL_NONSENSE_VALUE, Severity::Warning, message)
        });
    }
    found
}

fn duplicate(
    key: &SysctlKey,
    source: &Source,
    (earlier, other): (&Source, &str),
    value: &str,
) -> SysctlFinding {
    let is_same = other == value;
    let message = if is_same {
        format!("line {} says the same", earlier.line)
    } else {
        format!("line {} says {other}; the last one counts", earlier.line)
    };
    SysctlFinding {
        key: Some(key.to_string()),
        configured: Some(value.to_owned()),
        source: Some(SourceRef::from(source)),
        advice: vec!["keep one of the lines".to_owned()],
        ..finding(
            SYSCTL_DUPLICATE,
            if is_same { Severity::Info } else { Severity::Warning },
            message,
        )
    }
}

/// The combination rules, as far as the file sets both sides.
fn together(
    last: &BTreeMap<SysctlKey, (Source, String)>,
    path: &Path,
    kernel: TargetKernel,
) -> Vec<SysctlFinding> {
    let value = |key: &SysctlKey| last.get(key).map(|(_, value)| value.clone());
    let judged = together::judged(value, &[], kernel).into_iter();
    let found = judged.map(|(key, judgement)| {
        let of_key = SysctlKey::parse(key).ok().and_then(|key| last.get(&key));
        let source = of_key.map_or_else(|| SourceRef::whole(path), |it| SourceRef::from(&it.0));
        SysctlFinding { source: Some(source), ..together::found(key, judgement) }
    });
    found.collect()
}

/// What the name of the file says of who reads it. What links lead to it is not looked at.
fn of_name(path: &Path) -> Option<SysctlFinding> {
    let name = path.file_name()?.to_str()?;
    let is_in_etc = path.parent().is_some_and(|it| it.ends_with("etc"));
    let is_in_directory = path.parent().is_some_and(|it| it.ends_with("sysctl.d"));
    let (severity, message, advice) = if name == "sysctl.conf" && is_in_etc {
        (
            Severity::Info,
            "systemd-sysctl reads it only by a link in a sysctl.d, as some distributions have: without \
             one, a reboot keeps nothing of this",
            "set it in a file in /etc/sysctl.d; `netkit sysctl check` looks whether there is a link",
        )
    } else if is_in_directory && path.extension().is_none_or(|ending| ending != "conf") {
        (Severity::Warning, "nobody reads it: its name does not end in .conf", "rename it")
    } else {
        return None;
    };
    Some(SysctlFinding {
        source: Some(SourceRef::whole(path)),
        advice: vec![advice.to_owned()],
        ..finding(SYSCTL_FILE_IGNORED, severity, message.to_owned())
    })
}
