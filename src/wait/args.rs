//! What was asked for.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::interval::Interval;
use super::reach::Asking;
use super::tally::Quorum;
use super::target::{Condition, Manner, Subject, Watch};
use crate::connect::{Payload, meant, parse_payload};
use crate::kernel::clock::parse_time;
use crate::kernel::unix_binding::UnixType;
use crate::model::Family;
use crate::output::sanitize;

/// Each target has a thread.
const MOST_TARGETS: usize = 256;

const EXAMPLES: &str = "\
Examples:
  netkit wait db:5432 cache:6379 -t 60s -- ./run-tests   run the tests once both accept
  netkit wait --any a:80 b:80                            one of them is enough
  netkit wait --for free :8080 -- ./server               until it can be bound: TIME_WAIT gone
  netkit wait --for down unix:/run/app.sock
  netkit wait --for echo udp://127.0.0.1:7
  netkit wait --send 'PING\\r\\n' --expect-reply cache:6379
  netkit wait listen:8080                                look in this host's table, send nothing
  netkit wait 'time-wait<1000' 'time-wait:10.0.9.20:5432<100'

Exit codes: 0 it is so, or COMMAND's own; 1 the deadline came first (--timeout-exit), 2 wrong
arguments, 3 could not look, 126 COMMAND cannot be executed, 127 COMMAND not found";

/// Waits until addresses accept, refuse, are free to bind, or echo; then runs a command
///
/// COMMAND is run only if the wait was not in vain. It takes netkit's place (exec), so that process
/// id, signals and exit code are its own. It runs here, also with --netns.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// HOST:PORT, [IPV6]:PORT, tcp://…, udp://…, unix:/PATH, unix:@ABSTRACT, listen:PORT,
    /// listen:ADDRESS:PORT, 'time-wait<N', 'time-wait:ADDRESS:PORT<N'; with --for free as
    /// `netkit bind` takes it
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// What has to become so
    #[arg(long = "for", value_enum, value_name = "CONDITION", default_value = "up")]
    condition: Condition,
    /// Send this with each attempt, for --for up: text with \n, \r, \t, \0 and \xHH, or hex: and digits.
    /// Of UDP, what the service answers to
    #[arg(long, value_name = "TEXT|hex:DIGITS", value_parser = parse_payload)]
    send: Option<Payload>,
    /// It is up only if something is answered, and not by the connection alone
    #[arg(long)]
    expect_reply: bool,
    /// Wait for one of the targets
    #[arg(long, conflicts_with = "all")]
    any: bool,
    /// Wait for all of the targets, each at its time; the default
    #[arg(long)]
    all: bool,
    /// How long, name resolution included: 500ms, 30s, 2m; a bare number is seconds, 0 is no limit
    #[arg(long, short, value_name = "TIME", default_value = "30s", value_parser = parse_time,
          overrides_with = "timeout", allow_negative_numbers = true)]
    timeout: Duration,
    /// Exit code if the deadline comes first; 124 is timeout(1)'s and wait-for-it's
    #[arg(long, value_name = "CODE", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..))]
    timeout_exit: u8,
    /// The command to run
    #[arg(last = true)]
    command: Vec<OsString>,

    /// Pause between attempts, from the least to the longest. By default 10ms..1s, and at most 10 ms
    /// for what this host answers itself
    #[arg(long, short, value_name = "MIN..MAX", help_heading = "Attempts")]
    interval: Option<Interval>,
    /// How long one attempt may take
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_attempt,
          help_heading = "Attempts")]
    attempt_timeout: Duration,
    /// Addresses of IPv4 alone
    #[arg(long, short = '4', conflicts_with = "ipv6", help_heading = "Attempts")]
    ipv4: bool,
    /// Addresses of IPv6 alone
    #[arg(long, short = '6', help_heading = "Attempts")]
    ipv6: bool,
    /// Type of a Unix socket
    #[arg(
        long = "type",
        value_enum,
        value_name = "TYPE",
        default_value = "stream",
        help_heading = "Attempts"
    )]
    unix_type: TypeArg,
    /// With --for free: wait for a server that sets SO_REUSEADDR, and try listen(2) too
    #[arg(long, help_heading = "Attempts")]
    reuse_addr: bool,
}

