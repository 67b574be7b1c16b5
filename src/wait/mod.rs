//! `netkit wait`: until addresses accept, refuse, are free to bind, or echo; then a command.

mod advice;
mod args;
mod follow;
mod free;
mod interval;
mod look;
mod progress;
mod reach;
mod report;
mod table;
mod tally;
mod target;
mod text;
mod watchers;

use std::ffi::OsString;
use std::io;

pub use args::Args;
use follow::{Course, Task, follow};
use look::Manner;
use progress::Progress;
use report::WaitReport;
use target::{Subject, Watch};

use crate::exit::Exit;
use crate::kernel::clock::{Stopwatch, now};
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::program::become_program;
use crate::kernel::{KernelError, Place, io_text};
use crate::output::{Aside, Format, Outcome, Screen, emit, sanitize};

/// Answers `args` for `place` on `screen`, and tells on `aside` how it goes. With a command, does not
/// come back if the wait was not in vain.
pub fn run(
    args: &Args,
    place: &Place,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Outcome> {
    let watches = match args.watches() {
        Ok(watches) => watches,
        Err(problem) => return Ok(wrong(problem)),
    };
    let path = watches.iter().find(|it| is_path_to_bind(it));
    if let Some(problem) = path.and_then(|path| place.lacks_path(path, "wait --for free")) {
        return Ok(wrong(problem));
    }
    let captured_at = now().to_string();
    let signals = EndingSignals::hold()?;
    let mut progress = match screen.format {
        Format::Ndjson => Progress::Events(&mut *screen.out),
        Format::Table | Format::Json | Format::Csv | Format::Markdown => Progress::aside(aside),
    };
    let course = match wait(args, watches, place, &signals, &mut progress) {
        Ok(course) => course,
        // Named by the user, so it is the command line that is wrong.
        Err(error @ KernelError::NoInterface(_)) => return Ok(wrong(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    // With the line that is on the terminal.
    drop(progress);
    let signal = course.signal;
    let report = WaitReport::new(course, captured_at, args.timeout(), args.quorum());
    heard(show(&report, args, screen, aside))?;
    if let Some(signal) = signal {
        return Ok(Outcome { exit: Exit::Signal(number(signal)), messages: Vec::new() });
    }
    // The command is to have them, and one that came since the verdict ends netkit before it.
    drop(signals);
    Ok(end(args, &report))
}

fn wrong(problem: String) -> Outcome {
    Outcome { exit: Exit::Usage, messages: vec![problem] }
}

fn is_path_to_bind(watch: &Watch) -> bool {
    matches!(&watch.subject, Subject::Free(wish) if wish.is_path())
}

fn wait(
    args: &Args,
    watches: Vec<Watch>,
    place: &Place,
    signals: &EndingSignals,
    progress: &mut Progress<'_>,
) -> Result<Course, KernelError> {
    let manner =
        Manner { clock: Stopwatch::start(), asking: args.asking(), deadline: args.timeout() };
    let (quorum, interval) = (args.quorum(), args.interval());
    let task = Task { watches, quorum, interval, manner, signals };
    place.inside(|_| follow(task, progress))?
}

/// Shows the report. Where a command follows, standard output is the command's, but for a program
/// that asked for a format of its own.
fn show(
    report: &WaitReport,
    args: &Args,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> io::Result<()> {
    if args.command().is_empty() || screen.format != Format::Table {
        emit(report, screen.format, screen.style, screen.out)?;
        return screen.out.flush();
    }
    let text = match (report.met, aside.is_terminal) {
        (false, _) => text::render(report, aside.style),
        (true, true) => text::headline(report, aside.style),
        // The last line of the log has said it.
        (true, false) => return Ok(()),
    };
    aside.out.write_all(text.as_bytes())?;
    aside.out.flush()
}

/// That nobody reads the answer changes nothing about it.
fn heard(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The exit code; or, where the wait was not in vain, the command.
fn end(args: &Args, report: &WaitReport) -> Outcome {
    let exit = match (report.met, report.is_blind()) {
        (true, _) if !args.command().is_empty() => return become_command(args.command()),
        (true, _) => Exit::Fine,
        (false, true) => Exit::Blind,
        (false, false) => Exit::Program(args.timeout_exit()),
    };
    Outcome { exit, messages: Vec::new() }
}

/// Comes back only if it cannot, with the exit codes of shells (POSIX.1-2017, Shell Command
/// Language, 2.8.2).
fn become_command(command: &[OsString]) -> Outcome {
    let error = become_program(command);
    let name = command.first().map(|name| sanitize(&name.to_string_lossy())).unwrap_or_default();
    let (code, hint) = if error.kind() == io::ErrorKind::NotFound {
        let hint = "is it installed, and in PATH? a script is not found either where its interpreter \
                    is missing";
        (127, hint)
    } else {
        (126, "is it a program, and executable? `chmod +x` makes it so")
    };
    let message = format!("cannot run `{name}`: {}\nhint: {hint}", io_text(&error));
    Outcome { exit: Exit::Program(code), messages: vec![message] }
}
