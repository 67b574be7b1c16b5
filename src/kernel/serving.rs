//! Sockets that serve: socket(2), setsockopt(2), bind(2), listen(2) and accept4(2).
//!
//! Options of connections are set on the listener, from which the kernel copies them to what it
//! accepts (`sk_clone_lock`, net/core/sock.c, and `tcp_create_openreq_child`): no call for each
//! connection. Buffers have to be set before listen(2) anyhow, for the window's scale to follow.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::net::{SocketFlags, accept_with};
use socket2::{Domain, Socket, TcpKeepalive, Type};

use super::binding::Stage;
use super::unix_binding::{UnixType, unix_address};
use crate::model::UnixName;

/// The length of an accept queue: that of net.core.somaxconn since Linux 5.4, which caps it.
pub const BACKLOG: i32 = 4096;

/// What a socket that serves is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the socket")]
pub struct ServingOptions {
    /// `SO_REUSEADDR`, for a restart beside the TIME_WAITs of before.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// `IPV6_V6ONLY`; else an IPv6 socket takes IPv4 too, whatever net.ipv6.bindv6only says.
    pub v6only: bool,
    /// The length of the accept queue, if it is not to be [`BACKLOG`].
    pub backlog: Option<i32>,
    /// `TCP_NODELAY`.
    pub nodelay: bool,
    /// `SO_LINGER`.
    pub linger: Option<Duration>,
    /// `SO_RCVBUF`.
    pub receive_buffer: Option<usize>,
    /// `SO_SNDBUF`.
    pub send_buffer: Option<usize>,
    /// `SO_KEEPALIVE`, with this time before the first probe and between probes.
    pub keepalive: Option<Duration>,
}

impl Default for ServingOptions {
    fn default() -> Self {
        Self {
            reuse_addr: true,
            reuse_port: false,
            v6only: false,
            backlog: None,
            nodelay: true,
            linger: None,
            receive_buffer: None,
            send_buffer: None,
            keepalive: None,
        }
    }
}

/// A call that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} failed: {errno:?} ({})", .stage.name(), .errno.desc())]
pub struct CannotServe {
    /// Which.
    pub stage: Stage,
    /// Why.
    pub errno: Errno,
}

/// What is said of an address whose interface is not there; bind(2) would say the same of its number.
pub const NO_INTERFACE: CannotServe = CannotServe { stage: Stage::Bind, errno: Errno::ENODEV };

/// Turns an error of `stage` into a refusal.
fn at<T>(stage: Stage, result: io::Result<T>) -> Result<T, CannotServe> {
    let errno = |error: io::Error| error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
    result.map_err(|error| CannotServe { stage, errno: errno(error) })
}

/// A TCP socket that listens at `address` and does not block.
pub fn listen_tcp(address: SocketAddr, options: &ServingOptions) -> Result<Socket, CannotServe> {
    let socket = internet(address, Type::STREAM, options)?;
    at(Stage::Option, socket.set_tcp_nodelay(options.nodelay))?;
    at(Stage::Option, linger_and_keepalive(&socket, options))?;
    at(Stage::Bind, socket.bind(&address.into()))?;
    at(Stage::Listen, socket.listen(options.backlog.unwrap_or(BACKLOG)))?;
    Ok(socket)
}

/// A UDP socket that is bound to `address` and does not block. It never has `SO_REUSEADDR`: with it,
/// the last to bind takes the datagrams of all others.
pub fn bind_udp(address: SocketAddr, options: &ServingOptions) -> Result<Socket, CannotServe> {
    let options = ServingOptions { reuse_addr: false, ..options.clone() };
    let socket = internet(address, Type::DGRAM, &options)?;
    at(Stage::Bind, socket.bind(&address.into()))?;
    Ok(socket)
}

/// A Unix socket that is bound to `name`, listens if it is of a kind that does, and does not block.
pub fn serve_unix(
    name: &UnixName,
    kind: UnixType,
    options: &ServingOptions,
) -> Result<Socket, CannotServe> {
    let socket = at(Stage::Socket, kind.new_socket())?;
    at(Stage::Option, socket.set_nonblocking(true))?;
    at(Stage::Option, buffers(&socket, options))?;
    at(Stage::Bind, unix_address(name).and_then(|address| socket.bind(&address)))?;
    if kind != UnixType::Dgram {
        at(Stage::Listen, socket.listen(options.backlog.unwrap_or(BACKLOG)))?;
    }
    Ok(socket)
}

