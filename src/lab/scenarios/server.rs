//! Sockets of a server that is started the way C and Python start one: no option is set unless it
//! is asked for. (The standard library of Rust sets SO_REUSEADDR.)

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use super::loopback::PORT;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::stage::Stage;

/// Where the servers of these scenarios are.
pub const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

/// The options that let two sockets have one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Neither.
    None,
    /// SO_REUSEADDR.
    ReuseAddr,
    /// SO_REUSEPORT.
    ReusePort,
    /// Both.
    Both,
}

impl Sharing {
    /// Every combination.
    pub const ALL: [Self; 4] = [Self::None, Self::ReuseAddr, Self::ReusePort, Self::Both];
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::ReuseAddr => " with SO_REUSEADDR",
            Self::ReusePort => " with SO_REUSEPORT",
            Self::Both => " with SO_REUSEADDR and SO_REUSEPORT",
        })
    }
}

/// A bound socket.
pub fn bind(stage: &mut Stage<'_>, end: SocketAddr) -> anyhow::Result<Socket> {
    let bound = try_bind(end, Sharing::None);
    stage.does("server", format_args!("bind({end})"), bound)
}

/// A listening socket.
pub fn listen(stage: &mut Stage<'_>, end: SocketAddr) -> anyhow::Result<Socket> {
    let server = bind(stage, end)?;
    stage.does("server", "listen()", server.listen(128))?;
    Ok(server)
}

/// A bind that fails with EADDRINUSE, which is what the scenario is about.
pub fn in_use(
    stage: &mut Stage<'_>,
    who: &str,
    end: SocketAddr,
    sharing: Sharing,
) -> anyhow::Result<()> {
    let refused = try_bind(end, sharing);
    stage.is_refused(who, format_args!("bind({end}){sharing}"), refused, Errno::EADDRINUSE)
}

/// The claims on an address that a socket of this process has, which netkit calls `role`.
pub fn is_held_as(role: &'static str) -> Vec<Claim> {
    let own = std::process::id();
    vec![
        Claim::exits(1),
        Claim::is("the code is that of the second", "/code", 98),
        Claim::is(format!("a {role} is in the way"), "/blockers/*/role", vec![role]),
        Claim::is(format!("process {own} has it"), "/blockers/0/owners/0/pid", own),
        Claim::is("it does not go away by itself", "/frees_itself", false),
    ]
}

fn try_bind(end: SocketAddr, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(end), Type::STREAM, None)?;
    socket.set_reuse_address(matches!(sharing, Sharing::ReuseAddr | Sharing::Both))?;
    socket.set_reuse_port(matches!(sharing, Sharing::ReusePort | Sharing::Both))?;
    socket.bind(&end.into())?;
    Ok(socket)
}
