//! Rows as they come, in each format; none is held.

use std::fmt::Display;
use std::io::{self, Write as _};

use super::progress::Progress;
use super::report::{Row, SCHEMA, Tail};
use super::text;
use crate::output::{Format, Screen, csv_rows, sanitize};

/// The columns of the CSV.
const COLUMNS: [&str; 18] = [
    "target",
    "address",
    "sequence",
    "outcome",
    "code",
    "name",
    "connect_ex",
    "deadline",
    "stage",
    "elapsed_us",
    "met",
    "local_address",
    "local_port",
    "icmp_type",
    "icmp_code",
    "icmp_from",
    "syn_retransmits",
    "rtt_us",
];

/// How much of a row is told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Why, and what helps.
    Full,
    /// A line.
    Line,
}

/// Writes rows to a screen.
pub struct Stream<'a, 'b> {
    screen: &'a mut Screen<'b>,
    detail: Detail,
    /// Whether somebody waits for each row.
    is_live: bool,
    progress: Option<Progress<'a>>,
    rows: u64,
}

impl<'a, 'b> Stream<'a, 'b> {
    /// Begins the answer; each row is handed on at once if it `is_live`.
    pub fn begin(
        screen: &'a mut Screen<'b>,
        detail: Detail,
        is_live: bool,
        captured_at: impl Display,
    ) -> io::Result<Self> {
        match screen.format {
            Format::Table | Format::Markdown | Format::Ndjson => {}
            Format::Csv => csv_rows(screen.out, |csv| csv.write_record(COLUMNS))?,
            Format::Json => write!(
                screen.out,
                "{{\"schema\":\"{SCHEMA}\",\"captured_at\":\"{captured_at}\",\"results\":["
            )?,
        }
        Ok(Self { screen, detail, is_live, progress: None, rows: 0 })
    }

    /// The same, telling beside the answer how far it is. A terminal shows both, so that each row is
    /// handed on at once.
    #[must_use]
    pub fn beside(self, progress: Option<Progress<'a>>) -> Self {
        Self { is_live: self.is_live || progress.is_some(), progress, ..self }
    }

    /// One more target was tried, whose rows were written.
    pub fn tried(&mut self, is_as_expected: bool) {
        if let Some(progress) = &mut self.progress {
            progress.tried(is_as_expected);
        }
    }

    /// Writes a row.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.progress.iter_mut().for_each(Progress::clear);
        let out = &mut *self.screen.out;
        match self.screen.format {
            Format::Table | Format::Markdown => {
                let text = match self.detail {
                    Detail::Full => text::block(row, self.rows == 0, self.screen.style),
                    Detail::Line => text::line(row, self.screen.style),
                };
                out.write_all(text.as_bytes())?;
            }
            Format::Csv => csv_row(out, row)?,
            Format::Ndjson => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")?;
            }
            Format::Json => {
                out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *out, row)?;
            }
        }
        self.rows += 1;
        if self.is_live { self.screen.out.flush() } else { Ok(()) }
    }

    /// Writes what stands behind the rows.
    pub fn end(mut self, tail: &Tail) -> io::Result<()> {
        self.progress.iter_mut().for_each(Progress::clear);
        let Screen { out, format, style } = self.screen;
        match format {
            Format::Json => {
                let members = serde_json::to_string(tail)?;
                let members = members.strip_prefix('{').unwrap_or(&members);
                writeln!(out, "\n],{members}")?;
            }
            Format::Table | Format::Markdown => {
                out.write_all(text::tail(tail, *style).as_bytes())?;
            }
            Format::Ndjson | Format::Csv => {}
        }
        out.flush()
    }
}

/// The fields in the order of [`COLUMNS`]; those of an end or a message are empty without one.
fn csv_row(out: &mut dyn io::Write, row: &Row) -> io::Result<()> {
    let local = row.local.as_ref();
    let icmp = row.icmp.as_ref();
    let before = (
        (sanitize(&row.target), row.address.as_deref().map(sanitize), row.sequence),
        (row.outcome, row.code, &row.name, row.connect_ex, row.deadline, row.stage),
        (row.elapsed_us, row.met),
    );
    let after = (
        (local.map(|it| &it.address), local.map(|it| it.port)),
        (icmp.map(|it| it.kind), icmp.map(|it| it.code), icmp.and_then(|it| it.from.as_ref())),
        (row.syn_retransmits, row.rtt_us),
    );
    csv_rows(out, |csv| csv.serialize((before, after)))
}
