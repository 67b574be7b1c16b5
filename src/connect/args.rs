//! What was asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::expectation::Expected;
use super::payload;
use super::probe::{Close, Hear, Mode, Options, Talk};
use super::target::Target;
use crate::kernel::clock;
use crate::kernel::connecting::SocketOptions;
use crate::kernel::interfaces;
use crate::kernel::unix_binding::UnixType;
use crate::model::{BadIp, Family, HostPort, ScopedIp};

const EXAMPLES: &str = "\
Examples:
  netkit connect 127.0.0.1:8080                    which code connect(2) gives, and why
  netkit connect --layers localhost:5432           at which layer the way there stops
  netkit connect --expect refused 127.0.0.1:8081   exit code 0 if nobody listens there
  netkit connect unix:/run/app.sock
  netkit connect udp://127.0.0.1:53 --send ping    of UDP, only an answer proves anything
  netkit connect 127.0.0.1:8080 --count 3 --interval 100ms
  netkit connect --targets - --format csv          a target a line, from standard input
  netkit connect --codes                           what each error number means

Exit codes: 0 as expected, 1 not, 2 wrong arguments or a wrong line of a file, 3 could not try";

/// Says which code connect(2) gives for an address, and who said so
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// HOST:PORT, [IPV6%SCOPE]:PORT, tcp://…, udp://…, unix:/PATH or unix:@ABSTRACT
    #[arg(value_name = "TARGET", required_unless_present_any = ["targets", "codes"])]
    pub(super) texts: Vec<String>,
    /// A file with a target a line, `-` for standard input; `#` begins a comment
    #[arg(long, value_name = "FILE")]
    pub(super) targets: Option<PathBuf>,
    /// Type of a Unix socket
    #[arg(
        long = "type",
        value_enum,
        value_name = "TYPE",
        help = "Type of a Unix socket [default: stream]"
    )]
    unix_type: Option<TypeArg>,
    /// Print what each error number means, of TCP, UDP and Unix sockets
    #[arg(long, conflicts_with_all = ["texts", "targets"])]
    pub(super) codes: bool,

    /// Our deadline for each target, its name included: 500ms, 3s; a bare number is seconds
    #[arg(long, short = 't', value_name = "TIME", default_value = "3s",
          value_parser = parse_timeout, allow_hyphen_values = true)]
    pub(super) timeout: Duration,
    /// Wait as long as the kernel tries, some 135 s: ETIMEDOUT instead of EAGAIN
    #[arg(long, conflicts_with_all = ["nonblock"], help_heading = "How to connect")]
    block: bool,
    /// Show what a non-blocking connect(2) gives first, and what comes of it
    #[arg(long, help_heading = "How to connect")]
    nonblock: bool,
    /// IPv4 addresses alone
    #[arg(short = '4', long = "ipv4", conflicts_with = "ipv6", help_heading = "How to connect")]
    ipv4: bool,
    /// IPv6 addresses alone
    #[arg(short = '6', long = "ipv6", help_heading = "How to connect")]
    ipv6: bool,
    /// The first address of a name alone
    #[arg(long, help_heading = "How to connect")]
    pub(super) first: bool,
    /// Race the addresses of a name as browsers do (RFC 8305); the first to connect wins
    #[arg(long, conflicts_with = "first", help_heading = "How to connect")]
    pub(super) race: bool,
    /// Connect from this address of this machine
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = parse_source,
          help_heading = "How to connect")]
    source: Option<SocketAddr>,
    /// Connect through this interface
    #[arg(long, value_name = "NAME", help_heading = "How to connect")]
    interface: Option<String>,
    /// Hops that a packet may take
    #[arg(long, value_name = "HOPS", value_parser = clap::value_parser!(u8).range(1..),
          help_heading = "How to connect")]
    ttl: Option<u8>,
    /// The mark of the packets, for ip-rule(8) and firewalls; takes CAP_NET_ADMIN
    #[arg(long, value_name = "NUMBER", value_parser = parse_mark, help_heading = "How to connect")]
    mark: Option<u32>,
    /// How to close: by RST, which leaves no TIME_WAIT, or by FIN
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        default_value = "rst",
        help_heading = "How to connect"
    )]
    close: CloseArg,

    /// Codes and outcomes that are as they should be: ok, refused, timeout, ECONNREFUSED, 111 …
    #[arg(
        long,
        value_name = "CODE",
        value_delimiter = ',',
        default_value = "ok",
        help_heading = "What to expect"
    )]
    pub(super) expect: Vec<Expected>,
    /// Exit with the code itself, as a script around connect_ex does
    #[arg(long, help_heading = "What to expect")]
    pub(super) exit_errno: bool,
    /// Send this once connected: text with \n, \r, \t, \0 and \xHH, or hex: and digits
    #[arg(long, value_name = "TEXT|hex:DIGITS", value_parser = payload::parse,
          help_heading = "What to expect")]
    send: Option<payload::Payload>,
    /// Fail unless something is answered
    #[arg(long, help_heading = "What to expect")]
    pub(super) expect_reply: bool,
    /// Show what a server says unasked, for which it has two seconds
    #[arg(long, conflicts_with = "expect_reply", help_heading = "What to expect")]
    banner: bool,

    /// Try each target so many times
    #[arg(long, short = 'c', value_name = "N", value_parser = parse_times, allow_hyphen_values = true,
          help_heading = "Many times, many targets")]
    pub(super) count: Option<u64>,
    /// Try until interrupted
    #[arg(long, conflicts_with = "count", help_heading = "Many times, many targets")]
    pub(super) continuous: bool,
    /// From one attempt to the next
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_interval,
          help_heading = "Many times, many targets")]
    pub(super) interval: Duration,
    /// Targets that are tried at once
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024),
          help_heading = "Many times, many targets",
          help = "Targets that are tried at once [default: 64]")]
    pub(super) jobs: Option<u16>,
    /// Walk from the name to the application, and show where it stops
    #[arg(long, conflicts_with_all = ["count", "continuous", "race"],
          help_heading = "Many times, many targets")]
    pub(super) layers: bool,
}

