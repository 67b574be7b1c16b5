//! `netkit lab`: a condition made on demand in a namespace of its own, and netkit's diagnosis of it
//! compared with the truth.
//!
//! Three processes take part. The one that the user started stays where it is, shows what happens,
//! and answers for the exit code. It starts netkit once more as a worker (`inside`), which moves
//! into the namespace, makes the condition and holds it. For `shell`, a third (`enter`) joins the
//! namespace and becomes the user's command.

mod args;
mod attend;
mod claim;
mod diagnose;
mod event;
mod inside;
mod report;
mod scenario;
mod scenarios;
mod settle;
mod shell;
mod stage;
mod text;

pub use args::Args;
use args::Verb;
use report::ListReport;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Outcome, Screen, emit};

/// Answers `args` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    if place.net_ns.is_some() || place.procfs.is_some() {
        let problem = "the lab makes a namespace of its own: it takes no --netns and no --procfs";
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem.to_owned()] });
    }
    match &args.verb {
        Verb::List => {
            emit(&ListReport::of(scenarios::SCENARIOS), screen.format, screen.style, screen.out)?;
            screen.out.flush()?;
            Ok(Outcome { exit: Exit::Fine, messages: Vec::new() })
        }
        Verb::Run(args) => attend::run(args, screen),
        Verb::Shell(args) => shell::run(args, screen),
        Verb::Inside(args) => inside::work(args, screen),
        Verb::Enter(args) => inside::enter(args),
    }
}
