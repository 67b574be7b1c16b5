//! Sockets and connections, made as simply as the kernel allows.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

/// A listening socket on a port that the kernel chooses.
pub fn listen(address: &str) -> TcpListener {
    listen_at(address, 0)
}

/// A listening socket on `port`.
#[track_caller]
pub fn listen_at(address: &str, port: u16) -> TcpListener {
    let address: IpAddr = address.parse().unwrap();
    TcpListener::bind((address, port)).unwrap()
}

/// A listening socket whose accept queue one connection fills.
pub fn listen_for_one(address: &str) -> Socket {
    let socket = bound(address, 0);
    socket.listen(0).unwrap();
    socket
}

/// A listening socket that completes a handshake only when data come: until then, the connection is
/// in SYN_RECV. No safe Rust call sets `TCP_DEFER_ACCEPT`, so Python does, on a copy of the socket.
pub fn listen_for_data(address: &str) -> Socket {
    const DEFER: &str = "import socket; s = socket.socket(fileno=0); s.setsockopt(6, 9, 100)";
    let socket = bound(address, 0);
    socket.listen(16).unwrap();
    let copy = OwnedFd::from(socket.try_clone().unwrap());
    let status = Command::new("python3").args(["-c", DEFER]).stdin(Stdio::from(copy)).status();
    assert!(status.unwrap().success(), "python3 could not set TCP_DEFER_ACCEPT");
    socket
}

/// A TCP socket that is bound and does nothing. On `::` it takes IPv4 too.
#[track_caller]
pub fn bound(address: &str, port: u16) -> Socket {
    let address = SocketAddr::new(address.parse().unwrap(), port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    if address.is_ipv6() {
        socket.set_only_v6(false).unwrap();
    }
    socket.bind(&address.into()).unwrap();
    socket
}

/// The port that a socket is bound to.
pub fn port(socket: &Socket) -> u16 {
    socket.local_addr().unwrap().as_socket().unwrap().port()
}

/// Both ends of a connection.
#[derive(Debug)]
pub struct Connection {
    /// The end that connected.
    pub client: TcpStream,
    /// The end that was accepted.
    pub server: TcpStream,
}

/// Connects to `listener` by `address`, and accepts.
#[track_caller]
pub fn connect(listener: &TcpListener, address: &str) -> Connection {
    let port = listener.local_addr().unwrap().port();
    let address: IpAddr = address.parse().unwrap();
    let client = TcpStream::connect((address, port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    Connection { client, server }
}

impl Connection {
    /// The client closes first, and keeps the TIME_WAIT.
    pub fn client_closes_first(self) {
        drop(self.client);
        drop(self.server);
    }

    /// The server closes first, and keeps the TIME_WAIT.
    pub fn server_closes_first(self) {
        drop(self.server);
        drop(self.client);
    }
}
