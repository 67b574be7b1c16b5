//! What came of messages, as it is told: JSON, rows of it, CSV, or the replies as they came.

use std::io;

use serde::Serialize;

use super::exchange::{text_of, without_end};
use super::failure_row::FailureRow;
use super::trouble::Trouble;
use crate::kernel::clock;
use crate::kernel::standard_input::output_is_terminal;
use crate::output::{Format, Screen, csv_rows, ndjson_rows, sanitize};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.echo_messages/1";

/// What came of all; the JSON of docs/schema/echo_messages.json.
#[derive(Debug, Serialize)]
pub(super) struct MessagesReport {
    schema: &'static str,
    captured_at: String,
    warnings: Vec<String>,
    /// The peer's address; as it was written, where it has none.
    address: String,
    /// Ours; `None` without a connection.
    local: Option<String>,
    /// What failed first.
    error: Option<FailureRow>,
    pub(super) replies: Vec<Row>,
}

/// What came of one.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What was sent, as text.
    pub(super) message: String,
    /// What came; `None` if nothing did.
    pub(super) reply: Option<String>,
    /// From the send to the reply.
    pub(super) elapsed_us: Option<u64>,
    /// `ok`, `wrong`, `missing`, `unjudged`, `empty`, `unsent`.
    pub(super) verdict: &'static str,
}

impl Row {
    /// Of a message of which nothing is known yet but that it was not sent.
    pub(super) fn unsent(message: &[u8]) -> Self {
        let message = String::from_utf8_lossy(message).into_owned();
        Self { message, reply: None, elapsed_us: None, verdict: "unsent" }
    }
}

impl MessagesReport {
    /// Of no message yet.
    pub(super) fn new(address: String, local: Option<String>) -> Self {
        Self {
            schema: SCHEMA,
            captured_at: clock::now().to_string(),
            warnings: Vec::new(),
            address,
            local,
            error: None,
            replies: Vec::new(),
        }
    }

    /// Takes what failed, if it is the first.
    pub(super) fn failed(&mut self, trouble: &Trouble) {
        self.error.get_or_insert_with(|| FailureRow::of(trouble));
    }

    /// Takes `row`, and prints it with its `reply`, in formats that tell each at once.
    pub(super) fn add(
        &mut self,
        row: Row,
        reply: &[u8],
        screen: &mut Screen<'_>,
    ) -> io::Result<()> {
        match screen.format {
            Format::Table if row.reply.is_some() && !output_is_terminal() => {
                // Who compares them is to have what came.
                screen.out.write_all(without_end(reply))?;
                screen.out.write_all(b"\n")?;
            }
            Format::Table | Format::Markdown if row.reply.is_some() => {
                writeln!(screen.out, "{}", sanitize(&text_of(reply)))?;
            }
            Format::Ndjson => ndjson_rows(screen.out, [&row])?,
            Format::Table | Format::Markdown | Format::Json | Format::Csv => {}
        }
        self.replies.push(row);
        screen.out.flush()
    }

    /// Prints what came of all, in formats that tell it at the end.
    pub(super) fn end(&self, screen: &mut Screen<'_>) -> io::Result<()> {
        match screen.format {
            Format::Table | Format::Markdown | Format::Ndjson => {}
            Format::Json => {
                serde_json::to_writer_pretty(&mut *screen.out, self)?;
                screen.out.write_all(b"\n")?;
            }
            Format::Csv => csv_rows(screen.out, |csv| {
                csv.write_record(["message", "reply", "elapsed_us", "verdict"])?;
                self.replies.iter().try_for_each(|row| csv.serialize(row))
            })?,
        }
        // What is kept back by a buffer can still fail to be written.
        screen.out.flush()
    }
}
