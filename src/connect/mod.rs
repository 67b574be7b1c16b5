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
mod ordered;
mod outcome;
mod payload;
mod probe;
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
pub use outcome::{OUTCOMES, Outcome};
pub use probe::{Close, Hear, Mode, Options, Talk};
use resolve::NoAddress;
use stream::{Detail, Stream};
pub use target::{Host, Target};

use crate::exit::Exit;
use crate::kernel::clock::now;
use crate::kernel::interrupt::Interrupt;
pub use crate::kernel::patience::Patience;
use crate::kernel::{Place, ProcRoot};
use crate::model::UnixName;
use crate::output::{self, Format, Screen};

/// Rows of the command line that are told with all that is known; of more, a line each.
const FULL: usize = 8;

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<output::Outcome> {
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
    let mut file = match FileList::open(args) {
        Ok(file) => file,
        Err(problem) => return wrong(problem),
    };
    if args.repeats() {
        // Each is needed again.
        pieces.extend(file.take().into_iter().flatten());
    }
    // Whoever types a list ends it as any program; it could not be told while it waits for a line.
    let can_be_told = args.repeats() || file.as_ref().is_some_and(|it| !it.is_standard_input());
    // Before any thread is made, one of which is entering a namespace.
    let interrupt = can_be_told.then(Interrupt::watch).transpose()?;
    let answered = place.inside(|proc_root| match args.contradiction() {
        Some(problem) => Ok(Err(problem)),
        None => answer(args, &pieces, file, (proc_root, interrupt.as_ref()), screen).map(Ok),
    })??;
    if interrupt.is_some_and(|it| it.take()) {
        return Ok(output::Outcome { exit: Exit::Interrupted, messages: Vec::new() });
    }
    answered.map_or_else(wrong, |ending| {
        let exit = exit(args, &ending);
        let said = ending.tail.warnings.iter().filter(|_| screen.format != Format::Json);
        let messages = said.map(|warning| format!("warning: {warning}")).collect();
        Ok(output::Outcome { exit, messages })
    })
}

fn answer(
    args: &Args,
    pieces: &[Piece],
    file: Option<FileList<'_>>,
    (proc_root, interrupt): (&ProcRoot, Option<&Interrupt>),
    screen: &mut Screen<'_>,
) -> anyhow::Result<Ending> {
    let is_long = file.is_some() || args.repeats() || pieces.len() > FULL;
    let detail = if is_long { Detail::Line } else { Detail::Full };
    let format = screen.format;
    let mut stream = Stream::begin(screen, detail, args.repeats(), &now().to_string())?;
    let campaign = Campaign {
        args,
        options: args.options(),
        proc_root,
        interrupt,
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

/// --netns enters the network namespace alone, so that a path would be looked for here.
fn foreign_path(pieces: &[Piece], place: &Place) -> Option<String> {
    place.net_ns.as_ref()?;
    pieces.iter().find_map(|piece| match piece {
        Piece::Target(text, Target::Unix { name: UnixName::Path(_), .. }) => Some(format!(
            "`{text}`: --netns enters the network namespace alone, and this path is looked for here\n\
             hint: nsenter -t PID -m -n netkit connect {text}"
        )),
        Piece::Target(..) | Piece::Bad(_) => None,
    })
}

/// A wrong line weighs most, since it hides a target; then what could not be tried.
fn exit(args: &Args, ending: &Ending) -> Exit {
    match ending {
        Ending { has_bad_line: true, .. } => Exit::Usage,
        _ if args.exit_errno => Exit::Program(u8::try_from(ending.last_code).unwrap_or(u8::MAX)),
        Ending { is_blind: true, .. } => Exit::Blind,
        Ending { has_unmet: true, .. } => Exit::Found,
        _ => Exit::Fine,
    }
}

/// Tries `target` once: the addresses of a name one after the other, until one takes the connection,
/// all under the one deadline of `patience`. Gives the attempt that succeeded, or the last one.
///
/// `None` if the descriptor that `patience` may have has ended it.
pub fn attempt(target: &Target, options: &Options, patience: &Patience<'_>) -> Option<Attempt> {
    let destinations = match resolve::addresses(target, options.family, patience) {
        Ok(destinations) => destinations,
        Err(NoAddress::Failed(attempt)) => return Some(*attempt),
        Err(NoAddress::Interrupted) => return None,
    };
    let mut last = None;
    for destination in &destinations {
        let attempt = probe::try_once(destination, options, patience)?;
        if attempt.is_connected() {
            return Some(attempt);
        }
        last = Some(attempt);
    }
    last
}
