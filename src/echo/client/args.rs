//! What the client is asked for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::target::Target;
use crate::echo::address::Carrier;
use crate::echo::amounts::{
    parse_percent, parse_positive_count, parse_positive_duration, parse_rate, parse_sizes,
};
use crate::echo::datagram::HEADER;
use crate::echo::load::plan::{Close, Plan};
use crate::echo::load::thresholds::Thresholds;
use crate::echo::transform::Transform;
use crate::kernel::connecting::SocketOptions;
use crate::model::Family;
use crate::output::Format;
use crate::output::numbers::{float, microseconds_of, thousands};

const EXAMPLES: &str = "\
Examples:
  netkit echo client 127.0.0.1:8081 hello          send a message, print the reply
  netkit echo client --verify --transform upper 127.0.0.1:8081 hello
  netkit echo client 127.0.0.1:8081 < file         stream it there, and what comes back to stdout
  netkit echo client                               on a terminal: a prompt
  netkit echo client -c 64 -d 2s 127.0.0.1:8081    load: 64 connections, two seconds
  netkit echo client -r 1k -d 2s --max-p99 50ms 127.0.0.1:8081
  netkit echo client -n 1k --reconnect 127.0.0.1:8081
  netkit echo client -n 10k -c 4 udp://127.0.0.1:8081

Exit codes: 0 as it should be, 1 something did not come back or a limit was missed,
2 wrong arguments, 130 interrupted, with what was measured so far";

/// Where the tutorial's server is, and that of `netkit echo server`.
const DEFAULT_TARGET: &str = "127.0.0.1:8081";
/// Messages that may be under way at once: each takes memory while it is.
const MOST_UNDER_WAY: u64 = 10_000_000;
/// The load where neither an end nor a size is given.
const SIZE: (usize, usize) = (64, 64);
const DURATION: Duration = Duration::from_secs(10);
/// The most bytes of UDP over IPv4, and of a Unix datagram here.
const DATAGRAM_MAX: usize = 65_507;

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
    pub(super) messages: Vec<String>,
    /// A target without a scheme is one of UDP
    #[arg(long, short)]
    udp: bool,
    /// IPv4 addresses alone
    #[arg(short = '4', long = "ipv4", conflicts_with = "ipv6")]
    ipv4: bool,
    /// IPv6 addresses alone
    #[arg(short = '6', long = "ipv6")]
    ipv6: bool,
    /// Connect from this address of this machine
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// How long connecting and each reply may take [default: 5s, of UDP 1s]
    #[arg(long, short, value_name = "TIME", value_parser = parse_positive_duration)]
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

    /// Connections at once; of UDP, flows
    #[arg(long, short, value_name = "N", value_parser = parse_positive_count, help_heading = "Load")]
    connections: Option<u64>,
    /// Messages in all: 1000, 100k, 1.5m
    #[arg(long, short = 'n', value_name = "N", value_parser = parse_positive_count, help_heading = "Load")]
    count: Option<u64>,
    /// How long [default: 10s, without --count]
    #[arg(long, short, value_name = "TIME", value_parser = parse_positive_duration, help_heading = "Load")]
    duration: Option<Duration>,
    /// Messages a second in all: an open loop, in which latency counts from when each was due
    #[arg(long, short, value_name = "N", value_parser = parse_rate, help_heading = "Load")]
    rate: Option<f64>,
    /// Bytes of a message, or the fewest and the most: 64, 4k, 64-1400 [default: 64]
    #[arg(long, short, value_name = "N|LO-HI", value_parser = parse_sizes, help_heading = "Load")]
    size: Option<(usize, usize)>,
    /// Messages that a connection may have under way [default: 1]
    #[arg(long, value_name = "N", value_parser = parse_positive_count, help_heading = "Load")]
    pipeline: Option<u64>,
    /// A new connection for each message
    #[arg(long, conflicts_with = "pipeline", help_heading = "Load")]
    reconnect: bool,
    /// How to close connections [default: fin]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Load")]
    close: Option<Close>,
    /// Connections that are opened in a second, before the load [default: all at once]
    #[arg(long, value_name = "N", value_parser = parse_rate, help_heading = "Load")]
    connect_rate: Option<f64>,
    /// Time before that is not measured
    #[arg(long, value_name = "TIME", value_parser = parse_positive_duration, help_heading = "Load")]
    warmup: Option<Duration>,
    /// With --format ndjson, a row for each such time [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = parse_positive_duration, help_heading = "Load")]
    interval: Option<Duration>,

    /// The 99th percentile of the latency at most
    #[arg(long, value_name = "TIME", value_parser = parse_positive_duration, help_heading = "Limits")]
    max_p99: Option<Duration>,
    /// What may be lost at most
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, help_heading = "Limits")]
    max_loss: Option<f64>,
    /// Replies a second at least
    #[arg(long, value_name = "N", value_parser = parse_rate, help_heading = "Limits")]
    min_rate: Option<f64>,
}

