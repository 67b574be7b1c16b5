//! All targets, each tried once or many times: from the list to the rows.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::args::Args;
use super::attempt::{Attempt, Destination};
use super::causes::{Diagnosis, diagnose};
use super::evidence::{Evidence, Queue};
use super::expectation::Expected;
use super::layers::walk;
use super::list::{self, FileList, Piece};
use super::ordered::in_order;
use super::outcome::Outcome;
use super::probe::{Hear, Options, try_once};
use super::race::race;
use super::report::{Row, Tail};
use super::resolve::{NoAddress, addresses};
use super::stream::Stream;
use super::surroundings;
use super::target::{Host, Target};
use crate::kernel::ProcRoot;
use crate::kernel::descriptors;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::patience::{Patience, Stop, Waited};
use crate::model::Protocol;
use crate::output::numbers::{count, microseconds_of};
use crate::output::sanitize;

/// Targets that are tried at once where nothing was said: as many deadlines run at a time, and each
/// is a descriptor or two.
const JOBS: u16 = 64;
/// Failures that are looked into: the same cause is behind most of very many, and each look reads
/// tables of the kernel.
const LOOKS: u64 = 1000;
/// Complaints about lines of a file that are kept.
const COMPLAINTS: usize = 1000;

/// Descriptors of an attempt: the socket, the resolver's three, and one to look around.
const OF_ATTEMPT: u64 = 5;
/// Descriptors of the program itself.
const OF_PROGRAM: u64 = 8;

/// The targets that the limit on descriptors lets be tried at once.
fn fitting() -> usize {
    let limit = descriptors::raise_limit().unwrap_or(u64::MAX);
    let fit = limit.saturating_sub(OF_PROGRAM) / OF_ATTEMPT;
    usize::try_from(fit).unwrap_or(usize::MAX).max(1)
}

/// How all of it ended.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is found out by itself")]
pub struct Ending {
    /// Whether a target was not as expected.
    pub has_unmet: bool,
    /// Whether anything was tried.
    pub has_target: bool,
    /// Whether there was a line that is no target.
    pub has_bad_line: bool,
    /// Whether one could not be tried for want of something of this machine's.
    pub is_blind: bool,
    /// Whether the user interrupted.
    pub is_interrupted: bool,
    /// The code of the last target.
    pub last_code: i32,
    /// What stands behind the rows.
    pub tail: Tail,
    complaints: usize,
    /// The round, where there are several.
    sequence: Option<u64>,
}

impl Ending {
    fn unnamed_complaints(&self) -> Option<String> {
        let rest = self.complaints.checked_sub(COMPLAINTS).filter(|it| *it > 0)?;
        Some(format!("{rest} more lines are no targets"))
    }
}

/// What came of one piece of the list.
enum Tried {
    Target(Vec<(Row, Diagnosis)>),
    Bad(String),
    Interrupted,
}

/// Tries everything that `args` asks for, and writes the rows to `stream`.
pub struct Campaign<'a> {
    pub(super) args: &'a Args,
    pub(super) options: Options,
    pub(super) proc_root: &'a ProcRoot,
    pub(super) signals: Option<&'a EndingSignals>,
    /// Ends what is under way when nobody reads the answer any more.
    pub(super) stop: Option<&'a Stop>,
    /// Whether the format has a place for causes.
    pub(super) wants_causes: bool,
    /// How many failures were looked into.
    pub(super) looks: AtomicU64,
}

