//! Where to look: which network namespace, and which /proc.

use std::fmt;
use std::path::PathBuf;

use super::net_ns::NetNs;
use super::{KernelError, ProcRoot};

/// The place that an answer is for.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Another network namespace.
    pub net_ns: Option<NetNs>,
    /// Another root of /proc.
    pub procfs: Option<PathBuf>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.net_ns, &self.procfs) {
            (Some(net_ns), _) => write!(f, "network namespace {net_ns}"),
            (None, Some(procfs)) => write!(f, "{}", procfs.display()),
            (None, None) => f.write_str("this network namespace"),
        }
    }
}

impl Place {
    /// What is wrong with asking there about `path`, of the file system, and the command to ask instead;
    /// `None` if it is no other network namespace. That alone is entered, and not its mounts.
    pub fn lacks_path(&self, path: impl fmt::Display, command: &str) -> Option<String> {
        self.net_ns.as_ref()?;
        Some(format!(
            "`{path}`: --netns enters the network namespace alone, and this path is looked for here\n\
             hint: nsenter -t PID -m -n netkit {command} {path}"
        ))
    }

    /// Calls `ask` there, where it can do what only a process of the place can.
    ///
    /// Fails if the namespace may not be entered, or the place is a /proc of another system.
    pub fn inside<T: Send>(
        &self,
        ask: impl FnOnce(&ProcRoot) -> T + Send,
    ) -> Result<T, KernelError> {
        let here = self.procfs.as_deref().map_or_else(ProcRoot::live, ProcRoot::at);
        match &self.net_ns {
            Some(net_ns) => net_ns.enter(here.path(), || ask(&ProcRoot::live())),
            None if here.is_live() => Ok(ask(&here)),
            None => Err(KernelError::CannotTell {
                what: "this can be tried on the running system alone, not in a capture of /proc",
                instead: "leave out --procfs",
            }),
        }
    }

    /// Calls `look` once, there, with what it has to know about the place if that is not as asked.
    ///
    /// The namespace of a process that may not be entered is still shown by its tables under
    /// /proc/PID/net. Fails if the namespace is not there, or is not shown that way either.
    pub fn visit<T: Send>(
        &self,
        mut look: impl FnMut(&ProcRoot, Option<String>) -> T + Send,
    ) -> Result<T, KernelError> {
        let here = self.procfs.as_deref().map_or_else(ProcRoot::live, ProcRoot::at);
        let Some(net_ns) = &self.net_ns else {
            return Ok(look(&here, None));
        };
        let refusal = match net_ns.enter(here.path(), || look(&ProcRoot::live(), None)) {
            Ok(seen) => return Ok(seen),
            Err(refusal) => refusal,
        };
        match net_ns {
            NetNs::Process(pid) if here.of_process(*pid).net("tcp").exists() => {
                let warning = format!("{refusal}; read /proc/{pid}/net, without its sysctls");
                Ok(look(&here.of_process(*pid), Some(warning)))
            }
            NetNs::Process(_) | NetNs::Named(_) | NetNs::Path(_) => Err(refusal),
        }
    }
}
