//! What the kernel itself answers to bind(2), asked with a socket of the test's own.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::fchown;

use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

use super::nobody;

/// The code of a bind that succeeds.
pub const OK: i32 = 0;
/// `EADDRINUSE`.
pub const IN_USE: i32 = 98;

/// Which of `SO_REUSEADDR` and `SO_REUSEPORT` a socket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Neither.
    No,
    /// `SO_REUSEADDR`.
    Addr,
    /// `SO_REUSEPORT`.
    Port,
    /// Both.
    Both,
}

/// All of them, in the order of netkit's answers.
pub const REUSE: [Reuse; 4] = [Reuse::No, Reuse::Addr, Reuse::Port, Reuse::Both];

impl Reuse {
    /// Whether `SO_REUSEADDR` is among them.
    pub fn addr(self) -> bool {
        matches!(self, Self::Addr | Self::Both)
    }

    /// Whether `SO_REUSEPORT` is among them.
    pub fn port(self) -> bool {
        matches!(self, Self::Port | Self::Both)
    }

    /// netkit's options for them.
    pub fn words(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Addr => "--reuse-addr",
            Self::Port => "--reuse-port",
            Self::Both => "--reuse-addr --reuse-port",
        }
    }
}

/// Whose socket asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// The one who runs the test, and has the sockets on the port.
    Owner,
    /// One without rights. His socket is made by the owner and given to him: that is where the
    /// kernel looks for the user (`sockfs_setattr`, net/socket.c), but not for the privilege that a
    /// low port needs.
    Nobody,
}

/// A socket with these options, on which nothing was called yet. An IPv6 one takes IPv4 too.
#[track_caller]
pub fn socket(address: SocketAddr, kind: Type, reuse: Reuse) -> Socket {
    let socket = Socket::new(Domain::for_address(address), kind, None).unwrap();
    if address.is_ipv6() {
        socket.set_only_v6(false).unwrap();
    }
    // Not written at all where not wanted: setting an option to what it is may not be nothing.
    if reuse.addr() {
        socket.set_reuse_address(true).unwrap();
    }
    if reuse.port() {
        socket.set_reuse_port(true).unwrap();
    }
    socket
}

/// What the kernel says to a bind of such a socket, which is closed at once.
#[track_caller]
pub fn bind_code(address: SocketAddr, reuse: Reuse, user: User) -> i32 {
    let socket = socket(address, Type::STREAM, reuse);
    if user == User::Nobody {
        fchown(&socket, Some(nobody::UID), None).unwrap();
    }
    code(socket.bind(&address.into()))
}

/// The four codes. The bind with both options comes last, since beside a socket with
/// `SO_REUSEADDR` it changes what comes after it.
#[track_caller]
pub fn bind_codes(address: SocketAddr, user: User) -> [i32; 4] {
    REUSE.map(|reuse| bind_code(address, reuse, user))
}

/// The number of an error, 0 for none.
pub fn code<T>(result: io::Result<T>) -> i32 {
    result.map_or_else(|error| error.raw_os_error().unwrap(), |_| OK)
}

/// The C name of an error, `OK` for none.
pub fn name(code: i32) -> String {
    if code == OK { "OK".to_owned() } else { format!("{:?}", Errno::from_raw(code)) }
}
