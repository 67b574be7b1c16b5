//! Releases of the kernel.

use std::fmt;
use std::str::FromStr;

/// A release of Linux by its first two numbers, in which interfaces come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelRelease {
    /// The first number.
    pub major: u16,
    /// The second.
    pub minor: u16,
}

impl KernelRelease {
    /// Linux `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

/// The kernel that something is judged for, as far as it is known; what is not is taken to be as in the
/// newest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetKernel {
    /// Its release.
    pub release: Option<KernelRelease>,
    /// `CONFIG_HZ`, in which it counts the times of its timers.
    pub tick_hz: Option<u32>,
}

impl TargetKernel {
    /// Whether it is older than `release`; one that is not known is not.
    pub fn is_before(self, release: KernelRelease) -> bool {
        self.release.is_some_and(|own| own < release)
    }
}

impl From<KernelRelease> for TargetKernel {
    fn from(release: KernelRelease) -> Self {
        Self { release: Some(release), tick_hz: None }
    }
}

impl fmt::Display for KernelRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for KernelRelease {
    type Err = String;

    /// Reads `6.18`, or the whole of what uname(2) says, as in `6.18.44-1-amd64`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..end)?.parse().ok()
        };
        let parts = || {
            let (major, rest) = text.trim().split_once('.')?;
            Some(Self::new(major.parse().ok()?, number(rest)?))
        };
        parts().ok_or_else(|| format!("`{text}` is not a kernel release: write 4.4 or 6.18.44"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_number_and_not_by_letter() {
        let release = |text: &str| text.parse::<KernelRelease>();
        assert_eq!(release("6.18.44-1-amd64"), Ok(KernelRelease::new(6, 18)));
        assert!(release("4.4").unwrap() < release("4.12").unwrap());
        assert_eq!(release("5.10-rc1"), Ok(KernelRelease::new(5, 10)));
        assert!(release("six").is_err() && release("6").is_err() && release("6.x").is_err());
    }
}
