//! Versions of Linux, as far as settings come and go by them.

use std::fmt;
use std::str::FromStr;

/// A release of Linux: the first two numbers of its version. Stable updates add and remove no
/// settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelRelease {
    /// The first number, as the 6 of 6.18.
    pub major: u16,
    /// The second number, as the 18 of 6.18.
    pub minor: u16,
}

impl KernelRelease {
    /// The release `major`.`minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// Text that does not begin with a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a version of Linux: give one such as `6.1`", .0.escape_debug())]
pub struct BadRelease(String);

impl FromStr for KernelRelease {
    type Err = BadRelease;

    /// Reads `6.18`, and what `uname -r` says, as in `6.18.44-generic` or `7.0-rc1`. Fails without two
    /// numbers at the front.
    fn from_str(text: &str) -> Result<Self, BadRelease> {
        let bad = || BadRelease(text.to_owned());
        let (major, rest) = text.trim().split_once('.').ok_or_else(bad)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, after) = rest.split_at(end);
        let number = |digits: &str| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse().ok()).flatten().ok_or_else(bad)
        };
        if !after.is_empty() && !after.starts_with(['.', '-', '+', '_', ' ']) {
            return Err(bad());
        }
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for KernelRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.major, self.minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_ordered_by_number() {
        for (text, release) in [
            ("6.18.44-fc-v595", KernelRelease::new(6, 18)),
            ("7.0-rc1", KernelRelease::new(7, 0)),
            ("4.4", KernelRelease::new(4, 4)),
            ("5.15.0-91-generic\n", KernelRelease::new(5, 15)),
            ("6.6+", KernelRelease::new(6, 6)),
        ] {
            assert_eq!(text.parse(), Ok(release), "{text}");
        }
        for text in ["", "6", "6.", ".6", "+6.1", "six.one", "6.x", "6.1x", "99999.1"] {
            assert!(text.parse::<KernelRelease>().is_err(), "{text}");
        }
        assert!(KernelRelease::new(4, 9) < KernelRelease::new(4, 12));
        assert_eq!(KernelRelease::new(6, 18).to_string(), "6.18");
    }
}
