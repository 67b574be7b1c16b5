//! The log: a line for each connection, when it has ended.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;

use super::tally::End;
use crate::kernel::clock::now;
use crate::output::numbers::bytes;
use crate::output::{microseconds, sanitize};

/// The name and version of the JSON of a line.
pub const SCHEMA: &str = "netkit.echo_connection/1";

/// Lines that wait to be written. Whoever reads them slower than connections end loses the rest,
/// which is counted; the server does not wait for its log.
const LINES: usize = 16_384;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// A JSON object a line
    Json,
}

/// What is written.
#[derive(Debug)]
pub enum Entry {
    /// A line of the log, with its end, or several.
    Line(String),
    /// A warning, which is for standard error.
    Warning(String),
    /// What is good to know, for whoever looks on.
    Note(String),
    /// The live line of now.
    Status(String),
}

/// Where lines go.
#[derive(Clone, Debug)]
pub struct Log {
    entries: SyncSender<Entry>,
}

impl Log {
    /// A log, and what reads it.
    pub fn new() -> (Self, Receiver<Entry>) {
        let (entries, reader) = sync_channel(LINES);
        (Self { entries }, reader)
    }

    /// Adds a line; false if it is lost.
    pub fn add(&self, line: String) -> bool {
        match self.entries.try_send(Entry::Line(line)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Warns. At the start, when there is room for it.
    pub fn warn(&self, warning: &str) {
        drop(self.entries.try_send(Entry::Warning(warning.to_owned())));
    }

    /// Tells whoever looks on; it may be lost.
    pub fn note(&self, words: String) {
        drop(self.entries.try_send(Entry::Note(words)));
    }

    /// Shows the live line; the next one does as well, where this is lost.
    pub fn show(&self, status: String) {
        drop(self.entries.try_send(Entry::Status(status)));
    }
}

/// What is known of a connection from its start, where it will be logged.
#[derive(Debug)]
pub struct Opened {
    /// Which it is, from 1.
    pub id: u64,
    /// The other end.
    pub peer: String,
    /// When it was taken.
    pub at: Timestamp,
    /// The same, for its duration.
    pub since: Instant,
}

/// A line of the log.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// `netkit.echo_connection/1`.
    pub schema: &'static str,
    /// When the connection ended.
    pub captured_at: String,
    /// Which it was, from 1.
    pub id: u64,
    /// Where it was taken.
    pub address: &'a str,
    /// The other end.
    pub peer: &'a str,
    /// When it was taken.
    pub opened_at: String,
    /// How long it was open.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// Bytes that came.
    pub received_bytes: u64,
    /// Bytes that went back.
    pub sent_bytes: u64,
    /// Why it ended.
    pub end: End,
    /// The error that ended it, by its C name.
    pub errno: Option<String>,
}

impl<'a> Line<'a> {
    /// The line of a connection that was `opened` and has ended now.
    pub fn of(opened: &'a Opened, address: &'a str, end: End, errno: Option<String>) -> Self {
        Self {
            schema: SCHEMA,
            captured_at: format!("{:.3}", now()),
            id: opened.id,
            address,
            peer: &opened.peer,
            opened_at: format!("{:.3}", opened.at),
            elapsed: opened.since.elapsed(),
            received_bytes: 0,
            sent_bytes: 0,
            end,
            errno,
        }
    }

    /// Its text, with the newline.
    pub fn write(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Json => {
                let object = serde_json::to_string(self);
                object.map(|object| object + "\n").unwrap_or_default()
            }
            LogFormat::Text => {
                let errno = self.errno.as_deref().map(|errno| format!(" ({errno})"));
                format!(
                    "{} {} → {}  {} in, {} out, {:.1} ms: {}{}\n",
                    self.captured_at,
                    sanitize(self.peer),
                    sanitize(self.address),
                    bytes(self.received_bytes),
                    bytes(self.sent_bytes),
                    self.elapsed.as_secs_f64() * 1000.0,
                    self.end.words(),
                    errno.unwrap_or_default()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_one_width_so_that_lines_can_be_sorted_and_read_below_each_other() {
        for text in ["2026-11-28T09:00:00Z", "2026-11-28T09:00:00.5Z", "2026-11-28T09:00:00.123Z"] {
            let at: Timestamp = text.parse().unwrap();
            let opened = Opened { id: 1, peer: "peer".to_owned(), at, since: Instant::now() };
            let line = Line::of(&opened, "here", End::PeerClosed, None);
            let width = "2026-11-28T09:00:00.123Z".len();
            assert_eq!((line.opened_at.len(), line.captured_at.len()), (width, width), "{text}");
        }
    }
}
