//! The files that set sysctls at boot: what is in their directories, and each file's bytes.
//!
//! Which of them are read, in which order and by whom is not decided here, but in
//! `crate::sysctl::files`. A file that is no regular one is never opened: a pipe would make
//! sysctl(8) and systemd-sysctl(8) wait for ever, and need not do that to netkit.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::KernelError;
use super::error::io_text;
use super::proc_root::open_file;
use super::rooted_path::{below, resolve};

/// Where files that set sysctls are, the first before the later ones where names are the same.
pub const DIRECTORIES: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];

/// The one file outside those directories.
pub const SYSCTL_CONF: &str = "/etc/sysctl.conf";

/// The name that stands for standard input, as with sysctl(8).
pub const STDIN: &str = "-";

/// No sysctl file is longer; one that is, is not read.
const MOST_BYTES: u64 = 16 << 20;

/// `/dev/null`: major 1, minor 3 (`drivers/char/mem.c`).
const NULL_DEVICE: u64 = (1 << 8) | 3;

/// The files of one system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigTree {
    /// In the order of [`DIRECTORIES`], by the bytes of their names in each; [`SYSCTL_CONF`] last.
    pub files: Vec<ConfigFile>,
    /// The directories that could not be listed, and why.
    pub problems: Vec<String>,
}

/// An entry of one of the directories, or [`SYSCTL_CONF`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path in its own tree, as in `/etc/sysctl.d/10-a.conf`.
    pub path: PathBuf,
    /// Where it leads, if it is a link: the path in the same tree after the last link.
    pub target: Option<PathBuf>,
    /// What is there.
    pub content: Content,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A regular file, and its bytes.
    Bytes(Vec<u8>),
    /// /dev/null, most likely by a link: nothing, in the place of a file of that name.
    Null,
    /// Not read, because its name does not end in `.conf`.
    OtherName,
    /// A link to nothing.
    Missing,
    /// A directory.
    Directory,
    /// A pipe, a socket, a device.
    Special,
    /// There, and could not be read; why.
    Unreadable(String),
}

impl ConfigFile {
    /// The last part of its path.
    pub fn name(&self) -> &[u8] {
        self.path.file_name().unwrap_or_default().as_bytes()
    }

    /// The directory that it is in.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

/// Reads the files of the system whose root directory is `root`.
pub fn read_tree(root: &Path) -> Result<ConfigTree, KernelError> {
    if let Err(source) = fs::read_dir(root) {
        return Err(KernelError::NoTree { path: root.to_owned(), source });
    }
    let mut tree = ConfigTree::default();
    let mut listed = Vec::new();
    for directory in DIRECTORIES.map(Path::new) {
        match list(root, directory, &mut listed) {
            Ok(files) => tree.files.extend(files),
            Err(error) => {
                let problem = format!("cannot list {}: {}", directory.display(), io_text(&error));
                tree.problems.push(problem);
            }
        }
    }
    tree.files.extend(look(root, Path::new(SYSCTL_CONF)));
    Ok(tree)
}

/// The bytes of a file that the user names, at whatever path; `-` is standard input.
pub fn read_file(path: &Path) -> Result<Vec<u8>, KernelError> {
    let read = if path == Path::new(STDIN) {
        read_whole(io::stdin())
    } else {
        open_file(path).and_then(read_whole)
    };
    read.map_err(|source| KernelError::NoFile { path: path.to_owned(), source })
}

fn read_whole(file: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::other(too_long()));
    }
    Ok(bytes)
}

fn too_long() -> String {
    format!("it is longer than {} MiB", MOST_BYTES >> 20)
}

/// The entries of `directory`; none if it is not there or, by a link, was `listed` under another
/// name, as /lib is where it is /usr/lib.
fn list(root: &Path, directory: &Path, listed: &mut Vec<PathBuf>) -> io::Result<Vec<ConfigFile>> {
    let resolved = resolve(root, directory)?;
    if listed.contains(&resolved) {
        return Ok(Vec::new());
    }
    let entries = match fs::read_dir(below(root, &resolved)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    listed.push(resolved);
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names.iter().filter_map(|name| look(root, &directory.join(name))).collect())
}

/// What is at `path`; `None` if there is not even a link.
fn look(root: &Path, path: &Path) -> Option<ConfigFile> {
    // A link of the directory is followed, one of the file itself is not.
    let directory = resolve(root, path.parent()?).ok()?;
    let entry = below(root, &directory).join(path.file_name()?);
    let is_link = match fs::symlink_metadata(&entry) {
        Ok(metadata) => metadata.is_symlink(),
        Err(error) if is_nothing(&error) => return None,
        // It was listed, and its directory may not be entered.
        Err(error) => {
            let content = if is_conf(path) { unread(&error) } else { Content::OtherName };
            return Some(ConfigFile { path: path.to_owned(), target: None, content });
        }
    };
    let resolved = resolve(root, path);
    let target = if is_link { resolved.as_ref().ok().cloned() } else { None };
    let content = if is_conf(path) {
        resolved
            .and_then(|resolved| content(root, &resolved))
            .unwrap_or_else(|error| unread(&error))
    } else {
        Content::OtherName
    };
    Some(ConfigFile { path: path.to_owned(), target, content })
}

