//! What became of each target: looks counted by what was seen, and when it changed. Pure: the times
//! come with the looks.

use std::time::Duration;

use serde::Serialize;

use super::look::{Due, Look, Seen};
use super::target::Watch;

/// A look, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When it began, from the start of the run.
    pub began: Duration,
    /// When it ended.
    pub ended: Duration,
    /// What it came to.
    pub look: Look,
}

/// Why it was not so yet, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What was seen.
    pub outcome: &'static str,
    /// The name of its error number.
    pub name: Option<String>,
    /// How many looks.
    pub count: u64,
    /// The last of them, in words.
    #[serde(skip)]
    pub words: String,
    /// What it means.
    #[serde(skip)]
    pub meaning: String,
}

/// What became of one target.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The target.
    pub watch: Watch,
    /// How many looks were made.
    pub attempts: u64,
    /// What was seen while it was not so, in the order of its first time.
    pub reasons: Vec<Reason>,
    /// What was seen last.
    pub last: Option<Seen>,
    /// When it will be so, by the last look, which was made at this time.
    pub due: Option<(Duration, Due)>,
    /// When it was found to be so.
    pub met_at: Option<Duration>,
    /// How long at most it had been so when that was found; `None` if it was so from the start.
    pub reaction: Option<Duration>,
    /// Whether any look told something about the target.
    pub has_told: bool,
    /// Whether it stays as it is, however long the wait.
    pub is_final: bool,
    last_began: Duration,
    told: Option<(Duration, Seen)>,
}

/// What is seen in turn with something else is told no more often than this.
const FLAPPING: Duration = Duration::from_secs(1);

/// What changed by a look, for whoever follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was told before, in words; `None` at the first look.
    pub before: Option<String>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(watch: Watch) -> Self {
        Self {
            watch,
            attempts: 0,
            reasons: Vec::new(),
            last: None,
            due: None,
            met_at: None,
            reaction: None,
            has_told: false,
            is_final: false,
            last_began: Duration::ZERO,
            told: None,
        }
    }

    /// Counts a look. What is seen for the first time is a change at once, what was seen before if it
    /// is not in turn with something else.
    pub fn add(&mut self, timed: Timed) -> Option<Change> {
        let Timed { began, ended, look } = timed;
        self.attempts += 1;
        self.has_told |= look.is_telling;
        self.is_final = look.is_final;
        self.due = look.due.map(|due| (ended, due));
        if look.is_met {
            self.met_at = Some(ended);
            self.reaction = (self.attempts > 1).then(|| ended.saturating_sub(self.last_began));
        }
        let is_new = !look.is_met && self.count(&look.seen);
        self.last_began = began;
        self.last = Some(look.seen.clone());
        let is_news = match &self.told {
            None => true,
            Some((at, told)) => {
                let is_old = !is_new && ended < *at + FLAPPING;
                look.is_met || !look.seen.is_like(told) && !is_old
            }
        };
        is_news.then(|| Change {
            before: self.told.replace((ended, look.seen)).map(|(_, seen)| seen.words),
        })
    }

    /// Counts a reason, and says whether it is a new one.
    fn count(&mut self, seen: &Seen) -> bool {
        let is_it =
            |reason: &&mut Reason| reason.outcome == seen.outcome && reason.name == seen.name;
        if let Some(reason) = self.reasons.iter_mut().find(is_it) {
            reason.count += 1;
            reason.words.clone_from(&seen.words);
            return false;
        }
        self.reasons.push(Reason {
            outcome: seen.outcome,
            name: seen.name.clone(),
            count: 1,
            words: seen.words.clone(),
            meaning: seen.meaning.clone(),
        });
        true
    }

    /// Whether it is as it should be.
    pub fn is_met(&self) -> bool {
        self.met_at.is_some()
    }

    /// When it will be so, from `now` on.
    pub fn due_at(&self, now: Duration) -> Option<Due> {
        let (at, due) = self.due?;
        let age = now.saturating_sub(at);
        let at_most = due.at_most.map(|left| left.saturating_sub(age));
        Some(Due { left: due.left.saturating_sub(age), at_most })
    }
}

/// How many targets have to be as they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// Every one, each at its time.
    All,
    /// One.
    Any,
}

impl Quorum {
    /// Whether that is so.
    pub fn is_reached(self, tallies: &[Tally]) -> bool {
        match self {
            Self::All => tallies.iter().all(Tally::is_met),
            Self::Any => tallies.iter().any(Tally::is_met),
        }
    }