impl Campaign<'_> {
    /// Each of `pieces` and those of the file, once or as often as was asked for.
    pub fn run(
        &self,
        pieces: &[Piece],
        file: Option<FileList<'_>>,
        stream: &mut Stream<'_, '_>,
    ) -> io::Result<Ending> {
        let mut ending = Ending::default();
        if self.args.repeats() {
            self.again_and_again(pieces, stream, &mut ending)?;
        } else {
            let known = if file.is_some() { usize::MAX } else { pieces.len() };
            let all = pieces.iter().cloned().chain(file.into_iter().flatten());
            self.once(all, known, stream, &mut ending)?;
        }
        ending.is_interrupted |= self.is_interrupted();
        ending.tail.warnings.extend(self.empty_list(&ending));
        ending.tail.warnings.extend(self.fewer_jobs(pieces.len()));
        ending.tail.warnings.extend(self.not_looked_into());
        ending.tail.warnings.extend(ending.unnamed_complaints());
        Ok(ending)
    }

    /// Rounds over all of `pieces`, one beginning so long after the other; what is late is not made
    /// up for.
    fn again_and_again(
        &self,
        pieces: &[Piece],
        stream: &mut Stream<'_, '_>,
        ending: &mut Ending,
    ) -> io::Result<()> {
        let mut rounds = self.args.count.unwrap_or(u64::MAX);
        let mut targets = pieces.to_vec();
        while rounds > 0 && !targets.is_empty() && !ending.is_interrupted {
            let next = self.until(self.args.interval);
            ending.sequence = Some(ending.sequence.unwrap_or(0) + 1);
            self.once(targets.iter().cloned(), targets.len(), stream, ending)?;
            // A bad line is complained of once.
            targets.retain(|it| matches!(it, Piece::Target(..)));
            rounds -= 1;
            ending.is_interrupted |=
                rounds > 0 && next.sleep().is_ok_and(|it| it == Waited::Interrupted);
        }
        Ok(())
    }

    fn once(
        &self,
        all: impl Iterator<Item = Piece> + Send,
        known: usize,
        stream: &mut Stream<'_, '_>,
        ending: &mut Ending,
    ) -> io::Result<()> {
        let workers = self.workers(known);
        if workers <= 1 {
            for piece in all.take_while(|_| !self.is_interrupted()) {
                self.deliver(self.try_piece(piece), stream, ending)?;
            }
            return Ok(());
        }
        in_order(
            all.take_while(|_| !self.is_interrupted()),
            workers,
            |piece| self.try_piece(piece),
            |tried| {
                let delivered = self.deliver(tried, stream, ending);
                delivered.inspect_err(|_| self.stop.iter().for_each(|it| it.stop()))
            },
        )
    }

    /// How many targets are tried at once: no more than there are descriptors for, or netkit's own
    /// lack of them would be the answer.
    fn workers(&self, targets: usize) -> usize {
        let wanted = targets.min(self.args.jobs.unwrap_or(JOBS).into());
        if wanted <= 1 { wanted } else { wanted.min(fitting()) }
    }

    /// A list without a target is a mistake of whoever made it, and no success.
    fn empty_list(&self, ending: &Ending) -> Option<String> {
        let path = self.args.targets.as_ref()?;
        let is_empty = !ending.has_target && !ending.has_bad_line && !ending.is_interrupted;
        is_empty.then(|| {
            let name = list::name(path);
            format!("{} has no targets: write one a line, as in localhost:8080", sanitize(&name))
        })
    }

    fn fewer_jobs(&self, pieces: usize) -> Option<String> {
        let jobs = self.args.jobs.filter(|_| pieces > 1 || self.args.targets.is_some())?;
        let fit = fitting();
        (fit < usize::from(jobs)).then(|| {
            format!(
                "the limit on descriptors (`ulimit -n`) lets {fit} targets be tried at once, not {jobs}"
            )
        })
    }

    /// Patience of this length, which a signal ends, and that nobody reads on.
    fn until(&self, length: Duration) -> Patience<'_> {
        let patience = Patience::of(length).or(self.stop.map(Stop::descriptor));
        patience.or(self.signals.map(EndingSignals::descriptor))
    }

    fn not_looked_into(&self) -> Option<String> {
        let rest = self.looks.load(Ordering::Relaxed).saturating_sub(LOOKS);
        (rest > 0).then(|| {
            let rest = count(rest, "failure");
            format!("the causes of {rest} more were not looked into")
        })
    }

    fn is_interrupted(&self) -> bool {
        self.signals.is_some_and(EndingSignals::has_arrived)
    }

    fn try_piece(&self, piece: Piece) -> Tried {
        match piece {
            Piece::Bad(problem) => Tried::Bad(problem),
            Piece::Target(text, target) => match self.try_target(&target) {
                None => Tried::Interrupted,
                Some(attempts) => {
                    let rows = attempts.iter().map(|it| self.row(&text, &target, it));
                    Tried::Target(rows.collect())
                }
            },
        }
    }

    fn row(&self, text: &str, target: &Target, attempt: &Attempt) -> (Row, Diagnosis) {
        let seen = self.evidence(attempt);
        let mut diagnosis = match &seen {
            Some(seen) => diagnose(attempt, seen, text),
            None => Diagnosis::at_first_sight(attempt),
        };
        if self.args.layers {
            let seen = seen.unwrap_or_else(|| self.way(attempt));
            diagnosis.layers = Some(walk(target, attempt, &seen));
        }
        let mut row = Row::new(text.to_owned(), attempt, diagnosis.clone(), &self.args.expect);
        row.timeout_us = microseconds_of(self.args.timeout);
        row.is_listened_to = self.options.talk.hear == Hear::Banner;
        (row, diagnosis)
    }

    /// What is known of the place. Looked into after a failure alone, and not after each of very many,
    /// but for the way that --layers walks, and the queue of a listener of this machine: a handshake
    /// says nothing of it.
    fn evidence(&self, attempt: &Attempt) -> Option<Evidence> {
        let seen = if attempt.is_connected() {
            let seen = if self.args.layers { self.way(attempt) } else { Evidence::default() };
            Evidence { queue: queue_of(attempt), ..seen }
        } else if self.may_look_around() {
            surroundings::look(attempt, &self.options.socket, self.proc_root)
        } else {
            return None;
        };
        Some(Evidence { is_walked: self.args.layers, ..seen })
    }

    fn way(&self, attempt: &Attempt) -> Evidence {
        match &attempt.destination {
            Some(Destination::Internet(_, to)) => surroundings::way(*to, &self.options.socket),
            _ => Evidence::default(),
        }
    }

    fn may_look_around(&self) -> bool {
        self.wants_causes && self.looks.fetch_add(1, Ordering::Relaxed) < LOOKS
    }

    /// The attempts at all addresses of `target`. `None` if the user interrupted.
    fn try_target(&self, target: &Target) -> Option<Vec<Attempt>> {
        let patience = self.until(self.args.timeout);
        let mut destinations = match addresses(target, self.options.family, &patience) {
            Ok(destinations) => destinations,
            Err(NoAddress::Failed(attempt)) => {
                let (error, took) = (attempt.name(), attempt.elapsed);
                tracing::info!(%target, error, ?took, "not resolved");
                return Some(vec![*attempt]);
            }
            Err(NoAddress::Interrupted) => return None,
        };
        if let Target::Internet { host: Host::Name(name), .. } = target {
            let found: Vec<_> = destinations.iter().map(Destination::end).collect();
            tracing::info!(name, ?found, "resolved");
        }
        if self.args.first {
            destinations.truncate(1);
        }
        if self.args.race {
            let raced = race(&destinations, &self.options, &patience);
            raced.iter().flatten().for_each(tell);
            return raced;
        }
        // The name and its first address have one deadline; a silent address takes nothing from the
        // next.
        let again = |_| self.until(self.args.timeout);
        let deadlines = std::iter::once(patience).chain((1..destinations.len()).map(again));
        let attempts = destinations.iter().zip(deadlines);
        let tried = attempts.map(|(it, patience)| try_once(it, &self.options, &patience));
        tried.inspect(|it| it.iter().for_each(tell)).collect()
    }

    fn deliver(
        &self,
        tried: Tried,
        stream: &mut Stream<'_, '_>,
        ending: &mut Ending,
    ) -> io::Result<()> {
        match tried {
            Tried::Interrupted => ending.is_interrupted = true,
            Tried::Bad(problem) => {
                ending.has_bad_line = true;
                ending.complaints += 1;
                if ending.complaints <= COMPLAINTS {
                    ending.tail.warnings.push(problem);
                }
            }
            Tried::Target(rows) => {
                ending.has_target = true;
                let is_as_expected = self.is_as_expected(&rows);
                ending.has_unmet |= !is_as_expected;
                ending.is_blind |= rows.iter().any(|(row, _)| !row.met && could_not_try(row));
                for (mut row, diagnosis) in rows {
                    ending.last_code = row.code;
                    row.sequence = ending.sequence;
                    if ending.sequence.is_some() {
                        ending.tail.count(&row);
                    }
                    stream.row(&row)?;
                    diagnosis.findings.into_iter().for_each(|it| ending.tail.add(it));
                }
                stream.tried(is_as_expected);
            }
        }
        Ok(())
    }

    /// A client tries the addresses of a name until one takes it, so one is enough where that is
    /// expected; else each has to be as expected.
    fn is_as_expected(&self, rows: &[(Row, Diagnosis)]) -> bool {
        let wants_success = self.args.expect.iter().any(Expected::is_success);
        let takes = rows.iter().any(|(row, _)| row.met && row.outcome == Outcome::Connected);
        (wants_success && takes) || rows.iter().all(|(row, _)| row.met)
    }
}

/// Tells of it, with -v.
fn tell(attempt: &Attempt) {
    let Attempt { destination, code, elapsed, .. } = attempt;
    let (end, outcome) = (destination.as_ref().map(Destination::end), attempt.outcome.word());
    tracing::info!(end, call = attempt.stage.word(), outcome, code, ?elapsed, "tried");
}

/// That of the listener that took the connection, if it is one of this machine.
fn queue_of(attempt: &Attempt) -> Option<Queue> {
    match &attempt.destination {
        Some(Destination::Internet(Protocol::Tcp, address))
            if surroundings::is_here(attempt, *address) =>
        {
            surroundings::queue(*address)
        }
        _ => None,
    }
}

/// Whether there was no socket to try with: nothing was learnt about the target.
fn could_not_try(row: &Row) -> bool {
    let is_want = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"].contains(&row.name.as_str());
    (row.stage == "socket" && is_want) || row.stage == "setsockopt"
}
