//! What `netkit sysctl` found; the JSON of docs/schema/sysctl.json.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::files::{self, Peer};
use super::survey::{Known, Survey, System};
use super::text;
use crate::kernel::sysctl_tree::Running;
use crate::model::{Severity, SysctlKey, SysctlKind, TargetKernel};
use crate::output::{Report, Style, csv_rows, microseconds, ndjson_rows};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.sysctl/1";

/// The answer of `check`, `show`, `lint` and `diff`.
#[derive(Debug, Serialize)]
pub struct SysctlReport {
    /// `netkit.sysctl/1`.
    pub schema: &'static str,
    /// When the values were read, RFC 3339.
    pub captured_at: String,
    /// How long that took.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// The release of the kernel that is judged for.
    pub kernel: Option<String>,
    /// What the files were held against; nothing with `lint`.
    pub system: System,
    /// Whether everything could be read that the answer goes by.
    pub complete: bool,
    /// The settings.
    pub settings: Vec<SettingReport>,
    /// What was found, the worst first.
    pub findings: Vec<SysctlFinding>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
    /// What was looked at, in a few words that are safe to show.
    #[serde(skip)]
    pub looked_at: String,
    /// What of it is shown as text.
    #[serde(skip)]
    pub view: View,
}

/// Which command it is the answer of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Findings, and the settings in short.
    Check,
    /// The settings in full.
    Show,
    /// Findings alone.
    Lint,
    /// The settings by where they come from.
    Diff,
}

impl View {
    /// Whether findings are its rows, and not settings.
    fn is_of_findings(self) -> bool {
        matches!(self, Self::Check | Self::Lint)
    }
}

/// A setting.
#[derive(Clone, Debug, Serialize)]
pub struct SettingReport {
    /// Its name.
    pub key: String,
    /// What it is now; `None` where it is not there or may not be read.
    pub running: Option<String>,
    /// What it begins with, where that is the same on every machine.
    pub default: Option<String>,
    /// What `sysctl --system` would leave.
    pub procps: Option<String>,
    /// What systemd-sysctl would leave at boot.
    pub systemd: Option<String>,
    /// `namespace`, `global`; `None` for a key that is not in the catalogue.
    pub scope: Option<&'static str>,
    /// Whether the kernel has it here; `None` where none runs.
    pub exists: Option<bool>,
    /// The line that `procps` is from.
    pub procps_source: Option<SourceRef>,
    /// The line that `systemd` is from.
    pub systemd_source: Option<SourceRef>,
    /// What the default depends on, where it is not fixed.
    pub default_formula: Option<&'static str>,
    /// How the value is read.
    pub kind: Option<&'static str>,
    /// What a number counts.
    pub unit: Option<&'static str>,
    /// Which values the kernel takes.
    pub accepts: Option<String>,
    /// The release that brought it.
    pub since: Option<String>,
    /// The first release without it.
    pub until: Option<String>,
    /// What it does.
    pub meaning: Option<&'static str>,
    /// Why a value that is there is not shown.
    #[serde(skip)]
    pub hidden: Option<String>,
    /// Whether it runs with the default; `None` where that is not known.
    #[serde(skip)]
    pub is_default: Option<bool>,
    /// Whether no write can change it.
    #[serde(skip)]
    pub is_read_only: bool,
    /// What became of it, where this kernel does not have it any more or does not read it.
    #[serde(skip)]
    pub gone: Option<String>,
}

/// A line of a file, or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceRef {
    /// The path by which it is read.
    pub file: String,
    /// Counted from 1; `None` for the file as a whole.
    pub line: Option<usize>,
}

impl SourceRef {
    /// The file at `path` as a whole.
    pub fn whole(path: &Path) -> Self {
        Self { file: path.display().to_string(), line: None }
    }
}

impl From<&files::Source> for SourceRef {
    fn from(source: &files::Source) -> Self {
        Self { file: source.file.display().to_string(), line: Some(source.line) }
    }
}

/// A judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SysctlFinding {
    /// A stable name for scripts; `catalogue::findings` has them all.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The setting, if it is about one.
    pub key: Option<String>,
    /// What is the matter, without a full stop.
    pub message: String,
    /// What the setting is now, if it is there.
    pub running: Option<String>,
    /// What the line says.
    pub configured: Option<String>,
    /// Where.
    pub source: Option<SourceRef>,
    /// What helps, most useful first.
    pub advice: Vec<String>,
}

impl SettingReport {
    /// Of `key`, judged for `kernel`.
    pub fn new(key: &SysctlKey, known: &Known, kernel: TargetKernel) -> Self {
        let entry = known.entry;
        let hidden = match &known.running {
            Some(Running::Hidden(why)) => Some(why.clone()),
            Some(Running::Value(_) | Running::Absent) | None => None,
        };
        let is_default = known.running().zip(known.fixed_default());
        let left = |peer| known.left(peer);
        Self {
            key: key.to_string(),
            running: known.running().map(str::to_owned),
            default: known.fixed_default().map(str::to_owned),
            procps: left(Peer::Procps).map(|write| write.value.clone()),
            systemd: left(Peer::Systemd).map(|write| write.value.clone()),
            scope: entry.map(|it| it.scope.name()),
            exists: known.running.is_some().then(|| !known.is_absent()),
            procps_source: left(Peer::Procps).map(|write| SourceRef::from(&write.source)),
            systemd_source: left(Peer::Systemd).map(|write| SourceRef::from(&write.source)),
            default_formula: known.default_formula(),
            kind: known.kind.map(SysctlKind::name),
            unit: entry.and_then(|it| it.unit.name()),
            accepts: known.kind.map(|kind| kind.to_string()),
            since: entry.and_then(|it| it.since).map(|release| release.to_string()),
            until: entry.and_then(|it| it.until).map(|release| release.to_string()),
            meaning: entry.map(|it| it.meaning),
            hidden,
            is_default: is_default.map(|(running, default)| known.is_same(running, default)),
            is_read_only: entry.is_some_and(|it| !it.is_writable),
            gone: entry.and_then(|it| it.gone(kernel)),
        }
    }

    /// Every setting of `survey` that `is_wanted`.
    pub fn of(survey: &Survey, is_wanted: impl Fn(&SysctlKey, &Known) -> bool) -> Vec<Self> {
        let wanted = survey.keys.iter().filter(|(key, known)| is_wanted(key, known));
        wanted.map(|(key, known)| Self::new(key, known, survey.target)).collect()
    }
}

impl Report for SysctlReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::render(self, style).as_bytes())
    }

    /// The findings of `check` and `lint`, the settings of the others.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            if self.view.is_of_findings() {
                csv.write_record([
                    "id",
                    "severity",
                    "key",
                    "message",
                    "running",
                    "configured",
                    "file",
                    "line",
                ])?;
                for it in &self.findings {
                    let (file, line) = match &it.source {
                        Some(source) => (Some(&source.file), source.line),
                        None => (None, None),
                    };
                    csv.serialize((
                        it.id,
                        it.severity,
                        &it.key,
                        &it.message,
                        &it.running,
                        &it.configured,
                        file,
                        line,
                    ))?;
                }
            } else {
                csv.write_record([
                    "key", "running", "default", "procps", "systemd", "scope", "exists",
                ])?;
                for it in &self.settings {
                    csv.serialize((
                        &it.key,
                        &it.running,
                        &it.default,
                        &it.procps,
                        &it.systemd,
                        it.scope,
                        it.exists,
                    ))?;
                }
            }
            Ok(())
        })
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.view.is_of_findings() {
            ndjson_rows(out, &self.findings)
        } else {
            ndjson_rows(out, &self.settings)
        }
    }
}
