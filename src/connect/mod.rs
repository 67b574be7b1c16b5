//! `netkit connect`: which code connect(2) gives for an address, what it means, who said so, and what
//! to do about it.
//!
//! For the commands above: [`Target::parse`] reads a target, [`attempt`] tries it once, and
//! [`Attempt::reason`] says in words what came of it. No tables are walked and nothing is guessed
//! there; that is for [`run`].

mod args;
mod attempt;
mod campaign;
mod causes;
mod codes;
mod evidence;
mod expectation;
mod layers;
mod list;
mod meant;
mod ordered;
mod outcome;
mod payload;
mod probe;
mod progress;
mod race;
mod reason;
mod report;
mod resolve;
mod statistics;
mod stream;
mod surroundings;
mod target;
mod text;

pub use args::Args;
pub use attempt::{Attempt, Destination, Stage};
use campaign::{Campaign, Ending};
use list::{FileList, Piece};
pub use meant::meant;
pub use outcome::{OUTCOMES, Outcome};
pub use payload::{Payload, parse as parse_payload};
pub use probe::{Close, Hear, Mode, Options, Talk};
use progress::Progress;
use resolve::NoAddress;
use stream::{Detail, Stream};
pub use target::{Host, Target};

use std::os::fd::BorrowedFd;

use crate::exit::Exit;
use crate::kernel::clock::now;
use crate::kernel::ending_signals::{EndingSignals, number};
pub use crate::kernel::patience::Patience;
use crate::kernel::patience::Stop;
use crate::kernel::{Place, ProcRoot};
use crate::model::UnixName;
use crate::output::{self, Aside, Format, Screen};

/// Rows of the command line that are told with all that is known; of more, a line each.
const FULL: usize = 8;

/// Answers `args` for `place` on `screen`, and tells `aside` how far a long list is.
pub fn run(
    args: &Args,
    place: &Place,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<output::Outcome> {
    if args.codes {
        codes::show(screen)?;
        return Ok(output::Outcome { exit: Exit::Fine, messages: Vec::new() });
    }
    let wrong = |problem| Ok(output::Outcome { exit: Exit::Usage, messages: vec![problem] });
    let mut pieces = match list::of_arguments(args) {
        Ok(pieces) => pieces,
        Err(problem) => return wrong(problem),
    };
    if let Some(problem) = foreign_path(&pieces, place) {
        return wrong(problem);
    }
    let is_many = args.repeats() || args.targets.is_some() || pieces.len() > 1;
    // Before any thread is made, one of which is entering a namespace.
    let signals = is_many.then(EndingSignals::hold).transpose()?;
    let stop = is_many.then(Stop::new).transpose()?;
    let ends = Ends { signals: signals.as_ref(), stop: stop.as_ref() };
    let own = ends.descriptors().map(|it| it.try_clone_to_owned()).collect::<Result<_, _>>()?;
    let mut file = match FileList::open(args, own) {
        Ok(file) => file,
        Err(problem) => return wrong(problem),
    };
    if args.repeats() {
        // Each is needed again.
        pieces.extend(file.take().into_iter().flatten());
    }
    let answered = place.inside(|proc_root| {
        if let Some(problem) = args.contradiction() {
            return Ok(Err(problem));
        }
        let asked = Asked { args, pieces: &pieces, proc_root, ends };
        answer(&asked, file, screen, aside).map(Ok)
    })??;
    let ended_by = signals.and_then(|it| it.take());
    answered.map_or_else(wrong, |ending| {
        let ended_by = ended_by.map(|signal| Exit::Signal(number(signal)));
        let exit = ended_by.unwrap_or_else(|| exit(args, &ending));
        let said = ending.tail.warnings.iter().filter(|_| screen.format != Format::Json);
        let messages = said.map(|warning| format!("warning: {warning}")).collect();
        Ok(output::Outcome { exit, messages })
    })
}

/// What ends it early: the user, or that nobody reads the answer any more.
#[derive(Clone, Copy)]
struct Ends<'a> {
    signals: Option<&'a EndingSignals>,
    stop: Option<&'a Stop>,
}

