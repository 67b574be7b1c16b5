//! The options of another process's socket, read from a copy of its descriptor (pidfd_getfd(2),
//! Linux 5.6). Takes what ptrace(2) takes: the same user, or CAP_SYS_PTRACE.

use std::os::fd::{AsFd as _, OwnedFd};

use nix::sys::stat::fstat;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use socket2::SockRef;

/// The options that decide who may share a port with a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharingOptions {
    /// `SO_REUSEADDR`.
    pub reuse_addr: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuse_port: Option<bool>,
    /// `IPV6_V6ONLY`, of an IPv6 socket.
    pub v6only: Option<bool>,
}

impl SharingOptions {
    /// The options of the socket with this inode, which process `pid` has as descriptor `fd`. `None`
    /// if this user may not look, or the descriptor is another one by now.
    ///
    /// The copy is closed at once; it never reads, accepts or changes anything.
    pub fn of(pid: i32, fd: i32, inode: u32) -> Option<Self> {
        let process = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        let copy: OwnedFd = pidfd_getfd(process, fd, PidfdGetfdFlags::empty()).ok()?;
        let number = fstat(copy.as_fd()).ok()?.st_ino;
        if number & u64::from(u32::MAX) != u64::from(inode) {
            return None;
        }
        let socket = SockRef::from(&copy);
        Some(Self {
            reuse_addr: socket.reuse_address().ok(),
            reuse_port: socket.reuse_port().ok(),
            v6only: socket.only_v6().ok(),
        })
    }
}
