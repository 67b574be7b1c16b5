//! How many files and sockets this process may have open (`RLIMIT_NOFILE`, getrlimit(2)).

use std::io;
use std::os::fd::BorrowedFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as this user may, and gives what it is then; `None` if it cannot be
/// read. The usual one is low for select(2) alone, which this program does not call.
pub fn raise_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let is_raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    Some(if is_raised { hard } else { soft })
}

/// Whether this process may open `count` more, tried with copies of `one`. Fails as it would.
pub fn spare(count: usize, one: BorrowedFd<'_>) -> io::Result<()> {
    let copies: io::Result<Vec<_>> = (0..count).map(|_| one.try_clone_to_owned()).collect();
    copies.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_are_is_refused() {
        use std::os::fd::AsFd as _;
        let one = std::io::stderr();
        assert!(spare(3, one.as_fd()).is_ok());
        let limit = usize::try_from(raise_limit().unwrap()).unwrap();
        // Where there is a limit that a test may come to.
        if limit <= 1 << 16 {
            let refused = spare(limit, one.as_fd()).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(24));
        }
    }

    #[test]
    fn what_was_raised_once_stays() {
        let first = raise_limit();
        assert!(first > Some(2));
        assert_eq!(raise_limit(), first);
    }
}
