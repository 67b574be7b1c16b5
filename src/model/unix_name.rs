//! Names of Unix sockets.

use std::fmt;
use std::path::PathBuf;

/// What a Unix socket is bound to (unix(7)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixName {
    /// A path: bind(2) makes a file there.
    Path(PathBuf),
    /// A name of Linux's abstract namespace, without the zero byte that begins it.
    Abstract(Vec<u8>),
}

impl fmt::Display for UnixName {
    /// `unix:/path`, `unix:@name`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{}", String::from_utf8_lossy(name)),
        }
    }
}
