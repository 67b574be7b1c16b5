//! bind(2) of Unix sockets, and the files that they leave.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use nix::sys::stat::{major, minor};
use socket2::{Domain, SockAddr, Socket, Type};

use super::KernelError;
use super::binding::{Stage, Trial, answer};
use super::sock_diag::SocketFile;
use crate::model::UnixName;

/// Type of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixType {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Dgram,
    /// `SOCK_SEQPACKET`.
    Seqpacket,
}

impl UnixType {
    /// The kernel's number (`include/linux/net.h`, `enum sock_type`).
    pub fn number(self) -> u8 {
        match self {
            Self::Stream => 1,
            Self::Dgram => 2,
            Self::Seqpacket => 5,
        }
    }

    fn new_socket(self) -> io::Result<Socket> {
        let kind = match self {
            Self::Stream => Type::STREAM,
            Self::Dgram => Type::DGRAM,
            Self::Seqpacket => Type::SEQPACKET,
        };
        Socket::new(Domain::UNIX, kind, None)
    }
}

/// Binds a Unix socket to `name`, and closes it. A file that this made is removed again, unless
/// somebody has put another in its place meanwhile.
pub fn try_unix(name: &UnixName, kind: UnixType) -> Result<Trial, KernelError> {
    let mut stage = Stage::Socket;
    let result = kind.new_socket().and_then(|socket| {
        stage = Stage::Bind;
        let address = unix_address(name)?;
        socket.bind(&address)?;
        if let UnixName::Path(path) = name {
            let made = file_id(path);
            // One that is gone already is as good as removed.
            if made.is_some() && file_id(path) == made {
                drop(std::fs::remove_file(path));
            }
        }
        Ok(())
    });
    answer(stage, false, &result)
}

/// Connects to the socket file at `path`, as the only way to learn whether a socket of another
/// network namespace has it: their tables are not shown here. The error number; 0 if one has.
pub fn try_unix_connect(path: &Path, kind: UnixType) -> Result<i32, KernelError> {
    let result = kind.new_socket().and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    });
    answer(Stage::Socket, false, &result).map(|trial| trial.code)
}

fn unix_address(name: &UnixName) -> io::Result<SockAddr> {
    match name {
        UnixName::Path(path) => SockAddr::unix(path),
        UnixName::Abstract(name) => {
            SockAddr::unix(OsStr::from_bytes(&[b"\0", name.as_slice()].concat()))
        }
    }
}

/// Device and inode of the file itself, not of what it links to.
fn file_id(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A socket's file.
    Socket(SocketFile),
    /// A symbolic link to nothing.
    DanglingLink,
    /// A directory.
    Directory,
    /// Anything else.
    Other,
    /// Nothing, or nothing that this user may see.
    Nothing,
}

/// What is at `path`, symbolic links being followed.
pub fn file_kind(path: &Path) -> FileKind {
    let Ok(file) = std::fs::metadata(path) else {
        return match std::fs::symlink_metadata(path) {
            Ok(_) => FileKind::DanglingLink,
            Err(_) => FileKind::Nothing,
        };
    };
    let kind = file.file_type();
    let inode = u32::try_from(file.ino() & u64::from(u32::MAX)).unwrap_or(0);
    match (kind.is_socket(), kind.is_dir()) {
        (true, _) => FileKind::Socket(SocketFile { inode, device: kernel_device(file.dev()) }),
        (_, true) => FileKind::Directory,
        _ => FileKind::Other,
    }
}

/// The number of a device in the kernel's own form, from that of stat(2).
fn kernel_device(device: u64) -> u32 {
    let number = major(device) << 20 | minor(device);
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0)
}
