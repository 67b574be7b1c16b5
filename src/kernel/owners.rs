//! Which processes hold a socket: the links `socket:[inode]` under /proc/PID/fd.

use std::collections::HashSet;

use procfs::process::{FDTarget, Process, all_processes_with_root};

use serde::Serialize;

use super::ProcRoot;

/// A process that holds sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The process.
    pub pid: i32,
    /// Its name (`comm`), as the process set it: to be sanitised before it is shown.
    pub name: String,
    /// How many of the sockets it holds.
    pub sockets: u64,
}

/// Who holds a set of sockets, as far as it can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owners {
    /// The processes, the one with the most sockets first.
    pub owners: Vec<Owner>,
    /// Processes whose descriptors this user may not see.
    pub hidden_processes: u64,
}

impl Owners {
    /// Looks for the holders of the sockets with these `inodes`.
    ///
    /// Processes come and go meanwhile: one that vanishes is passed over. What may not be read is
    /// counted. `None` where there are no processes to look at, as in a capture.
    pub fn of(inodes: &HashSet<u32>, proc_root: &ProcRoot) -> Option<Self> {
        let mut found = Self::default();
        let mut processes = all_processes_with_root(proc_root.path()).ok()?.flatten().peekable();
        processes.peek()?;
        for process in processes {
            match sockets_held(&process, inodes) {
                Some(0) => {}
                Some(sockets) => found.owners.push(Owner {
                    pid: process.pid(),
                    name: process.stat().map(|stat| stat.comm).unwrap_or_default(),
                    sockets,
                }),
                None => found.hidden_processes += 1,
            }
        }
        found.owners.sort_by_key(|owner| (std::cmp::Reverse(owner.sockets), owner.pid));
        Some(found)
    }
}

/// How many of the sockets `process` holds; `None` if that may not be seen.
fn sockets_held(process: &Process, inodes: &HashSet<u32>) -> Option<u64> {
    let descriptors = match process.fd() {
        Err(procfs::ProcError::PermissionDenied(_)) => return None,
        Err(_) => return Some(0),
        Ok(descriptors) => descriptors,
    };
    let is_one = |target: &FDTarget| {
        let FDTarget::Socket(inode) = target else {
            return false;
        };
        // The socket's number in the tables has 32 bits, in the link 64.
        u32::try_from(inode & u64::from(u32::MAX)).is_ok_and(|inode| inodes.contains(&inode))
    };
    let held = descriptors.flatten().filter(|descriptor| is_one(&descriptor.target)).count();
    u64::try_from(held).ok()
}
