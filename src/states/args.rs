//! What was asked for.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use ipnet::IpNet;

use super::filter::{Filter, parse_network};
use super::grouping::Key;
use super::pileup::Thresholds;
use crate::kernel::clock;
use crate::kernel::sockets::Source;
use crate::model::{Family, PortRange, Protocol, Severity, StateSet, TcpState};
use crate::output::Format;

const EXAMPLES: &str = "\
Examples:
  netkit states                                which states are there, and what they mean
  netkit states --time-wait                    is TIME_WAIT a problem here, where, and for how long
  netkit states --time-wait --fail-on warning  the same for CI: exit code 1 from a warning on
  netkit states --state close-wait --by local --top 5
  netkit states --listening --list
  netkit states --remote 10.0.0.0/8 --remote-port 5432 --format json

States: ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 FIN_WAIT2_MINI TIME_WAIT CLOSE
  CLOSE_WAIT LAST_ACK LISTEN CLOSING BOUND_INACTIVE, in any spelling (time-wait, timewait), and the
  groups of ss: all, connected, synchronized, bucket, big
Exit codes: 0 as it should be, 1 a finding at or above --fail-on, 2 wrong arguments, 3 could not look";

/// Lists sockets by TCP state, and judges whether TIME_WAIT is a problem
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Sockets in these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', help_heading = "Which sockets")]
    state: Vec<StateSet>,
    /// Sockets in TIME_WAIT: the verdict on them, or with --list and --by the sockets themselves
    #[arg(long, help_heading = "Which sockets")]
    pub time_wait: bool,
    /// Sockets in LISTEN
    #[arg(long, short = 'l', help_heading = "Which sockets")]
    listening: bool,
    /// Sockets in ESTABLISHED
    #[arg(long, help_heading = "Which sockets")]
    established: bool,
    /// Sockets bound to a port that neither listen nor connect; with --time-wait, looks at their
    /// ports in any case
    #[arg(long, help_heading = "Which sockets")]
    pub bound: bool,
    /// TCP sockets (the default)
    #[arg(long, short = 't', help_heading = "Which sockets")]
    tcp: bool,
    /// UDP sockets, instead of TCP or, with --tcp, besides
    #[arg(long, short = 'u', conflicts_with = "time_wait", help_heading = "Which sockets")]
    udp: bool,
    /// IPv4 traffic, that of IPv6 sockets (v4-mapped) included
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Which sockets")]
    ipv4: bool,
    /// IPv6 traffic
    #[arg(short = '6', long, help_heading = "Which sockets")]
    ipv6: bool,
    /// Port of either end: a number or a range
    #[arg(long, value_name = "PORT", value_delimiter = ',', help_heading = "Which sockets")]
    port: Vec<PortRange>,
    /// Port of this end
    #[arg(long, value_name = "PORT", value_delimiter = ',', help_heading = "Which sockets")]
    local_port: Vec<PortRange>,
    /// Port of the other end
    #[arg(long, value_name = "PORT", value_delimiter = ',', help_heading = "Which sockets")]
    remote_port: Vec<PortRange>,
    /// Address or network of this end
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = parse_network,
          help_heading = "Which sockets")]
    local: Vec<IpNet>,
    /// Address or network of the other end
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = parse_network,
          help_heading = "Which sockets")]
    remote: Vec<IpNet>,

    /// Each socket, one a line, in the kernel's order
    #[arg(long, help_heading = "What to show")]
    list: bool,
    /// Count by these keys
    #[arg(
        long,
        value_name = "KEY",
        value_delimiter = ',',
        value_enum,
        conflicts_with = "list",
        help_heading = "What to show"
    )]
    pub by: Vec<Key>,
    /// How many groups or destinations to show; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "What to show")]
    pub top: usize,
    /// Where to read: sock_diag where it is allowed, else /proc
    #[arg(long, value_enum, default_value = "auto", help_heading = "What to show")]
    source: SourceArg,

    /// What the verdict goes by.
    #[command(flatten)]
    pub verdict: VerdictArgs,
}

/// The options of the verdict; they need --time-wait.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "The verdict of --time-wait")]
pub struct VerdictArgs {
    /// From which severity on the exit code is 1
    #[arg(
        long,
        value_enum,
        value_name = "SEVERITY",
        requires = "time_wait",
        help = "From which severity on the exit code is 1 [default: critical]"
    )]
    fail_on: Option<FailOn>,
    /// Looks at the kernel's counters for this long besides, as in 5s or 500ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "time_wait")]
    pub sample: Option<Duration>,
    /// Used ports of a destination, percent: warning
    #[arg(long, value_name = "PERCENT", default_value = "50", requires = "time_wait")]
    warn_used: Percent,
    /// Used ports of a destination, percent: critical
    #[arg(long, value_name = "PERCENT", default_value = "90", requires = "time_wait")]
    crit_used: Percent,
    /// Closes a second, percent of what the ports allow: warning; 100 is critical
    #[arg(long, value_name = "PERCENT", default_value = "70", requires = "time_wait")]
    warn_rate: Percent,
    /// Ports left to a destination past --warn-used: critical below
    #[arg(long, value_name = "N", default_value_t = 500, requires = "time_wait")]
    crit_left: u64,
    /// Use of tcp_max_tw_buckets, percent: warning; 100 is critical
    #[arg(long, value_name = "PERCENT", default_value = "80", requires = "time_wait")]
    warn_buckets: Percent,
    /// A plain limit on TIME_WAITs: critical above. Without it their number is never a finding
    #[arg(long, value_name = "N", requires = "time_wait")]
    max_total: Option<u64>,
}

