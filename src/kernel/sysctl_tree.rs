//! /proc/sys: the running values. A key is checked when it is made ([`SysctlKey`]), so that no path
//! here leads out of the tree.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::clock::tick_hz;
use super::proc_root::{read_text, unreadable};
use super::{KernelError, ProcRoot};
use crate::model::{KernelRelease, KeyPattern, SysctlKey, TargetKernel};

/// What reading a key gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// Its value, without the line's end.
    Value(String),
    /// There is no such key here.
    Absent,
    /// It is there, and this user may not read it.
    Hidden(String),
}

impl Running {
    /// The value, if it could be read.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Hidden(_) => None,
        }
    }

    /// The same without its value, which is not shown for the reason `why`.
    #[must_use]
    pub fn withheld(self, why: &str) -> Self {
        match self {
            Self::Value(_) => Self::Hidden(why.to_owned()),
            Self::Absent | Self::Hidden(_) => self,
        }
    }
}

/// The value of `key` in the network namespace of this thread. Fails if /proc/sys itself is not
/// there, or shows another namespace.
pub fn read(proc_root: &ProcRoot, key: &SysctlKey) -> Result<Running, KernelError> {
    let root = tree(proc_root)?;
    match read_text(&root.join(key.relative_path())) {
        Ok(text) => Ok(Running::Value(text.trim_end_matches('\n').to_owned())),
        Err(KernelError::Unreadable { source, .. }) if is_absent(&source) => {
            match fs::metadata(&root) {
                Ok(_) => Ok(Running::Absent),
                Err(error) => Err(unreadable(&root, error)),
            }
        }
        Err(error) => Ok(Running::Hidden(error.to_string())),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Writes `value` to `key` in one write(2), as the kernel wants it. The error is the kernel's.
pub fn write(proc_root: &ProcRoot, key: &SysctlKey, value: &str) -> Result<(), KernelError> {
    let path = tree(proc_root)?.join(key.relative_path());
    let refused = |source| KernelError::Unwritable { path: path.clone(), source };
    let mut file = OpenOptions::new().write(true).open(&path).map_err(refused)?;
    file.write_all(format!("{value}\n").as_bytes()).map_err(refused)
}

/// The keys that are there and that `pattern` names, in order.
pub fn list(proc_root: &ProcRoot, pattern: &KeyPattern) -> Vec<SysctlKey> {
    let Ok(root) = tree(proc_root) else { return Vec::new() };
    let mut start = root.clone();
    start.extend(pattern.plain_parts());
    let mut found = Vec::new();
    walk(&root, &start, &mut found);
    found.retain(|key| pattern.matches(key));
    found.sort();
    found
}

fn walk(root: &Path, path: &Path, found: &mut Vec<SysctlKey>) {
    let Ok(entries) = fs::read_dir(path) else {
        let below = path.strip_prefix(root).ok().and_then(|path| path.to_str());
        let key = below.and_then(|below| SysctlKey::parse(below).ok());
        found.extend(key.filter(|_| path.is_file()));
        return;
    };
    for entry in entries.flatten() {
        walk(root, &entry.path(), found);
    }
}

/// The release of the running kernel (`kernel.osrelease`), as it says it and as a number.
pub fn release(proc_root: &ProcRoot) -> (Option<String>, Option<KernelRelease>) {
    // The same for every namespace, so that it can be told of another process's too.
    let text = read_text(&proc_root.path().join("sys/kernel/osrelease")).ok();
    let text = text.map(|text| text.trim().to_owned());
    let number = text.as_deref().and_then(|text| text.parse().ok());
    (text, number)
}

/// The running kernel, as far as values are judged by it. The tick is known of this machine alone, and
/// not of one whose /proc was captured.
pub fn target(proc_root: &ProcRoot) -> TargetKernel {
    let (_, release) = release(proc_root);
    TargetKernel { release, tick_hz: if proc_root.is_live() { tick_hz() } else { None } }
}

/// The tree that shows the settings of `proc_root`'s network namespace. There is none for another
/// process's: /proc/sys shows the namespace of its reader.
fn tree(proc_root: &ProcRoot) -> Result<PathBuf, KernelError> {
    proc_root.sysctls().ok_or(KernelError::CannotTell {
        what: "the settings of that network namespace can only be read from inside it",
        instead: "entering it by --netns takes root",
    })
}
