//! How many files and sockets this process may have open (`RLIMIT_NOFILE`, getrlimit(2)).

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as this user may, and gives what it is then; `None` if it cannot be
/// read. The usual one is low for select(2) alone, which this program does not call.
pub fn raise_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let is_raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    Some(if is_raised { hard } else { soft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_raised_once_stays() {
        let first = raise_limit();
        assert!(first > Some(2));
        assert_eq!(raise_limit(), first);
    }
}
