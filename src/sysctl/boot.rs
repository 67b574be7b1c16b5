//! What differs between the files and what runs, and between those who read the files. Pure.
//!
//! A network namespace does not inherit its values, and the files are set in it by an init of its own
//! alone, which not every container has: what differs there is a note. Where nothing runs, the files
//! are held against each other.

use super::check::finding;
use super::files::{Peer, Write};
use super::report::{SourceRef, SysctlFinding};
use super::survey::{Known, Survey, System};
use crate::catalogue::findings::{SYSCTL_DRIFT, SYSCTL_NOT_PERSISTENT, SYSCTL_PRECEDENCE_CONFLICT};
use crate::model::{Severity, SysctlKey};

const MOVE: &str = "if it is to stay, set it in a file in /etc/sysctl.d whose name ends in .conf";

/// What is to be said of `key`, at most one thing.
pub fn at_boot(survey: &Survey, key: &SysctlKey, known: &Known) -> Option<SysctlFinding> {
    let of = AtBoot { system: survey.system, key, known };
    let [procps, systemd] = Peer::ALL.map(|peer| known.left(peer));
    match (procps, systemd) {
        (Some(procps), Some(systemd)) if !known.is_same(&procps.value, &systemd.value) => {
            Some(of.conflict(procps, systemd))
        }
        (Some(procps), None) => of.not_persistent(procps),
        (_, Some(systemd)) => of.drift(systemd),
        (None, None) => of.lost_at_reboot(),
    }
}

/// A key, and against what its lines are held.
struct AtBoot<'a> {
    system: System,
    key: &'a SysctlKey,
    known: &'a Known,
}

impl AtBoot<'_> {
    /// The running value, where the files are to make it, or may be.
    fn running(&self) -> Option<&str> {
        let is_own = matches!(self.system, System::Booted | System::Namespace);
        self.known.running().filter(|_| is_own)
    }

    /// How bad it is that the running value is not what a file says.
    fn severity(&self) -> Severity {
        match self.system {
            System::Namespace => Severity::Info,
            System::Booted | System::Foreign | System::Files => Severity::Warning,
        }
    }

    /// Whether the value is that of a namespace, which ends, and not the machine's.
    fn is_of_namespace(&self) -> bool {
        self.system == System::Namespace
            && self.key.components().first().is_some_and(|it| it == "net")
    }

    fn about(
        &self,
        id: &'static str,
        severity: Severity,
        message: String,
        write: &Write,
    ) -> SysctlFinding {
        SysctlFinding {
            key: Some(self.key.to_string()),
            configured: Some(write.value.clone()),
            source: Some(SourceRef::from(&write.source)),
            ..finding(id, severity, message)
        }
    }

    fn conflict(&self, procps: &Write, systemd: &Write) -> SysctlFinding {
        let running = self.running().map_or(String::new(), |it| format!("; running {}", shown(it)));
        let message = format!(
            "a reboot leaves {}, `sysctl --system` {} ({}){running}",
            shown(&systemd.value),
            shown(&procps.value),
            procps.source,
        );
        let advice = "set it in one file alone; systemd-sysctl does not read /etc/sysctl.conf";
        let finding = self.about(SYSCTL_PRECEDENCE_CONFLICT, Severity::Warning, message, systemd);
        SysctlFinding { advice: vec![advice.to_owned()], ..finding }
    }

    /// A line that systemd-sysctl does not read.
    fn not_persistent(&self, procps: &Write) -> Option<SysctlFinding> {
        let default = self.known.fixed_default();
        if default.is_some_and(|default| self.known.is_same(default, &procps.value)) {
            return None;
        }
        let default = default.map_or("the kernel's default".to_owned(), shown);
        let message = match (self.system, self.running()) {
            (System::Namespace, Some(running)) if self.is_of_namespace() => format!(
                "running {} in this namespace; systemd-sysctl does not read this file, so no boot \
                 makes it {}",
                shown(running),
                shown(&procps.value)
            ),
            (System::Booted | System::Namespace, Some(running)) => format!(
                "running {}, and {default} after a reboot: systemd-sysctl does not read this file",
                shown(running)
            ),
            (System::Files, _) => {
                format!("a boot leaves {default}: systemd-sysctl does not read this file")
            }
            (System::Booted | System::Namespace | System::Foreign, _) => return None,
        };
        let finding = self.about(SYSCTL_NOT_PERSISTENT, self.severity(), message, procps);
        Some(SysctlFinding { advice: vec![MOVE.to_owned()], ..finding })
    }

    fn drift(&self, systemd: &Write) -> Option<SysctlFinding> {
        let running = self.running().filter(|it| !self.known.is_same(&systemd.value, it))?;
        let (running, then) = (shown(running), shown(&systemd.value));
        let (message, advice) = if self.is_of_namespace() {
            (
                format!(
                    "running {running} in this namespace; a boot sets {then} in the machine's first \
                     one, and here only if an init of its own reads the file"
                ),
                "`sysctl --system` makes it so here, until the namespace ends",
            )
        } else {
            (
                format!("running {running}; a reboot makes it {then}"),
                "`sysctl --system` makes it so now; or correct the file",
            )
        };
        let finding = self.about(SYSCTL_DRIFT, self.severity(), message, systemd);
        Some(SysctlFinding { advice: vec![advice.to_owned()], ..finding })
    }

    /// A value that somebody set by hand.
    fn lost_at_reboot(&self) -> Option<SysctlFinding> {
        let running = self.running()?;
        self.known.entry.filter(|entry| entry.is_writable)?;
        let default = self.known.fixed_default().filter(|it| !self.known.is_same(running, it))?;
        let (when, advice) = if self.is_of_namespace() {
            (
                "a new namespace begins with",
                "if it is to stay, have whatever makes the namespace set it",
            )
        } else {
            ("after a reboot it is", "put it into a file in /etc/sysctl.d if it is to stay")
        };
        let (running, default) = (shown(running), shown(default));
        let message = format!("running {running}, and no file sets it: {when} {default}");
        Some(SysctlFinding {
            key: Some(self.key.to_string()),
            advice: vec![advice.to_owned()],
            ..finding(SYSCTL_NOT_PERSISTENT, Severity::Info, message)
        })
    }
}

/// A value in a sentence: tabs are blanks, and nothing is said.
pub fn shown(value: &str) -> String {
    match value.split_whitespace().collect::<Vec<_>>().join(" ") {
        empty if empty.is_empty() => "empty".to_owned(),
        value => value,
    }
}
