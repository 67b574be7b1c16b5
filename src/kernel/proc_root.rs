//! Where /proc is: the running system's, one of another host mounted in a container, or a capture.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::KernelError;

/// The root of a /proc tree, and which network namespace's tables in it are meant.
#[derive(Clone, Debug)]
pub struct ProcRoot {
    root: PathBuf,
    /// `None`: that of the calling thread.
    net: Option<PathBuf>,
    is_live: bool,
    has_sysctls: bool,
}

impl ProcRoot {
    /// The running system's /proc, for the network namespace of the calling thread.
    ///
    /// `/proc/net` is `/proc/self/net`, which follows the *main* thread; `thread-self` (Linux 3.17)
    /// follows the thread that `--netns` moved.
    pub fn live() -> Self {
        Self { root: PathBuf::from("/proc"), net: None, is_live: true, has_sysctls: true }
    }

    /// A tree that was mounted or captured at `root`.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            net: Some(root.join("net")),
            is_live: root == Path::new("/proc"),
            has_sysctls: true,
        }
    }

    /// The tables of the network namespace of process `pid`, which are readable without entering it.
    #[must_use]
    pub fn of_process(&self, pid: u32) -> Self {
        Self {
            root: self.root.clone(),
            net: Some(self.root.join(pid.to_string()).join("net")),
            is_live: false,
            has_sysctls: false,
        }
    }

    /// Whether this is the running system's /proc seen from the thread's own network namespace, so
    /// that `sock_diag` and `/proc/sys` speak of the same sockets.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The file `name` of the network namespace, as in `tcp6` or `sockstat`.
    pub fn net(&self, name: &str) -> PathBuf {
        if let Some(net) = &self.net {
            return net.join(name);
        }
        let own = self.root.join("thread-self/net");
        if own.exists() { own.join(name) } else { self.root.join("net").join(name) }
    }

    /// The tree of the namespace's sysctls; `sysctl_tree` reads it.
    ///
    /// `None` for another process's tables: /proc/sys shows the reader's namespace, never that one.
    pub fn sysctls(&self) -> Option<PathBuf> {
        self.has_sysctls.then(|| self.root.join("sys"))
    }
}

/// The whole of the small file at `path`, with the path in the error.
pub(super) fn read_text(path: &Path) -> Result<String, KernelError> {
    let text = read_whole(&open(path)?).map_err(|source| unreadable(path, source))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// All of a file under /proc.
///
/// A sysctl shows its value to the first read alone, as much of it as that has room for
/// (`kernel/sysctl.c`, `proc_do_large_bitmap`), and the standard library begins with 32 bytes: a list
/// of reserved ports would be cut there. So a first read that is filled is made again with more room.
fn read_whole(file: &fs::File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; FIRST_READ];
    let mut length = file.read_at(&mut bytes, 0)?;
    while length == bytes.len() && length < LARGEST_READ {
        bytes.resize(length * 2, 0);
        length = file.read_at(&mut bytes, 0)?;
    }
    bytes.truncate(length);
    // Tables come in pieces, whatever room there is.
    let mut piece = vec![0; FIRST_READ];
    loop {
        let offset = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        match file.read_at(&mut piece, offset)? {
            0 => return Ok(bytes),
            count => bytes.extend(piece.iter().take(count)),
        }
    }
}

/// Room for nearly every value.
const FIRST_READ: usize = 4096;
/// Room for the longest list of ports, every second one, which takes 190 kB.
const LARGEST_READ: usize = 256 << 10;

/// Opens the file at `path` for reading, with the path in the error.
pub(super) fn open(path: &Path) -> Result<fs::File, KernelError> {
    open_file(path).map_err(|source| unreadable(path, source))
}

/// Opens the file at `path` for reading.
pub(super) fn open_file(path: &Path) -> io::Result<fs::File> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that opens files")]
    fs::File::open(path)
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> KernelError {
    KernelError::Unreadable { path: path.to_owned(), source }
}
