//! A directory of our own, for the files of Unix sockets, which is gone with its value.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The directory.
#[derive(Debug)]
pub struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    /// Makes one that nobody else can enter, below the directory for temporary files, with `number` in
    /// its name. Fails if there is one of this name already: it may be somebody else's.
    pub fn new(number: u64) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("netkit-{number:x}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // What cannot be removed is left: it was empty but for sockets.
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_once_and_then_gone() {
        let number = crate::kernel::clock::distinct();
        let directory = ScratchDirectory::new(number).unwrap();
        let path = directory.path().to_owned();
        assert!(path.is_dir());
        assert!(ScratchDirectory::new(number).is_err());
        fs::write(path.join("file"), "").unwrap();
        drop(directory);
        assert!(!path.exists());
    }
}