    /// Whether that can not come any more.
    pub fn is_out_of_reach(self, tallies: &[Tally]) -> bool {
        match self {
            Self::All => tallies.iter().any(|it| it.is_final),
            Self::Any => tallies.iter().all(|it| it.is_final),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::interval::Reach;
    use super::super::target::{Condition, Listener, Subject};
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A target that nothing was seen of.
    pub(crate) fn tally(text: &str) -> Tally {
        let subject = Subject::Listener(Listener { address: None, port: 80 });
        Tally::new(Watch { text: text.to_owned(), condition: Condition::Up, subject })
    }

    /// A look that ends a millisecond after `began`.
    pub(crate) fn timed(began: u64, outcome: &'static str, by: &str, is_met: bool) -> Timed {
        let seen = Seen {
            outcome,
            code: Some(111),
            name: Some("ECONNREFUSED".to_owned()),
            by: Some(by.to_owned()),
            words: format!("{outcome} by {by}"),
            meaning: "nobody listens".to_owned(),
            help: Vec::new(),
        };
        let reach = Reach::AtHand;
        let look = Look { is_met, is_telling: true, is_final: false, seen, due: None, reach };
        Timed { began: ms(began), ended: ms(began + 1), look }
    }

    #[test]
    fn what_is_seen_again_is_counted_and_no_change() {
        let mut tally = tally("db:80");
        assert_eq!(tally.add(timed(0, "refused", "a", false)), Some(Change { before: None }));
        assert_eq!(tally.add(timed(10, "refused", "a", false)), None);
        let change = tally.add(timed(1_020, "refused", "b", false)).unwrap();
        assert_eq!(change.before.as_deref(), Some("refused by a"));
        assert_eq!((tally.attempts, tally.reasons.len(), tally.reasons[0].count), (3, 1, 3));
        assert!(!tally.is_met() && tally.has_told);
    }

    #[test]
    fn the_reaction_is_the_time_since_the_last_look_that_saw_it_otherwise() {
        let mut tally = tally("db:80");
        drop(tally.add(timed(0, "refused", "a", false)));
        drop(tally.add(timed(40, "refused", "a", false)));
        let change = tally.add(timed(60, "connected", "a", true)).unwrap();
        assert_eq!(change.before.as_deref(), Some("refused by a"));
        assert_eq!((tally.met_at, tally.reaction), (Some(ms(61)), Some(ms(21))));
        assert_eq!(tally.reasons[0].count, 2, "what was met is no reason");
    }

    #[test]
    fn what_comes_in_turn_is_told_once_a_second_and_what_stays_is_told() {
        let mut tally = tally("db:80");
        let looks = (0..200_u64).map(|look| {
            let outcome = if look % 2 == 0 { "refused" } else { "timed_out" };
            timed(look * 20, outcome, "a", false)
        });
        let told = looks.filter_map(|look| tally.add(look)).count();
        assert!((4..=6).contains(&told), "{told} lines in four seconds");
        drop(tally.add(timed(4_000, "refused", "a", false)));
        let stays = (0..60_u64).map(|look| timed(4_020 + look * 20, "timed_out", "a", false));
        let told = stays.filter_map(|look| tally.add(look)).count();
        assert!(told <= 1);
        assert_eq!(tally.told.unwrap().1.outcome, "timed_out");
    }

    #[test]
    fn what_is_so_from_the_start_has_no_reaction() {
        let mut tally = tally("db:80");
        assert!(tally.add(timed(0, "connected", "a", true)).is_some());
        assert_eq!((tally.reaction, tally.met_at), (None, Some(ms(1))));
    }

    #[test]
    fn a_countdown_goes_on_between_looks() {
        let mut tally = tally(":80");
        let mut look = timed(1000, "leftover", "a", false);
        look.look.due = Some(Due { left: ms(500), at_most: Some(ms(900)) });
        drop(tally.add(look));
        let expected = Due { left: ms(400), at_most: Some(ms(800)) };
        assert_eq!(tally.due_at(ms(1101)), Some(expected));
        assert_eq!(tally.due_at(ms(9000)).map(|due| due.left), Some(Duration::ZERO));
    }

    #[test]
    fn all_or_any_have_to_be_met() {
        let mut tallies = [tally("a:1"), tally("b:1")];
        drop(tallies[0].add(timed(0, "connected", "a", true)));
        assert!(Quorum::Any.is_reached(&tallies) && !Quorum::All.is_reached(&tallies));
        drop(tallies[1].add(timed(0, "connected", "b", true)));
        assert!(Quorum::All.is_reached(&tallies));
    }

    #[test]
    fn what_stays_as_it_is_ends_a_wait_for_all_and_of_any_if_nothing_else_is_left() {
        let mut tallies = [tally("a:1"), tally("b:1")];
        assert!(!Quorum::All.is_out_of_reach(&tallies));
        let stays = |began| {
            let timed = timed(began, "denied", "a", false);
            Timed { look: Look { is_final: true, ..timed.look }, ..timed }
        };
        drop(tallies[0].add(stays(0)));
        assert!(Quorum::All.is_out_of_reach(&tallies) && !Quorum::Any.is_out_of_reach(&tallies));
        drop(tallies[1].add(stays(0)));
        assert!(Quorum::Any.is_out_of_reach(&tallies));
    }
}
