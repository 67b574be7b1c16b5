//! One file in a directory of drop-ins: read, replaced as a whole or not at all, removed.
//!
//! The new text goes to a file beside it first, which then takes the name by rename(2): whoever reads
//! at boot finds the old text or the new one. A link is never followed, and what is no regular file is
//! never opened: either is somebody's mask, or a trap.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::KernelError;
use super::proc_root::open_file;
use super::rooted_path::{below, resolve};

/// Readable by all, as files that set sysctls are.
const MODE: u32 = 0o644;

/// No drop-in, and no list of what one replaced, is larger.
const MOST_BYTES: u64 = 16 << 20;

/// A file, there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropInFile {
    path: PathBuf,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A regular file, and its text.
    Text(String),
    /// A link, a directory, a device: nothing to write over.
    NoFile,
    /// A regular file that is no text in UTF-8, or larger than any file of settings: what it says
    /// could not be kept in text.
    NoText,
}

impl DropInFile {
    /// The file at `path`; with `root`, of the system whose root directory that is, whose links do
    /// not lead out of it.
    pub fn at(root: Option<&Path>, path: &Path) -> Result<Self, KernelError> {
        let Some(root) = root else { return Ok(Self { path: path.to_owned() }) };
        let wrong = |source| KernelError::NoTree { path: root.to_owned(), source };
        fs::read_dir(root).map_err(wrong)?;
        let directory = path.parent().unwrap_or(path);
        let directory = resolve(root, directory).map_err(|error| failed("find", path, error))?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self { path: below(root, &directory).join(name) })
    }

    /// The file of the same name with `ending` behind it.
    #[must_use]
    pub fn beside(&self, ending: &str) -> Self {
        let mut path = OsString::from(&self.path);
        path.push(ending);
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is there.
    pub fn read(&self) -> Result<Found, KernelError> {
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => {
                self.bytes().map(text).map_err(|error| failed("read", &self.path, error))
            }
            Ok(_) => Ok(Found::NoFile),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(failed("read", &self.path, error)),
        }
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open_file(&self.path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes `text` its content, and the directory if there is none.
    pub fn write(&self, text: &str) -> Result<(), KernelError> {
        let fresh = self.beside(&format!(".{}.new", std::process::id()));
        let written = fs::create_dir_all(self.directory())
            .and_then(|()| fresh.create(text))
            .and_then(|()| fs::rename(&fresh.path, &self.path))
            .and_then(|()| self.settle());
        written.map_err(|error| {
            // Where it was not made, there is none to remove; what failed first is what is said.
            if error.kind() != io::ErrorKind::AlreadyExists {
                drop(fs::remove_file(&fresh.path));
            }
            failed("write", &self.path, error)
        })
    }

    /// Removes it, if it is there.
    pub fn remove(&self) -> Result<(), KernelError> {
        match fs::remove_file(&self.path).and_then(|()| self.settle()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &self.path, error))
            }
            _ => Ok(()),
        }
    }

    /// Makes it `text`, or removes it if that is `None`.
    pub fn restore(&self, text: Option<&str>) -> Result<(), KernelError> {
        text.map_or_else(|| self.remove(), |text| self.write(text))
    }

    /// Makes the file, which may not be there, and brings it to the disk.
    fn create(&self, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(MODE).open(&self.path)?;
        // Past the umask.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Brings the directory's entries to the disk.
    fn settle(&self) -> io::Result<()> {
        open_file(self.directory())?.sync_all()
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(directory) if directory != Path::new("") => directory,
            _ => Path::new("."),
        }
    }
}

fn text(bytes: Vec<u8>) -> Found {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Found::NoText;
    }
    String::from_utf8(bytes).map_or(Found::NoText, Found::Text)
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> KernelError {
    KernelError::File { operation, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_leaves_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let file = DropInFile::at(None, &root.path().join("sysctl.d/60.conf")).unwrap();
        assert_eq!(file.read().unwrap(), Found::Nothing);
        file.write("a long line\n").unwrap();
        file.write("short\n").unwrap();
        assert_eq!(file.read().unwrap(), Found::Text("short\n".to_owned()));
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, MODE);
        file.beside(".saved").write("").unwrap();
        assert_eq!(names(&root.path().join("sysctl.d")), ["60.conf", "60.conf.saved"]);
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(names(&root.path().join("sysctl.d")), ["60.conf.saved"]);
    }

    #[test]
    fn what_is_no_text_is_not_taken_for_one() {
        let root = tempfile::tempdir().unwrap();
        let file = DropInFile::at(None, &root.path().join("60.conf")).unwrap();
        for (bytes, found) in [
            (&b"a\r\n\xc3\xa9"[..], Found::Text("a\r\n\u{e9}".to_owned())),
            (&b"a\xff\n"[..], Found::NoText),
        ] {
            fs::write(file.path(), bytes).unwrap();
            assert_eq!(file.read().unwrap(), found);
        }
    }

    #[test]
    fn a_link_is_no_file_and_no_link_leads_out_of_a_tree() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        symlink("/outside", root.path().join("etc/sysctl.d")).unwrap();
        let path = Path::new("/etc/sysctl.d/60.conf");
        let file = DropInFile::at(Some(root.path()), path).unwrap();
        assert_eq!(file.path(), root.path().join("outside/60.conf"));
        let climbing = DropInFile::at(Some(root.path()), Path::new("/../../x/60.conf")).unwrap();
        assert_eq!(climbing.path(), root.path().join("x/60.conf"));
        fs::create_dir(root.path().join("outside")).unwrap();
        symlink("/dev/null", file.path()).unwrap();
        assert_eq!(file.read().unwrap(), Found::NoFile);
        assert!(DropInFile::at(Some(&root.path().join("nothing")), path).is_err());
    }
}
