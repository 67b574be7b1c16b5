//! What differs between the files and what runs, and between those who read the files. Pure.
//!
//! A network namespace does not inherit its values, and nobody sets the files in it: there, and where
//! nothing runs, the files are held against each other alone.

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
    /// The running value, where the files are to make it.
    fn running(&self) -> Option<&str> {
        self.known.running().filter(|_| self.system == System::Booted)
    }

    fn about(&self, id: &'static str, message: String, write: &Write) -> SysctlFinding {
        SysctlFinding {
            key: Some(self.key.to_string()),
            configured: Some(write.value.clone()),
            source: Some(SourceRef::from(&write.source)),
            ..finding(id, Severity::Warning, message)
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
        let finding = self.about(SYSCTL_PRECEDENCE_CONFLICT, message, systemd);
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
            (System::Booted, Some(running)) => format!(
                "running {}, and {default} after a reboot: systemd-sysctl does not read this file",
                shown(running)
            ),
            (System::Files, _) => {
                format!("a boot leaves {default}: systemd-sysctl does not read this file")
            }
            (System::Booted | System::Namespace | System::Foreign, _) => return None,
        };
        let finding = self.about(SYSCTL_NOT_PERSISTENT, message, procps);
        Some(SysctlFinding { advice: vec![MOVE.to_owned()], ..finding })
    }

    fn drift(&self, systemd: &Write) -> Option<SysctlFinding> {
        let running = self.running().filter(|it| !self.known.is_same(&systemd.value, it))?;
        let message =
            format!("running {}; a reboot makes it {}", shown(running), shown(&systemd.value));
        let advice = "`sysctl --system` makes it so now; or correct the file";
        let finding = self.about(SYSCTL_DRIFT, message, systemd);
        Some(SysctlFinding { advice: vec![advice.to_owned()], ..finding })
    }

    /// A value that somebody set by hand.
    fn lost_at_reboot(&self) -> Option<SysctlFinding> {
        let running = self.running()?;
        self.known.entry.filter(|entry| entry.is_writable)?;
        let default = self.known.fixed_default().filter(|it| !self.known.is_same(running, it))?;
        Some(SysctlFinding {
            key: Some(self.key.to_string()),
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
}

/// A value in a sentence: tabs are blanks, and nothing is said.
fn shown(value: &str) -> String {
    match value.split_whitespace().collect::<Vec<_>>().join(" ") {
        empty if empty.is_empty() => "empty".to_owned(),
        value => value,
    }
}
