//! `netkit sysctl lint FILE…`: files judged by the catalogue alone.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::{Line, finding, sort};
use super::files::{LineProblem, Name, Peer, Source, Statement, parse};
use super::report::{SourceRef, SysctlFinding};
use super::rules::{Machine, Together, combine};
use super::survey::Assignment;
use crate::catalogue::findings::{
    SYSCTL_BAD_LINE, SYSCTL_DUPLICATE, SYSCTL_NONSENSE_VALUE, SYSCTL_UNKNOWN_KEY,
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
    let mut problems: Vec<&LineProblem> = procps.problems.iter().chain(&systemd.problems).collect();
    problems.sort_by_key(|problem| problem.line);
    problems.dedup_by_key(|problem| problem.line);
    found.extend(problems.into_iter().map(|problem| SysctlFinding {
        source: Some(SourceRef { file: path.display().to_string(), line: problem.line }),
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
    let mut found = Line { assignment, running: None, machine: &machine }.findings(entry);
    let about = |id, severity, message: String| SysctlFinding {
        key: Some(key.to_string()),
        configured: Some(value.clone()),
        source: Some(SourceRef::from(source)),
        ..finding(id, severity, message)
    };
    match entry {
        // Anybody can see that this is no setting of any kernel.
        None if key.components().len() < 2 => {
            let message = "there is no such key: it has one part".to_owned();
            found.push(about(SYSCTL_UNKNOWN_KEY, Severity::Warning, message));
        }
        Some(entry) if entry.since.is_some_and(|since| kernel.is_before(since)) => {
            let since = entry.since.map(|since| since.to_string()).unwrap_or_default();
            let message = format!("it does not exist before Linux {since}");
            found.push(about(SYSCTL_UNKNOWN_KEY, Severity::Warning, message));
        }
        None if value.contains(" #") => {
            let message = format!("`{value}` has no comment in it: all of it is the value");
            found.push(about(SYSCTL_NONSENSE_VALUE, Severity::Warning, message));
        }
        _ => {}
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
    let value = |text: &str| {
        let key = SysctlKey::parse(text).ok()?;
        let (_, value) = last.get(&key)?;
        Some(sysctls::find(&key)?.kind_in(kernel).parse(value).ok()?.value)
    };
    let values = Together {
        tw_reuse: value("net.ipv4.tcp_tw_reuse").and_then(|it| it.first()),
        timestamps: value("net.ipv4.tcp_timestamps").and_then(|it| it.first()),
        range: value("net.ipv4.ip_local_port_range").and_then(|it| it.port_range()),
        ..Together::default()
    };
    let found = combine(&values).into_iter().map(|(key, judgement)| {
        let line =
            SysctlKey::parse(key).ok().and_then(|key| last.get(&key)).map_or(0, |it| it.0.line);
        SysctlFinding {
            key: Some(key.to_owned()),
            source: Some(SourceRef { file: path.display().to_string(), line }),
            advice: vec![judgement.advice.to_owned()],
            ..finding(judgement.id, judgement.severity, judgement.why)
        }
    });
    found.collect()
}
