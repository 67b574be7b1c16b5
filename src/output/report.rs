//! A report in its formats.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::numbers::microseconds_of;
use super::{Format, Style};

/// What a command found, and how each format shows it.
pub trait Report: Serialize {
    /// Writes it for people.
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()>;

    /// Writes it as a header line and values.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes its lines, each a JSON object; the whole in one, where it has no rows of its own.
    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, [self])
    }

    /// Writes it as Markdown, where the command has that: the root of the command line lets no other
    /// be asked for it.
    fn write_markdown(&self, _out: &mut dyn Write) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this answer has no Markdown"))
    }
}

/// Writes each of `rows` as JSON in a line of its own.
pub fn ndjson_rows(
    out: &mut dyn Write,
    rows: impl IntoIterator<Item = impl Serialize>,
) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes the lines of CSV that `fill` makes; it writes their header itself.
///
/// By way of memory: the csv crate's errors do not tell that a pipe was closed.
pub fn csv_rows(
    out: &mut dyn Write,
    fill: impl FnOnce(&mut csv::Writer<&mut Vec<u8>>) -> csv::Result<()>,
) -> io::Result<()> {
    let mut lines = Vec::new();
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(&mut lines);
    fill(&mut csv)?;
    csv.flush()?;
    drop(csv);
    out.write_all(&lines)
}

/// Writes `report` to `out`.
pub fn emit(
    report: &impl Report,
    format: Format,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => report.write_text(out, style),
        Format::Csv => report.write_csv(out),
        Format::Ndjson => report.write_ndjson(out),
        Format::Markdown => report.write_markdown(out),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            out.write_all(b"\n")
        }
    }
}

/// Ends an object of which the first members were streamed: writes the members of `report` without
/// the brace that opens it.
pub fn json_tail(report: &impl Report, out: &mut dyn Write) -> io::Result<()> {
    let object = serde_json::to_string(report)?;
    out.write_all(object.strip_prefix('{').unwrap_or(&object).as_bytes())?;
    out.write_all(b"\n")
}

/// A duration as a member whose name ends in `_us`, for serde's `serialize_with`.
pub fn microseconds<S: Serializer>(elapsed: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u64(microseconds_of(*elapsed))
}