impl Args {
    /// The target, or what is wrong with it.
    pub fn target(&self) -> Result<Target, String> {
        let plain = if self.udp { Carrier::Udp } else { Carrier::Tcp };
        let text = &self.target;
        let target = Target::parse(text, plain).map_err(|why| {
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
        self.wrong_with_family(&target).map_or(Ok(target), |problem| Err(problem))
    }

    /// What of -4, -6 and --source does not go together, with each other or with the target.
    fn wrong_with_family(&self, target: &Target) -> Option<String> {
        let text = &self.target;
        if !matches!(target.carrier, Carrier::Tcp | Carrier::Udp) {
            let given = [(self.ipv4, "-4"), (self.ipv6, "-6"), (self.source.is_some(), "--source")];
            let wrong = given.into_iter().find(|(is_given, _)| *is_given);
            return wrong.map(|(_, name)| format!("{name} is not for a Unix socket: leave it out"));
        }
        let wanted = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (_, true) => Some(Family::Ipv6),
            (false, false) => None,
        };
        if let Some(problem) = wanted.zip(target.ip()).and_then(|(it, ip)| it.leaves_out(ip)) {
            return Some(format!("`{text}`: {problem}"));
        }
        let source = self.source?;
        if let Some(problem) = wanted.and_then(|family| family.leaves_out(source)) {
            return Some(format!("--source {source}: {problem}"));
        }
        let is_foreign = target.ip().is_some_and(|ip| ip.is_ipv4() != source.is_ipv4());
        is_foreign.then(|| {
            format!(
                "--source {source} is an address of another family than `{text}`: give one of its"
            )
        })
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

    fn load_option(&self) -> Option<&'static str> {
        let given = [
            (self.connections.is_some(), "--connections"),
            (self.count.is_some(), "--count"),
            (self.duration.is_some(), "--duration"),
            (self.rate.is_some(), "--rate"),
            (self.size.is_some(), "--size"),
            (self.pipeline.is_some(), "--pipeline"),
            (self.reconnect, "--reconnect"),
            (self.close.is_some(), "--close"),
            (self.connect_rate.is_some(), "--connect-rate"),
            (self.warmup.is_some(), "--warmup"),
            (self.interval.is_some(), "--interval"),
            (self.max_p99.is_some(), "--max-p99"),
            (self.max_loss.is_some(), "--max-loss"),
            (self.min_rate.is_some(), "--min-rate"),
        ];
        given.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// What does not go together.
    pub fn contradiction(&self, carrier: Carrier, format: Format) -> Option<String> {
        let option = self.load_option();
        if let (Some(option), Some(message)) = (option, self.messages.first()) {
            return Some(format!(
                "{option} is a load, which makes its own messages: leave out `{message}`, or {option}"
            ));
        }
        option?;
        let (connections, pipeline) = (self.connections.unwrap_or(1), self.pipeline.unwrap_or(1));
        if connections.saturating_mul(pipeline) > MOST_UNDER_WAY {
            let most = thousands(MOST_UNDER_WAY);
            return Some(format!(
                "{connections} connections with {pipeline} messages under way on each: at most {most} \
                 in all"
            ));
        }
        if self.interval.is_some() && format != Format::Ndjson {
            return Some(
                "--interval is for --format ndjson, which has a row for each: give that too"
                    .to_owned(),
            );
        }
        if carrier.keeps_messages() {
            return self.wrong_with_datagrams(carrier);
        }
        (self.transform == Transform::Reverse).then(|| {
            "--transform reverse: in a load, messages follow each other without an end that could be \
             turned round; upper, lower and rot13 can be judged"
                .to_owned()
        })
    }

    fn wrong_with_datagrams(&self, carrier: Carrier) -> Option<String> {
        let (shortest, longest) = self.size.unwrap_or(SIZE);
        if shortest < HEADER {
            return Some(format!(
                "--size {shortest}: a datagram of a load has a head of {HEADER} bytes, which says \
                 which it is: write {HEADER} or more"
            ));
        }
        if longest > DATAGRAM_MAX {
            return Some(format!("--size {longest}: a datagram has {DATAGRAM_MAX} bytes at most"));
        }
        if self.transform != Transform::None {
            return Some("--transform: in a load, datagrams come back as they were".to_owned());
        }
        let streams_alone = [
            (self.reconnect, "--reconnect"),
            (self.connect_rate.is_some(), "--connect-rate"),
            (self.close.is_some(), "--close"),
        ];
        let wrong = streams_alone.into_iter().find(|(is_given, _)| *is_given);
        wrong.map(|(_, name)| format!("{name} is for streams: {} has none here", carrier.name()))
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