/// Types of Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TypeArg {
    Stream,
    Dgram,
    Seqpacket,
}

/// Ways to close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CloseArg {
    Rst,
    Fin,
}

impl Args {
    /// Reads `text` as this command line asks for it; in the error, what is wrong.
    pub(super) fn target(&self, text: &str) -> Result<Target, String> {
        let target = Target::parse(text)?;
        let both = self.family().zip(target.ip());
        let wrong = both.and_then(|(family, ip)| family.leaves_out(ip));
        let foreign = match (self.source, target.ip()) {
            (Some(source), Some(ip)) if source.is_ipv4() != ip.is_ipv4() => {
                Some("--source is an address of the other family")
            }
            _ => None,
        };
        match (foreign.or(wrong), target.is_unix()) {
            (Some(problem), _) => Err(problem.to_owned()),
            (None, true) if self.layers => Err(
                "a Unix socket has no layers: --layers walks from a name over addresses and routes \
                 to a port; leave it out"
                    .to_owned(),
            ),
            (None, true) if self.has_internet_options() => Err(
                "--source, --interface, --ttl, --mark, -4 and -6 are not for a Unix socket: leave \
                 them out"
                    .to_owned(),
            ),
            (None, false) if self.unix_type.is_some() && self.targets.is_none() => {
                Err("--type is for Unix sockets: leave it out, or write udp:// for UDP".to_owned())
            }
            _ => Ok(target.of_type(self.kind())),
        }
    }

    /// What is wrong with the options, which no look at a target can tell.
    pub(super) fn contradiction(&self) -> Option<String> {
        let missing = self.interface.as_ref().filter(|name| interfaces::index(name).is_none());
        missing.map(|name| {
            format!(
                "there is no interface `{name}` in this network namespace\nhint: `ip -brief link` \
                 lists them"
            )
        })
    }

