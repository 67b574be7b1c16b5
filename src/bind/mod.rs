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
mod surroundings;
mod survey;
mod target;
mod tcp;
mod text;
mod udp;
mod unix;
mod wish;

use answer::Site;
pub use args::Args;
use args::Question;
use blockers::Role;
use free_ports::FreePorts;
use report::BindReport;
pub use target::{InternetTarget, Target, parse as parse_target};
pub use wish::{Standing, Wish};

use crate::exit::Exit;
use crate::kernel::net_ns::NetNs;
use crate::kernel::unix_binding::UnixType;
use crate::kernel::{KernelError, Place, ProcRoot};
use crate::model::UnixName;
use crate::output::{Format, Outcome, Report, Screen, emit};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let question = match args.question() {
        Ok(question) => question,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
    };
    if let Question::Bind(Target::Unix(name @ UnixName::Path(_))) = &question
        && let Some(problem) = place.lacks_path(name, "bind")
    {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    }
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

/// Whether `name` is the file of a Unix socket that nobody has open any more, as far as `proc_root`
/// shows who has one.
pub fn is_stale(
    name: &UnixName,
    kind: UnixType,
    proc_root: &ProcRoot,
) -> Result<bool, KernelError> {
    let survey = unix::look(name, kind, proc_root)?;
    Ok(survey.blockers.iter().any(|it| it.role == Role::UnixStale))
}

fn look(args: &Args, target: &Target, place: &Place) -> anyhow::Result<BindReport> {
    let prefix = place.net_ns.as_ref().map(NetNs::command_prefix).unwrap_or_default();
    let mut report = place
        .inside(|proc_root| answer::answer(args, target, Site { proc_root, prefix: &prefix }))??;
    report.view.place = place.net_ns.as_ref().map(|it| format!(" in network namespace {it}"));
    Ok(report)
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
