//! Why a change was not made: what the user can put right, and the rest.

use crate::exit::Exit;
use crate::kernel::KernelError;
use crate::output::Outcome;

/// Nothing was changed, because of this.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for is wrong: exit code 2.
    Usage(String),
    /// It could not be done: exit code 3.
    Blind(anyhow::Error),
}

impl From<KernelError> for Failure {
    fn from(error: KernelError) -> Self {
        Self::Blind(error.into())
    }
}

impl Failure {
    /// How a run ends with it.
    pub fn outcome(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Usage(problem) => Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
            Self::Blind(error) => Err(error),
        }
    }
}
