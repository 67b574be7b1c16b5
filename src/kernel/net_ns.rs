//! Other network namespaces: how `--netns` names one, and how to look from inside it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::KernelError;
use super::proc_root::open_file;

/// Where `ip netns add` keeps its names (iproute2, `NETNS_RUN_DIR`).
const NAMED: &str = "/run/netns";

/// A network namespace as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetNs {
    /// That of a process.
    Process(u32),
    /// One that `ip netns` made.
    Named(String),
    /// A file, as in `/proc/1/ns/net`.
    Path(PathBuf),
}

impl FromStr for NetNs {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(pid) => Self::Process(pid),
            Err(_) if text.contains('/') => Self::Path(text.into()),
            Err(_) => Self::Named(text.to_owned()),
        })
    }
}

impl fmt::Display for NetNs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(pid) => write!(f, "process {pid}"),
            Self::Named(name) => write!(f, "{name}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl NetNs {
    /// The namespace's file, processes being looked up in the /proc tree at `proc_root`.
    fn file(&self, proc_root: &Path) -> PathBuf {
        match self {
            Self::Process(pid) => proc_root.join(pid.to_string()).join("ns/net"),
            Self::Named(name) => Path::new(NAMED).join(name),
            Self::Path(path) => path.clone(),
        }
    }

    /// What a command is put behind that shall run there, a blank at its end.
    pub fn command_prefix(&self) -> String {
        match self {
            Self::Process(pid) => format!("nsenter -t {pid} -n "),
            Self::Named(name) => format!("ip netns exec {name} "),
            Self::Path(path) => format!("nsenter --net={} ", path.display()),
        }
    }

    /// Runs `look` on a thread of its own inside the namespace, so that the caller stays where it is.
    ///
    /// Fails if the namespace's file cannot be opened, or setns(2) refuses (it takes
    /// `CAP_SYS_ADMIN` there and here).
    pub fn enter<T: Send>(
        &self,
        proc_root: &Path,
        look: impl FnOnce() -> T + Send,
    ) -> Result<T, KernelError> {
        let path = self.file(proc_root);
        let refused = |errno| KernelError::Namespace { path: path.clone(), errno };
        let file = open_file(&path)
            .map_err(|error| refused(Errno::from_raw(error.raw_os_error().unwrap_or(0))))?;
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(file, CloneFlags::CLONE_NEWNET)?;
                Ok::<T, Errno>(look())
            });
            match inside.join() {
                Ok(seen) => seen.map_err(refused),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_pid_and_a_path_are_told_apart() {
        assert_eq!("1234".parse(), Ok(NetNs::Process(1234)));
        assert_eq!("blue".parse(), Ok(NetNs::Named("blue".to_owned())));
        assert_eq!("/proc/1/ns/net".parse(), Ok(NetNs::Path("/proc/1/ns/net".into())));
    }
}
