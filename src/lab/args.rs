//! What was asked for.

use std::ffi::OsString;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Subcommand};

use super::scenario::Scenario;
use super::scenarios::{SCENARIOS, scenario};

const EXAMPLES: &str = "\
Examples:
  netkit lab list                       which conditions can be made
  netkit lab run ports-exhausted        make one, diagnose it, compare
  netkit lab run --all --quiet          all of them; the exit code tells
  netkit lab run fin-wait2 --json
  netkit lab shell time-wait-pileup --sockets 1000 -- ss -s

Exit codes: 0 netkit's diagnosis holds, 1 it does not, 2 wrong arguments, 3 it cannot be made here;
  `shell` ends as its command does";

const RUN_EXAMPLES: &str = "\
Examples:
  netkit lab run time-wait-server
  netkit lab run time-wait-pileup --sockets 3000 --destinations 3
  netkit lab run close-wait-leak --keep     holds it until Enter; shows how to look from elsewhere";

const SHELL_EXAMPLES: &str = "\
Examples:
  netkit lab shell close-wait-leak                 $SHELL; `exit` ends it and the condition
  netkit lab shell ports-exhausted -- sh -c 'netkit states --time-wait'";

/// Makes conditions on demand, each in a network namespace of its own, and diagnoses them
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Lists the scenarios
    List,
    /// Makes a condition, diagnoses it, and compares the diagnosis with the truth
    Run(RunArgs),
    /// Makes a condition, and runs a shell or a command inside it
    Shell(ShellArgs),
    /// Makes a condition for the process that started this one
    #[command(hide = true)]
    Inside(InsideArgs),
    /// Becomes a command in the namespace of another process
    #[command(hide = true)]
    Enter(EnterArgs),
}

/// `netkit lab run`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// The scenario
    #[arg(value_parser = scenarios(), required_unless_present = "all", hide_possible_values = true)]
    pub name: Option<&'static Scenario>,
    /// Every scenario, one after another
    #[arg(long, conflicts_with_all = ["name", "keep", "sockets", "destinations"])]
    pub all: bool,
    /// Hold the condition after the diagnosis, until Enter or the end of standard input
    #[arg(long)]
    pub keep: bool,
    /// How large it is to be.
    #[command(flatten)]
    pub size: SizeArgs,
}

/// `netkit lab shell`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = SHELL_EXAMPLES)]
pub struct ShellArgs {
    /// The scenario
    #[arg(value_parser = scenarios(), hide_possible_values = true)]
    pub name: &'static Scenario,
    /// How large it is to be.
    #[command(flatten)]
    pub size: SizeArgs,
    /// What to run in place of `$SHELL`
    #[arg(last = true)]
    pub command: Vec<OsString>,
}

/// How large a condition is to be.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct SizeArgs {
    /// How many sockets, for scenarios that can have any number: see `netkit lab list`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub sockets: Option<u64>,
    /// Over how many destinations; as many as their ports take if this is not given
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub destinations: Option<u64>,
}

/// `netkit lab inside`: the worker.
#[derive(Clone, Debug, ClapArgs)]
pub struct InsideArgs {
    /// The scenario
    #[arg(value_parser = scenarios(), hide_possible_values = true)]
    pub name: &'static Scenario,
    /// The process that started this one
    #[arg(long)]
    pub parent: u32,
    /// Make the condition, and diagnose nothing
    #[arg(long)]
    pub undiagnosed: bool,
    /// How wide the text of a diagnosis may be; without it there is none
    #[arg(long)]
    pub columns: Option<u16>,
    /// How large it is to be.
    #[command(flatten)]
    pub size: SizeArgs,
}

/// `netkit lab enter`.
#[derive(Clone, Debug, ClapArgs)]
pub struct EnterArgs {
    /// The process that is in the namespace
    pub worker: u32,
    /// The process that started this one
    #[arg(long)]
    pub parent: u32,
    /// Whether there is a user namespace to enter
    #[arg(long)]
    pub user_ns: bool,
    /// What to become
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// The names of the table; a misspelt one is answered with the one that was meant.
fn scenarios() -> impl TypedValueParser<Value = &'static Scenario> {
    let names = SCENARIOS.iter().map(|it| PossibleValue::new(it.name).help(it.about));
    let known = PossibleValuesParser::new(names);
    known.try_map(|name| scenario(&name).ok_or("no such scenario"))
}
