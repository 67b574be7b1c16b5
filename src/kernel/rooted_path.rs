//! Where a path leads in a tree that is not the running system's: an image, another container.
//!
//! A link there means what it means to a program whose root directory that tree is: `/dev/null` is
//! the tree's own, and `..` does not leave it (as chroot(2), and openat2(2) with
//! `RESOLVE_IN_ROOT`). Done by hand, because the place that a link names is part of the answer even
//! where nothing is there, as /dev/null in an image.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;

/// How many links the kernel follows in one path (`include/linux/namei.h`, `MAXSYMLINKS`).
const MOST_LINKS: u32 = 40;

/// `path`, which is absolute within the tree at `root`, without links, `.` and `..`; absolute within
/// the tree again. That it names something is not said.
pub(super) fn resolve(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::from("/");
    let mut pending = parts(path);
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            resolved.pop();
            continue;
        }
        match fs::read_link(below(root, &resolved.join(&part))) {
            Ok(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::ELOOP.into());
                }
                if target.is_absolute() {
                    resolved = PathBuf::from("/");
                }
                pending.extend(parts(&target));
            }
            Err(error) if is_no_link(&error) => resolved.push(part),
            // `..` after what is not there leads nowhere.
            Err(error) if is_nothing(&error) && !pending.iter().any(|part| part == "..") => {
                resolved.push(part);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(resolved)
}

/// The path of the running system for `path`, which is absolute within the tree at `root`.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The names of a path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    parts.collect()
}

/// readlink(2) of something that is there.
fn is_no_link(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput
}

fn is_nothing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(links: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/sysctl.d")).unwrap();
        fs::write(root.path().join("etc/sysctl.conf"), "").unwrap();
        for (link, target) in links {
            symlink(target, root.path().join(link)).unwrap();
        }
        root
    }

    #[test]
    fn links_stay_within_the_tree() {
        let root = tree(&[
            ("etc/sysctl.d/1.conf", "../sysctl.conf"),
            ("etc/sysctl.d/2.conf", "/etc/sysctl.conf"),
            ("etc/sysctl.d/3.conf", "../../../../../../etc/sysctl.conf"),
            ("etc/sysctl.d/4.conf", "3.conf"),
            ("etc/sysctl.d/5.conf", "/dev/null"),
            ("etc/sysctl.d/6.conf", "../../dev/null"),
            ("lib", "etc"),
        ]);
        for (path, expected) in [
            ("/etc/sysctl.d/1.conf", "/etc/sysctl.conf"),
            ("/etc/sysctl.d/2.conf", "/etc/sysctl.conf"),
            ("/etc/sysctl.d/3.conf", "/etc/sysctl.conf"),
            ("/etc/sysctl.d/4.conf", "/etc/sysctl.conf"),
            ("/etc/sysctl.d/5.conf", "/dev/null"),
            ("/etc/sysctl.d/6.conf", "/dev/null"),
            ("/lib/sysctl.d", "/etc/sysctl.d"),
            ("/lib/./sysctl.d/../nothing/here", "/etc/nothing/here"),
        ] {
            let resolved = resolve(root.path(), Path::new(path)).unwrap();
            assert_eq!(resolved, Path::new(expected), "{path}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_an_error() {
        let root = tree(&[("etc/sysctl.d/1.conf", "2.conf"), ("etc/sysctl.d/2.conf", "1.conf")]);
        let loops = resolve(root.path(), Path::new("/etc/sysctl.d/1.conf")).unwrap_err();
        assert_eq!(loops.raw_os_error().map(Errno::from_raw), Some(Errno::ELOOP));
        let file = resolve(root.path(), Path::new("/etc/sysctl.conf/x")).unwrap_err();
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
        let back = resolve(root.path(), Path::new("/nothing/../etc")).unwrap_err();
        assert_eq!(back.kind(), io::ErrorKind::NotFound);
    }
}