fn internet(
    address: SocketAddr,
    kind: Type,
    options: &ServingOptions,
) -> Result<Socket, CannotServe> {
    tracing::debug!(%address, ?options, "options of the socket");
    let socket = at(Stage::Socket, Socket::new(Domain::for_address(address), kind, None))?;
    at(Stage::Option, socket.set_nonblocking(true))?;
    at(Stage::Option, socket.set_reuse_address(options.reuse_addr))?;
    if options.reuse_port {
        at(Stage::Option, socket.set_reuse_port(true))?;
    }
    if address.is_ipv6() {
        at(Stage::Option, socket.set_only_v6(options.v6only))?;
    }
    at(Stage::Option, buffers(&socket, options))?;
    Ok(socket)
}

fn buffers(socket: &Socket, options: &ServingOptions) -> io::Result<()> {
    // The kernel takes an int, and of a number that is larger the lower half would be left.
    let most = usize::try_from(i32::MAX).unwrap_or(usize::MAX);
    let (receive, send) = (options.receive_buffer, options.send_buffer);
    receive.map_or(Ok(()), |size| socket.set_recv_buffer_size(size.min(most)))?;
    send.map_or(Ok(()), |size| socket.set_send_buffer_size(size.min(most)))
}

/// The bytes that were given of a receive and of a send buffer. Twice as many are what getsockopt(2) says:
/// the kernel adds as many for its books (`__sock_set_rcvbuf`, net/core/sock.c).
pub fn given_buffers(socket: &Socket) -> io::Result<(usize, usize)> {
    Ok((socket.recv_buffer_size()? / 2, socket.send_buffer_size()? / 2))
}

fn linger_and_keepalive(socket: &Socket, options: &ServingOptions) -> io::Result<()> {
    if options.linger.is_some() {
        socket.set_linger(options.linger)?;
    }
    let Some(time) = options.keepalive else { return Ok(()) };
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(time))
}

/// Takes the next connection of `listener`; it does not block.
pub fn accept(listener: impl AsFd) -> io::Result<Socket> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(accept_with(listener, flags).map(Socket::from)?)
}

/// Whether an error of accept(2) is of the one connection that it took, so that the next can be
/// asked for at once: accept(2) passes on what has happened on the network to a connection in the
/// queue.
pub fn is_of_one_connection(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(
            Errno::ECONNABORTED
                | Errno::EPROTO
                | Errno::ENETDOWN
                | Errno::ENOPROTOOPT
                | Errno::EHOSTDOWN
                | Errno::ENONET
                | Errno::EHOSTUNREACH
                | Errno::EOPNOTSUPP
                | Errno::ENETUNREACH
                | Errno::EPERM
                | Errno::EINTR
        )
    )
}

/// The address of the other end of a connection; of IPv4 on an IPv6 socket, the IPv4 one. `None` for
/// a Unix socket.
pub fn peer_address(socket: &Socket) -> Option<IpAddr> {
    let peer = socket.peer_addr().ok()?.as_socket()?;
    Some(peer.ip().to_canonical())
}

/// The other end of a connection, as it is shown: `127.0.0.1:4711`; of a Unix socket its name, or who
/// had it when it connected.
pub fn peer_name(socket: &Socket) -> String {
    let Ok(peer) = socket.peer_addr() else { return "gone".to_owned() };
    if let Some(address) = peer.as_socket() {
        return SocketAddr::new(address.ip().to_canonical(), address.port()).to_string();
    }
    if let Some(path) = peer.as_pathname() {
        return UnixName::Path(path.to_owned()).to_string();
    }
    if let Some(name) = peer.as_abstract_namespace() {
        return UnixName::Abstract(name.to_owned()).to_string();
    }
    match getsockopt(socket, PeerCredentials) {
        Ok(who) => format!("pid {}, uid {}", who.pid(), who.uid()),
        Err(_) => "unnamed".to_owned(),
    }
}

/// Lets close(2) reset the connection.
pub fn reset_at_close(socket: &Socket) -> io::Result<()> {
    socket.set_linger(Some(Duration::ZERO))
}
