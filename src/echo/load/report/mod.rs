//! What a load came to; the JSON of docs/schema/echo.json.

mod counts;
mod csv;
mod errors;

use std::io::{self, Write};

pub use counts::{Counts, DatagramReport};
pub use errors::ErrorRow;

use serde::Serialize;

use super::latency::{Latencies, Summary};
use super::plan::{Close, Plan};
use super::tally::Tally;
use super::text;
use super::thresholds::{Measured, Verdict};
use crate::echo::client::target::Peer;
use crate::echo::client::trouble::Failure;
use crate::echo::transform::Transform;
use crate::output::{Report, Style, ndjson_rows};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.echo/1";

/// The whole.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// `load`; in lines of JSON, it tells the end from the intervals.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When it began.
    pub captured_at: String,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
    /// The target as it was written.
    pub target: String,
    /// The address of the peer.
    pub address: String,
    /// `tcp`, `udp`, `unix`, `unix-dgram`, `unix-seqpacket`.
    pub carrier: &'static str,
    /// `open` with a rate, `closed` without.
    #[serde(rename = "loop")]
    pub loop_kind: &'static str,
    /// The rate that was asked for.
    pub rate_asked: Option<f64>,
    /// Connections, or flows.
    pub connections: usize,
    /// The shortest message.
    pub size_min: usize,
    /// The longest.
    pub size_max: usize,
    /// Messages under way on a connection at most.
    pub pipeline: usize,
    /// Whether each message had a connection of its own.
    pub reconnect: bool,
    /// How connections were closed.
    pub close: &'static str,
    /// Whether each byte was compared.
    pub verified: bool,
    /// What the server was said to do to what it sends back.
    #[serde(skip)]
    pub transform: Transform,
    /// The time measured.
    pub measured_ms: u64,
    /// The same, to the microsecond, for people.
    #[serde(skip)]
    pub measured_us: u64,
    /// Whether the user ended it early.
    pub interrupted: bool,
    /// How it ended.
    pub end: End,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// From the moment a message was due to its reply; `None` if none came.
    pub latency: Option<Summary>,
    /// From the moment it was sent; with a rate alone.
    pub latency_from_send: Option<Summary>,
    /// How long connecting took.
    pub connect: Option<Summary>,
    /// What failed.
    pub errors: Vec<ErrorRow>,
    /// Of datagrams alone.
    pub datagrams: Option<DatagramReport>,
    /// TIME_WAITs.
    pub time_wait: TimeWaits,
    /// What was demanded, and what came of it.
    pub thresholds: Vec<Verdict>,
}

/// How a load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As it was to.
    Planned,
    /// The user ended it.
    Interrupted,
    /// Nobody was there, or nobody any more.
    GivenUp,
}

/// TIME_WAITs of the network namespace; of a load over TCP alone.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TimeWaits {
    /// That began during the run; `None` where the kernel's counters cannot be read.
    pub made: Option<u64>,
    /// That there are after it.
    pub now: Option<u64>,
}

/// What is known besides the counts.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The target as it was written.
    pub target: String,
    /// Whom it was sent to.
    pub peer: Peer,
    /// When it began.
    pub captured_at: String,
    /// The time measured.
    pub measured_ns: u64,
    /// Whether the user ended it.
    pub interrupted: bool,
    /// TIME_WAITs.
    pub time_wait: TimeWaits,
    /// What has to be known.
    pub warnings: Vec<String>,
}

impl LoadReport {
    /// The report of `tally`.
    pub fn new(plan: &Plan, tally: &Tally, about: Circumstances) -> Self {
        let counts = Counts::of(tally, about.measured_ns);
        let measured = Measured {
            p99_us: tally.latencies.percentile_us(99.0),
            loss_percent: tally.loss_percent(),
            rate: counts.rate_per_s,
        };
        let carrier = about.peer.carrier;
        let row = |(failure, count): &(Failure, u64)| {
            ErrorRow::new(&about.peer.trouble(*failure, &plan.socket), *count)
        };
        let errors = tally.failures.iter().map(row).collect();
        Self {
            schema: SCHEMA,
            kind: "load",
            captured_at: about.captured_at,
            warnings: about.warnings,
            target: about.target,
            address: about.peer.to_string(),
            carrier: carrier.name(),
            loop_kind: if plan.rate.is_some() { "open" } else { "closed" },
            rate_asked: plan.rate,
            connections: plan.connections,
            size_min: plan.sizes.0,
            size_max: plan.sizes.1,
            pipeline: plan.pipeline,
            reconnect: plan.reconnect,
            close: match plan.close {
                Close::Fin => "fin",
                Close::Rst => "rst",
            },
            verified: plan.verify,
            transform: plan.transform,
            measured_ms: about.measured_ns / 1_000_000,
            measured_us: about.measured_ns / 1000,
            interrupted: about.interrupted,
            end: match (about.interrupted, tally.is_given_up) {
                (true, _) => End::Interrupted,
                (_, true) => End::GivenUp,
                (false, false) => End::Planned,
            },
            counts,
            latency: tally.latencies.summary(),
            latency_from_send: tally.from_send.as_ref().and_then(Latencies::summary),
            connect: tally.connects.summary().filter(|_| carrier.is_connected()),
            errors,
            datagrams: carrier.keeps_messages().then(|| DatagramReport::of(tally)),
            time_wait: about.time_wait,
            thresholds: plan.thresholds.judge(&measured),
        }
    }

    /// Whether all is as it should be. A loss is for `--max-loss` to judge, where it is given.
    pub fn is_fine(&self) -> bool {
        let is_judged = self.thresholds.iter().any(|it| it.name == "max-loss");
        let is_whole = is_judged || (self.counts.lost == 0 && self.counts.not_opened == 0);
        self.counts.corrupted == 0
            && self.counts.unexpected_bytes == 0
            && is_whole
            && self.counts.received > 0
            && self.end != End::GivenUp
            && self.thresholds.iter().all(|it| it.is_met)
    }
}

impl Report for LoadReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::load(self, style).as_bytes())
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, [self])
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv::write(self, out)
    }
}
