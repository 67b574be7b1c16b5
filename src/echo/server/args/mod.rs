//! What the server is asked for.

mod addresses;
mod options;

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::announce::Announcement;
use super::faults::{ResetAfter, Share};
use super::log::LogFormat;
use crate::echo::amounts::{
    parse_between, parse_bytes, parse_count, parse_duration, parse_latency, parse_positive_duration,
};
use crate::echo::transform::Transform;

const EXAMPLES: &str = "\
Examples:
  netkit echo server                                    on tcp://127.0.0.1:8081
  netkit echo server 127.0.0.1:0 --print-address        on a port that the kernel chooses
  netkit echo server '[::]:7000' --tcp --udp --log json on IPv4 and IPv6, by TCP and by UDP
  netkit echo server unix:/tmp/echo.sock --one-off      one connection to a Unix socket
  netkit echo server --delay 50ms --drop 1% --seed 7    a bad server, for the test of a client

SIGTERM and SIGINT stop it, connections may end for --drain; a second one ends it at once.
SIGUSR1 prints the statistics. Exit codes: 0 it served, 1 the address could not be had, 2 wrong
arguments, 3 could not look, 130 and 143 ended by a second SIGINT or SIGTERM";

const SOCKETS: &str = "Sockets";
const LIMITS: &str = "Limits";
const TELL: &str = "What it tells";
const FAULTS: &str = "Faults, for the tests of clients";
const UDP: &str = "UDP";

