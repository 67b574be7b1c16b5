//! What `netkit wait` came to; the JSON of docs/schema/wait.json.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::follow::Course;
use super::progress::milliseconds;
use super::tally::{Quorum, Reason, Tally};
use super::text;
use crate::kernel::ending_signals::Signal;
use crate::output::{Report, Style, csv_rows, ndjson_rows};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.wait/1";

/// The answer.
#[derive(Debug, Serialize)]
pub struct WaitReport {
    /// `netkit.wait/1`.
    pub schema: &'static str,
    /// When the wait began, RFC 3339.
    pub captured_at: String,
    /// How long it took.
    #[serde(rename = "elapsed_ms", serialize_with = "in_milliseconds")]
    pub elapsed: Duration,
    /// The deadline, from the beginning; `None` without one.
    #[serde(rename = "timeout_ms", serialize_with = "in_milliseconds_if_any")]
    pub timeout: Option<Duration>,
    /// Whether all targets had to be met, or any.
    pub quorum: Quorum,
    /// Whether that is so.
    pub met: bool,
    /// The signal that ended it.
    pub signal: Option<&'static str>,
    /// The targets, as they were given.
    #[serde(serialize_with = "as_targets")]
    pub targets: Vec<Tally>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
}

/// What became of one target.
#[derive(Debug, Serialize)]
struct TargetResult<'a> {
    target: &'a str,
    condition: &'static str,
    met: bool,
    attempts: u64,
    elapsed_ms: Option<u64>,
    reaction_ms: Option<u64>,
    last: Option<Last<'a>>,
    reasons: &'a [Reason],
    free_in_ms: Option<u64>,
    free_in_at_most_ms: Option<u64>,
}

/// What was seen last.
#[derive(Debug, Serialize)]
pub struct Last<'a> {
    outcome: &'static str,
    code: Option<i32>,
    name: Option<&'a str>,
    by: Option<&'a str>,
    meaning: &'a str,
}

impl<'a> Last<'a> {
    /// What was seen last of a target; `None` if nothing was yet.
    pub fn of(tally: &'a Tally) -> Option<Self> {
        let seen = tally.last.as_ref()?;
        Some(Self {
            outcome: seen.outcome,
            code: seen.code,
            name: seen.name.as_deref(),
            by: seen.by.as_deref(),
            meaning: &seen.meaning,
        })
    }
}

impl WaitReport {
    /// The report of a wait that ended so.
    pub fn new(
        course: Course,
        captured_at: String,
        timeout: Option<Duration>,
        quorum: Quorum,
    ) -> Self {
        Self {
            schema: SCHEMA,
            captured_at,
            elapsed: course.elapsed,
            timeout,
            quorum,
            met: course.is_reached,
            signal: course.signal.map(Signal::as_str),
            targets: course.tallies,
            warnings: Vec::new(),
        }
    }

    /// Whether there is no verdict: a target that is not met was never seen, for want of something
    /// here.
    pub fn is_blind(&self) -> bool {
        let is_untold = |it: &Tally| it.is_final || it.attempts > 0 && !it.has_told;
        let is_unseen = |it: &Tally| !it.is_met() && is_untold(it);
        !self.met && self.targets.iter().any(is_unseen)
    }
}

fn result(tally: &Tally, elapsed: Duration) -> TargetResult<'_> {
    let due = tally.due_at(elapsed).filter(|_| !tally.is_met());
    TargetResult {
        target: &tally.watch.text,
        condition: tally.watch.condition.name(),
        met: tally.is_met(),
        attempts: tally.attempts,
        elapsed_ms: tally.met_at.map(milliseconds),
        reaction_ms: tally.reaction.map(milliseconds),
        last: Last::of(tally),
        reasons: &tally.reasons,
        free_in_ms: due.map(|due| milliseconds(due.left)),
        free_in_at_most_ms: due.and_then(|due| due.at_most).map(milliseconds),
    }
}

fn as_targets<S: Serializer>(tallies: &[Tally], out: S) -> Result<S::Ok, S::Error> {
    // The countdown is as of the last look, whatever happened since.
    out.collect_seq(tallies.iter().map(|tally| {
        let at = tally.due.map_or(Duration::ZERO, |(at, _)| at);
        result(tally, at)
    }))
}

fn in_milliseconds<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u64(milliseconds(*duration))
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn in_milliseconds_if_any<S: Serializer>(
    duration: &Option<Duration>,
    out: S,
) -> Result<S::Ok, S::Error> {
    duration.map(milliseconds).serialize(out)
}

/// The last line of the events: the report, called `result`.
#[derive(Serialize)]
struct Final<'a> {
    event: &'static str,
    #[serde(flatten)]
    report: &'a WaitReport,
}

/// The columns of the CSV.
const COLUMNS: [&str; 9] = [
    "target",
    "condition",
    "met",
    "attempts",
    "elapsed_ms",
    "reaction_ms",
    "outcome",
    "code",
    "name",
];

impl Report for WaitReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::render(self, style).as_bytes())
    }

    /// A line for each target.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(COLUMNS)?;
            for tally in &self.targets {
                let it = result(tally, self.elapsed);
                let last = it.last.as_ref();
                csv.serialize((
                    it.target,
                    it.condition,
                    it.met,
                    it.attempts,
                    it.elapsed_ms,
                    it.reaction_ms,
                    last.map(|last| last.outcome),
                    last.and_then(|last| last.code),
                    last.and_then(|last| last.name),
                ))?;
            }
            Ok(())
        })
    }

    /// The last of the events.
    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, [Final { event: "result", report: self }])
    }
}
