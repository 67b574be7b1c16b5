//! Names of Unix sockets.

use std::fmt;
use std::path::PathBuf;

/// What sun_path holds at most, without the zero byte at its end (`include/uapi/linux/un.h`).
const UNIX_PATH_MAX: usize = 107;

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

impl UnixName {
    /// Reads `/path` or `@name`; in the error, what is wrong with it and what to write instead.
    pub fn parse(name: &str) -> Result<Self, String> {
        let (name, is_abstract) = match name.strip_prefix('@') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() {
            return Err("the name is missing: write unix:/PATH or unix:@NAME".to_owned());
        }
        if name.len() > UNIX_PATH_MAX {
            return Err(format!(
                "the name has {} bytes, and a Unix socket's at most {UNIX_PATH_MAX}: use a shorter \
                 path, or a relative one",
                name.len()
            ));
        }
        Ok(if is_abstract {
            Self::Abstract(name.as_bytes().to_vec())
        } else {
            Self::Path(PathBuf::from(name))
        })
    }
}
