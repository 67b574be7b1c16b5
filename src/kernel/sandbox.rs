//! A network namespace of our own, in which anything may be tried.
//!
//! Root unshares the network and the mounts. Everybody else needs a user namespace besides, in
//! which they are root; that may be refused, or be allowed and worth nothing: AppArmor lets it be
//! made and takes the capabilities away (`kernel.apparmor_restrict_unprivileged_userns`).
//!
//! unshare(2) of a user namespace takes a process with one thread (`kernel/fork.c`,
//! `check_unshare_flags`), so this is for a process that was started for it: see
//! [`Worker`](super::program::Worker). The namespace ends with the last process in it.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{getegid, geteuid};

use super::new_route::{self, NewRoute};
use super::proc_root::open_file;
use super::second_ns::SecondNs;
use super::{KernelError, ProcRoot, link};

const NO_NAMESPACE: &str = "it takes root, or user namespaces for all: see \
                            `user.max_user_namespaces`, `kernel.unprivileged_userns_clone` and the \
                            container's seccomp profile";
const NO_CAPABILITIES: &str = "a user namespace could be made, but its root has no capabilities, \
                               as under `kernel.apparmor_restrict_unprivileged_userns = 1`: run \
                               it as root";

const NO_VETH: &str = "the kernel has no veth: it is in the module `veth`";
const READ_ONLY: &str = "is /proc/sys mounted read-only, as in a container?";

/// Where a file system may be mounted for files of our own, the first that is empty.
const SPARE_DIRECTORIES: [&str; 5] = ["/mnt", "/media", "/srv", "/opt", "/tmp"];

/// The proof that this process is in namespaces of its own, which it may change as it likes.
#[derive(Debug)]
pub struct Sandbox {
    has_user_ns: bool,
    directory: Option<PathBuf>,
}

impl Sandbox {
    /// Moves this process into namespaces of its own, with `lo` up. It must have one thread.
    ///
    /// Fails if the kernel refuses them, or what is done in them.
    pub fn enter() -> Result<Self, KernelError> {
        let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
        let has_user_ns = match unshare(own) {
            Ok(()) => false,
            Err(Errno::EPERM) => {
                become_root_of(own)?;
                true
            }
            Err(errno) => return Err(refused("unshare(CLONE_NEWNET)", errno, Some(NO_NAMESPACE))),
        };
        let hint = has_user_ns.then_some(NO_CAPABILITIES);
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&Path>, "/", None::<&Path>, private, None::<&Path>)
            .map_err(|errno| refused("mount(\"/\", MS_PRIVATE)", errno, hint))?;
        link::up("lo").map_err(|errno| refused("bringing up `lo`", errno, hint))?;
        Ok(Self { has_user_ns, directory: None })
    }

    /// Whether a user namespace was needed.
    pub fn has_user_ns(&self) -> bool {
        self.has_user_ns
    }

    /// Writes `value` to the sysctl `key` of this network namespace.
    pub fn set(&self, key: &str, value: &str) -> Result<(), KernelError> {
        set_sysctl(key, value)
    }

    /// Adds a route to this network namespace.
    pub fn add_route(&self, to: IpNet, route: NewRoute) -> Result<(), KernelError> {
        new_route::add_route(to, route)
            .map_err(|errno| refused(&format!("adding the route {to} {route}"), errno, None))
    }

    /// Leaves for a network namespace in which nothing was done: `lo` is down there.
    pub fn leave_for_a_fresh_one(&self) -> Result<(), KernelError> {
        new_net_ns().map(drop)
    }

    /// Makes a second network namespace beside this one, and a veth pair between them, which is
    /// called `name` here and there, and is down.
    pub fn second_ns(&self, name: &str) -> Result<SecondNs, KernelError> {
        let here = own_net_ns()?;
        let there = new_net_ns()?;
        setns(&here, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| refused("setns(CLONE_NEWNET)", errno, None))?;
        link::veth(name, name, there.as_fd()).map_err(|errno| {
            let has_none = errno == Errno::EOPNOTSUPP;
            refused("making a veth pair", errno, has_none.then_some(NO_VETH))
        })?;
        Ok(SecondNs::new(there))
    }

    /// Gives the interface `name` these addresses and brings it up.
    pub fn furnish(&self, name: &str, addresses: &[IpNet]) -> Result<(), KernelError> {
        furnish(name, addresses)
    }

    /// Lets ARP ask once on the interface `name`, and give up after `patience`.
    pub fn ask_for_neighbours_once(
        &self,
        name: &str,
        patience: Duration,
    ) -> Result<(), KernelError> {
        link::ask_for_neighbours_once(name, patience)
            .map_err(|errno| refused(&format!("changing how {name} asks by ARP"), errno, None))
    }

    /// An empty directory that nobody else sees, and that is gone with the namespace.
    pub fn directory(&mut self) -> Result<&Path, KernelError> {
        let directory = match self.directory.take() {
            Some(made) => made,
            None => mount_tmpfs()?,
        };
        Ok(self.directory.insert(directory))
    }
}

