//! Waiting until an address can be bound: one bind(2) a look, and, less often, a look at the tables
//! for who has it and until when.

use std::time::Duration;

use super::interval::{DUE, Reach};
use super::look::{Due, Look, Seen};
use crate::bind::{Standing, Wish};
use crate::catalogue::errnos;
use crate::kernel::binding::Trial;
use crate::kernel::clock::Stopwatch;
use crate::kernel::{KernelError, ProcRoot};

/// The tables are looked at no more often than this.
const FRESH: Duration = Duration::from_secs(1);
/// Nor so often that looking takes more than one part in this many of the time.
const SHARE: u32 = 50;
/// Until a timer of the kernel's is due, bind(2) is still asked so often: something else may free
/// the address.
const MEANWHILE: Duration = Duration::from_millis(500);
/// This long before it is due, looks begin to be made without pause.
const AHEAD: Duration = Duration::from_millis(20);

/// The looks at one address.
pub struct FreeLook {
    clock: Stopwatch,
    known: Option<Known>,
}

/// Who has it, and when that was looked up.
struct Known {
    at: Duration,
    until: Duration,
    code: i32,
    standing: Standing,
}

impl FreeLook {
    /// Looks on this clock.
    pub fn new(clock: Stopwatch) -> Self {
        Self { clock, known: None }
    }

    /// Looks once.
    pub fn look(&mut self, wish: &Wish, proc_root: &ProcRoot) -> Result<Look, KernelError> {
        let trial = wish.try_now()?;
        if trial.is_accepted() {
            return Ok(judged(wish, trial, &Standing::default(), Duration::ZERO));
        }
        let now = self.clock.elapsed();
        let known = match self.known.take() {
            Some(known) if known.code == trial.code && now < known.until => known,
            _ => {
                let standing = wish.look(proc_root)?;
                let took = self.clock.elapsed().saturating_sub(now);
                let until = now + FRESH.max(took.saturating_mul(SHARE));
                Known { at: now, until, code: trial.code, standing }
            }
        };
        let look = judged(wish, trial, &known.standing, now.saturating_sub(known.at));
        self.known = Some(known);
        Ok(look)
    }
}

/// What a bind came to, with those who had the address `age` ago.
fn judged(wish: &Wish, trial: Trial, standing: &Standing, age: Duration) -> Look {
    let milliseconds = |ms: Option<u64>| ms.map(Duration::from_millis);
    let left = milliseconds(standing.frees_in_ms).map(|left| left.saturating_sub(age));
    let at_most = milliseconds(standing.frees_in_at_most_ms).map(|left| left.saturating_sub(age));
    let due = left.filter(|_| !trial.is_accepted()).map(|left| Due { left, at_most });
    let name = errnos::name(trial.code);
    let outcome = match (trial.code, &due) {
        (0, _) => "free",
        (errnos::EADDRINUSE, Some(_)) => "leftover",
        (errnos::EADDRINUSE, None) => "in_use",
        (errnos::EACCES | errnos::EPERM, _) => "denied",
        (errnos::EADDRNOTAVAIL, _) => "not_local",
        _ => "local_error",
    };
    let words = match (outcome, &standing.holders) {
        ("free", _) => "free".to_owned(),
        (_, Some(holders)) => format!("{name} ({}): {holders}", trial.code),
        (_, None) => format!("{name} ({}) {}", trial.code, errnos::text(trial.code)),
    };
    let meaning = standing.meaning.unwrap_or_else(|| wish.meaning(&name));
    let seen = Seen {
        outcome,
        code: Some(trial.code),
        meaning: match outcome {
            "leftover" => LEFTOVER.to_owned(),
            _ => meaning.to_owned(),
        },
        name: Some(name),
        // Those that go by themselves go one after the other, which is no news.
        by: standing.holders.clone().filter(|_| outcome != "leftover"),
        words,
        help: if outcome == "denied" { standing.helps.clone() } else { Vec::new() },
    };
    Look {
        is_met: trial.is_accepted(),
        // Where the right is missing it is refused whoever has it, so nothing was learnt of it.
        is_telling: !matches!(outcome, "denied" | "local_error") || is_of_path(&seen),
        // A directory may be given another owner meanwhile; a process gets no right by waiting.
        is_final: outcome == "denied" && !wish.is_path(),
        seen,
        due,
        reach: due.map_or(Reach::AtHand, |due| Reach::Due(pause(due.left))),
    }
}

/// Whether a directory on the way is missing, which may come.
fn is_of_path(seen: &Seen) -> bool {
    matches!(seen.name.as_deref(), Some("ENOENT" | "ENOTDIR"))
}

const LEFTOVER: &str = "what the kernel keeps of closed connections goes when its timers run out";

/// How long to pause where a timer of the kernel's runs out after `left`.
fn pause(left: Duration) -> Duration {
    left.saturating_sub(AHEAD).clamp(DUE, MEANWHILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::binding::Stage;
    use crate::kernel::unix_binding::UnixType;

    fn look(code: i32, in_ms: Option<u64>, age_ms: u64) -> Look {
        let standing = Standing {
            holders: Some("TIME_WAIT 127.0.0.1:80".to_owned()),
            frees_itself: in_ms.map(|_| true),
            frees_in_ms: in_ms,
            frees_in_at_most_ms: in_ms.map(|ms| ms + 2_048),
            ..Standing::default()
        };
        let trial = Trial { stage: Stage::Bind, code, v6only: false };
        let wish = Wish::parse("127.0.0.1:80", UnixType::Stream, false).unwrap();
        judged(&wish, trial, &standing, Duration::from_millis(age_ms))
    }

    #[test]
    fn the_countdown_goes_on_from_the_last_look_at_the_tables() {
        let look = look(98, Some(41_000), 1_500);
        let expected = Due {
            left: Duration::from_millis(39_500),
            at_most: Some(Duration::from_millis(41_548)),
        };
        assert_eq!((look.seen.outcome, look.due), ("leftover", Some(expected)));
        assert_eq!(look.reach, Reach::Due(MEANWHILE));
        assert!(look.seen.words.contains("EADDRINUSE (98): TIME_WAIT"));
    }

    #[test]
    fn near_its_end_and_past_it_looks_come_without_pause() {
        assert_eq!(look(98, Some(300), 0).reach, Reach::Due(Duration::from_millis(280)));
        assert_eq!(look(98, Some(300), 290).reach, Reach::Due(DUE));
        assert_eq!(look(98, Some(300), 900).reach, Reach::Due(DUE));
    }

    #[test]
    fn a_privileged_port_tells_nothing_of_who_has_it() {
        let denied = look(13, None, 0);
        assert_eq!(
            (denied.seen.outcome, denied.is_met, denied.is_telling, denied.is_final),
            ("denied", false, false, true)
        );
        let free = look(0, None, 0);
        assert_eq!((free.is_met, free.due, free.seen.words.as_str()), (true, None, "free"));
        assert_eq!(
            (look(98, None, 0).seen.outcome, look(99, None, 0).seen.outcome),
            ("in_use", "not_local")
        );
    }
}
