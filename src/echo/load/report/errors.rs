//! What of a load has failed, as it is told.

use serde::Serialize;

use crate::echo::client::failure_row::FailureRow;
use crate::echo::client::trouble::Trouble;

/// What failed.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    /// The step, the error and what helps.
    #[serde(flatten)]
    pub failure: FailureRow,
    /// How often.
    pub count: u64,
    /// What happened, to which address, for people.
    #[serde(skip)]
    pub headline: String,
}

impl ErrorRow {
    pub(super) fn new(trouble: &Trouble, count: u64) -> Self {
        Self { failure: FailureRow::of(trouble), count, headline: trouble.headline() }
    }
}
