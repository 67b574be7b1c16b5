//! A directory of our own, for the files of Unix sockets, which is gone with its value.
//!
//! The directory for temporary files may be of no use for that: missing, full, read-only, of a file
//! system without sockets, or with a path that leaves no room for a name. So each place is tried with a
//! file like that which bind(2) makes, and what was wrong with it is kept. Nothing here takes a
//! descriptor, so that one who has none left removes the directory too.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, mknod};

use super::connecting::code_of;

/// What the environment names, if it does.
pub const VARIABLE: &str = "TMPDIR";
/// Where files may be made besides.
const OTHERS: [&str; 2] = ["/tmp", "/dev/shm"];
/// Bytes of a path that the address of a Unix socket has room for, and a zero (unix(7), `sun_path`).
pub const LONGEST_PATH: usize = 107;
/// Bytes of the longest name of a file.
const LONGEST_NAME: usize = 8;

/// The directory.
#[derive(Debug)]
pub struct ScratchDirectory {
    path: PathBuf,
    files: Vec<PathBuf>,
}

/// A place in which none could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfNoUse {
    /// Which.
    pub place: PathBuf,
    /// Whether it is the one that [`VARIABLE`] names.
    pub is_named: bool,
    /// The call that failed: `mkdir`, `mknod`; `bind` where the path is too long for it.
    pub call: &'static str,
    /// Its error number.
    pub code: i32,
}

impl ScratchDirectory {
    /// Makes one that nobody else can enter, with `number` in its name, in the first place where that
    /// can be done: the directory that `named` is, if it is any, and then those that all systems have.
    /// Beside it, the places that are of no use.
    ///
    /// A directory of this name that is there already may be somebody else's, and is left alone.
    pub fn new(number: u64, named: Option<OsString>) -> (Option<Self>, Vec<OfNoUse>) {
        let mut of_no_use = Vec::new();
        // Set and empty, it names nothing: the current directory was not meant.
        let named = named.filter(|it| !it.is_empty()).map(PathBuf::from);
        let others = OTHERS.into_iter().map(PathBuf::from).filter(|it| Some(it) != named.as_ref());
        let places: Vec<_> = named.iter().cloned().chain(others).collect();
        for place in places {
            match Self::below(&place, number) {
                Ok(directory) => return (Some(directory), of_no_use),
                Err((call, errno)) => {
                    let is_named = Some(&place) == named.as_ref();
                    let code = code_of(&errno.into());
                    of_no_use.push(OfNoUse { place, is_named, call, code });
                }
            }
        }
        (None, of_no_use)
    }

    fn below(place: &Path, number: u64) -> Result<Self, (&'static str, Errno)> {
        let path = place.join(format!("netkit-{number:016x}"));
        if path.as_os_str().as_bytes().len() + 1 + LONGEST_NAME > LONGEST_PATH {
            return Err(("bind", Errno::ENAMETOOLONG));
        }
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| ("mkdir", Errno::from_raw(code_of(&error))))?;
        let mut directory = Self { path, files: Vec::new() };
        let tried = directory.file("tried");
        // As bind(2) does it (`unix_bind_bsd`, net/unix/af_unix.c), but without a socket.
        mknod(&tried, SFlag::S_IFSOCK, Mode::S_IRUSR | Mode::S_IWUSR, 0)
            .map_err(|errno| ("mknod", errno))?;
        fs::remove_file(&tried).unwrap_or_default();
        Ok(directory)
    }

    /// The place that it is in.
    pub fn place(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Where the file `name` can be made, which is removed with the directory.
    pub fn file(&mut self, name: &str) -> PathBuf {
        let file = self.path.join(name);
        self.files.push(file.clone());
        file
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // What was never made is not there, and what cannot be removed is left: an empty directory.
        self.files.iter().for_each(|file| fs::remove_file(file).unwrap_or_default());
        fs::remove_dir(&self.path).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> u64 {
        crate::kernel::clock::distinct()
    }

    fn below(place: &Path) -> (Option<ScratchDirectory>, Vec<OfNoUse>) {
        ScratchDirectory::new(number(), Some(place.as_os_str().to_owned()))
    }

    #[test]
    fn it_is_there_once_and_then_gone() {
        let place = tempfile::tempdir().unwrap();
        let (number, is_empty) = (number(), || place.path().read_dir().unwrap().next().is_none());
        let mut directory = ScratchDirectory::below(place.path(), number).unwrap();
        let again = ScratchDirectory::below(place.path(), number);
        assert_eq!(again.map(drop), Err(("mkdir", Errno::EEXIST)));
        fs::write(directory.file("0"), "").unwrap();
        assert!(!is_empty());
        drop(directory);
        assert!(is_empty());
    }

    #[test]
    fn a_place_of_no_use_is_told_and_another_taken() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let deep = place.path().join("d".repeat(80));
        fs::create_dir(&deep).unwrap();
        for (named, call, errno) in [
            (place.path().join("missing"), "mkdir", Errno::ENOENT),
            (file, "mkdir", Errno::ENOTDIR),
            (deep, "bind", Errno::ENAMETOOLONG),
        ] {
            let (directory, of_no_use) = below(&named);
            assert!(directory.unwrap().path.starts_with("/tmp"), "{}", named.display());
            let code = code_of(&errno.into());
            assert_eq!(of_no_use, [OfNoUse { place: named, is_named: true, call, code }]);
        }
    }

    #[test]
    fn a_variable_that_is_empty_names_nothing() {
        for named in [None, Some(OsString::new())] {
            let (directory, of_no_use) = ScratchDirectory::new(number(), named);
            assert!(directory.unwrap().path.starts_with("/tmp"));
            assert_eq!(of_no_use, []);
        }
    }
}