/// Whether the name ends in `.conf`, of which `.conf` itself is one.
fn is_conf(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().ends_with(b".conf"))
}

fn unread(error: &io::Error) -> Content {
    // A link that leads back to itself leads nowhere, whoever follows it.
    if is_nothing(error) || error.raw_os_error().map(Errno::from_raw) == Some(Errno::ELOOP) {
        return Content::Missing;
    }
    Content::Unreadable(io_text(error))
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn content(root: &Path, resolved: &Path) -> io::Result<Content> {
    // An image has no devices.
    if resolved == Path::new("/dev/null") {
        return Ok(Content::Null);
    }
    let path = below(root, resolved);
    let metadata = fs::metadata(&path)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Ok(Content::Directory);
    }
    if kind.is_char_device() && metadata.rdev() == NULL_DEVICE {
        return Ok(Content::Null);
    }
    if !kind.is_file() {
        return Ok(Content::Special);
    }
    if metadata.len() > MOST_BYTES {
        return Ok(Content::Unreadable(too_long()));
    }
    open_file(&path).and_then(read_whole).map(Content::Bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None => fs::write(path, text).unwrap(),
            }
        }
        root
    }

    fn paths(tree: &ConfigTree) -> Vec<&str> {
        tree.files.iter().map(|file| file.path.to_str().unwrap()).collect()
    }

    #[test]
    fn a_directory_with_two_names_is_listed_once() {
        let root = tree(&[
            ("usr/lib/sysctl.d/9.conf", "a"),
            ("usr/lib/sysctl.d/10.conf", ""),
            ("etc/sysctl.conf", "b"),
            ("etc/sysctl.d/README", "c"),
            ("lib", "-> usr/lib"),
        ]);
        let found = read_tree(root.path()).unwrap();
        assert_eq!(
            paths(&found),
            [
                "/etc/sysctl.d/README",
                "/usr/lib/sysctl.d/10.conf",
                "/usr/lib/sysctl.d/9.conf",
                "/etc/sysctl.conf"
            ]
        );
        let contents: Vec<_> = found.files.iter().map(|file| file.content.clone()).collect();
        let bytes = |text: &str| Content::Bytes(text.into());
        assert_eq!(contents, [Content::OtherName, bytes(""), bytes("a"), bytes("b")]);
        assert!(found.problems.is_empty());
    }

    #[test]
    fn links_are_followed_within_the_tree_and_said() {
        let root = tree(&[
            ("etc/sysctl.conf", "x"),
            ("etc/sysctl.d/1.conf", "-> /etc/sysctl.conf"),
            ("etc/sysctl.d/2.conf", "-> /dev/null"),
            ("etc/sysctl.d/3.conf", "-> ../nothing"),
            ("etc/sysctl.d/4.conf", "-> 4.conf"),
            ("etc/sysctl.d/5.conf", "-> ../../etc"),
        ]);
        let found = read_tree(root.path()).unwrap();
        let seen: Vec<_> = found
            .files
            .iter()
            .map(|file| (file.target.as_deref().and_then(Path::to_str), &file.content))
            .collect();
        let x = Content::Bytes(b"x".to_vec());
        assert_eq!(
            seen,
            [
                (Some("/etc/sysctl.conf"), &x),
                (Some("/dev/null"), &Content::Null),
                (Some("/etc/nothing"), &Content::Missing),
                (None, &Content::Missing),
                (Some("/etc"), &Content::Directory),
                (None, &x),
            ]
        );
    }

    #[test]
    fn a_pipe_is_not_opened() {
        let root = tree(&[("etc/sysctl.d/2.conf", "")]);
        let pipe = root.path().join("etc/sysctl.d/1.conf");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let found = read_tree(root.path()).unwrap();
        assert_eq!(found.files.first().unwrap().content, Content::Special);
    }

    #[test]
    fn a_file_that_a_user_names_is_read_whole_or_not() {
        let path = tempfile::tempdir().unwrap();
        let path = path.path().join("a");
        fs::write(&path, "x").unwrap();
        assert_eq!(read_file(&path).unwrap(), b"x");
        let error = read_file(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("longer than 16 MiB"), "{error}");
    }

    #[test]
    fn no_tree_is_an_error_and_an_empty_one_is_not() {
        let root = tree(&[]);
        assert_eq!(read_tree(root.path()).unwrap(), ConfigTree::default());
        let error = read_tree(&root.path().join("nothing")).unwrap_err();
        assert!(matches!(error, KernelError::NoTree { .. }));
    }
}
