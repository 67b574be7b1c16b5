//! What failed with a peer, as JSON has it.

use serde::Serialize;

use super::trouble::Trouble;

/// What failed.
#[derive(Clone, Debug, Serialize)]
pub struct FailureRow {
    /// `resolve`, `bind`, `connect`, `send`, `receive`.
    pub step: &'static str,
    /// The error number; `None` if it was none of the kernel's.
    pub code: Option<i32>,
    /// Its C name, `timeout`, `closed` or `self-connect`.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// The host that sent the ICMP message it is of.
    pub icmp_from: Option<String>,
    /// What helps; `None` where nothing is known to.
    pub hint: Option<String>,
}

impl FailureRow {
    /// That of `trouble`.
    pub fn of(trouble: &Trouble) -> Self {
        let failure = &trouble.failure;
        Self {
            step: failure.step.name(),
            code: failure.code(),
            name: failure.name(),
            meaning: failure.meaning(trouble.carrier),
            icmp_from: failure.icmp().and_then(|it| it.from).map(|from| from.to_string()),
            hint: trouble.hint(),
        }
    }
}
