//! A judgement: what was found, how bad it is, by which numbers, and what helps.

use serde::Serialize;
use serde_json::{Map, Value};

/// How bad a finding is. The order is the order of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    #[default]
    Ok,
    /// Worth knowing; nothing to do now.
    Info,
    /// It will hurt if it goes on.
    Warning,
    /// It hurts now.
    Critical,
}

impl Severity {
    /// The word of a headline.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Info => "NOTE",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

/// One judgement with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// A stable name for scripts, as in `TW_PORTS_EXHAUSTED`; `catalogue::findings` has them all.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an address, a port, a setting.
    pub subject: String,
    /// What happened, in one sentence without a full stop.
    pub message: String,
    /// The numbers that the judgement rests on; units are in the names.
    pub evidence: Map<String, Value>,
    /// What helps, most useful first.
    pub advice: Vec<String>,
}
