//! What a server has done; the JSON of docs/schema/echo_server.json.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use super::guard::Refusal;
use super::shared::Shared;
use super::tally::{Counter, End, Tally};
use super::text;
use crate::catalogue::errnos;
use crate::kernel::clock::now;
use crate::output::{Report, Style, csv_rows, microseconds};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.echo_server/1";

/// Why a server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// SIGINT or SIGTERM.
    Signal,
    /// Its time was over.
    Lifetime,
    /// It has served the one that it was for.
    OneOff,
}

/// The statistics.
#[derive(Clone, Debug, Serialize)]
pub struct ServerReport {
    /// `netkit.echo_server/1`.
    pub schema: &'static str,
    /// When they were taken.
    pub captured_at: String,
    /// How long the server had served by then.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// Where it serves.
    pub addresses: Vec<String>,
    /// Why it stopped; `None` while it serves.
    pub stopped: Option<Stopped>,
    /// Connections.
    pub connections: Connections,
    /// Datagrams.
    pub datagrams: Datagrams,
    /// Lines of the log that nobody read in time.
    pub log_lines_lost: u64,
    /// What has to be known about the server.
    pub warnings: Vec<String>,
}

/// What came in connections.
#[derive(Clone, Debug, Serialize)]
pub struct Connections {
    /// Connections that were taken.
    pub accepted: u64,
    /// Those of them that are open.
    pub open: u64,
    /// Those that have ended, and why.
    pub ended: Vec<Ended>,
    /// How often the server stopped taking connections, at `max_connections`.
    pub at_limit: u64,
    /// What accept(2) failed with.
    pub accept_errors: Vec<AcceptError>,
    /// Reads that brought something.
    pub reads: u64,
    /// Bytes that came.
    pub received_bytes: u64,
    /// Bytes that went back.
    pub sent_bytes: u64,
}

/// Connections that ended for one reason.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ended {
    /// The reason.
    pub end: End,
    /// How many.
    pub connections: u64,
}

/// An error of accept(2).
#[derive(Clone, Debug, Serialize)]
pub struct AcceptError {
    /// Its C name.
    pub errno: String,
    /// How often.
    pub times: u64,
}

/// What came in datagrams.
#[derive(Clone, Debug, Serialize)]
pub struct Datagrams {
    /// Datagrams that came.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Datagrams that went back.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Those that were not answered, and why.
    pub refused: Vec<Refused>,
}

/// Datagrams that were not answered for one reason.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Refused {
    /// The reason.
    pub reason: Refusal,
    /// How many.
    pub datagrams: u64,
}

impl ServerReport {
    /// The statistics of `shared` now, of a server that has served for so long.
    pub fn of(shared: &Shared, addresses: &[String], elapsed: Duration) -> Self {
        Self {
            schema: SCHEMA,
            captured_at: now().to_string(),
            elapsed,
            addresses: addresses.to_vec(),
            stopped: None,
            connections: Connections::of(shared),
            datagrams: Datagrams::of(shared),
            log_lines_lost: shared.lost_lines.load(Ordering::Relaxed),
            warnings: Vec::new(),
        }
    }
}

impl Connections {
    fn of(shared: &Shared) -> Self {
        let sum = |counter: fn(&Tally) -> &Counter| {
            shared.tallies.iter().map(|tally| counter(tally).get()).sum()
        };
        let errors = shared.accept_errors().into_iter();
        Self {
            accepted: shared.accepted.load(Ordering::Relaxed),
            open: u64::try_from(shared.limits.open()).unwrap_or(u64::MAX),
            ended: ended(shared),
            at_limit: shared.at_limit.load(Ordering::Relaxed),
            accept_errors: errors
                .map(|(code, times)| AcceptError { errno: errnos::name(code), times })
                .collect(),
            reads: sum(|tally| &tally.reads),
            received_bytes: sum(|tally| &tally.received),
            sent_bytes: sum(|tally| &tally.sent),
        }
    }
}

fn ended(shared: &Shared) -> Vec<Ended> {
    let mut all = std::collections::BTreeMap::new();
    for (end, connections) in shared.tallies.iter().flat_map(Tally::ends) {
        *all.entry(end).or_insert(0) += connections;
    }
    all.into_iter().map(|(end, connections)| Ended { end, connections }).collect()
}

impl Datagrams {
    fn of(shared: &Shared) -> Self {
        let tally = &shared.datagrams;
        let refused = tally.refused().into_iter();
        Self {
            received: tally.received.get(),
            received_bytes: tally.received_bytes.get(),
            sent: tally.sent.get(),
            sent_bytes: tally.sent_bytes.get(),
            refused: refused.map(|(reason, datagrams)| Refused { reason, datagrams }).collect(),
        }
    }
}

impl Report for ServerReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::render(self, style).as_bytes())
    }

    /// One line: what came and went.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record([
                "captured_at",
                "elapsed_us",
                "accepted",
                "open",
                "received_bytes",
                "sent_bytes",
                "datagrams_received",
                "datagrams_sent",
                "datagrams_refused",
            ])?;
            let refused: u64 = self.datagrams.refused.iter().map(|it| it.datagrams).sum();
            csv.serialize((
                &self.captured_at,
                u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX),
                self.connections.accepted,
                self.connections.open,
                self.connections.received_bytes,
                self.connections.sent_bytes,
                self.datagrams.received,
                self.datagrams.sent,
                refused,
            ))
        })
    }
}