/// Moves this process into the namespaces of the sandbox that process `pid` made, and back to the
/// directory that it was in. It must have one thread.
pub fn join(pid: u32, has_user_ns: bool) -> Result<(), KernelError> {
    // Where there is none to come back to, `/` is as good.
    let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let kinds = [
        ("user", CloneFlags::CLONE_NEWUSER),
        ("net", CloneFlags::CLONE_NEWNET),
        ("mnt", CloneFlags::CLONE_NEWNS),
    ];
    for (name, kind) in kinds.into_iter().skip(usize::from(!has_user_ns)) {
        let path = format!("/proc/{pid}/ns/{name}");
        let entered = open_file(Path::new(&path))
            .map_err(|error| errno(&error))
            .and_then(|file| setns(file, kind));
        entered.map_err(|errno| refused(&format!("entering {path}"), errno, None))?;
    }
    std::env::set_current_dir(here).or_else(|_| std::env::set_current_dir("/")).map_err(|error| {
        let operation = "go back to the working directory".to_owned();
        KernelError::Program { operation, source: error }
    })
}

/// Unshares `own` with a user namespace in which this user is root (user_namespaces(7)).
fn become_root_of(own: CloneFlags) -> Result<(), KernelError> {
    let (user, group) = (geteuid(), getegid());
    unshare(own | CloneFlags::CLONE_NEWUSER)
        .map_err(|errno| refused("unshare(CLONE_NEWUSER)", errno, Some(NO_NAMESPACE)))?;
    // A group can be mapped without privilege only once setgroups(2) is given up.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {user} 1")),
        ("gid_map", format!("0 {group} 1")),
    ];
    maps.into_iter().try_for_each(|(name, text)| {
        let path = format!("/proc/self/{name}");
        fs::write(&path, text).map_err(|error| {
            refused(&format!("writing {path}"), errno(&error), Some(NO_CAPABILITIES))
        })
    })
}

/// Mounts an empty file system over a directory that is there on every system; over an empty one,
/// so that nobody misses anything in a shell.
fn mount_tmpfs() -> Result<PathBuf, KernelError> {
    let is_empty =
        |path: &&&str| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let spare = SPARE_DIRECTORIES.iter().find(is_empty).unwrap_or(&"/tmp");
    mount(Some("netkit"), *spare, Some("tmpfs"), MsFlags::empty(), Some("mode=0755,size=1m"))
        .map_err(|errno| refused(&format!("mounting a tmpfs on {spare}"), errno, None))?;
    Ok(PathBuf::from(spare))
}

/// Writes a sysctl of the calling thread's network namespace.
pub(super) fn set_sysctl(key: &str, value: &str) -> Result<(), KernelError> {
    let file = ProcRoot::live().path().join("sys").join(key.replace('.', "/"));
    fs::write(&file, value).map_err(|error| {
        let errno = errno(&error);
        let is_kept = matches!(errno, Errno::EROFS | Errno::EACCES | Errno::EPERM);
        refused(&format!("writing {value} to {key}"), errno, is_kept.then_some(READ_ONLY))
    })
}

/// Gives an interface of the calling thread's network namespace addresses and brings it up.
pub(super) fn furnish(name: &str, addresses: &[IpNet]) -> Result<(), KernelError> {
    link::up(name).map_err(|errno| refused(&format!("bringing up `{name}`"), errno, None))?;
    addresses.iter().try_for_each(|address| {
        link::add_address(name, *address)
            .map_err(|errno| refused(&format!("adding {address} to `{name}`"), errno, None))
    })
}

/// Moves this process into a new network namespace, and gives the file that it is by.
fn new_net_ns() -> Result<OwnedFd, KernelError> {
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|errno| refused("unshare(CLONE_NEWNET)", errno, Some(NO_NAMESPACE)))?;
    own_net_ns()
}

fn own_net_ns() -> Result<OwnedFd, KernelError> {
    const PATH: &str = "/proc/thread-self/ns/net";
    open_file(Path::new(PATH))
        .map(OwnedFd::from)
        .map_err(|error| refused(&format!("opening {PATH}"), errno(&error), None))
}

pub(super) fn refused(operation: &str, errno: Errno, hint: Option<&'static str>) -> KernelError {
    KernelError::Sandbox { operation: operation.to_owned(), errno, hint }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
