//! `netkit echo client`: sends, and judges what comes back.

mod args;

pub use args::Args;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Outcome, Screen};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, _: &Place, _: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let problem = format!("`{}`: there is no client yet for {:?}", args.target, args.messages);
    Ok(Outcome { exit: Exit::Usage, messages: vec![problem] })
}
