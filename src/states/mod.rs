//! `netkit states`: which sockets are in which state, and is TIME_WAIT a problem here.

mod answer;
mod args;
mod census;
mod filter;
mod grouping;
mod pileup;
mod report;
mod survey;
mod text;
mod verdict;

use std::io;

pub use args::Args;
use report::StatesReport;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Format, Outcome, Screen, emit, json_tail};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    if let Some(problem) = args.contradiction(screen.format) {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem.to_owned()] });
    }
    let report = place.visit(|proc_root, warning| {
        let mut report = answer::answer(args, place, proc_root, screen)?;
        report.warnings.splice(..0, warning);
        anyhow::Ok(report)
    })??;
    show(&report, screen)?;
    // In JSON the warnings are part of the answer.
    let warnings = report.warnings.iter().filter(|_| screen.format != Format::Json);
    let mut messages: Vec<_> = warnings.map(|warning| format!("warning: {warning}")).collect();
    let exit = exit(args, &report);
    if exit != Exit::Fine && report.shows_sockets() && screen.format != Format::Json {
        messages.extend(report.findings.first().map(|finding| finding.message.clone()));
    }
    Ok(Outcome { exit, messages })
}

/// The exit code tells of the verdict, where one was asked for.
fn exit(args: &Args, report: &StatesReport) -> Exit {
    let Some(pileup) = &report.pileup else { return Exit::Fine };
    match (pileup.severity, args.verdict.fails_on()) {
        (Some(severity), Some(limit)) if severity >= limit => Exit::Found,
        _ if pileup.is_blind => Exit::Blind,
        _ => Exit::Fine,
    }
}

/// Writes the report; of a list, what stands below the rows.
fn show(report: &StatesReport, screen: &mut Screen<'_>) -> io::Result<()> {
    match (screen.format, report.view.has_listed) {
        (Format::Json, true) => json_tail(report, screen.out)?,
        (_, true) => {}
        (format, false) => emit(report, format, screen.style, screen.out)?,
    }
    screen.out.flush()
}
