//! What `netkit connect` found; the JSON of docs/schema/connect.json.

use std::net::SocketAddr;

use serde::Serialize;

use super::attempt::Attempt;
use super::causes::Diagnosis;
use super::expectation::Expected;
use super::layers::LayerStep;
use super::outcome::Outcome;
use super::statistics::Statistics;
use crate::kernel::error_queue::IcmpError;
use crate::model::Finding;
use crate::output::numbers::microseconds_of;

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.connect/1";

/// What came of one attempt at one address of one target.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The target as it was written.
    pub target: String,
    /// The address: an IP address, or the name of a Unix socket; `None` if it was not resolved.
    pub address: Option<String>,
    /// Which attempt it was, from 1; `None` where each target is tried once.
    pub sequence: Option<u64>,
    /// In one word.
    pub outcome: Outcome,
    /// The error number; 0 for none, negative for one of getaddrinfo(3).
    pub code: i32,
    /// Its C name; `OK` for 0.
    pub name: String,
    /// What Python's `socket.connect_ex` gives; `None` where it raises.
    pub connect_ex: Option<i32>,
    /// Whether it was our deadline that ended it.
    pub deadline: bool,
    /// The call that it ended with.
    pub stage: &'static str,
    /// From the first call to the answer.
    pub elapsed_us: u64,
    /// What was expected.
    pub expected: Vec<String>,
    /// Whether it is that.
    pub met: bool,
    /// This end.
    pub local: Option<End>,
    /// The ICMP message that ended it.
    pub icmp: Option<Icmp>,
    /// How often the SYN was sent again.
    pub syn_retransmits: Option<u32>,
    /// The round trip of the handshake.
    pub rtt_us: Option<u32>,
    /// The first bytes that the other end sent, as text; what is not UTF-8 is replaced.
    pub reply: Option<String>,
    /// What it means.
    pub meaning: String,
    /// Why it is so, as far as that could be seen; the likeliest first.
    pub causes: Vec<String>,
    /// What helps, in order of use.
    pub advice: Vec<String>,
    /// The steps from the name to the application, with `--layers`.
    pub layers: Option<Vec<LayerStep>>,
    /// Our deadline, for people.
    #[serde(skip)]
    pub timeout_us: u64,
    /// Whether it was waited for what the other end says unasked, for people.
    #[serde(skip)]
    pub is_listened_to: bool,
}

/// One end of a connection.
#[derive(Clone, Debug, Serialize)]
pub struct End {
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for End {
    fn from(end: SocketAddr) -> Self {
        Self { address: end.ip().to_string(), port: end.port() }
    }
}

/// An ICMP message.
#[derive(Clone, Debug, Serialize)]
pub struct Icmp {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// Who sent it.
    pub from: Option<String>,
}

impl From<IcmpError> for Icmp {
    fn from(icmp: IcmpError) -> Self {
        Self { kind: icmp.kind, code: icmp.code, from: icmp.from.map(|ip| ip.to_string()) }
    }
}

impl Row {
    /// The row of `attempt`, with the reasons that were found for it.
    pub fn new(
        target: String,
        attempt: &Attempt,
        diagnosis: Diagnosis,
        expect: &[Expected],
    ) -> Self {
        Self {
            target,
            address: attempt.destination.as_ref().map(ToString::to_string),
            sequence: None,
            outcome: attempt.outcome,
            code: attempt.code,
            name: attempt.name(),
            connect_ex: attempt.connect_ex,
            deadline: attempt.deadline,
            stage: attempt.stage.word(),
            elapsed_us: microseconds_of(attempt.elapsed),
            expected: expect.iter().map(ToString::to_string).collect(),
            met: expect.iter().any(|it| it.is_met_by(attempt)),
            local: attempt.local.map(End::from),
            icmp: attempt.icmp.map(Icmp::from),
            syn_retransmits: attempt.syn_retransmits,
            rtt_us: attempt.rtt_us,
            reply: attempt.reply.as_deref().map(|it| String::from_utf8_lossy(it).into_owned()),
            meaning: diagnosis.meaning,
            causes: diagnosis.causes,
            advice: diagnosis.advice,
            layers: diagnosis.layers,
            timeout_us: 0,
            is_listened_to: false,
        }
    }
}

/// What stands behind the rows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tail {
    /// What came of targets that were tried many times, each address by itself.
    pub statistics: Vec<Statistics>,
    /// What of all targets together is worth a name.
    pub findings: Vec<Finding>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
}

/// Findings that are kept: the rest is counted.
const FINDINGS: usize = 100;

impl Tail {
    /// Counts an attempt to its address.
    pub fn count(&mut self, row: &Row) {
        let is_it = |it: &&mut Statistics| it.target == row.target && it.address == row.address;
        if let Some(known) = self.statistics.iter_mut().find(is_it) {
            known.count(row);
            return;
        }
        let mut new = Statistics::of(row.target.clone(), row.address.clone());
        new.count(row);
        self.statistics.push(new);
    }

    /// Takes a finding, once for each subject.
    pub fn add(&mut self, finding: Finding) {
        let is_known = |it: &Finding| (it.id, &it.subject) == (finding.id, &finding.subject);
        if self.findings.len() < FINDINGS && !self.findings.iter().any(is_known) {
            self.findings.push(finding);
        }
    }
}
