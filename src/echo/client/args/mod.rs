//! What the client is asked for.

mod contradictions;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::target::Target;
use crate::echo::address::Carrier;
use crate::echo::amounts::{
    parse_percent, parse_positive_count, parse_positive_duration, parse_positive_latency,
    parse_rate, parse_sizes,
};
use crate::echo::load::plan::{Close, Plan};
use crate::echo::load::thresholds::Thresholds;
use crate::echo::transform::Transform;
use crate::kernel::connecting::SocketOptions;
use crate::model::Family;
use crate::output::numbers::{float, microseconds_of};

const EXAMPLES: &str = "\
Examples:
  netkit echo client 127.0.0.1:8081 hello          a message, and its reply
  netkit echo client --verify --transform upper 127.0.0.1:8081 hello
  netkit echo client 127.0.0.1:8081 < file         a stream, and what comes back
  netkit echo client                               on a terminal: a prompt
  netkit echo client -c 64 -d 2s 127.0.0.1:8081    64 connections, two seconds
  netkit echo client -r 1k -d 2s --max-p99 50ms 127.0.0.1:8081
  netkit echo client -n 1k --reconnect 127.0.0.1:8081
  netkit echo client -n 10k -c 4 udp://127.0.0.1:8081

Exit codes: 0 as it should be, 1 something did not come back or a limit was missed,
2 wrong arguments, 130 interrupted, with what was measured so far";

/// Where the tutorial's server is, and that of `netkit echo server`.
const DEFAULT_TARGET: &str = "127.0.0.1:8081";
/// The load where neither an end nor a size is given.
const SIZE: (usize, usize) = (64, 64);
const DURATION: Duration = Duration::from_secs(10);

/// Send to an echo server, and judge what comes back
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// HOST:PORT, tcp://, udp://, unix:/PATH, unix:@ABSTRACT, unix-dgram:, unix-seqpacket:
    #[arg(value_name = "TARGET", default_value = DEFAULT_TARGET)]
    pub(super) target: String,
    /// Messages to send, after TARGET, each as a line; without, standard input is streamed
    #[arg(value_name = "MESSAGE")]
    pub(super) messages: Vec<OsString>,
    /// A target without a scheme is one of UDP
    #[arg(long, short)]
    udp: bool,
    /// IPv4 addresses alone
    #[arg(short = '4', long = "ipv4", conflicts_with = "ipv6")]
    ipv4: bool,
    /// IPv6 addresses alone
    #[arg(short = '6', long = "ipv6")]
    ipv6: bool,
    /// Connect from this address of this machine, to addresses of its family
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// How long connecting and each reply may take [default: 5s, of UDP 1s]; if given, also how long
    /// nothing may move of a stream that is sent
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true,
          value_parser = parse_positive_duration)]
    timeout: Option<Duration>,
    /// Judge the replies: exit code 1 if one is not as expected; a load always does
    #[arg(long, conflicts_with = "no_verify")]
    verify: bool,
    /// Do not compare what comes back
    #[arg(long)]
    no_verify: bool,
    /// What the server does to what it sends back
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) transform: Transform,
    /// Send messages to a stream without a line's end
    #[arg(long, short = 'N')]
    pub(super) no_newline: bool,

    /// Connections at once; of UDP, flows [default: 1]
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = parse_positive_count, help_heading = "Load")]
    connections: Option<u64>,
    /// Messages in all, those of the warm-up apart: 1000, 100k, 1.5m
    #[arg(long, short = 'n', value_name = "N", allow_hyphen_values = true, value_parser = parse_positive_count, help_heading = "Load")]
    count: Option<u64>,
    /// How long, the warm-up apart [default: 10s, without --count]
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_positive_duration, help_heading = "Load")]
    duration: Option<Duration>,
    /// Messages a second in all: an open loop, in which latency counts from when each was due
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = parse_rate, help_heading = "Load")]
    rate: Option<f64>,
    /// Bytes of a message, or the fewest and the most: 64, 4k, 64-1400 [default: 64]
    #[arg(long, short, value_name = "N|LO-HI", allow_hyphen_values = true, value_parser = parse_sizes, help_heading = "Load")]
    size: Option<(usize, usize)>,
    /// Messages that a connection may have under way [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = parse_positive_count, help_heading = "Load")]
    pipeline: Option<u64>,
    /// A new connection for each message
    #[arg(long, conflicts_with = "pipeline", help_heading = "Load")]
    reconnect: bool,
    /// How to close connections [default: fin]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Load")]
    close: Option<Close>,
    /// Connections that are opened in a second, before the load [default: all at once]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = parse_rate, help_heading = "Load")]
    connect_rate: Option<f64>,
    /// Time before it, with load, that is not measured
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_positive_duration, help_heading = "Load")]
    warmup: Option<Duration>,
    /// With --format ndjson, a row for each such time [default: 1s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_positive_duration, help_heading = "Load")]
    interval: Option<Duration>,

    /// The 99th percentile of the latency at most
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_positive_latency, help_heading = "Limits")]
    max_p99: Option<Duration>,
    /// What may be lost at most [default: nothing]
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = parse_percent, help_heading = "Limits")]
    max_loss: Option<f64>,
    /// Replies a second at least
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = parse_rate, help_heading = "Limits")]
    min_rate: Option<f64>,
}

