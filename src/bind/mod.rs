//! `netkit bind`: can this address be bound, and if not: who has it, until when, what helps.

mod answer;
mod args;
mod blockers;
mod findings;
mod free_ports;
mod outlook;
mod probe;
mod remedies;
mod report;
mod sharing;
mod survey;
mod target;
mod text;
mod unix;

pub use args::Args;
use args::Question;
use free_ports::FreePorts;
pub use report::BindReport;
use target::Target;

use crate::exit::Exit;
use crate::kernel::{KernelError, Place};
use crate::output::{Format, Outcome, Report, Screen, emit};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let question = match args.question() {
        Ok(question) => question,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
    };
    let answered = match question {
        Question::Bind(target) => look(args, target, place).and_then(|report| {
            show(&report, &report.warnings, screen)
                .map(|messages| Outcome { exit: report.exit(), messages })
        }),
        Question::FreePorts(range) => {
            let found = place.inside(|proc_root| FreePorts::find(args, range, proc_root))?;
            found.map_err(anyhow::Error::from).and_then(|report| {
                let mut messages = show(&report, &report.warnings, screen)?;
                messages.extend(report.complaint());
                Ok(Outcome { exit: report.exit(), messages })
            })
        }
    };
    answered.or_else(|error| match error.downcast_ref() {
        // Named by the user, so it is the command line that is wrong.
        Some(KernelError::NoInterface(_)) => {
            Ok(Outcome { exit: Exit::Usage, messages: vec![error.to_string()] })
        }
        _ => Err(error),
    })
}

/// The answer to `args` for `place`, unshown. Fails if they ask for something else than whether an
/// address can be bound.
pub fn examine(args: &Args, place: &Place) -> anyhow::Result<BindReport> {
    match args.question() {
        Ok(Question::Bind(target)) => look(args, target, place),
        Ok(Question::FreePorts(_)) => anyhow::bail!("--find-free has no report of its own"),
        Err(problem) => anyhow::bail!(problem),
    }
}

fn look(args: &Args, target: &Target, place: &Place) -> anyhow::Result<BindReport> {
    Ok(place.inside(|proc_root| answer::answer(args, target, proc_root))??)
}

/// Writes the report; what there is to say besides, which in JSON is part of it.
fn show(
    report: &impl Report,
    warnings: &[String],
    screen: &mut Screen<'_>,
) -> anyhow::Result<Vec<String>> {
    emit(report, screen.format, screen.style, screen.out)?;
    screen.out.flush()?;
    let is_part = matches!(screen.format, Format::Json | Format::Ndjson);
    let said = warnings.iter().filter(|_| !is_part);
    Ok(said.map(|warning| format!("warning: {warning}")).collect())
}
