//! Whom the client speaks to: as it was written, and then an address.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::Socket;

use super::trouble::{Failure, Step, Trouble, Why};
use crate::catalogue::eai::EAI_NONAME;
use crate::catalogue::errnos::ENODEV;
use crate::connect::{self, Host};
use crate::echo::address::{Carrier, split_carrier, write_unix};
use crate::kernel::connecting::{self, Connecting, Ended, SocketOptions};
use crate::kernel::interfaces;
use crate::kernel::patience::Patience;
use crate::kernel::resolver::{self, Unresolved};
use crate::kernel::unix_binding::UnixType;
use crate::model::{Family, UnixName};

/// A target as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What carries the bytes.
    pub carrier: Carrier,
    place: Written,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Internet(Host, u16),
    Unix(UnixName),
}

impl Target {
    /// Reads `text`; without a scheme, it is one of `plain`. In the error, what is wrong with it.
    pub fn parse(text: &str, plain: Carrier) -> Result<Self, String> {
        let (carrier, rest) = split_carrier(text)?;
        let carrier = carrier.unwrap_or(plain);
        let place = match carrier {
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => {
                Written::Unix(UnixName::parse(rest)?)
            }
            Carrier::Tcp | Carrier::Udp => match connect::Target::parse(rest)? {
                connect::Target::Internet { host, port, .. } => Written::Internet(host, port),
                connect::Target::Unix { name, .. } => Written::Unix(name),
            },
        };
        Ok(Self { carrier, place })
    }

    /// Whether it is a path of the file system.
    pub fn is_path(&self) -> bool {
        matches!(self.place, Written::Unix(UnixName::Path(_)))
    }

    /// The address, where it was written as one.
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.place {
            Written::Internet(Host::Ip(ip), _) => Some(ip.ip),
            Written::Internet(Host::Name(_), _) | Written::Unix(_) => None,
        }
    }

    /// The addresses that it has.
    pub fn resolve(
        &self,
        family: Option<Family>,
        patience: &Patience<'_>,
    ) -> Result<Vec<Peer>, Trouble> {
        let trouble = |why| Trouble {
            address: self.to_string(),
            failure: Failure { step: Step::Resolve, why },
            carrier: self.carrier,
            source: None,
        };
        let found = match &self.place {
            Written::Unix(name) => {
                return Ok(vec![Peer { carrier: self.carrier, end: End::Unix(name.clone()) }]);
            }
            Written::Internet(Host::Ip(ip), port) => {
                // What bind(2) and connect(2) say of the number of an interface that is not there.
                let address = ip.socket_address(*port, interfaces::index);
                vec![address.ok_or_else(|| trouble(Why::Errno(ENODEV, None)))?]
            }
            Written::Internet(Host::Name(name), port) => {
                resolver::resolve(name, *port, family, patience).map_err(|why| match why {
                    Unresolved::Code(code) => trouble(Why::Name(code)),
                    Unresolved::Late => trouble(Why::Late),
                    Unresolved::Interrupted => trouble(Why::Interrupted),
                    Unresolved::NoThread(code) => trouble(Why::Errno(code, None)),
                })?
            }
        };
        let peer = |address| Peer { carrier: self.carrier, end: End::Internet(address) };
        Ok(found.into_iter().map(peer).collect())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Written::Internet(host, port) => write!(f, "{}://{host}:{port}", self.carrier.name()),
            Written::Unix(name) => write_unix(self.carrier, name, f),
        }
    }
}

/// An address to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What carries the bytes.
    pub carrier: Carrier,
    /// The address.
    pub end: End,
}

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// An address and a port.
    Internet(SocketAddr),
    /// The name of a Unix socket.
    Unix(UnixName),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            End::Internet(address) => write!(f, "{}://{address}", self.carrier.name()),
            End::Unix(name) => write_unix(self.carrier, name, f),
        }
    }
}

impl Peer {
    /// Begins to connect. A datagram socket of Unix gets a name, for the reply to come to.
    pub fn begin(&self, options: &SocketOptions) -> Result<Connecting, Failure> {
        let begun = match &self.end {
            End::Internet(address) if self.carrier == Carrier::Udp => {
                Connecting::udp(*address, options)
            }
            End::Internet(address) => Connecting::tcp(*address, options),
            End::Unix(name) => Connecting::unix(name, self.unix_type()),
        };
        let failed = |step, code| Failure { step, why: Why::Errno(code, None) };
        let connecting = begun.map_err(|refusal| match refusal.step {
            connecting::Step::Bind => failed(Step::Bind, refusal.code),
            connecting::Step::Socket | connecting::Step::Option | connecting::Step::Connect => {
                failed(Step::Connect, refusal.code)
            }
        })?;
        if self.carrier == Carrier::UnixDgram {
            connecting.take_any_name().map_err(|code| failed(Step::Connect, code))?;
        }
        Ok(connecting)
    }