    /// How to connect.
    pub(super) fn options(&self) -> Options {
        Options {
            mode: match (self.block, self.nonblock) {
                (true, _) => Mode::Block,
                (_, true) => Mode::Nonblock,
                (false, false) => Mode::Deadline,
            },
            family: self.family(),
            socket: SocketOptions {
                source: self.source,
                interface: self.interface.clone(),
                ttl: self.ttl,
                mark: self.mark,
            },
            close: match self.close {
                CloseArg::Rst => Close::Rst,
                CloseArg::Fin => Close::Fin,
            },
            talk: Talk {
                send: self.send.clone().map(|it| it.0).unwrap_or_default(),
                hear: match (self.expect_reply, self.banner) {
                    (true, _) => Hear::Reply,
                    (_, true) => Hear::Banner,
                    (false, false) => Hear::Nothing,
                },
            },
        }
    }

    /// Whether targets are tried more than once.
    pub(super) fn repeats(&self) -> bool {
        self.continuous || self.count.is_some()
    }

    fn family(&self) -> Option<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (_, true) => Some(Family::Ipv6),
            // A name's addresses of the other family could not be reached from there.
            (false, false) => {
                self.source.map(|it| if it.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 })
            }
        }
    }

    fn has_internet_options(&self) -> bool {
        let has_number = self.ttl.is_some() || self.mark.is_some();
        let has_place = self.interface.is_some() || self.source.is_some();
        (has_number || has_place || self.ipv4 || self.ipv6) && self.targets.is_none()
    }

    fn kind(&self) -> UnixType {
        match self.unix_type {
            Some(TypeArg::Stream) | None => UnixType::Stream,
            Some(TypeArg::Dgram) => UnixType::Dgram,
            Some(TypeArg::Seqpacket) => UnixType::Seqpacket,
        }
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    match clock::parse_time(text)? {
        Duration::ZERO => Err(
            "nothing can be answered in no time: give a time above zero, or --block, which waits as \
             long as the kernel tries"
                .to_owned(),
        ),
        time => Ok(time),
    }
}

fn parse_times(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("it has to be at least 1".to_owned()),
        Ok(times) => Ok(times),
        Err(_) => Err(format!("`{text}` is not a number of times: write 3, or 1 at least")),
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    match clock::parse_time(text)? {
        Duration::ZERO => Err("give a time above zero, as in 500ms".to_owned()),
        time => Ok(time),
    }
}

/// `10.0.0.1`, `10.0.0.1:4000`, `::1`, `[fe80::1%eth0]:4000`
fn parse_source(text: &str) -> Result<SocketAddr, String> {
    let HostPort { host, port, .. } = HostPort::split(text)?;
    let port = match port {
        None => 0,
        Some(port) => port
            .parse()
            .map_err(|_| format!("`{port}` is not a port: give a number from 0 to 65535"))?,
    };
    let ip = ScopedIp::parse(host).map_err(|problem| match problem {
        BadIp::NotAnAddress => format!("`{host}` is not an address of this machine's"),
        problem @ (BadIp::NoScope | BadIp::Ipv4Scope) => problem.to_string(),
    })?;
    ip.socket_address(port, interfaces::index)
        .ok_or_else(|| "there is no such interface".to_owned())
}

/// `7`, `0x7`
fn parse_mark(text: &str) -> Result<u32, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "give a number of 32 bits, as in 7 or 0x7".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_at_all_is_none_to_connect_in() {
        assert_eq!(parse_timeout("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "0s"] {
            assert!(parse_timeout(text).unwrap_err().contains("above zero, or --block"), "{text}");
            assert!(parse_interval(text).unwrap_err().contains("above zero"), "{text}");
        }
        for text in ["99999999999", "99999999999999999999999"] {
            assert!(parse_timeout(text).unwrap_err().contains("more than a year"), "{text}");
        }
    }

    #[test]
    fn a_source_is_an_address_with_or_without_a_port() {
        for (text, expected) in
            [("10.0.0.1", "10.0.0.1:0"), ("10.0.0.1:40", "10.0.0.1:40"), ("::1", "[::1]:0")]
        {
            assert_eq!(parse_source(text).unwrap().to_string(), expected);
        }
        assert!(parse_source("eth0").unwrap_err().contains("`eth0`"));
        assert!(parse_source("[fe80::1%]:4").unwrap_err().contains("interface"));
    }
}
