//! connect(2) without blocking: begun, waited for, and its error read.
//!
//! Always with `IP_RECVERR` and `IPV6_RECVERR`. They keep the ICMP message for
//! [`super::error_queue`], and they wake poll(2) when it comes: without them, a message that arrives
//! while the call still holds the socket is noted only, and the verdict waits for the next SYN, a
//! second later (`tcp_v4_err`, `tcp_v6_err`: `sock_owned_by_user`; measured on veth, Linux 6.18).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};

use super::error_queue::{IcmpError, last_icmp};
use super::patience::{Event, Patience, Waited};
use super::tcp_info::{self, TcpInfo};
use super::unix_binding::{UnixType, unix_address};
use crate::model::UnixName;

/// What a socket is given before connect(2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// bind(2) to this first; port 0 leaves the port to connect(2).
    pub source: Option<SocketAddr>,
    /// `SO_BINDTODEVICE`.
    pub interface: Option<String>,
    /// `IP_TTL`, or `IPV6_UNICAST_HOPS`.
    pub ttl: Option<u8>,
    /// `SO_MARK`, which takes `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
}

/// The call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// socket(2).
    Socket,
    /// setsockopt(2).
    Option,
    /// bind(2) to the source.
    Bind,
    /// connect(2), or what came of it later.
    Connect,
}

impl Step {
    /// The name of the call.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Option => "setsockopt",
            Self::Bind => "bind",
            Self::Connect => "connect",
        }
    }
}

/// A call that was refused before there was anything to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The call.
    pub step: Step,
    /// Its error number.
    pub code: i32,
}

/// A connect(2) that was begun.
#[derive(Debug)]
pub struct Connecting {
    socket: Socket,
    first: i32,
}

/// What came of a connect(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The kernel's answer: 0, or an error number.
    Answered(i32),
    /// The deadline came first.
    Late,
    /// The user interrupted.
    Interrupted,
}

/// For what the socket2 crate itself refuses.
const EINVAL: i32 = 22;

/// The number of an error of the kernel's.
pub(super) fn code_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(EINVAL)
}

impl Connecting {
    /// Begins to connect to `address` by TCP.
    pub fn tcp(address: SocketAddr, options: &SocketOptions) -> Result<Self, Refusal> {
        Self::begin(Type::STREAM, &address.into(), options)
    }

    /// Names `address` as where the datagrams of a UDP socket go to. Nothing is sent.
    pub fn udp(address: SocketAddr, options: &SocketOptions) -> Result<Self, Refusal> {
        Self::begin(Type::DGRAM, &address.into(), options)
    }

    /// Connects to the Unix socket `name`. There is nothing to wait for: where the queue of a
    /// listener is full, connect(2) gives EAGAIN at once (unix(7)).
    pub fn unix(name: &UnixName, kind: UnixType) -> Result<Self, Refusal> {
        let refused = |error: io::Error| Refusal { step: Step::Connect, code: code_of(&error) };
        let address = unix_address(name).map_err(refused)?;
        Self::begin(kind.socket_type(), &address, &SocketOptions::default())
    }

    fn begin(kind: Type, address: &SockAddr, options: &SocketOptions) -> Result<Self, Refusal> {
        let mut step = Step::Socket;
        let made = Socket::new(address.domain(), kind.nonblocking(), None).and_then(|socket| {
            step = Step::Option;
            set_options(&socket, address.domain(), options)?;
            speak_v4(&socket, address)?;
            step = Step::Bind;
            if let Some(source) = options.source {
                bind(&socket, source)?;
            }
            Ok(socket)
        });
        let socket = made.map_err(|error| Refusal { step, code: code_of(&error) })?;
        let first = socket.connect(address).map_or_else(|error| code_of(&error), |()| 0);
        Ok(Self { socket, first })
    }

    /// The socket itself, which does not block.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// What connect(2) itself returned: 0, EINPROGRESS (115), or an error.
    pub fn first(&self) -> i32 {
        self.first
    }

    /// Waits for the end, and reads `SO_ERROR`.
    pub fn end(&self, patience: &Patience<'_>) -> Ended {
        if Errno::from_raw(self.first) != Errno::EINPROGRESS {
            return Ended::Answered(self.first);
        }
        loop {
            match patience.wait(self.socket.as_fd(), Event::Writable) {
                Ok(Waited::Ready) => {}
                Ok(Waited::Late) => return Ended::Late,
                Ok(Waited::Interrupted) => return Ended::Interrupted,
                Err(errno) => return Ended::Answered(code_of(&errno.into())),
            }
            match self.socket.take_error() {
                Ok(Some(error)) | Err(error) => return Ended::Answered(code_of(&error)),
                Ok(None) if self.is_connected() => return Ended::Answered(0),
                // An ICMP message that ends nothing woke us: the SYN goes on.
                Ok(None) => drop(self.icmp()),
            }
        }
    }

    /// Whether the handshake is done.
    fn is_connected(&self) -> bool {
        self.socket.peer_addr().is_ok()
    }

    /// The ICMP message that ended it; taken off the socket's queue. To be asked after [`Self::end`],
    /// since reading the queue clears the socket's error (`sock_dequeue_err_skb`).
    pub fn icmp(&self) -> Option<IcmpError> {
        last_icmp(self.socket.as_fd())
    }

