//! One look at a target: what was seen, and whether it is what is waited for.

use std::time::Duration;

use super::free::FreeLook;
use super::interval::Reach;
use super::reach::{Asking, ReachLook};
use super::table;
use super::target::{Subject, Watch};
use crate::kernel::clock::Stopwatch;
use crate::kernel::{KernelError, ProcRoot};

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is called in JSON: `connected`, `refused`, `in_use`, `listening`.
    pub outcome: &'static str,
    /// The error number; 0 if there was none, `None` where no call gave one.
    pub code: Option<i32>,
    /// Its C name; `OK` for 0.
    pub name: Option<String>,
    /// Who or what is behind it, where that is known: `10.0.0.2`, `LISTEN 0.0.0.0:80, web (pid 7)`.
    pub by: Option<String>,
    /// All of that in a few words.
    pub words: String,
    /// What it means, a sentence.
    pub meaning: String,
    /// What helps against it, where the look itself has shown that.
    pub help: Vec<String>,
}

impl Seen {
    /// Whether it is the same but for numbers that move by themselves, such as times and counts.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.outcome, self.code, &self.by) == (other.outcome, other.code, &other.by)
    }
}

/// What one look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether it is as it should be.
    pub is_met: bool,
    /// Whether it told anything about the target, and did not fail for want of something here.
    pub is_telling: bool,
    /// Whether no later look can see anything else: what is missing does not come by waiting.
    pub is_final: bool,
    /// What was seen.
    pub seen: Seen,
    /// When it will be as it should, by the kernel's timers.
    pub due: Option<Due>,
    /// Where the answer came from.
    pub reach: Reach,
}

/// When something will be so, by the kernel's timers, if nothing else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The time until then.
    pub left: Duration,
    /// The longest that it can be, where that is known.
    pub at_most: Option<Duration>,
}

/// How the looks are made.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The time of the run.
    pub clock: Stopwatch,
    /// How an attempt to connect is made.
    pub asking: Asking,
    /// When the run ends.
    pub deadline: Option<Duration>,
}

/// Looks at one target again and again.
pub struct Looker {
    watch: Watch,
    manner: Manner,
    proc_root: ProcRoot,
    free: FreeLook,
    reach: ReachLook,
}

impl Looker {
    /// To be made in the thread, and so the network namespace, that looks.
    pub fn new(watch: Watch, manner: Manner) -> Self {
        let free = FreeLook::new(manner.clock);
        let reach = ReachLook::default();
        Self { watch, manner, proc_root: ProcRoot::live(), free, reach }
    }

    /// The target, as it was written.
    pub fn target(&self) -> &str {
        &self.watch.text
    }

    /// Looks once. Fails where no later look can do better.
    pub fn look(&mut self) -> Result<Look, KernelError> {
        let looked = match &self.watch.subject {
            Subject::Reach(target) => {
                let now = self.manner.clock.elapsed();
                let left = self.manner.deadline.map(|end| end.saturating_sub(now));
                Ok(self.reach.look(target, self.watch.condition, &self.manner.asking, left))
            }
            Subject::Free(wish) => self.free.look(wish, &self.proc_root),
            Subject::Listener(listener) => {
                table::listener(*listener, self.watch.condition, &self.proc_root)
            }
            Subject::TimeWait(wanted) => table::time_wait(*wanted, &self.proc_root),
        };
        looked.or_else(passing)
    }
}

/// What this process lacks now, it may have later.
fn passing(error: KernelError) -> Result<Look, KernelError> {
    let name = if let KernelError::NoSocket { errno, .. } = &error {
        Some(format!("{errno:?}"))
    } else if matches!(error, KernelError::BrokenOff(_)) {
        None
    } else {
        return Err(error);
    };
    let seen = Seen {
        outcome: "local_error",
        code: None,
        name,
        by: None,
        words: error.to_string(),
        meaning: "this process could not look".to_owned(),
        help: Vec::new(),
    };
    Ok(Look {
        is_met: false,
        is_telling: false,
        is_final: false,
        seen,
        due: None,
        reach: Reach::Afar,
    })
}