impl<'a> Ends<'a> {
    fn descriptors(self) -> impl Iterator<Item = BorrowedFd<'a>> {
        let signals = self.signals.map(EndingSignals::descriptor);
        signals.into_iter().chain(self.stop.map(Stop::descriptor))
    }
}

/// What is to be tried, and where.
struct Asked<'a> {
    args: &'a Args,
    pieces: &'a [Piece],
    proc_root: &'a ProcRoot,
    ends: Ends<'a>,
}

fn answer(
    asked: &Asked<'_>,
    file: Option<FileList<'_>>,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Ending> {
    let Asked { args, pieces, proc_root, ends } = *asked;
    let is_long = file.is_some() || args.repeats() || pieces.len() > FULL;
    let detail = if is_long { Detail::Line } else { Detail::Full };
    let format = screen.format;
    // Whoever hands over one target after the other waits for each answer.
    let is_live = args.repeats() || file.as_ref().is_some_and(FileList::is_standard_input);
    let progress = if is_long && !args.repeats() && aside.is_terminal {
        let given = u64::try_from(pieces.len()).unwrap_or(u64::MAX);
        let of_file = file.as_ref().map_or(Some(0), FileList::length);
        Some(Progress::begin(aside, of_file.map(|it| it.saturating_add(given))))
    } else {
        None
    };
    let stream = Stream::begin(screen, detail, is_live, now())?;
    let mut stream = stream.beside(progress);
    let campaign = Campaign {
        args,
        options: args.options(),
        proc_root,
        signals: ends.signals,
        stop: ends.stop,
        wants_causes: match (format, detail) {
            (Format::Json | Format::Ndjson, _)
            | (Format::Table | Format::Markdown, Detail::Full) => true,
            (Format::Csv, _) | (Format::Table | Format::Markdown, Detail::Line) => false,
        },
        looks: 0.into(),
    };
    let ending = campaign.run(pieces, file, &mut stream)?;
    stream.end(&ending.tail)?;
    Ok(ending)
}

fn foreign_path(pieces: &[Piece], place: &Place) -> Option<String> {
    pieces.iter().find_map(|piece| match piece {
        Piece::Target(text, Target::Unix { name: UnixName::Path(_), .. }) => {
            place.lacks_path(text, "connect")
        }
        Piece::Target(..) | Piece::Bad(_) => None,
    })
}

/// A wrong line weighs most, since it hides a target; then what could not be tried.
fn exit(args: &Args, ending: &Ending) -> Exit {
    match ending {
        Ending { has_bad_line: true, .. }
        | Ending { has_target: false, is_interrupted: false, .. } => Exit::Usage,
        _ if args.exit_errno => Exit::Program(u8::try_from(ending.last_code).unwrap_or(u8::MAX)),
        Ending { is_blind: true, .. } => Exit::Blind,
        Ending { has_unmet: true, .. } => Exit::Found,
        _ => Exit::Fine,
    }
}

/// Tries `target` once: the addresses of a name one after the other, until one takes the connection,
/// all under the one deadline of `patience`, of which each has its share: one that is silent leaves
/// time for the others. Gives the attempt that succeeded, or the last one.
///
/// `None` if the descriptor that `patience` may have has ended it.
pub fn attempt(target: &Target, options: &Options, patience: &Patience<'_>) -> Option<Attempt> {
    let destinations = match resolve::addresses(target, options.family, patience) {
        Ok(destinations) => destinations,
        Err(NoAddress::Failed(attempt)) => return Some(*attempt),
        Err(NoAddress::Interrupted) => return None,
    };
    let mut last = None;
    for (others, destination) in (0..destinations.len()).rev().zip(&destinations) {
        let share = u32::try_from(others + 1).unwrap_or(u32::MAX);
        let patience = patience.left().map_or(*patience, |left| patience.at_most(left / share));
        let attempt = probe::try_once(destination, options, &patience)?;
        if attempt.is_connected() {
            return Some(attempt);
        }
        last = Some(attempt);
    }
    last
}