    /// What the kernel knows of the connection; `None` where it is not TCP.
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        tcp_info::of(self.socket.as_fd())
    }

    /// This end's address.
    pub fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()?.as_socket()
    }

    /// Whether it is connected to itself: both ends are one. Where the kernel picks the source port
    /// that is being connected to, the SYN meets its own sender and TCP's simultaneous open does the
    /// rest (RFC 9293, section 3.5); nobody listens there.
    pub fn is_to_itself(&self) -> bool {
        match (self.socket.local_addr(), self.socket.peer_addr()) {
            (Ok(local), Ok(peer)) => local.as_socket().is_some() && local == peer,
            _ => false,
        }
    }

    /// Closes it so that it leaves no TIME_WAIT: an RST instead of a FIN.
    pub fn abort(self) -> io::Result<()> {
        self.socket.set_linger(Some(Duration::ZERO))
    }

    /// Sends `bytes`, of a datagram socket as one datagram. The error number if that is refused.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, i32> {
        self.socket.send(bytes).map_err(|error| code_of(&error))
    }

    /// Receives what is there, 0 bytes at the other end's close. The error number if there is none.
    pub fn receive(&self, bytes: &mut [u8]) -> Result<usize, i32> {
        io::Read::read(&mut &self.socket, bytes).map_err(|error| code_of(&error))
    }

    /// Gives a Unix socket a name of the kernel's choice, for answers to come to (unix(7), autobind).
    pub fn take_any_name(&self) -> Result<(), i32> {
        let bound = SockAddr::unix("").and_then(|any| self.socket.bind(&any));
        bound.map_err(|error| code_of(&error))
    }
}

impl AsFd for Connecting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn set_options(socket: &Socket, domain: Domain, options: &SocketOptions) -> io::Result<()> {
    if domain == Domain::UNIX {
        return Ok(());
    }
    // Both, since an IPv6 socket may speak IPv4. A kernel without them has no error queue to read.
    if domain == Domain::IPV6 {
        let _kept = setsockopt(socket, sockopt::Ipv6RecvErr, &true);
    }
    let _kept = setsockopt(socket, sockopt::Ipv4RecvErr, &true);
    if let Some(interface) = &options.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(mark) = options.mark {
        socket.set_mark(mark)?;
    }
    match (options.ttl, domain) {
        (None, _) => Ok(()),
        (Some(ttl), Domain::IPV6) => socket.set_unicast_hops_v6(ttl.into()),
        (Some(ttl), _) => socket.set_ttl_v4(ttl.into()),
    }
}

/// Lets an IPv6 socket speak IPv4 where `address` is one of that (`::ffff:127.0.0.1`), whatever
/// net.ipv6.bindv6only says: with `IPV6_V6ONLY`, connect(2) gives ENETUNREACH, as if there were no route
/// (`tcp_v6_connect`, net/ipv6/tcp_ipv6.c; `__ip6_datagram_connect`, net/ipv6/datagram.c).
fn speak_v4(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    match address.as_socket_ipv6() {
        Some(v6) if v6.ip().to_ipv4_mapped().is_some() => socket.set_only_v6(false),
        _ => Ok(()),
    }
}

/// With port 0, the port is left to connect(2): ports of bind(2) are taken from all destinations
/// (ip(7), `IP_BIND_ADDRESS_NO_PORT`). With a port, `SO_REUSEADDR` lets a probe come again while
/// the one before is in TIME_WAIT.
fn bind(socket: &Socket, source: SocketAddr) -> io::Result<()> {
    if source.port() == 0 {
        let _left_to_connect = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
    } else {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&source.into())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    fn begin(address: SocketAddr) -> Connecting {
        Connecting::tcp(address, &SocketOptions::default()).unwrap()
    }

    #[test]
    fn an_open_port_connects_and_a_closed_one_refuses() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let patience = Patience::of(Duration::from_secs(5));
        let connecting = begin(address);
        assert_eq!((connecting.first(), connecting.end(&patience)), (115, Ended::Answered(0)));
        assert!(!connecting.is_to_itself() && connecting.tcp_info().is_some());
        connecting.abort().unwrap();
        drop(server);
        let refused = begin(address);
        assert_eq!((refused.end(&patience), refused.icmp()), (Ended::Answered(111), None));
    }

    #[test]
    fn the_call_that_fails_is_named() {
        let address: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let foreign = SocketOptions {
            source: Some("192.0.2.1:0".parse().unwrap()),
            ..SocketOptions::default()
        };
        let refusal = Connecting::tcp(address, &foreign).unwrap_err();
        assert_eq!(refusal, Refusal { step: Step::Bind, code: 99 });
        assert_eq!(refusal.step.name(), "bind");
    }

    #[test]
    fn a_datagram_that_nobody_takes_leaves_the_icmp_message_of_who_said_so() {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = SocketOptions::default();
        let connecting = Connecting::udp(gone, &options).unwrap();
        assert_eq!(connecting.first(), 0);
        connecting.send(b"x").unwrap();
        let patience = Patience::of(Duration::from_secs(5));
        assert_eq!(patience.wait(connecting.as_fd(), Event::Readable), Ok(Waited::Ready));
        let icmp = connecting.icmp().unwrap();
        assert_eq!((icmp.kind, icmp.code, icmp.from), (3, 3, Some(gone.ip())));
    }
}
