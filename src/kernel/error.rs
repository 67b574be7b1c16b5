//! What can go wrong when the kernel is asked, split by what the reader can do about it.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// A question that the kernel did not answer. Each names the operation and its object.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The interface is not there or not for us: no module, seccomp, gVisor.
    #[error("sock_diag is not available: {operation} failed: {}", errno_text(*.errno))]
    Refused {
        /// The call that was refused.
        operation: &'static str,
        /// Why.
        errno: Errno,
    },
    /// The answer stopped before its end.
    #[error("the socket dump broke off: {0}")]
    BrokenOff(&'static str),
    /// A file under /proc could not be read.
    #[error("cannot read {}: {}", .path.display(), io_text(.source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {}", .path.display(), io_text(.source))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the system's configuration could not be read, written or removed.
    #[error("cannot {operation} {}: {}", .path.display(), io_text(.source))]
    File {
        /// What was to be done with it.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was named could not be read.
    #[error("cannot read {}: {}", .path.display(), io_text(.source))]
    NoFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no tree of files at the root that was named.
    #[error("cannot read the directory {}: {}", .path.display(), io_text(.source))]
    NoTree {
        /// The root of the tree.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another network namespace could not be entered.
    #[error("cannot enter the network namespace {}: {}", .path.display(), errno_text(*.errno))]
    Namespace {
        /// The namespace's file.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// This process could not make the socket that the question needs.
    #[error("cannot ask the kernel: {call} failed: {}", errno_text(*.errno))]
    NoSocket {
        /// The call that was refused.
        call: &'static str,
        /// Why.
        errno: Errno,
    },
    /// A socket file that a trial made is still there.
    #[error(
        "the socket file {} was made for the trial and could not be removed: {}",
        .path.display(),
        io_text(.source)
    )]
    LeftBehind {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An interface was named that is not there.
    #[error("there is no interface `{0}` in this network namespace")]
    NoInterface(String),
    /// A namespace of our own could not be made, or something in it.
    #[error("{operation} failed: {}", errno_text(*.errno))]
    Sandbox {
        /// The call and its object.
        operation: String,
        /// Why.
        errno: Errno,
        /// What the user can do about it.
        hint: Option<&'static str>,
    },
    /// A program could not be run or listened to.
    #[error("cannot {operation}: {}", io_text(.source))]
    Program {
        /// What was to be done with it.
        operation: String,
        /// Why.
        source: io::Error,
    },
    /// Something was asked for that this source cannot tell.
    #[error("{what}")]
    CannotTell {
        /// What it cannot tell.
        what: &'static str,
        /// What to ask for instead.
        instead: &'static str,
    },
}

impl KernelError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused { .. } => Some("`--source proc` reads /proc/net instead"),
            Self::LeftBehind { .. } => {
                Some("remove it by hand; a server cannot bind the path until then")
            }
            Self::NoInterface(_) => Some("`ip -brief link` lists them"),
            Self::NoSocket { .. } => {
                Some("this process or the machine is out of descriptors or memory: see `ulimit -n`")
            }
            Self::BrokenOff(_) => Some("run it again; `--source proc` reads /proc/net instead"),
            Self::Unreadable { .. } => {
                Some("is /proc mounted, and readable? `--procfs DIR` reads another one")
            }
            Self::Unwritable { .. } => {
                Some("changing sysctls takes root, and /proc/sys is read-only in most containers")
            }
            Self::File { .. } => Some(
                "the system's configuration is root's; `--file` and `--root` name another place",
            ),
            Self::NoFile { .. } => Some("name a file in the form of /etc/sysctl.conf"),
            Self::NoTree { .. } => {
                Some("name the directory in which the other system's etc/sysctl.d and usr are")
            }
            Self::Namespace { errno: Errno::EPERM | Errno::EACCES, .. } => Some(
                "entering a network namespace takes root; only `netkit states --netns PID` does without, \
                 by that process's tables",
            ),
            Self::Namespace { .. } => Some(
                "give a name of `ip netns list`, a process id, or a file such as /proc/1/ns/net",
            ),
            Self::Sandbox { hint, .. } => *hint,
            Self::Program { source, .. } => {
                source.raw_os_error().and_then(|code| lacking(Errno::from_raw(code)))
            }
            Self::CannotTell { instead, .. } => Some(instead),
        }
    }
}

/// What helps where this process or the machine is out of something.
fn lacking(errno: Errno) -> Option<&'static str> {
    let known = [
        (Errno::EMFILE, "`ulimit -n` shows and raises the limit of descriptors"),
        (
            Errno::ENFILE,
            "`sysctl fs.file-nr` counts the open files of the machine; fs.file-max is the limit",
        ),
        (
            Errno::EAGAIN,
            "this user or container may have no more threads: `ulimit -u`, and pids.max of the cgroup",
        ),
    ];
    known.into_iter().find_map(|(it, hint)| (it == errno).then_some(hint))
}

/// `EPERM (Operation not permitted)`.
fn errno_text(errno: Errno) -> String {
    format!("{errno:?} ({})", errno.desc())
}

/// `EPERM (Operation not permitted)` where the error came from the kernel, else the error's own words.
pub fn io_text(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| errno_text(Errno::from_raw(raw)))
}