    /// Connects. The socket does not block.
    pub fn connect(
        &self,
        options: &SocketOptions,
        patience: &Patience<'_>,
    ) -> Result<Socket, Failure> {
        tracing::info!(peer = %self, options = self.options(options), "connecting");
        let connecting = self.begin(options)?;
        let failed = |why| Failure { step: Step::Connect, why };
        match connecting.end(patience) {
            Ended::Late => Err(failed(Why::Late)),
            Ended::Interrupted => Err(failed(Why::Interrupted)),
            Ended::Answered(0) if connecting.is_to_itself() => Err(failed(Why::Itself)),
            Ended::Answered(0) => {
                let socket = connecting.into_socket();
                set_nodelay(self.carrier, &socket);
                tracing::info!(peer = %self, "connected");
                Ok(socket)
            }
            Ended::Answered(code) => Err(failed(Why::Errno(code, connecting.icmp()))),
        }
    }

    /// `failure` of this address, with what was asked for.
    pub fn trouble(&self, failure: Failure, options: &SocketOptions) -> Trouble {
        let source = options.source.map(|source| source.ip());
        Trouble { address: self.to_string(), failure, carrier: self.carrier, source }
    }

    /// What a socket for it is given, for who wants to know.
    pub fn options(&self, options: &SocketOptions) -> String {
        let given = match self.carrier {
            Carrier::Tcp => "IP_RECVERR, TCP_NODELAY",
            Carrier::Udp => "IP_RECVERR",
            Carrier::UnixDgram => "a name of the kernel's choice",
            Carrier::UnixStream | Carrier::UnixSeqpacket => "none",
        };
        match options.source {
            Some(source) => {
                format!("IP_BIND_ADDRESS_NO_PORT, bind(2) to {}, {given}", source.ip())
            }
            None => given.to_owned(),
        }
    }

    fn unix_type(&self) -> UnixType {
        match self.carrier {
            Carrier::UnixDgram => UnixType::Dgram,
            Carrier::UnixSeqpacket => UnixType::Seqpacket,
            Carrier::Tcp | Carrier::Udp | Carrier::UnixStream => UnixType::Stream,
        }
    }
}

/// Lets small messages leave at once: what is measured is the server, not Nagle's algorithm.
pub fn set_nodelay(carrier: Carrier, socket: &Socket) {
    if carrier == Carrier::Tcp {
        // A kernel that refuses it sends all the same.
        socket.set_tcp_nodelay(true).unwrap_or_default();
    }
}

/// The first of `peers` that takes a connection, and that; the failure of the last.
pub fn connect_any(
    peers: &[Peer],
    options: &SocketOptions,
    timeout: Duration,
    patience: &Patience<'_>,
) -> Result<(Peer, Socket), Trouble> {
    let mut last = None;
    for peer in peers {
        match peer.connect(options, &patience.at_most(timeout)) {
            Ok(socket) => return Ok((peer.clone(), socket)),
            Err(failure) => {
                let trouble = peer.trouble(failure, options);
                tracing::info!("{}", trouble.headline());
                if failure.why == Why::Interrupted {
                    return Err(trouble);
                }
                last = Some(trouble);
            }
        }
    }
    Err(last.unwrap_or_else(|| Trouble {
        address: String::new(),
        failure: Failure { step: Step::Resolve, why: Why::Name(EAI_NONAME) },
        carrier: Carrier::Tcp,
        source: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, shown) in [
            ("127.0.0.1:80", "tcp://127.0.0.1:80"),
            ("localhost:80", "tcp://localhost:80"),
            ("udp://[::1]:7", "udp://[::1]:7"),
            ("/run/a", "unix:/run/a"),
            ("@a", "unix:@a"),
            ("unix-dgram:@a", "unix-dgram:@a"),
            ("unix-seqpacket:/a", "unix-seqpacket:/a"),
        ] {
            let target = Target::parse(text, Carrier::Tcp).unwrap();
            assert_eq!(target.to_string(), shown, "{text}");
        }
        assert_eq!(Target::parse("a:1", Carrier::Udp).unwrap().to_string(), "udp://a:1");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("127.0.0.1", "the port is missing"),
            ("127.0.0.1:99999", "99999"),
            ("http://a:1", "netkit does not speak http"),
            ("@", "name is missing"),
            ("tcp://unix:/x", "a scheme before `unix:`: write `unix:/x` alone"),
        ] {
            let error = Target::parse(text, Carrier::Tcp).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
