//! What can go wrong when the kernel is asked, split by what the reader can do about it.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::model::SysctlKey;

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
    /// A sysctl was not set.
    #[error("cannot set {key}: {}", errno_text(*.errno))]
    NotSet {
        /// The setting.
        key: SysctlKey,
        /// Why.
        errno: Errno,
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
            Self::NoInterface(_) => Some("`ip -brief link` lists them"),
            Self::NoSocket { .. } => {
                Some("this process or the machine is out of descriptors or memory: see `ulimit -n`")
            }
            Self::BrokenOff(_) => Some("run it again; `--source proc` reads /proc/net instead"),
            Self::Unreadable { .. } => {
                Some("is /proc mounted, and readable? `--procfs DIR` reads another one")
            }
            Self::Namespace { errno: Errno::EPERM | Errno::EACCES, .. } => Some(
                "entering a network namespace takes root; `states --netns PID` reads that process's \
                 tables without",
            ),
            Self::Namespace { .. } => Some(
                "give a name of `ip netns list`, a process id, or a file such as /proc/1/ns/net",
            ),
            Self::Sandbox { hint, .. } => *hint,
            Self::Program { .. } => None,
            Self::NotSet { errno, .. } => not_set_hint(*errno),
            Self::CannotTell { instead, .. } => Some(instead),
        }
    }
}

/// What can be done about a sysctl that was not set.
fn not_set_hint(errno: Errno) -> Option<&'static str> {
    if errno == Errno::EROFS {
        return Some(
            "/proc/sys is read-only here, as in most containers: set it where the container is \
             made, as with `docker run --sysctl`",
        );
    }
    if matches!(errno, Errno::EACCES | Errno::EPERM) {
        return Some(
            "setting it takes root in the user namespace that owns this network namespace; some \
             settings can be set on the host alone",
        );
    }
    if errno == Errno::ENOENT {
        return Some("this kernel has no such setting, or not in this namespace; or no such value");
    }
    (errno == Errno::EINVAL).then_some(
        "the kernel refuses the value; of several numbers, those before the wrong one may be set",
    )
}

/// `EPERM (Operation not permitted)`.
fn errno_text(errno: Errno) -> String {
    format!("{errno:?} ({})", errno.desc())
}

/// As [`errno_text`] where the error came from the kernel, else the error's own words.
fn io_text(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| errno_text(Errno::from_raw(raw)))
}
