//! bind(2), tried on throw-away sockets: what the kernel says to an address, an option and a user.
//!
//! The questions are made so that whoever has the address notices nothing. A bind is undone by
//! closing the socket. listen(2) is tried on sockets without `SO_REUSEPORT` alone, which can have no
//! share in another listener's connections, and behind a filter that lets no connection in. UDP is
//! tried without any option: a socket that shares a port takes datagrams from the moment it is
//! bound.

use std::io;
use std::net::SocketAddr;

use nix::errno::Errno;
use socket2::{Domain, SockFilter, Socket, Type};

use super::KernelError;

/// What a TCP socket is given before bind(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the socket")]
pub struct TcpOptions {
    /// `SO_REUSEADDR`.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// `IPV6_V6ONLY`; without it the socket has what net.ipv6.bindv6only says.
    pub v6only: bool,
    /// `IP_FREEBIND`: an address need not be local.
    pub freebind: bool,
    /// Whether listen(2) follows, where that takes nothing from anybody: not with `reuse_port`.
    pub listen: bool,
}

/// The call that a [`Trial`] ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// socket(2): the protocol family is not there.
    Socket,
    /// setsockopt(2).
    Option,
    /// bind(2).
    Bind,
    /// listen(2).
    Listen,
}

impl Stage {
    /// The name of the call.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Option => "setsockopt",
            Self::Bind => "bind",
            Self::Listen => "listen",
        }
    }
}

/// What the kernel said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The last call.
    pub stage: Stage,
    /// Its error number; 0 if it succeeded.
    pub code: i32,
    /// `IPV6_V6ONLY` as the socket had it; `false` for IPv4.
    pub v6only: bool,
}

impl Trial {
    /// Whether the kernel accepted it.
    pub fn is_accepted(self) -> bool {
        self.code == 0
    }
}

/// Binds a TCP socket with `options` to `address`, and closes it.
///
/// Fails only if this process could not make a socket at all; every other refusal is an answer.
pub fn try_tcp(address: SocketAddr, options: TcpOptions) -> Result<Trial, KernelError> {
    let domain = Domain::for_address(address);
    let mut stage = Stage::Socket;
    let mut v6only = false;
    let result = Socket::new(domain, Type::STREAM, None).and_then(|socket| {
        stage = Stage::Option;
        set_options(&socket, domain, options)?;
        v6only = domain == Domain::IPV6 && socket.only_v6()?;
        stage = Stage::Bind;
        socket.bind(&address.into())?;
        if options.listen && !options.reuse_port {
            stage = Stage::Listen;
            socket.listen(1)?;
        }
        Ok(())
    });
    let asked = answer(stage, v6only, &result);
    tracing::debug!(%address, ?options, ?asked, "asked bind(2)");
    asked
}

/// Binds a UDP socket without options to `address`, and closes it.
pub fn try_udp(address: SocketAddr, v6only: bool) -> Result<Trial, KernelError> {
    let domain = Domain::for_address(address);
    let mut stage = Stage::Socket;
    let mut has_v6only = false;
    let result = Socket::new(domain, Type::DGRAM, None).and_then(|socket| {
        stage = Stage::Option;
        set_options(&socket, domain, TcpOptions { v6only, ..TcpOptions::default() })?;
        has_v6only = domain == Domain::IPV6 && socket.only_v6()?;
        stage = Stage::Bind;
        socket.bind(&address.into())
    });
    let asked = answer(stage, has_v6only, &result);
    tracing::debug!(%address, ?asked, "asked bind(2)");
    asked
}

/// Options that are not wanted are left as the system has them.
fn set_options(socket: &Socket, domain: Domain, options: TcpOptions) -> io::Result<()> {
    if options.reuse_addr {
        socket.set_reuse_address(true)?;
    }
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if options.v6only && domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
    }
    if options.freebind {
        // The option of IPv4 serves both families (`inet_can_nonlocal_bind`).
        socket.set_freebind_v4(true)?;
    }
    if options.listen {
        socket.attach_filter(&[DROP_ALL])?;
    }
    Ok(())
}

/// The program of one instruction that keeps no byte of any packet (`BPF_RET | BPF_K`, 0). A SYN
/// that meets it is dropped, and sent again by the client a second later.
const DROP_ALL: SockFilter = SockFilter::new(0x06, 0, 0, 0);

/// For what the socket2 crate itself refuses.
const EINVAL: i32 = 22;

/// What came of it, unless it says nothing about the address.
pub(super) fn answer(
    stage: Stage,
    v6only: bool,
    result: &io::Result<()>,
) -> Result<Trial, KernelError> {
    let code = match result {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(EINVAL),
    };
    let errno = Errno::from_raw(code);
    let is_ours = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::ENOBUFS].contains(&errno);
    if is_ours {
        return Err(KernelError::NoSocket { call: stage.name(), errno });
    }
    Ok(Trial { stage, code, v6only })
}

/// The effective user of this process: whose `SO_REUSEPORT` sockets it may join.
pub fn own_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}
