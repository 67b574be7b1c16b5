//! What of a load has failed, as it is told.

use serde::Serialize;

use crate::echo::client::trouble::Trouble;

/// What failed.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    /// `bind`, `connect`, `send`, `receive`.
    pub step: &'static str,
    /// The error number; `None` if it was none of the kernel's.
    pub code: Option<i32>,
    /// Its C name, `timeout`, `closed` or `self-connect`.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// How often.
    pub count: u64,
    /// The host that sent the ICMP message it is of.
    pub icmp_from: Option<String>,
    /// What helps; `None` where nothing is known to.
    pub hint: Option<String>,
    /// What happened, to which address, for people.
    #[serde(skip)]
    pub headline: String,
}

impl ErrorRow {
    pub(super) fn new(trouble: &Trouble, count: u64) -> Self {
        let failure = &trouble.failure;
        Self {
            step: failure.step.name(),
            code: failure.code(),
            name: failure.name(),
            meaning: failure.meaning(trouble.carrier),
            count,
            icmp_from: failure.icmp().and_then(|it| it.from).map(|from| from.to_string()),
            hint: trouble.hint(),
            headline: trouble.headline(),
        }
    }
}
