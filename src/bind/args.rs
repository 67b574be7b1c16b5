//! What was asked for.

use clap::{Args as ClapArgs, ValueEnum};

use super::target::{InternetTarget, Target, parse};
use crate::kernel::binding::TcpOptions;
use crate::kernel::unix_binding::UnixType;
use crate::model::{PortRange, Protocol};

const EXAMPLES: &str = "\
Examples:
  netkit bind 127.0.0.1:8080               may a server bind this; if not, who has it and what helps
  netkit bind :8080 --reuse-addr           exit code 0 if a bind with SO_REUSEADDR succeeds now
  netkit bind '[::]:8080' --json           the same for IPv6, for a program
  netkit bind :5353 --udp
  netkit bind unix:/run/app.sock           is the socket file live or stale
  netkit bind --find-free 8000-8100 --count 2

Exit codes: 0 such a bind succeeds now, 1 it does not, 2 wrong arguments, 3 could not look";

/// Says whether an address can be bound, and else who has it, until when, and what helps
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// ADDRESS:PORT, [IPV6]:PORT, :PORT for every IPv4 address, unix:/PATH or unix:@ABSTRACT
    #[arg(value_name = "TARGET", required_unless_present = "find_free", value_parser = parse)]
    target: Option<Target>,
    /// UDP instead of TCP
    #[arg(long, short = 'u')]
    udp: bool,
    /// Type of a Unix socket
    #[arg(
        long = "type",
        value_enum,
        value_name = "TYPE",
        help = "Type of a Unix socket [default: stream]"
    )]
    unix_type: Option<TypeArg>,

    /// Judge for a socket with SO_REUSEADDR
    #[arg(long, help_heading = "Judge for these options")]
    reuse_addr: bool,
    /// Judge for a socket with SO_REUSEPORT
    #[arg(long, help_heading = "Judge for these options")]
    reuse_port: bool,
    /// Judge for a socket with IPV6_V6ONLY; without it, net.ipv6.bindv6only decides
    #[arg(long, help_heading = "Judge for these options")]
    v6only: bool,
    /// Try listen(2) too, behind a filter that lets no connection in; never with --reuse-port, which
    /// would take connections from others
    #[arg(long, conflicts_with_all = ["udp", "reuse_port"], help_heading = "Judge for these options")]
    listen: bool,

    /// Print ports of this range that can be bound now, at TARGET's address or at all of IPv4
    #[arg(
        long,
        value_name = "LOW-HIGH",
        conflicts_with = "listen",
        help_heading = "Look for a free port"
    )]
    find_free: Option<PortRange>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1, requires = "find_free",
          value_parser = clap::value_parser!(u16).range(1..),
          help_heading = "Look for a free port")]
    count: u16,
}

/// Types of Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TypeArg {
    Stream,
    Dgram,
    Seqpacket,
}

/// What is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// Can this be bound?
    Bind(&'a Target),
    /// Which ports are free?
    FreePorts(PortRange),
}

impl Args {
    /// The question, or what is wrong with it.
    pub fn question(&self) -> Result<Question<'_>, String> {
        if self.find_free.is_some() && (self.reuse_addr || self.reuse_port) {
            return Err("--find-free looks for ports that nobody has: leave out --reuse-addr and \
                        --reuse-port"
                .to_owned());
        }
        let everywhere = Target::Internet(InternetTarget::default());
        let target = self.target.as_ref().unwrap_or(&everywhere);
        if let Some(problem) = self.contradiction(target) {
            return Err(format!("`{target}`: {problem}"));
        }
        match (self.find_free, &self.target) {
            (Some(range), _) => Ok(Question::FreePorts(range)),
            (None, Some(target)) => Ok(Question::Bind(target)),
            (None, None) => Err("give an address to bind, such as 127.0.0.1:8080".to_owned()),
        }
    }

    fn contradiction(&self, target: &Target) -> Option<&'static str> {
        let looks_for_ports = self.find_free.is_some();
        match target {
            Target::Unix(_) if looks_for_ports => {
                Some("a Unix socket has no ports: give --find-free an address, or none")
            }
            Target::Unix(_) if self.udp || self.v6only || self.reuse_port || self.listen => Some(
                "--udp, --v6only, --reuse-port and --listen are not for a Unix socket: leave them \
                 out",
            ),
            Target::Unix(_) => None,
            Target::Internet(_) if self.unix_type.is_some() => {
                Some("--type is for Unix sockets: leave it out, or write --udp")
            }
            Target::Internet(it) if self.v6only && it.ip().is_ipv4() => {
                Some("--v6only is for IPv6 addresses: an IPv4 socket has no IPV6_V6ONLY")
            }
            Target::Internet(it) => match (looks_for_ports, it.port()) {
                (false, None) => Some(
                    "the port is missing: write ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080, IPv6 \
                     in brackets",
                ),
                (true, Some(1..)) => {
                    Some("--find-free looks for the port: give the address without one")
                }
                _ => None,
            },
        }
    }

    /// The address as given, if any.
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// TCP or UDP.
    pub fn protocol(&self) -> Protocol {
        if self.udp { Protocol::Udp } else { Protocol::Tcp }
    }

    /// The type of a Unix socket.
    pub fn unix_type(&self) -> UnixType {
        match self.unix_type {
            Some(TypeArg::Stream) | None => UnixType::Stream,
            Some(TypeArg::Dgram) => UnixType::Dgram,
            Some(TypeArg::Seqpacket) => UnixType::Seqpacket,
        }
    }

    /// The options that are judged for.
    pub fn options(&self) -> TcpOptions {
        TcpOptions {
            reuse_addr: self.reuse_addr,
            reuse_port: self.reuse_port,
            v6only: self.v6only,
            freebind: false,
            listen: self.listen,
        }
    }

    /// The options that are judged for, as people write them; empty for none.
    pub fn judged(&self) -> String {
        let given = [
            (self.reuse_addr, "SO_REUSEADDR"),
            (self.reuse_port, "SO_REUSEPORT"),
            (self.v6only, "IPV6_V6ONLY"),
        ];
        let given = given.iter().filter(|(is_given, _)| *is_given).map(|(_, name)| *name);
        given.collect::<Vec<_>>().join(" and ")
    }

    /// How many free ports are wanted.
    pub fn count(&self) -> usize {
        self.count.into()
    }
}
