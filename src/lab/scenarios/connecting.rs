//! Connections that do not come about, and what `netkit connect` has to say of them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::ensure;
use socket2::{Domain, Socket, Type};

use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::stage::Stage;

/// How long is waited for an answer that will not come.
const PATIENCE: Duration = Duration::from_millis(300);
/// The options of `netkit connect` by which it waits no longer.
pub const SOON: &str = "--timeout 300ms";

/// A TCP connection to `end`, which has little time to come about.
pub fn try_connect(end: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(end), Type::STREAM, None)?;
    socket.connect_timeout(&end.into(), PATIENCE)?;
    Ok(socket)
}

/// A connect(2) that fails with `errno`, which is what the scenario is about.
pub fn fails(stage: &mut Stage<'_>, end: SocketAddr, errno: Errno) -> anyhow::Result<()> {
    stage.is_refused("client", format_args!("connect({end})"), try_connect(end), errno)
}

/// A connect(2) that nobody answers, which is what the scenario is about.
pub fn is_unanswered(stage: &mut Stage<'_>, end: SocketAddr) -> anyhow::Result<()> {
    let error = try_connect(end).err();
    let is_silent = error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    ensure!(is_silent, "connect({end}) was answered: there is no condition");
    let call = format_args!("connect({end})").to_string();
    stage.say("client", call, format_args!("no answer for {} ms", PATIENCE.as_millis()))
}

/// The claims on one target that is not connected to: the outcome, and the error number of the
/// client above.
pub fn fails_as(outcome: &'static str, errno: Errno) -> Vec<Claim> {
    vec![
        Claim::exits(1),
        Claim::is(format!("the outcome is {outcome}"), "/results/0/outcome", outcome),
        Claim::is("the code is that of the client", "/results/0/code", number(errno)),
        Claim::is("by its name", "/results/0/name", format!("{errno:?}")),
    ]
}

/// The claims on one target from which nothing comes: what Python's `connect_ex` gives is EAGAIN,
/// and that it is the deadline's has to be said.
pub fn is_silent() -> Vec<Claim> {
    let mut claims = fails_as("timed_out", Errno::EAGAIN);
    claims.push(Claim::is("our deadline ended it", "/results/0/deadline", true));
    claims.push(Claim::is("no router said anything", "/results/0/icmp", ()));
    claims
}

fn number(errno: Errno) -> Option<i32> {
    io::Error::from(errno).raw_os_error()
}
