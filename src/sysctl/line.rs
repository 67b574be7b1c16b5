//! What is to be said of one line that sets a key, without a look at the system.

use super::check::finding;
use super::report::{SourceRef, SysctlFinding};
use super::rules::{Machine, judge, myth};
use super::survey::Assignment;
use crate::catalogue::findings::{SYSCTL_DEAD_KEY, SYSCTL_NONSENSE_VALUE, SYSCTL_UNKNOWN_KEY};
use crate::catalogue::sysctls::SysctlEntry;
use crate::model::Severity;

/// A line, and what it is judged by.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The line.
    pub assignment: Assignment<'a>,
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
        let mut found = self.value(entry);
        // What does harm is worse than what does nothing.
        if found.iter().all(|it| it.severity < Severity::Critical) {
            found.extend(self.myth(entry));
            found.extend(self.doomed(entry));
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

    /// A key that a later kernel does not have.
    fn doomed(&self, entry: &SysctlEntry) -> Option<SysctlFinding> {
        let message = format!("it is gone with Linux {}, where the line fails", entry.until?);
        Some(self.about(SYSCTL_DEAD_KEY, Severity::Info, message, "remove the line"))
    }

    /// A key that no kernel has, or that this one does not have yet, as far as that can be told
    /// without it.
    pub fn unknown(&self, entry: Option<&SysctlEntry>) -> Option<SysctlFinding> {
        let unknown = |severity, message: String| {
            let severity = if self.assignment.may_fail { Severity::Info } else { severity };
            let advice = "correct the name, or remove the line";
            Some(self.about(SYSCTL_UNKNOWN_KEY, severity, message, advice))
        };
        let Some(entry) = entry else {
            let is_one = self.assignment.key.components().len() < 2;
            return is_one
                .then(|| "there is no such key: it has one part".to_owned())
                .and_then(|message| unknown(Severity::Warning, message));
        };
        let since = entry.since.filter(|since| self.machine.kernel.is_before(*since))?;
        unknown(Severity::Warning, format!("it does not exist before Linux {since}"))
    }

    /// A value that the kernel refuses, reads in part, or takes to nobody's good.
    fn value(&self, entry: &SysctlEntry) -> Vec<SysctlFinding> {
        let nonsense = |message: String, advice: &str| {
            self.about(SYSCTL_NONSENSE_VALUE, Severity::Warning, message, advice)
        };
        if !entry.is_writable {
            return vec![nonsense("it can only be read".to_owned(), "remove the line")];
        }
        let kind = entry.kind_in(self.machine.kernel);
        let parsed = match kind.parse(self.assignment.value) {
            Ok(parsed) => parsed,
            Err(bad) => {
                let message = format!("the kernel refuses `{}`: {bad}", self.assignment.value);
                return vec![nonsense(message, &format!("it takes {kind}"))];
            }
        };
        let judgement = judge(self.assignment.key, &parsed.value, self.machine);
        let harm = judgement.map(|it| self.about(it.id, it.severity, it.why, it.advice));
        let dropped = parsed.dropped.map(|dropped| {
            let message = if dropped.starts_with(['#', ';']) {
                format!("`{dropped}` is no comment but part of the value; the kernel drops it")
            } else {
                format!("the kernel drops `{dropped}`: it reads one value less")
            };
            nonsense(message, "a comment has a line of its own")
        });
        harm.into_iter().chain(dropped).collect()
    }

    /// What people expect of the value in vain.
    fn myth(&self, entry: &SysctlEntry) -> Option<SysctlFinding> {
        let parsed = entry.kind_in(self.machine.kernel).parse(self.assignment.value).ok()?;
        let told = myth(entry, &parsed.value, self.machine)?;
        Some(self.about(told.id, told.severity, told.why, told.advice))
    }
}
