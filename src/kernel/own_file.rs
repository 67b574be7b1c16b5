//! The file that binding a Unix socket has made.

use std::path::{Path, PathBuf};

use super::unix_binding::{self, FileKind};

/// The file, which is removed when this is dropped, if what is at the path is still it.
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    /// What bind(2) has made. Looked up then, and not at the end: the socket may be one of another
    /// network namespace, where alone the kernel's table has it.
    made: FileKind,
}

impl OwnFile {
    /// The file at `path`, which a socket was bound to just now.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), made: unix_binding::file_kind(path) }
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        // A file that cannot be removed is found stale by the next server.
        drop(unix_binding::remove_socket(&self.path, self.made));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn its_own_is_removed_and_what_stands_in_its_place_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let socket = UnixListener::bind(&path).unwrap();
        let own = OwnFile::at(&path);
        drop(own);
        assert!(!path.exists());
        let other = UnixListener::bind(&path).unwrap();
        let own = OwnFile::at(&path);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "precious").unwrap();
        drop(own);
        assert!(path.exists());
        drop((socket, other));
    }
}
