//! Sysctls: the files below /proc/sys (`fs/proc/proc_sysctl.c`).
//!
//! They show the namespace of the thread that opens them, so that there is no way to read another
//! one's but to enter it. The way to a file is gone part by part from `<proc>/sys`, no symbolic link is
//! followed, and a [`SysctlKey`] has no `..`: nothing outside is ever opened, also in a tree of
//! somebody else.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::proc_root::{read_text, read_whole, unreadable};
use super::{KernelError, ProcRoot};
use crate::model::{KernelRelease, KeyPattern, SysctlKey};

/// What the kernel takes by one write(2), at least (`proc_do_large_bitmap` takes a page less one byte,
/// and adds what comes by the next).
const ONE_WRITE: usize = 4095;

/// The value of `key` without the newline at its end; `None` if this kernel, or this namespace, has no
/// such setting, or it is a directory. Fails where it is there and cannot be read: some are root's
/// alone, some can only be written.
pub fn read(proc_root: &ProcRoot, key: &SysctlKey) -> Result<Option<String>, KernelError> {
    let root = root_of(proc_root)?;
    match open_below(&root, key, OFlag::O_RDONLY).and_then(|file| read_whole(&file)) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(unreadable(&root.join(key.relative_path()), error)),
    }
}

/// Sets `key` to `text`, with a newline after it, by one write(2). Fails with the kernel's own error:
/// EINVAL for a value that it refuses, EROFS in most containers, EACCES and EPERM without privilege,
/// ENOENT if there is no such setting. A list of ports that is longer than a page takes several writes.
///
/// What the kernel leaves of a short write is not offered again: with `kernel.sysctl_writes_strict` 0
/// it would be taken for a new value.
pub fn write(proc_root: &ProcRoot, key: &SysctlKey, text: &str) -> Result<(), KernelError> {
    let root = root_of(proc_root)?;
    let line = format!("{text}\n");
    let flags = OFlag::O_WRONLY | OFlag::O_TRUNC;
    let written = open_below(&root, key, flags).and_then(|mut file| {
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            let count = file.write(rest)?;
            rest = rest.get(count..).filter(|_| count > 0).unwrap_or_default();
            if line.len() <= ONE_WRITE {
                break;
            }
        }
        Ok(())
    });
    written.map_err(|error| unwritable(key, &error))
}

/// Whether `key` could be set from here, asked by opening it for writing. Fails with the reason, as
/// [`write()`] would before the value matters.
pub fn check_writable(proc_root: &ProcRoot, key: &SysctlKey) -> Result<(), KernelError> {
    let file = open_below(&root_of(proc_root)?, key, OFlag::O_WRONLY);
    file.map(drop).map_err(|error| unwritable(key, &error))
}

/// Whether `key` could be set from here.
pub fn is_writable(proc_root: &ProcRoot, key: &SysctlKey) -> bool {
    check_writable(proc_root, key).is_ok()
}

