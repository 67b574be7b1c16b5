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

/// A descriptor of a process that is one of the sockets asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The socket.
    #[serde(skip)]
    pub inode: u32,
    /// The process.
    pub pid: i32,
    /// Its name (`comm`), as the process set it: to be sanitised before it is shown.
    pub name: String,
    /// The process's effective user; `None` if it went away meanwhile.
    pub uid: Option<u32>,
    /// The descriptor's number.
    pub fd: i32,
}

/// Every descriptor of a set of sockets, as far as they can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// The descriptors, by process and number.
    pub holders: Vec<Holder>,
    /// Processes whose descriptors this user may not see.
    pub hidden_processes: u64,
}

impl Holders {
    /// Looks for the descriptors of the sockets with these `inodes`; none where there are no
    /// processes to look at.
    pub fn of(inodes: &HashSet<u32>, proc_root: &ProcRoot) -> Self {
        let mut holders = Vec::new();
        let hidden_processes = each_process(inodes, proc_root, |process, held| {
            let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
            let uid = process.status().ok().map(|status| status.euid);
            holders.extend(held.iter().map(|(inode, fd)| Holder {
                inode: *inode,
                pid: process.pid(),
                name: name.clone(),
                uid,
                fd: *fd,
            }));
        });
        holders.sort_by_key(|holder| (holder.pid, holder.fd));
        Self { holders, hidden_processes: hidden_processes.unwrap_or(0) }
    }
}

impl Owners {
    /// Looks for the processes that hold the sockets with these `inodes`. `None` where there are no
    /// processes to look at, as in a capture.
    pub fn of(inodes: &HashSet<u32>, proc_root: &ProcRoot) -> Option<Self> {
        let mut owners = Vec::new();
        let hidden_processes = each_process(inodes, proc_root, |process, held| {
            owners.push(Owner {
                pid: process.pid(),
                name: process.stat().map(|stat| stat.comm).unwrap_or_default(),
                sockets: u64::try_from(held.len()).unwrap_or(u64::MAX),
            });
        })?;
        owners.sort_by_key(|owner| (std::cmp::Reverse(owner.sockets), owner.pid));
        Some(Self { owners, hidden_processes })
    }
}

/// Calls `found` for each process that has one of the sockets, with inode and descriptor of each.
/// How many processes could not be looked into; `None` where there is none at all.
///
/// Processes come and go meanwhile: one that vanishes is passed over.
fn each_process(
    inodes: &HashSet<u32>,
    proc_root: &ProcRoot,
    mut found: impl FnMut(&Process, &[(u32, i32)]),
) -> Option<u64> {
    let mut hidden = 0;
    let mut processes = all_processes_with_root(proc_root.path()).ok()?.flatten().peekable();
    processes.peek()?;
    for process in processes {
        match process.fd() {
            Err(procfs::ProcError::PermissionDenied(_)) => hidden += 1,
            Err(_) => {}
            Ok(descriptors) => {
                let held: Vec<_> = descriptors
                    .flatten()
                    .filter_map(|descriptor| {
                        let inode = socket_inode(&descriptor.target)?;
                        inodes.contains(&inode).then_some((inode, descriptor.fd))
                    })
                    .collect();
                if !held.is_empty() {
                    found(&process, &held);
                }
            }
        }
    }
    Some(hidden)
}

/// The inode of a descriptor that is a socket: in the socket's own tables it has 32 bits, in the
/// link 64.
fn socket_inode(target: &FDTarget) -> Option<u32> {
    let FDTarget::Socket(inode) = target else {
        return None;
    };
    u32::try_from(inode & u64::from(u32::MAX)).ok()
}
