//! What `netkit sysctl apply` and `undo` would do or did; the JSON of docs/schema/sysctl_apply.json.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use super::judge::{Change, Refusal};
use crate::exit::Exit;
use crate::kernel::clock::now;
use crate::output::{Format, Outcome, Report, Screen, Style, csv_rows, emit, sanitize, unified};

/// The name and version of the JSON.
const SCHEMA: &str = "netkit.sysctl_apply/1";

/// The answer.
#[derive(Debug, Serialize)]
pub struct ApplyReport {
    /// `netkit.sysctl_apply/1`.
    pub schema: &'static str,
    /// When, RFC 3339.
    pub captured_at: String,
    /// The drop-in, below the root that was given.
    pub file: String,
    /// Whether it was done.
    pub written: bool,
    /// What the drop-in has to say; `None` if it is not to be there.
    pub content: Option<String>,
    /// What the drop-in says now; `None` if it is not there.
    pub content_before: Option<String>,
    /// Each setting.
    pub changes: Vec<Change>,
    /// Settings for which nothing is done at all.
    pub refused: Vec<Refusal>,
    /// What has to be known.
    pub warnings: Vec<String>,
    /// What the text form says at its end.
    #[serde(skip)]
    pub end: End,
}

/// How it ended, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was only shown.
    Shown,
    /// It was done.
    Done,
    /// It is so already.
    NothingToDo,
    /// It is not done.
    Refused,
}

impl End {
    fn words(self) -> &'static str {
        match self {
            Self::Shown => "nothing was written: --write does it",
            Self::Done => "written",
            Self::NothingToDo => "nothing to change: all of it is so",
            Self::Refused => "nothing was written",
        }
    }
}

impl ApplyReport {
    /// An answer in which nothing is done.
    pub fn new(file: &Path, content_before: Option<String>) -> Self {
        Self {
            schema: SCHEMA,
            captured_at: now().to_string(),
            file: file.display().to_string(),
            written: false,
            content: None,
            changes: Vec::new(),
            refused: Vec::new(),
            warnings: Vec::new(),
            end: End::Shown,
            content_before,
        }
    }

    /// What is said besides the answer: what was refused and, where that is not part of the answer,
    /// the warnings.
    fn messages(&self, format: Format) -> Vec<String> {
        let is_part = matches!(format, Format::Json | Format::Ndjson);
        let warnings = self.warnings.iter().filter(|_| !is_part);
        let warnings = warnings.map(|warning| format!("warning: {warning}"));
        let refused = self.refused.iter().map(|Refusal { key, value, reason, can_be_forced }| {
            let hint = if *can_be_forced { "\nhint: --force sets it nonetheless" } else { "" };
            sanitize(&format!("{key} = {value}: {reason}")) + hint
        });
        warnings.chain(refused).collect()
    }

    /// What becomes of the file.
    fn drop_in(&self, style: Style) -> String {
        let (before, after) = (self.content_before.as_deref(), self.content.as_deref());
        match unified((&self.file, before), (&self.file, after), style) {
            same if same.is_empty() => {
                let what = if before.is_some() { "as it is" } else { "which is not there" };
                format!("{}\n", style.title(&format!("{}, {what}", sanitize(&self.file))))
            }
            difference => difference,
        }
    }
}

/// A line before and after; one line if they are the same.
fn diff(change: &Change, style: Style) -> String {
    let key = sanitize(&change.key.to_string());
    let line = |value: &str| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{key} = {}", sanitize(&value))
    };
    match &change.running {
        None => String::new(),
        Some(_) if !change.changes_running() => format!(" {}\n", line(&change.new)),
        Some(running) => {
            let removed = style.removed(&format!("-{}", line(running)));
            format!("{removed}\n{}\n", style.added(&format!("+{}", line(&change.new))))
        }
    }
}

impl Report for ApplyReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let running: String = self.changes.iter().map(|it| diff(it, style)).collect();
        if self.end != End::Refused {
            out.write_all(self.drop_in(style).as_bytes())?;
        }
        if !running.is_empty() {
            let gap = if self.end == End::Refused { "" } else { "\n" };
            write!(out, "{gap}{}\n{running}", style.title("Running values"))?;
        }
        // Where nothing is shown above it, it stands alone.
        let gap = if self.end == End::Refused && running.is_empty() { "" } else { "\n" };
        writeln!(out, "{gap}{}", self.end.words())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(["key", "running", "new", "file_before"])?;
            for Change { key, running, new, file_before, .. } in &self.changes {
                csv.serialize((key, running, new, file_before))?;
            }
            Ok(())
        })
    }
}

/// Shows the answer, and how a run with it ends.
pub fn finish(
    answered: Result<ApplyReport, Failure>,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let report = match answered {
        Ok(report) => report,
        Err(failure) => return failure.outcome(),
    };
    emit(&report, screen.format, screen.style, screen.out)?;
    screen.out.flush()?;
    let exit = if report.refused.is_empty() { Exit::Fine } else { Exit::Usage };
    Ok(Outcome { exit, messages: report.messages(screen.format) })
}
