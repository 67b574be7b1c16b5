//! bind(2) of Unix sockets, and the files that they leave.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use nix::sys::stat::{fstat, major, minor};
use socket2::{Domain, SockAddr, Socket, Type};

use super::KernelError;
use super::binding::{Stage, Trial, answer};
use super::ending_signals::without_signals;
use super::sock_diag::{DumpNotes, SockDiag, SocketFile};
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

    /// The type as socket(2) takes it.
    pub(super) fn socket_type(self) -> Type {
        match self {
            Self::Stream => Type::STREAM,
            Self::Dgram => Type::DGRAM,
            Self::Seqpacket => Type::SEQPACKET,
        }
    }

    /// A socket of this type.
    pub(super) fn new_socket(self) -> io::Result<Socket> {
        Socket::new(Domain::UNIX, self.socket_type(), None)
    }
}

/// Binds a Unix socket to `name`, and closes it. The file that this makes is removed again; signals
/// that would end the process wait until it is.
///
/// Fails also if that file could not be removed. One that another socket has put in its place
/// meanwhile stays.
pub fn try_unix(name: &UnixName, kind: UnixType) -> Result<Trial, KernelError> {
    let mut stage = Stage::Socket;
    let mut left_behind = None;
    let result = kind.new_socket().and_then(|socket| {
        stage = Stage::Bind;
        let address = unix_address(name)?;
        without_signals(|| {
            socket.bind(&address)?;
            if let UnixName::Path(path) = name {
                left_behind = remove_own(&socket, path).err();
            }
            Ok(())
        })
    });
    if let (Some(source), UnixName::Path(path)) = (left_behind, name) {
        return Err(KernelError::LeftBehind { path: path.clone(), source });
    }
    let asked = answer(stage, false, &result);
    tracing::debug!(?name, ?kind, ?asked, "asked bind(2)");
    asked
}

/// Removes the file at `path` if it is the one of `socket`: a server may have put its own there.
fn remove_own(socket: &Socket, path: &Path) -> io::Result<()> {
    let Ok(there) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let there = file_of(&there);
    match own_file(socket) {
        Some(own) if own.inode != there.inode => Ok(()),
        _ => std::fs::remove_file(path),
    }
}

/// Removes the socket file at `path` if it is still what it was `before`.
pub fn remove_socket(path: &Path, before: FileKind) -> io::Result<()> {
    match (before, file_kind(path)) {
        (FileKind::Socket(before), FileKind::Socket(now)) if before == now => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The file that the kernel's table has for `socket`; `None` where that cannot be asked.
fn own_file(socket: &Socket) -> Option<SocketFile> {
    let inode = fstat(socket.as_fd()).ok()?.st_ino & u64::from(u32::MAX);
    let mut own = None;
    let mut notes = DumpNotes::default();
    SockDiag::open()
        .and_then(|mut diag| {
            diag.dump_unix(&mut notes, &mut |it| {
                if u64::from(it.inode) == inode {
                    own = it.file;
                }
            })
        })
        .ok()?;
    own
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

/// The address of `name`, as the calls take it.
pub(super) fn unix_address(name: &UnixName) -> io::Result<SockAddr> {
    match name {
        UnixName::Path(path) => SockAddr::unix(path),
        UnixName::Abstract(name) => {
            SockAddr::unix(OsStr::from_bytes(&[b"\0", name.as_slice()].concat()))
        }
    }
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
    match (kind.is_socket(), kind.is_dir()) {
        (true, _) => FileKind::Socket(file_of(&file)),
        (_, true) => FileKind::Directory,
        _ => FileKind::Other,
    }
}

/// The file, in the form of the kernel's socket table.
fn file_of(file: &std::fs::Metadata) -> SocketFile {
    let inode = u32::try_from(file.ino() & u64::from(u32::MAX)).unwrap_or(0);
    SocketFile { inode, device: kernel_device(file.dev()) }
}

/// The number of a device in the kernel's own form, from that of stat(2).
fn kernel_device(device: u64) -> u32 {
    let number = major(device) << 20 | minor(device);
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0)
}