/// The settings of this kernel and namespace that `pattern` fits, in order. Fails if a directory on the
/// way cannot be read. Names that are no part of a key are left out.
pub fn list(proc_root: &ProcRoot, pattern: &KeyPattern) -> Result<Vec<SysctlKey>, KernelError> {
    let root = root_of(proc_root)?;
    let mut found = Vec::new();
    // Directories of which as many parts fit as their paths have.
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        let depth = directory.components().count();
        let is_leaf = depth + 1 == pattern.components().count();
        let part = pattern.components().nth(depth).unwrap_or_default();
        for (name, is_directory) in entries(&root.join(&directory), part)? {
            let path = directory.join(name);
            if is_directory && !is_leaf {
                open.push(path);
            } else if is_leaf && !is_directory {
                found.extend(path.to_str().and_then(|path| SysctlKey::from_path(path).ok()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The release of the running kernel, from `kernel.osrelease`. Fails if it cannot be read or is none.
pub fn kernel_release(proc_root: &ProcRoot) -> Result<KernelRelease, KernelError> {
    // The same for every network namespace, so that this can be told of another process's too.
    let path = proc_root.path().join("sys/kernel/osrelease");
    let bad = |error| unreadable(&path, io::Error::new(io::ErrorKind::InvalidData, error));
    read_text(&path)?.parse().map_err(bad)
}

fn root_of(proc_root: &ProcRoot) -> Result<PathBuf, KernelError> {
    proc_root.sysctls().ok_or(KernelError::CannotTell {
        what: "the settings of another process's network namespace cannot be read from outside",
        instead: "there is no /proc/PID/sys: enter the namespace with `--netns`, as root",
    })
}

/// The file of `key`; fails with ELOOP or ENOTDIR at a symbolic link.
fn open_below(root: &Path, key: &SysctlKey, flags: OFlag) -> io::Result<File> {
    let way = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut at: OwnedFd = open(root, way, Mode::empty())?;
    let last = key.name();
    let depth = key.components().count();
    for part in key.components().take(depth.saturating_sub(1)) {
        at = openat(&at, part, way | OFlag::O_NOFOLLOW, Mode::empty())?;
    }
    // In a tree of somebody else it could be a pipe, on which open(2) would wait.
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    Ok(File::from(openat(&at, last, flags, Mode::empty())?))
}

fn is_absent(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ENOENT | Errno::ENOTDIR | Errno::EISDIR | Errno::ENAMETOOLONG))
}

fn unwritable(key: &SysctlKey, error: &io::Error) -> KernelError {
    let errno = error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
    KernelError::NotSet { key: key.clone(), errno }
}

/// The names in `directory` that could fit `part`, and whether each is a directory. A symbolic link is
/// neither. None if it is not there.
fn entries(directory: &Path, part: &str) -> Result<Vec<(String, bool)>, KernelError> {
    let failed = |error: io::Error| {
        if is_absent(&error) { Ok(Vec::new()) } else { Err(unreadable(directory, error)) }
    };
    let kind = |path: &Path| fs::symlink_metadata(path).map(|it| (it.is_dir(), it.is_symlink()));
    let Ok(pattern) = KeyPattern::from_path(part) else { return Ok(Vec::new()) };
    // Without a wildcard there is one name: a directory of a thousand interfaces need not be read.
    if pattern.is_plain() {
        return match kind(&directory.join(part)) {
            Ok((_, true)) => Ok(Vec::new()),
            Ok((is_directory, false)) => Ok(vec![(part.to_owned(), is_directory)]),
            Err(error) => failed(error),
        };
    }
    let listed = match fs::read_dir(directory) {
        Ok(listed) => listed,
        Err(error) => return failed(error),
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_fit = SysctlKey::from_path(&name).is_ok_and(|key| pattern.matches(&key));
        let kind = entry.file_type().map_err(|error| unreadable(directory, error))?;
        if is_fit && !kind.is_symlink() {
            names.push((name, kind.is_dir()));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree with some settings and two links out of it.
    fn tree() -> (tempfile::TempDir, ProcRoot) {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str, text: &str| {
            let path = root.path().join("sys").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        make("net/ipv4/tcp_tw_reuse", "2\n");
        make("net/ipv4/ip_local_reserved_ports", "\n");
        make("net/ipv4/conf/all/rp_filter", "0\n");
        make("net/ipv4/conf/eth0.100/rp_filter", "1\n");
        make("net/ipv4/conf/.hidden/rp_filter", "1\n");
        make("net/ipv4/conf/a\nb/rp_filter", "1\n");
        make("kernel/osrelease", "6.18.44-x\n");
        fs::write(root.path().join("secret"), "secret").unwrap();
        symlink("../../../secret", root.path().join("sys/net/ipv4/link")).unwrap();
        symlink("../../..", root.path().join("sys/net/ipv4/up")).unwrap();
        let proc_root = ProcRoot::at(root.path());
        (root, proc_root)
    }

    fn key(text: &str) -> SysctlKey {
        SysctlKey::parse(text).unwrap()
    }

    fn listed(proc_root: &ProcRoot, pattern: &str) -> Vec<String> {
        let keys = list(proc_root, &KeyPattern::parse(pattern).unwrap()).unwrap();
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_are_read_and_what_is_not_there_is_none() {
        let (_root, tree) = tree();
        let value = |text| read(&tree, &key(text)).unwrap();
        assert_eq!(value("net.ipv4.tcp_tw_reuse").as_deref(), Some("2"));
        assert_eq!(value("net.ipv4.ip_local_reserved_ports").as_deref(), Some(""));
        assert_eq!(value("net/ipv4/conf/eth0.100/rp_filter").as_deref(), Some("1"));
        for absent in ["net.ipv4.tcp_tw_recycle", "net.ipv4", "net.ipv4.tcp_tw_reuse.x", "x"] {
            assert_eq!(value(absent), None, "{absent}");
        }
        assert_eq!(value(&format!("net.{}", "x".repeat(300))), None);
    }

    #[test]
    fn no_link_is_followed_out_of_the_tree() {
        let (root, tree) = tree();
        assert!(read(&tree, &key("net.ipv4.link")).is_err());
        assert_eq!(read(&tree, &key("net.ipv4.up.secret")).ok().flatten(), None);
        assert!(write(&tree, &key("net.ipv4.link"), "1").is_err());
        assert_eq!(fs::metadata(root.path().join("secret")).unwrap().len(), 6);
        assert!(
            listed(&tree, "net.ipv4.up.*").is_empty() && listed(&tree, "net.*.link").is_empty()
        );
    }

    #[test]
    fn patterns_list_what_is_there() {
        let (_root, tree) = tree();
        let filters = ["net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"];
        assert_eq!(listed(&tree, "net.ipv4.conf.*.rp_filter"), filters);
        assert_eq!(listed(&tree, "*/*/conf/[a-e]*/*"), filters);
        assert_eq!(listed(&tree, "net.ipv4.tcp_tw_reuse"), ["net.ipv4.tcp_tw_reuse"]);
        for none in ["net.ipv4", "net.*", "net.ipv4.tcp_tw_reuse.*", "a.*", "net.ipv4.conf.all"] {
            assert!(listed(&tree, none).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_reason_is_kept_where_it_fails() {
        let (_root, tree) = tree();
        let reuse = key("net.ipv4.tcp_tw_reuse");
        write(&tree, &reuse, "1").unwrap();
        assert_eq!(read(&tree, &reuse).unwrap().as_deref(), Some("1"));
        assert!(is_writable(&tree, &reuse));
        let ports: Vec<_> = (1..4000).map(|port| (port * 2).to_string()).collect();
        let reserved = key("net.ipv4.ip_local_reserved_ports");
        write(&tree, &reserved, &ports.join(",")).unwrap();
        assert_eq!(read(&tree, &reserved).unwrap(), Some(ports.join(",")));
        let recycle = key("net.ipv4.tcp_tw_recycle");
        assert!(!is_writable(&tree, &recycle));
        let error = write(&tree, &recycle, "1").unwrap_err();
        assert!(matches!(error, KernelError::NotSet { errno: Errno::ENOENT, .. }), "{error}");
    }

    #[test]
    fn the_release_is_read_and_another_process_has_no_settings() {
        let (root, tree) = tree();
        assert_eq!(kernel_release(&tree).unwrap(), KernelRelease::new(6, 18));
        assert!(read(&tree.of_process(1), &key("kernel.osrelease")).is_err());
        fs::write(root.path().join("sys/kernel/osrelease"), "unknown").unwrap();
        assert!(kernel_release(&tree).is_err());
    }
}
