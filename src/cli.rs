//! The root of the command line, and the options that every command has.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{ArgAction, ArgMatches, Args, CommandFactory as _, FromArgMatches, Parser, Subcommand};

use crate::kernel::Place;
use crate::kernel::net_ns::NetNs;
use crate::output::{Color, Format};
use crate::{bind, connect, echo, explain, lab, states, sysctl, wait};

const AFTER_HELP: &str = "\
Examples:
  netkit states --time-wait    is TIME_WAIT a problem here, where, and for how long
  netkit states                which sockets are in which TCP state
  netkit bind 127.0.0.1:8080   may a server bind this; if not, who has it and what helps
  netkit connect host:5432     which code connect(2) gives, who said so, and what helps
  netkit wait db:5432 -- ./go  run a command once the database accepts
  netkit sysctl                what the TCP settings are, do, and will be after a reboot
  netkit echo                  does traffic go round here: TCP, UDP, Unix sockets, IPv4, IPv6
  netkit explain EADDRINUSE    what an errno, a state, a setting or a call is
  netkit lab run --all         make such conditions in a namespace of their own, and diagnose them
Exit codes: 0 as it should be, 1 found something, 2 wrong arguments, 3 could not look";

/// Linux network diagnostics: looks at the kernel's own tables, says what is wrong and what helps
#[derive(Debug, Parser)]
#[command(name = "netkit", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists sockets by TCP state, and judges whether TIME_WAIT is a problem
    States(Called<states::Args>),
    /// Says whether an address can be bound, and else who has it, until when, and what helps
    Bind(Called<bind::Args>),
    /// Says which code connect(2) gives for an address, and who said so
    Connect(Called<connect::Args>),
    /// Judges the TCP settings: what they do, and what they will be after a reboot
    Sysctl(Called<sysctl::Args>),
    /// Waits until addresses accept, refuse, are free to bind, or echo; then runs a command
    Wait(Called<wait::Args>),
    /// Sends traffic round: an echo server, an echo client with load, a test of this machine
    Echo(Called<echo::Args>),
    /// Explains a state, an errno, a setting, a counter, a finding or a call
    Explain(Called<explain::Args>),
    /// Makes conditions on demand, each in a network namespace of its own, and diagnoses them
    Lab(Called<lab::Args>),
}

/// The options of a command, and those of all commands, which are defined when it is the one
/// that is called: to define those of all the others takes as long as to answer. So what a command is
/// for stands above, where the list of commands finds it without.
#[derive(Debug)]
pub(crate) struct Called<A> {
    args: Box<A>,
    common: Common,
}

impl<A> Deref for Called<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.args
    }
}

/// `command` with the options that `define` adds: their struct describes itself, not the command.
fn with_options(
    command: clap::Command,
    define: impl FnOnce(clap::Command) -> clap::Command,
) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    define(command).about(about)
}

impl<A: Args> Args for Called<A> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(|command| {
            let has_markdown = command.get_name() == "explain";
            let define = |command| Common::augment_args(A::augment_args(command));
            let command = with_options(command, define);
            // It is hidden, since no other command has it.
            if has_markdown {
                command.mut_arg("format", |it| it.help("How to write the answer; also `markdown`"))
            } else {
                command
            }
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Common::augment_args_for_update(A::augment_args_for_update(command))
    }
}

impl<A: FromArgMatches> FromArgMatches for Called<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        let common = Common::from_arg_matches_mut(matches)?;
        Ok(Self { args: Box::new(A::from_arg_matches_mut(matches)?), common })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.common.update_from_arg_matches(matches)?;
        self.args.update_from_arg_matches(matches)
    }
}

impl Command {
    /// The formats that it has besides those of all commands.
    fn more_formats(&self) -> &'static [Format] {
        match self {
            Self::Explain(_) => &[Format::Markdown],
            Self::States(_)
            | Self::Bind(_)
            | Self::Connect(_)
            | Self::Sysctl(_)
            | Self::Wait(_)
            | Self::Echo(_)
            | Self::Lab(_) => &[],
        }
    }

    /// What was said for all commands, behind it or before (`ArgMatcher::propagate_globals`).
    fn common(&self) -> &Common {
        match self {
            Self::States(called) => &called.common,
            Self::Bind(called) => &called.common,
            Self::Connect(called) => &called.common,
            Self::Sysctl(called) => &called.common,
            Self::Wait(called) => &called.common,
            Self::Echo(called) => &called.common,
            Self::Explain(called) => &called.common,
            Self::Lab(called) => &called.common,
        }
    }
}

impl Cli {
    /// The options of all commands.
    pub(crate) fn common(&self) -> &Common {
        self.command.common()
    }

    /// Reads the command line. Fails also where the command has no such format.
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let arguments: Vec<_> = arguments.collect();
        let mut command = Self::command();
        let named = arguments.get(1).and_then(|first| command.find_subcommand(first));
        let named = named.map(|command| command.get_name().to_owned());
        if named.is_none() {
            // Not global here, or each command would be given its own copy of them: a command that
            // is called has defined them itself, for its subcommands too.
            command = with_options(command, Common::augment_args);
            command = command.mut_args(|option| option.global(false));
        }
        let name = named.unwrap_or_default();
        let matches = command.try_get_matches_from_mut(arguments);
        let mut matches = matches.map_err(|error| with_tip(error, &name))?;
        let cli = Self::from_arg_matches_mut(&mut matches).map_err(|it| it.format(&mut command))?;
        let (format, more) = (cli.common().format(), cli.command.more_formats());
        if Format::OF_ALL.contains(&format) || more.contains(&format) {
            return Ok(cli);
        }
        let known: Vec<_> = Format::OF_ALL.iter().chain(more).map(|it| it.name()).collect();
        let problem = format!(
            "this command has no format `{}`\nhint: it has {}",
            format.name(),
            known.join(", ")
        );
        Err(Error::raw(ErrorKind::InvalidValue, problem))
    }
}

/// What to write in the place of options that other programs have.
fn with_tip(mut error: Error, command: &str) -> Error {
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) if is_unknown => option.as_str(),
        _ => return error,
    };
    let tip = match (command, option) {
        ("connect", "--udp" | "-u") => {
            "of UDP the target says so, as in `netkit connect udp://HOST:PORT --send TEXT`; `netkit \
             echo client udp://HOST:PORT` measures an echo"
        }
        ("wait", "--udp" | "-u") => {
            "of UDP the target says so, as in `netkit wait udp://HOST:PORT --send TEXT`"
        }
        ("connect" | "wait", "--tcp") => "TCP is what HOST:PORT means: leave it out",
        _ => return error,
    };
    drop(error.remove(ContextKind::SuggestedArg));
    drop(error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()])));
    error
}

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "All commands")]
pub(crate) struct Common {
    /// How to write the answer
    #[arg(long, global = true, value_enum, default_value = "table")]
    format: Format,
    /// Short for --format json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// When to use colour; `NO_COLOR` is respected
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(crate) color: Color,
    /// Say nothing; the exit code tells
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say what is done, on standard error; twice for more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Answer for another network namespace: a name of ip-netns(8), a process id, or a file
    #[arg(long, global = true, value_name = "NAME|PID|PATH")]
    netns: Option<NetNs>,
    /// Read this tree instead of /proc: a host's, mounted in a container, or a capture; with --netns,
    /// where process ids are looked up
    #[arg(long, global = true, value_name = "DIR")]
    procfs: Option<PathBuf>,
}

impl Common {
    /// The format of the answer.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// Where to look.
    pub(crate) fn place(&self) -> Place {
        Place { net_ns: self.netns.clone(), procfs: self.procfs.clone() }
    }
}
