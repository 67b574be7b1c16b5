//! Telling whoever started a server that it is ready: the descriptor of s6 and systemd's socket.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

use nix::unistd::close;
use socket2::{Domain, SockAddr, Socket, Type};

/// Writes `text` to the descriptor `fd`, which whoever started this process has opened for it, and
/// closes it, so that a reader sees the end.
pub fn write_and_close(fd: i32, text: &str) -> io::Result<()> {
    // By its name, since a number alone is no descriptor to safe code.
    let mut file = File::options().write(true).open(format!("/proc/self/fd/{fd}"))?;
    file.write_all(text.as_bytes())?;
    close(fd).map_err(io::Error::from)
}

/// Whether this process has `fd` open for writing.
pub fn can_write(fd: i32) -> io::Result<()> {
    File::options().write(true).open(format!("/proc/self/fd/{fd}")).map(drop)
}

/// Tells the service manager `state`, as sd_notify(3) does; nothing if there is none.
pub fn notify(state: &str) -> io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.as_bytes() {
        [b'@', name @ ..] => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()))?,
        _ => SockAddr::unix(&path)?,
    };
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    socket.send_to(state.as_bytes(), &address).map(drop)
}