impl Args {
    /// The target, or what is wrong with it.
    pub fn target(&self) -> Result<Target, String> {
        let plain = if self.udp { Carrier::Udp } else { Carrier::Tcp };
        let text = &self.target;
        let target = Target::parse(text, plain).map_err(|why| {
            if let Some(why) = without_host(text) {
                return why;
            }
            // A word alone is rather a message than a host.
            let is_word = !text.contains([':', '/', '@', '.']);
            let hint = if is_word && self.messages.is_empty() {
                format!(
                    "\nhint: a message comes after the target: netkit echo client {DEFAULT_TARGET} \
                     '{text}'"
                )
            } else {
                String::new()
            };
            format!("`{text}`: {why}{hint}")
        })?;
        self.wrong_with_family(&target).map_or(Ok(target), Err)
    }

    /// The time that was given, for who waits without an end where there was none.
    pub fn given_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether as much is to come back as was sent.
    pub fn wants_all_back(&self) -> bool {
        self.transform == Transform::None && !self.no_verify
    }

    /// The one family that is wanted: of -4 or -6, or the source's.
    pub fn family(&self) -> Option<Family> {
        match (self.ipv4, self.ipv6, self.source) {
            (true, _, _) | (false, false, Some(IpAddr::V4(_))) => Some(Family::Ipv4),
            (_, true, _) | (false, false, Some(IpAddr::V6(_))) => Some(Family::Ipv6),
            (false, false, None) => None,
        }
    }

    /// The address to connect from, where one was asked for.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Whether replies are judged.
    pub fn verifies(&self) -> bool {
        self.verify || (self.transform != Transform::None && !self.no_verify)
    }

    /// How long connecting and each reply may take.
    pub fn timeout(&self, carrier: Carrier) -> Duration {
        let default = if carrier == Carrier::Udp { 1 } else { 5 };
        self.timeout.unwrap_or(Duration::from_secs(default))
    }

    /// What sockets are given.
    pub fn socket(&self) -> SocketOptions {
        let source = self.source.map(|ip| SocketAddr::new(ip, 0));
        SocketOptions { source, ..SocketOptions::default() }
    }

    /// Whether a load is asked for.
    pub fn is_load(&self) -> bool {
        self.load_option().is_some()
    }

    /// The load that is asked for.
    pub fn plan(&self, carrier: Carrier) -> Plan {
        let number = |it: Option<u64>| it.map_or(1, |it| usize::try_from(it).unwrap_or(usize::MAX));
        let duration = self.duration.or(self.count.is_none().then_some(DURATION));
        Plan {
            connections: number(self.connections),
            count: self.count,
            duration,
            rate: self.rate,
            sizes: self.size.unwrap_or(SIZE),
            pipeline: number(self.pipeline),
            reconnect: self.reconnect,
            close: self.close.unwrap_or(Close::Fin),
            connect_rate: self.connect_rate,
            warmup: self.warmup.unwrap_or_default(),
            timeout: self.timeout(carrier),
            verify: !self.no_verify,
            transform: self.transform,
            thresholds: Thresholds {
                max_p99_us: self.max_p99.map(|time| float(microseconds_of(time))),
                max_loss_percent: self.max_loss,
                min_rate: self.min_rate,
            },
            interval: self.interval.unwrap_or(Duration::from_secs(1)),
            socket: self.socket(),
        }
    }
}

/// What is wrong with a target of a port alone, or of nothing.
fn without_host(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(format!(
            "the target is empty: write HOST:PORT, as in {DEFAULT_TARGET}, or leave it out for that"
        ));
    }
    let port: u16 = text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))?;
    Some(format!("`{text}`: a port alone says no host: write 127.0.0.1:{port}"))
}
