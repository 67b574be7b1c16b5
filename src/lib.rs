//! netkit looks at the kernel's own tables when TCP misbehaves, says what is wrong, shows the
//! evidence, and ends with an exit code that a script can trust.
//!
//! - [`model`]: what things are; no I/O.
//! - [`kernel`]: what Linux says; one file a kernel interface.
//! - [`catalogue`]: what is known; tables with sources.
//! - [`output`]: how it is shown.
//! - [`states`], [`bind`], [`connect`], [`sysctl`]: the commands of the same names.
//! - [`echo`]: the command `netkit echo`.
//! - [`wait`]: the command `netkit wait`.
//! - [`explain`]: the command `netkit explain`, made of the catalogues.
//! - [`lab`]: the command `netkit lab`.
//!
//! A module imports only from what stands above it in this list. [`run`] is the program: it can be
//! called as often as one likes.

pub mod bind;
pub mod catalogue;
mod cli;
pub mod connect;
pub mod echo;
pub mod exit;
pub mod explain;
pub mod kernel;
pub mod lab;
pub mod model;
pub mod output;
pub mod states;
mod streams;
pub mod sysctl;
pub mod wait;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::error::ErrorKind;
use cli::{Cli, Command};
use exit::Exit;
use kernel::KernelError;
use output::{Aside, Outcome, Screen};
pub use streams::Streams;

/// Runs netkit with `arguments`, of which the first is the program's name.
pub fn run(arguments: impl Iterator<Item = OsString>, streams: &mut Streams) -> Exit {
    let cli = match Cli::read(arguments) {
        Ok(cli) => cli,
        Err(answer) => return decline(&answer, streams),
    };
    streams::trace(cli.common().verbose);
    match carry_out(&cli, streams) {
        Ok(outcome) => {
            if !cli.common().quiet {
                outcome.messages.iter().for_each(|message| streams.say(message));
            }
            if let Exit::Signal(signal) = outcome.exit {
                kernel::ending_signals::die_of(signal);
            }
            outcome.exit
        }
        Err(error) => failed(&error, streams),
    }
}

fn carry_out(cli: &Cli, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let style = streams.style(cli.common().color);
    let (err_style, is_terminal) = streams.err_style(cli.common().color);
    let (mut nowhere, mut silence) = (io::sink(), io::sink());
    let out: &mut (dyn Write + Send) =
        if cli.common().quiet { &mut nowhere } else { streams.out.as_mut() };
    let err: &mut (dyn Write + Send) =
        if cli.common().quiet { &mut silence } else { streams.err.as_mut() };
    // With --quiet there is nobody to draw a line for; with -v others come between.
    let is_terminal = is_terminal && !cli.common().quiet && cli.common().verbose == 0;
    let mut aside = Aside { out: err, style: err_style, is_terminal };
    let mut screen = Screen { out, format: cli.common().format(), style };
    match &cli.command {
        Command::States(args) => states::run(args, &cli.common().place(), &mut screen),
        Command::Bind(args) => bind::run(args, &cli.common().place(), &mut screen),
        Command::Connect(args) => {
            connect::run(args, &cli.common().place(), &mut screen, &mut aside)
        }
        Command::Sysctl(args) => sysctl::run(args, &cli.common().place(), &mut screen),
        Command::Wait(args) => wait::run(args, &cli.common().place(), &mut screen, &mut aside),
        Command::Echo(args) => echo::run(args, &cli.common().place(), &mut screen, &mut aside),
        Command::Explain(args) => explain::run(args, &cli.common().place(), &mut screen),
        Command::Lab(args) => lab::run(args, &cli.common().place(), &mut screen),
    }
}

/// Help and version on standard output; what is wrong with the command line on standard error.
fn decline(answer: &clap::Error, streams: &mut Streams) -> Exit {
    let text = answer.render().to_string();
    if answer.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        streams.say(&format!("say what to look at\n\n{}", text.trim_end()));
        return Exit::Usage;
    }
    if answer.use_stderr() {
        streams.say(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
        return Exit::Usage;
    }
    match streams.out.write_all(text.as_bytes()).and_then(|()| streams.out.flush()) {
        Ok(()) => Exit::Fine,
        Err(error) => failed(&error.into(), streams),
    }
}

/// A closed pipe is the reader's right; all else is said, with what can be done about it.
fn failed(error: &anyhow::Error, streams: &mut Streams) -> Exit {
    let causes = || error.chain();
    if let Some(write) = causes().find_map(|cause| cause.downcast_ref::<io::Error>())
        && !causes().any(<dyn std::error::Error>::is::<KernelError>)
    {
        if write.kind() == io::ErrorKind::BrokenPipe {
            return Exit::Fine;
        }
        streams.say(&format!("cannot write the answer: {write}"));
        return Exit::Blind;
    }
    // Each error names its cause itself.
    streams.say(&error.to_string());
    if let Some(hint) = causes().find_map(|cause| cause.downcast_ref()).and_then(KernelError::hint)
    {
        streams.hint(hint);
    }
    Exit::Blind
}
