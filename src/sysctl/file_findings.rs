//! What is to be said of files and lines that set nothing, or not for everybody.

use std::path::Path;

use super::check::finding;
use super::drop_in::BESIDE;
use super::files::{FileProblem, Name, Status};
use super::report::{SourceRef, SysctlFinding};
use super::survey::Survey;
use crate::catalogue::findings::{SYSCTL_BAD_LINE, SYSCTL_FILE_IGNORED};
use crate::model::Severity;

/// Everything that is to be said of the files of `survey`.
pub fn file_findings(survey: &Survey) -> Vec<SysctlFinding> {
    let mut found: Vec<SysctlFinding> = survey.problems().into_iter().map(bad_line).collect();
    let files = survey
        .files()
        .filter(|(path, procps, _)| **procps != Status::Used || survey.sets_something(path));
    found.extend(files.filter_map(|(path, procps, systemd)| ignored_file(path, procps, systemd)));
    found.extend(vain_exclusions(survey));
    found
}

fn bad_line(problem: &FileProblem) -> SysctlFinding {
    let file = problem.file.display().to_string();
    SysctlFinding {
        source: Some(SourceRef { file, line: Some(problem.problem.line) }),
        advice: vec!["write KEY = VALUE".to_owned()],
        ..finding(SYSCTL_BAD_LINE, Severity::Warning, problem.problem.what.to_string())
    }
}

/// A file that somebody wrote and that nobody, or not everybody, reads.
fn ignored_file(path: &Path, procps: &Status, systemd: &Status) -> Option<SysctlFinding> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What `apply` and `undo` keep is not to be read.
    let is_saved = BESIDE.iter().any(|ending| name.ends_with(ending));
    let is_readme = name.starts_with("README");
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
        (Status::MaskedBy(by), _) => {
            (Severity::Info, format!("it is masked by {}", by.display()), "")
        }
        (Status::Nothing, _) | (_, Status::Nothing) => (
            Severity::Warning,
            "it is a link to nothing, a directory or a device, and sets nothing".to_owned(),
            "remove it",
        ),
        (Status::Unreadable(why), _) | (_, Status::Unreadable(why)) => (
            Severity::Warning,
            format!("it could not be read, so what it sets is not judged: {why}"),
            "run netkit as root",
        ),
        _ => return None,
    };
    Some(SysctlFinding {
        source: Some(SourceRef::whole(path)),
        advice: Some(advice.to_owned()).filter(|it| !it.is_empty()).into_iter().collect(),
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
