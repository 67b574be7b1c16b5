//! What `netkit bind` found; the JSON of docs/schema/bind.json.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::blockers::Blocker;
use super::probe::OptionTrial;
use super::remedies::Remedy;
use super::text;
use crate::catalogue::errnos;
use crate::exit::Exit;
use crate::model::Finding;
use crate::output::{Report, Style, csv_rows, microseconds, sanitize};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.bind/1";

/// The answer.
#[derive(Debug, Serialize)]
pub struct BindReport {
    /// `netkit.bind/1`.
    pub schema: &'static str,
    /// When the kernel was asked, RFC 3339.
    pub captured_at: String,
    /// How long that took.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// `tcp`, `udp` or `unix`.
    pub protocol: &'static str,
    /// What was asked for.
    pub address: String,
    /// The error number of the bind that is judged; 0 if it is accepted.
    pub code: i32,
    /// Its C name; `OK` for 0.
    pub name: String,
    /// What it means.
    pub meaning: &'static str,
    /// The call that gave it.
    pub stage: &'static str,
    /// Whether listen(2) was tried.
    pub listened: bool,
    /// Whether such a bind succeeds now.
    pub free: bool,
    /// Every combination of options, and what bind(2) says to it.
    pub options: Vec<OptionAnswer>,
    /// Who refuses the bind that is judged.
    pub blockers: Vec<Blocker>,
    /// Who has the address too, where the judged bind succeeds beside them.
    pub shares_with: Vec<Blocker>,
    /// Processes whose descriptors could not be looked into for their owners.
    pub blockers_hidden_processes: u64,
    /// Whether it frees itself, where that is known.
    pub frees_itself: Option<bool>,
    /// When the last mini-socket's timer runs out.
    pub frees_at: Option<String>,
    /// The same from now.
    pub frees_in_ms: Option<u64>,
    /// The latest that it can be.
    pub frees_in_at_most_ms: Option<u64>,
    /// What helps, most useful first, and what does not.
    pub remedies: Vec<Remedy>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
    /// What is shown of it as text.
    #[serde(skip)]
    pub view: View,
}

/// What only the text form shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The options that are judged for, as in `SO_REUSEADDR`.
    pub judged: String,
    /// Another network namespace, in words.
    pub place: Option<String>,
    /// The time of day at which it frees itself.
    pub frees_at: Option<String>,
}

/// A combination of options and the kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the JSON")]
pub struct OptionAnswer {
    /// `SO_REUSEADDR`.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// `IPV6_V6ONLY`, as the socket had it.
    pub v6only: bool,
    /// The error number; 0 if it was accepted.
    pub code: i32,
    /// Its C name; `OK` for 0.
    pub name: String,
    /// Whether the kernel was asked, and it does not follow from another answer.
    pub verified: bool,
}

impl From<OptionTrial> for OptionAnswer {
    fn from(option: OptionTrial) -> Self {
        Self {
            reuse_addr: option.reuse_addr,
            reuse_port: option.reuse_port,
            v6only: option.trial.v6only,
            code: option.trial.code,
            name: errnos::name(option.trial.code),
            verified: option.verified,
        }
    }
}

impl BindReport {
    /// How a run with this answer ends.
    pub fn exit(&self) -> Exit {
        if self.free { Exit::Fine } else { Exit::Found }
    }
}

/// The columns of the CSV.
const BLOCKER: [&str; 11] = [
    "role",
    "state",
    "local",
    "remote",
    "expires_ms",
    "uid",
    "pid",
    "name",
    "fd",
    "reuse_addr",
    "reuse_port",
];

impl Report for BindReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::render(self, style).as_bytes())
    }

    /// The blockers, one line for each that has them open.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(BLOCKER)?;
            for blocker in &self.blockers {
                let owners = blocker.owners.iter().map(Some);
                let nobody = blocker.owners.is_empty().then_some(None);
                for owner in owners.chain(nobody) {
                    let owner = owner.map(|it| (it.pid, sanitize(&it.name), it.fd));
                    csv.serialize((
                        blocker.role,
                        blocker.state,
                        &blocker.local,
                        &blocker.remote,
                        blocker.expires_ms,
                        blocker.uid,
                        owner.as_ref().map(|(pid, _, _)| pid),
                        owner.as_ref().map(|(_, name, _)| name),
                        owner.as_ref().map(|(_, _, fd)| fd),
                        blocker.reuse_addr,
                        blocker.reuse_port,
                    ))?;
                }
            }
            Ok(())
        })
    }
}
