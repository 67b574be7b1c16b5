//! What `netkit states` found; the JSON of docs/schema/states.json.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::grouping::Groups;
use super::pileup::Pileup;
use super::text;
use crate::kernel::counters::{SockStat, TcpCounters};
use crate::kernel::owners::Owners;
use crate::model::{Finding, StateClass};
use crate::output::{Report, Style, csv_rows, microseconds, ndjson_rows};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.states/1";

/// The answer.
#[derive(Debug, Serialize)]
pub struct StatesReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When the tables were read, RFC 3339.
    pub captured_at: String,
    /// `sock_diag` or `proc`.
    pub source: &'static str,
    /// How long the looking took.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// Sockets that were asked for.
    pub total: u64,
    /// The same by state, the most frequent first.
    pub states: Vec<StateCount>,
    /// What the kernel's counters claim.
    pub counters: Counters,
    /// The groups of `--by`.
    #[serde(flatten)]
    pub groups: Option<Groups>,
    /// The holders of a pile of CLOSE_WAITs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_wait_owners: Option<Owners>,
    /// The verdict of `--time-wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pileup: Option<Pileup>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
    /// What is shown of it as text.
    #[serde(skip)]
    pub view: View,
}

/// What the text form shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Where was looked, as in `this network namespace`.
    pub place: String,
    /// The protocols, as in `TCP`.
    pub protocols: &'static str,
    /// How many destinations to show, 0 for all.
    pub top: usize,
    /// Whether a filter chose among the sockets.
    pub is_filtered: bool,
    /// Whether the rows were written already.
    pub has_listed: bool,
}

/// A state and its sockets.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StateCount {
    /// The state.
    pub state: StateClass,
    /// How many.
    pub sockets: u64,
}

/// The kernel's counters.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counters {
    /// /proc/net/sockstat and sockstat6.
    pub sockstat: SockStat,
    /// /proc/net/netstat and snmp; with a verdict only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_boot: Option<TcpCounters>,
}

impl StatesReport {
    /// Whether rows or groups are shown, in formats that show one thing.
    pub fn shows_sockets(&self) -> bool {
        self.view.has_listed || self.groups.is_some()
    }
}

/// The columns of the CSV of destinations.
const DESTINATION: [&str; 17] = [
    "source_address",
    "destination_address",
    "destination_port",
    "time_wait",
    "reusable",
    "fin_wait2_mini",
    "live",
    "headroom",
    "used_percent",
    "rate_per_s",
    "rate_60s_per_s",
    "ceiling_per_s",
    "hold_ms",
    "exhaustion_s",
    "closed_here_first",
    "closed_there_first",
    "severity",
];

impl Report for StatesReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::render(self, style).as_bytes())
    }

    /// The groups; or the destinations of the verdict; or the states.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            if let Some(groups) = &self.groups {
                let names = groups.keys.iter().map(|key| key.name());
                csv.write_record(names.chain(["sockets"]))?;
                for group in &groups.groups {
                    let values = group.key.values.iter().map(|value| value.text(""));
                    csv.write_record(values.chain([group.sockets.to_string()]))?;
                }
            } else if let Some(pileup) = &self.pileup {
                csv.write_record(DESTINATION)?;
                pileup
                    .destinations
                    .iter()
                    .try_for_each(|destination| csv.serialize(destination))?;
            } else {
                csv.write_record(["state", "sockets"])?;
                self.states.iter().try_for_each(|state| csv.serialize(state))?;
            }
            Ok(())
        })
    }

    /// The groups; sockets were written already.
    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, self.groups.iter().flat_map(|groups| &groups.groups))
    }
}
