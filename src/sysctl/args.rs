//! What was asked for.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::expectation::Expectation;
use super::{apply, undo};
use crate::model::{KernelRelease, KeyPattern, Severity, SysctlKey};

const EXAMPLES: &str = "\
Examples:
  netkit sysctl                                what is wrong, now and at boot
  netkit sysctl show tcp_tw_reuse              value, default, range, meaning
  netkit sysctl check --expect 'net.core.somaxconn>=4096'
  netkit sysctl diff                           what a reboot would change
  netkit sysctl explain tcp_fin_timeout        what it does, and what it does not
  netkit sysctl lint /etc/sysctl.conf          judge a file without the system
  netkit sysctl apply --profile server         show what it would change

Exit codes: 0 nothing at or above --fail-on, 1 a finding, 2 wrong arguments, 3 could not look, or
not at every file";

/// Judges the TCP settings: what they do, and what they will be after a reboot
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<SysctlCommand>,
    #[command(flatten)]
    check: CheckArgs,
}

/// The commands of `netkit sysctl`.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SysctlCommand {
    Check(CheckArgs),
    Show(ShowArgs),
    Lint(LintArgs),
    Diff(DiffArgs),
    Explain(ExplainArgs),
    Apply(apply::Args),
    Undo(undo::Args),
}

impl Args {
    /// The command; `check` if none is named.
    pub(super) fn command(&self) -> SysctlCommand {
        self.command.clone().unwrap_or_else(|| SysctlCommand::Check(self.check.clone()))
    }
}

/// Judges the running values, and those that the files would set at boot
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  netkit sysctl check
  netkit sysctl check --profile client-heavy --fail-on warning
  netkit sysctl check --expect 'net.core.somaxconn>=4096' --expect net.ipv4.tcp_tw_reuse=2
  netkit sysctl check --root /srv/image --kernel 6.1

Exit codes: 0 nothing at or above --fail-on, 1 a finding, 2 wrong arguments, 3 could not look, or
not at every file")]
pub struct CheckArgs {
    /// Judge for a purpose besides: server, client-heavy, container, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// A value that has to be so, as in KEY=VALUE or KEY>=VALUE; may be given several times. One that is
    /// not met makes the exit code 1
    #[arg(long, value_name = "KEY=VALUE")]
    pub expect: Vec<Expectation>,
    /// From which severity on the exit code is 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "critical")]
    pub fail_on: FailOn,
    #[command(flatten)]
    pub tree: TreeArgs,
}

/// Whose files are read, and what they are held against.
#[derive(Clone, Debug, ClapArgs)]
pub struct TreeArgs {
    /// Judge the files below this directory, of an image, alone: nothing runs there. With --procfs or
    /// --netns, a container's or a host's: those running values are its own
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// With --root, judge for this release of the kernel instead of the newest one of the image
    #[arg(long, value_name = "RELEASE", requires = "root")]
    pub kernel: Option<KernelRelease>,
}

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// From a warning on.
    Warning,
    /// From a critical finding on.
    Critical,
    /// Never, but for what was expected and is not so.
    Never,
}

impl FailOn {
    /// The severity from which on the run fails; `None` for never.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Warning => Some(Severity::Warning),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

/// Shows settings: value, unit, default, range, scope, and what each does
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  netkit sysctl show
  netkit sysctl show net.ipv4.tcp_tw_reuse
  netkit sysctl show 'net.ipv4.tcp_keepalive_*' somaxconn")]
pub struct ShowArgs {
    /// A key with dots or slashes, a pattern, or the last part of a key; without one, all of the
    /// catalogue
    #[arg(value_name = "KEY|GLOB")]
    pub keys: Vec<String>,
}

/// Judges files in the form of sysctl.conf, without the system
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  netkit sysctl lint /etc/sysctl.conf
  netkit sysctl lint --kernel 4.4 --fail-on warning /etc/sysctl.conf
  netkit sysctl lint - < /etc/sysctl.conf")]
pub struct LintArgs {
    /// The files; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Judge for this release of the kernel instead of the running one
    #[arg(long, value_name = "RELEASE")]
    pub kernel: Option<KernelRelease>,
    /// From which severity on the exit code is 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "critical")]
    pub fail_on: FailOn,
}

/// Shows where default, files and running values differ
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  netkit sysctl diff
  netkit sysctl diff --root / --procfs /proc")]
pub struct DiffArgs {
    #[command(flatten)]
    pub tree: TreeArgs,
}

/// Explains a setting: what it does, what is said of it, what to look at instead
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  netkit sysctl explain net.ipv4.tcp_tw_recycle
  netkit sysctl explain tcp_fin_timeout")]
pub struct ExplainArgs {
    /// A key with dots or slashes, or the last part of one
    #[arg(value_name = "KEY")]
    pub key: String,
}

/// What `text` names: a pattern of keys, those of the catalogue that end in it if it has one part
/// alone.
pub(super) fn pattern(text: &str) -> Result<KeyPattern, String> {
    KeyPattern::parse(text).map_err(|bad| bad.to_string())
}

/// Whether `key` is what `text` names: by the whole key or pattern, or by its last part.
pub(super) fn is_named(text: &str, pattern: &KeyPattern, key: &SysctlKey) -> bool {
    let is_short = !text.contains(['.', '/']);
    let last = || key.components().last().and_then(|last| SysctlKey::parse(last).ok());
    pattern.matches(key) || (is_short && last().is_some_and(|last| pattern.matches(&last)))
}
