//! What is told while it waits: on a terminal one line that is written over, in a log one line a
//! change, for programs one object a change. Verdicts are none of its business.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::report::Last;
use super::tally::{Change, Quorum, Tally};
use super::text::{due_words, elapsed, with_seen};
use crate::output::numbers::count;
use crate::output::{Aside, LiveLine, sanitize};

/// The line on a terminal is written no more often than this.
const FRAME: Duration = Duration::from_millis(100);
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];

/// Where it is told.
pub enum Progress<'a> {
    /// On a line of the terminal; when it was last written, and how often.
    Line(LiveLine<'a>, Option<(Duration, usize)>),
    /// On standard error, for a log.
    Log(&'a mut (dyn Write + Send)),
    /// On standard output.
    Events(&'a mut (dyn Write + Send)),
}

/// A change, for a program.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'static str,
    elapsed_ms: u64,
    target: &'a str,
    condition: &'static str,
    met: bool,
    attempts: u64,
    last: Option<Last<'a>>,
    free_in_ms: Option<u64>,
    free_in_at_most_ms: Option<u64>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What became of each target so far.
    pub tallies: &'a [Tally],
    /// How many have to be met.
    pub quorum: Quorum,
    /// The time since the start.
    pub now: Duration,
    /// The end.
    pub deadline: Option<Duration>,
}

impl<'a> Progress<'a> {
    /// On standard error.
    pub fn aside(aside: &'a mut Aside<'_>) -> Self {
        if aside.is_terminal {
            Self::Line(LiveLine::on(aside), None)
        } else {
            Self::Log(&mut *aside.out)
        }
    }

    /// Tells what changed of a target. That nobody listens does not end the wait.
    pub fn changed(&mut self, tally: &Tally, change: &Change, now: Duration) {
        match self {
            Self::Line(..) => {}
            Self::Log(out) => say(out, &format!("{}\n", change_line(tally, change, now))),
            Self::Events(out) => {
                let line = serde_json::to_string(&Event::new(tally, now)).unwrap_or_default();
                say(out, &format!("{line}\n"));
            }
        }
    }

    /// Draws the line on a terminal, if it is time for that.
    pub fn tick(&mut self, standing: Standing<'_>) {
        let Self::Line(line, drawn) = self else { return };
        let now = standing.now;
        let frame = match *drawn {
            Some((at, _)) if now < at + FRAME => return,
            Some((_, frame)) => frame + 1,
            None => 0,
        };
        *drawn = Some((now, frame));
        line.draw(&progress_line(standing, frame));
    }
}

impl<'a> Event<'a> {
    fn new(tally: &'a Tally, now: Duration) -> Self {
        let due = tally.due_at(now);
        Self {
            event: "change",
            elapsed_ms: milliseconds(now),
            target: &tally.watch.text,
            condition: tally.watch.condition.name(),
            met: tally.is_met(),
            attempts: tally.attempts,
            last: Last::of(tally),
            free_in_ms: due.map(|due| milliseconds(due.left)),
            free_in_at_most_ms: due.and_then(|due| due.at_most).map(milliseconds),
        }
    }
}

/// In one piece; that nobody listens is no reason to fail.
fn say(out: &mut (dyn Write + Send), text: &str) {
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// `db:5432: ECONNREFUSED (111), refused by 10.0.0.2 -> up after 3.2 s, 41 attempts`
fn change_line(tally: &Tally, change: &Change, now: Duration) -> String {
    let seen = match (&tally.last, tally.is_met()) {
        (Some(seen), false) => seen.words.clone(),
        (Some(seen), true) if seen.words == tally.watch.condition.name() => seen.words.clone(),
        (Some(seen), true) => with_seen(tally.watch.condition.name(), &seen.words),
        (None, _) => String::new(),
    };
    let seen = match tally.due_at(now).filter(|_| !tally.is_met()) {
        Some(due) => format!("{seen}; {}", due_words(tally, due)),
        None => seen,
    };
    let line = match (&change.before, tally.is_met()) {
        (None, false) => seen,
        (before, _) => {
            let before = before.as_ref().map(|it| format!("{it} -> ")).unwrap_or_default();
            let attempts = count(tally.attempts, "attempt");
            format!("{before}{seen} after {}, {attempts}", elapsed(now))
        }
    };
    format!("{}: {}", sanitize(&tally.watch.text), sanitize(&line))
}

/// `| 3.2 s of 30 s, 41 attempts  db:5432: ECONNREFUSED (111) refused by 10.0.0.2, and 2 more`
fn progress_line(standing: Standing<'_>, frame: usize) -> String {
    let Standing { tallies, quorum, now, deadline } = standing;
    let spinner = SPINNER.get(frame % SPINNER.len()).copied().unwrap_or('|');
    let of = deadline.map(|end| format!(" of {}", elapsed(end))).unwrap_or_default();
    let mut open = tallies.iter().filter(|it| !it.is_met());
    let first = open.next();
    let target = first.map(|tally| {
        let seen = tally.last.as_ref().map_or("looking", |seen| seen.words.as_str());
        let left = tally.due_at(now).map(|due| format!("{}: ", due_words(tally, due)));
        let text = format!("{}: {}{seen}", tally.watch.text, left.unwrap_or_default());
        format!(", {}  {}", count(tally.attempts, "attempt"), sanitize(&text))
    });
    let more = match (open.count(), quorum) {
        (0, _) => String::new(),
        (more, Quorum::All) => format!(", and {more} more"),
        (more, Quorum::Any) => format!(", or one of {more} more"),
    };
    format!("{spinner} {}{of}{}{more}", elapsed(now), target.unwrap_or_default())
}

/// Whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::look::Due;
    use super::super::tally::tests::{tally, timed};
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_change_is_a_line_with_what_was_and_what_is() {
        let mut db = tally("db:5432");
        let change = db.add(timed(0, "refused", "10.0.0.2", false)).unwrap();
        assert_eq!(change_line(&db, &change, ms(1)), "db:5432: refused by 10.0.0.2");
        let change = db.add(timed(3_200, "connected", "10.0.0.2", true)).unwrap();
        assert_eq!(
            change_line(&db, &change, ms(3_200)),
            "db:5432: refused by 10.0.0.2 -> up (connected by 10.0.0.2) after 3.2 s, 2 attempts"
        );
        let mut at_once = tally("db:5432");
        let change = at_once.add(timed(0, "connected", "10.0.0.2", true)).unwrap();
        assert_eq!(
            change_line(&at_once, &change, ms(1)),
            "db:5432: up (connected by 10.0.0.2) after 1 ms, 1 attempt"
        );
    }

    #[test]
    fn control_characters_of_a_target_do_not_reach_the_terminal() {
        let mut bad = tally("a\u{1b}[2J:1");
        let change = bad.add(timed(0, "refused", "\u{1b}c", false)).unwrap();
        assert!(!change_line(&bad, &change, ms(1)).contains('\u{1b}'));
        let standing =
            Standing { tallies: &[bad], quorum: Quorum::All, now: ms(10), deadline: None };
        assert!(!progress_line(standing, 0).contains('\u{1b}'));
    }

    #[test]
    fn the_line_on_a_terminal_has_time_reason_and_countdown() {
        let mut free = tally(":8080");
        let mut look = timed(0, "leftover", "x", false);
        look.look.due = Some(Due { left: ms(41_000), at_most: Some(ms(43_000)) });
        drop(free.add(look));
        let tallies = [free, tally("db:5432"), tally("db:5433")];
        let standing = Standing {
            tallies: &tallies,
            quorum: Quorum::All,
            now: ms(1_001),
            deadline: Some(ms(60_000)),
        };
        let line = progress_line(standing, 5);
        assert!(line.starts_with("/ 1.0 s of 60 s, 1 attempt  :8080: "), "{line}");
        assert!(line.contains("in 40 s") && line.ends_with(", and 2 more"), "{line}");
        let line = progress_line(Standing { quorum: Quorum::Any, deadline: None, ..standing }, 0);
        assert!(
            line.starts_with("| 1.0 s, 1 attempt  :8080: ") && line.ends_with("or one of 2 more"),
            "{line}"
        );
    }
}
