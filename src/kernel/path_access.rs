//! How far this user gets on a path: access(2) with the effective user, of each part.

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, faccessat};

/// The first part of a path that is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It does not exist.
    Missing(PathBuf),
    /// A directory that may not be searched.
    NoSearch(PathBuf),
    /// The file itself, which may not be written.
    NoWrite(PathBuf),
}

/// What keeps this user from writing to the file at `path`; `None` if nothing does.
pub fn obstacle(path: &Path) -> Option<Obstacle> {
    let mut directories: Vec<&Path> =
        path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty()).collect();
    directories.reverse();
    for directory in directories {
        match access(directory, AccessFlags::X_OK) {
            Ok(()) => {}
            Err(Errno::ENOENT) => return Some(Obstacle::Missing(directory.to_owned())),
            Err(Errno::EACCES) => return Some(Obstacle::NoSearch(directory.to_owned())),
            Err(_) => return None,
        }
    }
    match access(path, AccessFlags::W_OK) {
        Err(Errno::ENOENT) => Some(Obstacle::Missing(path.to_owned())),
        Err(Errno::EACCES) => Some(Obstacle::NoWrite(path.to_owned())),
        Ok(()) | Err(_) => None,
    }
}

fn access(path: &Path, mode: AccessFlags) -> nix::Result<()> {
    faccessat(nix::fcntl::AT_FDCWD, path, mode, AtFlags::AT_EACCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_that_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        assert_eq!(obstacle(&path), Some(Obstacle::Missing(directory.path().join("a"))));
        assert_eq!(obstacle(directory.path()), None);
    }
}
