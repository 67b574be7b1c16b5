//! Telling whoever started a server that it is ready: the descriptor of s6 and systemd's socket.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc::PIPE_BUF;
use nix::unistd::close;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use socket2::{Domain, SockAddr, Socket, Type};

use super::ProcRoot;
use super::patience::{Event, Patience, Waited};
use super::proc_root::read_text;

/// How long a reader that does not read is waited for. The server takes nothing meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `text` to the descriptor `fd`, which whoever started this process has opened for it, and
/// closes it, so that a reader sees the end. EAGAIN if there was no room for it within [`PATIENCE`].
pub fn write_and_close(fd: i32, text: &str) -> io::Result<()> {
    let written = open(fd).and_then(|file| write(&file, text.as_bytes()));
    // Also where that failed: what cannot be told will not be told later.
    let closed = close(fd).map_err(io::Error::from);
    written.and(closed)
}

/// Writes `bytes`, as there is room for them. A pipe is writable while a page of it is free
/// (`pipe_poll`, fs/pipe.c), and that takes `PIPE_BUF` bytes without waiting.
fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let patience = Patience::of(PATIENCE);
    for piece in bytes.chunks(PIPE_BUF) {
        match patience.wait(file.as_fd(), Event::Writable)? {
            Waited::Ready => file.write_all(piece)?,
            Waited::Late | Waited::Interrupted => return Err(Errno::EAGAIN.into()),
        }
    }
    Ok(())
}

/// Whether whoever started this process has opened `fd` for writing.
pub fn can_write(fd: i32) -> io::Result<()> {
    if !is_inherited(fd) {
        return Err(Errno::EBADF.into());
    }
    let mode = OFlag::from_bits_retain(fcntl(open(fd)?, FcntlArg::F_GETFL)?) & OFlag::O_ACCMODE;
    if mode == OFlag::O_RDONLY { Err(Errno::EBADF.into()) } else { Ok(()) }
}

/// Whether `fd` was open at the start. Those that netkit has opened since have close-on-exec, all of them,
/// and one that came through exec(2) never does (`do_close_on_exec`, fs/file.c; the flag is shown by
/// `seq_show`, fs/proc/fd.c). Where /proc does not say, it is taken for one.
fn is_inherited(fd: i32) -> bool {
    let fdinfo = ProcRoot::live().path().join("self/fdinfo");
    match read_text(&fdinfo.join(fd.to_string())) {
        Ok(text) => flags(&text).is_none_or(|flags| !flags.contains(OFlag::O_CLOEXEC)),
        Err(_) => !fdinfo.exists(),
    }
}

/// The flags of open(2) in the text of /proc/PID/fdinfo/FD, where they are octal.
fn flags(fdinfo: &str) -> Option<OFlag> {
    let octal = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"))?;
    i32::from_str_radix(octal.trim(), 8).ok().map(OFlag::from_bits_retain)
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

/// The same where an old kernel or a sandbox refuses that: opened again, which must not wait for the
/// reader of a pipe that has none any more.
fn by_name(fd: i32) -> io::Result<File> {
    let path = ProcRoot::live().path().join(format!("self/fd/{fd}"));
    let opened = File::options().append(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    // Of a descriptor that is not open there is no name.
    let is_closed = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    opened.map_err(|error| if is_closed(&error) { Errno::EBADF.into() } else { error })
}

/// Tells the service manager `state`, as sd_notify(3) does; nothing if there is none. EAGAIN if its
/// queue was full for [`PATIENCE`].
pub fn notify(state: &str) -> io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.as_bytes() {
        [b'@', name @ ..] => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()))?,
        _ => SockAddr::unix(&path)?,
    };
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_a_descriptor_are_read() {
        let flags_of = |text| flags(text).unwrap();
        let own = flags_of("pos:\t0\nflags:\t02100001\nmnt_id:\t15\n");
        assert!(own.contains(OFlag::O_CLOEXEC));
        let inherited = flags_of("pos:\t0\nflags:\t0100001\nmnt_id:\t15\n");
        assert!(!inherited.contains(OFlag::O_CLOEXEC));
        assert_eq!(flags("pos:\t0\n"), None);
    }
}
