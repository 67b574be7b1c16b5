//! What happened on a path. Pure.

use std::time::Duration;

use crate::catalogue::errnos::{EMFILE, ENFILE};
use crate::echo::client::trouble::{Failure, Why};
use crate::kernel::scratch_directory::OfNoUse;

/// What happened on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Both transfers came back.
    Came {
        /// The small one.
        small: Duration,
        /// The large one.
        large: Duration,
    },
    /// A step failed.
    Failed {
        /// Which.
        failed: Failed,
        /// What there was before it.
        small: Small,
    },
}

/// The small messages that came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Small {
    /// How many.
    pub came: u64,
    /// The shortest round trip.
    pub shortest: Option<Duration>,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// A call of the server's: socket, bind, listen.
    Serving {
        /// The call.
        call: &'static str,
        /// The error number.
        code: i32,
    },
    /// There is no directory for the file of a socket.
    NoDirectory(Vec<OfNoUse>),
    /// A step of the client's.
    Client(Failure),
    /// What came back was not what was sent.
    Wrong,
}

impl From<Failed> for Happened {
    fn from(failed: Failed) -> Self {
        Self::Failed { failed, small: Small::default() }
    }
}

impl Small {
    /// One more, that took this long.
    pub fn add(&mut self, took: Duration) {
        self.came += 1;
        self.shortest = Some(self.shortest.map_or(took, |it| it.min(took)));
    }
}

impl Happened {
    /// Whether nothing came in time.
    pub fn is_late(&self) -> bool {
        let Self::Failed { failed, .. } = self else { return false };
        matches!(failed, Failed::Client(Failure { why: Why::Late, .. }))
    }

    /// This, or what happened in a second trial: the one that came further.
    #[must_use]
    pub fn or(&self, second: Self) -> Self {
        match (self, &second) {
            (Self::Failed { small: first, .. }, Self::Failed { small, .. })
                if first.came > small.came =>
            {
                self.clone()
            }
            _ => second,
        }
    }

    /// The error number of what this process or the machine had no descriptor for: that says nothing
    /// about the path.
    pub fn lacks_descriptor(&self) -> Option<i32> {
        let code = match self {
            Self::Failed { failed: Failed::Serving { code, .. }, .. } => Some(*code),
            Self::Failed { failed: Failed::Client(failure), .. } => failure.code(),
            Self::Failed { .. } | Self::Came { .. } => None,
        };
        code.filter(|code| [EMFILE, ENFILE].contains(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::client::trouble::Step;

    fn late(came: u64) -> Happened {
        let failed = Failed::Client(Failure { step: Step::Receive, why: Why::Late });
        Happened::Failed { failed, small: Small { came, shortest: None } }
    }

    #[test]
    fn a_second_trial_takes_nothing_away() {
        let came = Happened::Came { small: Duration::ZERO, large: Duration::ZERO };
        assert_eq!(late(3).or(late(0)), late(3));
        assert_eq!(late(3).or(late(5)), late(5));
        assert_eq!(late(5).or(came.clone()), came);
    }

    #[test]
    fn the_want_of_a_descriptor_is_no_finding() {
        let of = |code| Happened::from(Failed::Serving { call: "socket", code });
        assert_eq!((of(24).lacks_descriptor(), of(23).lacks_descriptor()), (Some(24), Some(23)));
        assert_eq!((of(98).lacks_descriptor(), late(0).lacks_descriptor()), (None, None));
    }
}
