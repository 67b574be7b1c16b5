//! Telling whoever started a server that it is ready: the descriptor of s6 and systemd's socket.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::close;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use socket2::{Domain, SockAddr, Socket, Type};

use super::ProcRoot;

/// Writes `text` to the descriptor `fd`, which whoever started this process has opened for it, and
/// closes it, so that a reader sees the end.
pub fn write_and_close(fd: i32, text: &str) -> io::Result<()> {
    open(fd)?.write_all(text.as_bytes())?;
    close(fd).map_err(io::Error::from)
}

/// Whether this process has `fd` open for writing.
pub fn can_write(fd: i32) -> io::Result<()> {
    let mode = OFlag::from_bits_retain(fcntl(open(fd)?, FcntlArg::F_GETFL)?) & OFlag::O_ACCMODE;
    if mode == OFlag::O_RDONLY { Err(Errno::EBADF.into()) } else { Ok(()) }
}

/// The descriptor once more, since a number alone is none to safe code: a copy of our own one, which
/// shares its place in the file, and asks for no right to open that (pidfd_getfd(2), Linux 5.6).
fn open(fd: i32) -> io::Result<File> {
    let process = pidfd_open(getpid(), PidfdFlags::empty());
    let copy = process.and_then(|own| pidfd_getfd(own, fd, PidfdGetfdFlags::empty()));
    match copy.map(OwnedFd::into) {
        Err(error) if error != rustix::io::Errno::BADF => by_name(fd),
        copy => Ok(copy?),
    }
}

/// The same where that is an old kernel's or a sandbox's to refuse: opened again.
fn by_name(fd: i32) -> io::Result<File> {
    let path = ProcRoot::live().path().join(format!("self/fd/{fd}"));
    let opened = File::options().append(true).open(path);
    // Of a descriptor that is not open there is no name.
    let is_closed = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    opened.map_err(|error| if is_closed(&error) { Errno::EBADF.into() } else { error })
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
