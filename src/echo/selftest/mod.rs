//! `netkit echo` alone: server and client in one process, on every path that this machine has.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Outcome, Screen};

/// What the self-test is asked for.
#[derive(Clone, Debug, ClapArgs)]
#[group(id = "selftest")]
pub struct Args {}

/// Answers `args` for `place` on `screen`.
pub fn run(_: &Args, _: &Place, _: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let problem = "say what to do: `netkit echo server` or `netkit echo client`".to_owned();
    Ok(Outcome { exit: Exit::Usage, messages: vec![problem] })
}