/// Types of Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TypeArg {
    Stream,
    Dgram,
    Seqpacket,
}

fn parse_attempt(text: &str) -> Result<Duration, String> {
    match parse_time(text)? {
        Duration::ZERO => Err("an attempt needs time: give 100ms or more".to_owned()),
        time => Ok(time),
    }
}

impl Args {
    /// The targets, each with its condition; or what is wrong with one.
    pub fn watches(&self) -> Result<Vec<Watch>, String> {
        if self.reuse_addr && self.condition != Condition::Free {
            return Err(
                "--reuse-addr is for --for free: it is an option of the socket that is bound"
                    .to_owned(),
            );
        }
        if (self.send.is_some() || self.expect_reply) && self.condition != Condition::Up {
            return Err(format!(
                "--send and --expect-reply are for --for up, not {}: leave them out",
                self.condition.name()
            ));
        }
        if self.targets.len() > MOST_TARGETS {
            return Err(format!(
                "{} targets are more than the {MOST_TARGETS} that are waited for at once: use \
                 netkit connect for a list",
                self.targets.len()
            ));
        }
        let manner = Manner {
            condition: self.condition,
            unix_type: self.unix_type(),
            reuse_addr: self.reuse_addr,
        };
        let family = self.asking().family;
        let watch = |text: &String| {
            Watch::parse(text, manner)
                .and_then(|watch| watch.of_family(family))
                .map_err(|problem| format!("`{}`: {problem}", sanitize(text)))
        };
        let watches: Result<Vec<Watch>, String> = self.targets.iter().map(watch).collect();
        let watches = watches.map_err(|problem| self.with_what_was_meant(problem))?;
        let is_spoken_to = |it: &Watch| matches!(it.subject, Subject::Reach(_));
        let is_idle = !watches.iter().any(is_spoken_to);
        if is_idle && (self.send.is_some() || self.expect_reply) {
            return Err(
                "--send and --expect-reply need a target that is connected to, as in db:5432 or \
                 udp://dns:53: listen: and time-wait are looked up in tables"
                    .to_owned(),
            );
        }
        Ok(watches)
    }

    /// With the command that works, where it can be told what was meant.
    fn with_what_was_meant(&self, problem: String) -> String {
        let Some(targets) = meant(&self.targets) else { return problem };
        let condition = if self.condition == Condition::Up {
            String::new()
        } else {
            format!(" --for {}", self.condition.name())
        };
        format!("{problem}\nhint: netkit wait{condition} {}", sanitize(&targets.join(" ")))
    }

    fn unix_type(&self) -> UnixType {
        match self.unix_type {
            TypeArg::Stream => UnixType::Stream,
            TypeArg::Dgram => UnixType::Dgram,
            TypeArg::Seqpacket => UnixType::Seqpacket,
        }
    }

    /// How many have to be met.
    pub fn quorum(&self) -> Quorum {
        if self.any { Quorum::Any } else { Quorum::All }
    }

    /// The end of the wait, from its beginning; `None` for no limit.
    pub fn timeout(&self) -> Option<Duration> {
        Some(self.timeout).filter(|timeout| !timeout.is_zero())
    }

    /// The exit code for a deadline that came first.
    pub fn timeout_exit(&self) -> u8 {
        self.timeout_exit
    }

    /// The pauses.
    pub fn interval(&self) -> Interval {
        self.interval.unwrap_or_else(|| Interval::of(self.targets.len()))
    }

    /// How an attempt to connect is made.
    pub fn asking(&self) -> Asking {
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (false, true) => Some(Family::Ipv6),
            (false, false) => None,
        };
        Asking {
            timeout: self.attempt_timeout,
            family,
            send: self.send.clone().map(|it| it.0),
            expects_reply: self.expect_reply,
        }
    }

    /// What to run afterwards; empty for nothing.
    pub fn command(&self) -> &[OsString] {
        &self.command
    }
}