/// Where to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SourceArg {
    Auto,
    #[value(alias = "sock-diag")]
    SockDiag,
    Proc,
}

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Warning,
    Critical,
    Never,
}

/// 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Percent(f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
        let within = number.filter(|number| (0.0..=100.0).contains(number));
        within.map(Self).ok_or_else(|| format!("`{text}` is not a percentage from 0 to 100"))
    }
}

/// The longest that `--sample` may take: longer is a job for `watch`.
const MAX_SAMPLE: Duration = Duration::from_secs(3600);

fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 5s, 500ms or 1m, of at most an hour");
    let duration = clock::parse_duration(text);
    duration.filter(|it| !it.is_zero() && *it <= MAX_SAMPLE).ok_or_else(wrong)
}

impl Args {
    /// The conditions on sockets.
    pub fn filter(&self) -> Filter {
        let flags = [
            (self.time_wait, TcpState::TIME_WAIT),
            (self.listening, TcpState::LISTEN),
            (self.established, TcpState::ESTABLISHED),
            (self.bound && !self.time_wait, TcpState::BOUND_INACTIVE),
        ];
        let flags =
            flags.iter().filter(|(given, _)| *given).map(|(_, state)| StateSet::only(*state));
        let wire = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (_, true) => Some(Family::Ipv6),
            (false, false) => None,
        };
        Filter {
            states: self.state.iter().copied().chain(flags).fold(StateSet::EMPTY, StateSet::union),
            wire,
            ports: self.port.clone(),
            local_ports: self.local_port.clone(),
            remote_ports: self.remote_port.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
        }
    }

    /// The protocols, TCP if none is named.
    pub fn protocols(&self) -> Vec<Protocol> {
        let named = [(self.tcp || !self.udp, Protocol::Tcp), (self.udp, Protocol::Udp)];
        named.into_iter().filter(|(wanted, _)| *wanted).map(|(_, protocol)| protocol).collect()
    }

    /// The source, `None` for the best there is.
    pub fn source(&self) -> Option<Source> {
        match self.source {
            SourceArg::Auto => None,
            SourceArg::SockDiag => Some(Source::SockDiag),
            SourceArg::Proc => Some(Source::Proc),
        }
    }

    /// What was asked for that cannot be shown together.
    pub fn contradiction(&self, format: Format) -> Option<&'static str> {
        let shows_sockets = self.lists(format) || !self.by.is_empty();
        let is_hidden = self.verdict.sample.is_some() && shows_sockets && format != Format::Json;
        is_hidden.then_some(
            "--sample is part of the verdict, which --list and --by take the place of\nhint: leave \
             them out, or use --format json, which has both",
        )
    }

    /// Whether the verdict is to be given: JSON has it beside sockets and groups, the other formats
    /// show one thing, and have it as their exit code where `--fail-on` asks for that.
    pub fn wants_verdict(&self, format: Format) -> bool {
        let shows_sockets = self.lists(format) || !self.by.is_empty();
        let decides_exit = self.verdict.fail_on.is_some_and(|limit| limit != FailOn::Never);
        self.time_wait && (format == Format::Json || !shows_sockets || decides_exit)
    }

    /// Whether each socket is to be shown; ndjson without groups has nothing else to show.
    pub fn lists(&self, format: Format) -> bool {
        self.list || (format == Format::Ndjson && self.by.is_empty())
    }
}

impl VerdictArgs {
    /// The severity from which on the run fails; `None` for never.
    pub fn fails_on(&self) -> Option<Severity> {
        match self.fail_on {
            Some(FailOn::Warning) => Some(Severity::Warning),
            Some(FailOn::Critical) | None => Some(Severity::Critical),
            Some(FailOn::Never) => None,
        }
    }

    /// From which numbers on something is a finding.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            warn_used: self.warn_used.0,
            crit_used: self.crit_used.0,
            warn_rate: self.warn_rate.0,
            crit_left: self.crit_left,
            warn_buckets: self.warn_buckets.0,
            max_total: self.max_total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_percentages_are_read_and_refused() {
        assert_eq!(parse_duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "5", "-5s", "0s", "2h", "soon"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!("90%".parse(), Ok(Percent(90.0)));
        for wrong in ["101", "-1", "nan", "half"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
    }
}