/// Send back what comes, over TCP, UDP and Unix sockets
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[group(id = "server")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// ADDRESS:PORT, tcp://…, udp://…, unix:/PATH, unix:@ABSTRACT, unix-dgram:…, unix-seqpacket:…
    /// [default: tcp://127.0.0.1:8081]
    #[arg(value_name = "ADDR")]
    addresses: Vec<String>,
    /// Serve addresses without a scheme by TCP; with --udp, by both. Without one, 127.0.0.1:8081
    #[arg(long, short = 't')]
    tcp: bool,
    /// Serve addresses without a scheme by UDP. Without one, 127.0.0.1:8081
    #[arg(long, short = 'u')]
    udp: bool,
    /// Serve on a Unix stream socket too, or alone where no ADDR, --tcp or --udp is given; @NAME is
    /// abstract
    #[arg(long, value_name = "PATH")]
    unix: Vec<String>,
    /// What is done to what is sent back
    #[arg(long, value_enum, default_value_t)]
    transform: Transform,
    /// What is answered: each read and each datagram as a message, or each line when it is whole; of a
    /// datagram, each line is transformed
    #[arg(long, value_enum, default_value = "message", value_name = "UNIT")]
    by: Unit,
    /// Threads that serve connections
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_between(1, 256), allow_hyphen_values = true)]
    threads: u64,

    /// Do not set SO_REUSEADDR: a restart then fails while a TIME_WAIT is left
    #[arg(long, help_heading = SOCKETS)]
    no_reuse_addr: bool,
    /// Set SO_REUSEPORT: share the port with other servers
    #[arg(long, help_heading = SOCKETS)]
    reuse_port: bool,
    /// Length of the queue of connections that wait to be taken; net.core.somaxconn caps it
    /// [default: 4096]
    #[arg(long, value_name = "N", value_parser = parse_backlog, allow_hyphen_values = true, help_heading = SOCKETS)]
    backlog: Option<i32>,
    /// Set IPV6_V6ONLY: [::] takes IPv6 alone, as it does beside an IPv4 address at the same port
    #[arg(long, help_heading = SOCKETS)]
    v6only: bool,
    /// TCP_NODELAY
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value_t = true, default_missing_value = "true",
          action = clap::ArgAction::Set, help_heading = SOCKETS)]
    nodelay: bool,
    /// SO_LINGER: with 0, closing resets the connection
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_hyphen_values = true, help_heading = SOCKETS)]
    linger: Option<Duration>,
    /// SO_RCVBUF
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, allow_hyphen_values = true, help_heading = SOCKETS)]
    receive_buffer: Option<u64>,
    /// SO_SNDBUF
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, allow_hyphen_values = true, help_heading = SOCKETS)]
    send_buffer: Option<u64>,
    /// SO_KEEPALIVE, with so long before and between probes
    #[arg(long, value_name = "TIME", value_parser = parse_positive_duration, allow_hyphen_values = true, help_heading = SOCKETS)]
    keepalive: Option<Duration>,

    /// Connections at the same time; at the limit, the others wait in the queue
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true, help_heading = LIMITS)]
    max_connections: Option<u64>,
    /// Connections of one address at the same time; one more is reset
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true, help_heading = LIMITS)]
    max_per_address: Option<u64>,
    /// Close a connection when nothing has come or gone for so long; 0 for never
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_hyphen_values = true, default_value = "60s",
          help_heading = LIMITS)]
    idle_timeout: Duration,
    /// Close a connection when so many bytes have come, after their reply
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, allow_hyphen_values = true, help_heading = LIMITS)]
    max_bytes: Option<u64>,
    /// Stop after so long
    #[arg(long = "for", value_name = "TIME", value_parser = parse_positive_duration, allow_hyphen_values = true,
          help_heading = LIMITS)]
    lifetime: Option<Duration>,
    /// Stop after one connection, or one datagram
    #[arg(long, help_heading = LIMITS)]
    one_off: bool,
    /// How long connections may go on when the server stops
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_hyphen_values = true, default_value = "5s",
          help_heading = LIMITS)]
    drain: Duration,

    /// Answer netkit's own datagrams alone, as is done by default where it is not on loopback
    #[arg(long, conflicts_with = "rfc862", help_heading = UDP)]
    strict: bool,
    /// Answer any datagram, also where it is not on loopback
    #[arg(long, help_heading = UDP)]
    rfc862: bool,
    /// Datagrams of one source that are answered in a second; 0 for any number
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true, default_value = "1000",
          help_heading = UDP)]
    rate_per_source: u64,
    /// Datagrams of all sources that are answered in a second; 0 for any number
    #[arg(long, value_name = "N", value_parser = parse_count, allow_hyphen_values = true, default_value = "20000",
          help_heading = UDP)]
    rate_total: u64,

    /// Print the addresses alone, one a line, as soon as they are served; statistics come only with
    /// --format or SIGUSR1
    #[arg(long, help_heading = TELL)]
    print_address: bool,
    /// Write the addresses to this descriptor, and close it
    #[arg(long, value_name = "FD", value_parser = parse_descriptor, allow_hyphen_values = true, help_heading = TELL)]
    ready_fd: Option<i32>,
    /// A line for each connection, when it has ended
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = TELL)]
    log: Option<LogFormat>,
    /// A live line on the terminal
    #[arg(long, help_heading = TELL)]
    status: bool,

    /// Send each reply so much later
    #[arg(long, value_name = "TIME", value_parser = parse_latency, allow_hyphen_values = true, default_value = "0",
          hide_default_value = true, help_heading = FAULTS)]
    delay: Duration,
    /// Vary the delay of each reply by up to so much, either way
    #[arg(long, value_name = "TIME", value_parser = parse_latency, allow_hyphen_values = true, default_value = "0",
          hide_default_value = true, help_heading = FAULTS)]
    jitter: Duration,
    /// This share of messages is not answered
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, default_value = "0", hide_default_value = true,
          help_heading = FAULTS)]
    drop: Share,
    /// This share of messages is answered twice
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, default_value = "0", hide_default_value = true,
          help_heading = FAULTS)]
    duplicate: Share,
    /// Reset a connection after so many bytes, or at this share of messages
    #[arg(long, value_name = "BYTES|PERCENT", allow_hyphen_values = true, help_heading = FAULTS)]
    reset_after: Option<ResetAfter>,
    /// Close a connection after the first reply: the TIME_WAIT is then the server's
    #[arg(long, conflicts_with = "half_close", help_heading = FAULTS)]
    close_first: bool,
    /// Close the way to the client after the first reply, and go on reading
    #[arg(long, help_heading = FAULTS)]
    half_close: bool,
    /// Send replies in pieces of so many bytes, a millisecond apart
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, allow_hyphen_values = true, help_heading = FAULTS)]
    slice: Option<u64>,
    /// Repeat the faults of another run
    #[arg(long, value_name = "NUMBER", value_parser = parse_count, allow_hyphen_values = true, help_heading = FAULTS)]
    seed: Option<u64>,
}

/// What listen(2) takes.
fn parse_backlog(text: &str) -> Result<i32, String> {
    let number = parse_between(0, i32::MAX.unsigned_abs().into())(text)?;
    i32::try_from(number).map_err(|error| error.to_string())
}

/// A descriptor that is none of the three which every program has.
fn parse_descriptor(text: &str) -> Result<i32, String> {
    match i32::try_from(parse_count(text)?) {
        Ok(0..=2) => {
            Err("0, 1 and 2 are the standard streams: give one from 3 on; --print-address \
                          writes to standard output"
                .to_owned())
        }
        Ok(descriptor) => Ok(descriptor),
        Err(_) => Err("no descriptor has such a number".to_owned()),
    }
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unit {
    Message,
    Line,
}

impl Args {
    /// Who is to be told that it serves.
    pub fn announcement(&self) -> Announcement {
        Announcement {
            print_address: self.print_address,
            ready_fd: self.ready_fd,
            has_status: self.status,
        }
    }
}
