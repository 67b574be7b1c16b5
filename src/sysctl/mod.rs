//! `netkit sysctl`: what the TCP settings are, what they do, and what they will be after a reboot.

mod answer;
pub mod apply;
mod apply_report;
mod args;
mod boot;
mod check;
mod deed;
mod drop_in;
pub mod expectation;
mod explain;
mod failure;
mod file_findings;
pub mod files;
mod judge;
mod line;
mod lint;
mod listening;
mod outcome;
mod outranked;
pub mod profile;
mod profile_file;
mod report;
mod rules;
mod saved;
mod show;
mod survey;
mod text;
mod together;
pub mod undo;

pub use args::Args;
use args::SysctlCommand;
pub use explain::Page;
pub use report::SysctlReport;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Format, Outcome, Report, Screen, emit};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    match args.command() {
        SysctlCommand::Check(args) => tell(&answer::check(&args, place)?, screen),
        SysctlCommand::Show(args) => tell(&answer::show(&args, place)?, screen),
        SysctlCommand::Lint(args) => tell(&answer::lint(&args, place)?, screen),
        SysctlCommand::Diff(args) => tell(&answer::diff(&args, place)?, screen),
        SysctlCommand::Explain(args) => tell(&answer::explain(&args, place)?, screen),
        SysctlCommand::Apply(args) => apply::run(&args, place, screen),
        SysctlCommand::Undo(args) => undo::run(&args, place, screen),
    }
}

/// Shows an answer, or says what was wrong with the question.
fn tell<R: Report>(answer: &answer::Answer<R>, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem.clone()] }),
    };
    emit(&answer.report, screen.format, screen.style, screen.out)?;
    screen.out.flush()?;
    let is_part = matches!(screen.format, Format::Json | Format::Ndjson);
    let said = answer.warnings.iter().filter(|_| !is_part);
    let messages = said.map(|warning| format!("warning: {warning}")).collect();
    Ok(Outcome { exit: answer.exit, messages })
}
