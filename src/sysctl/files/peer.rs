//! The two programs that read the files, and what they call a blank.

use std::fmt;

/// A program that sets sysctls from files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// `sysctl --system` of procps 4.0.
    Procps,
    /// systemd-sysctl, which runs at boot.
    Systemd,
}

impl Peer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Procps, Self::Systemd];

    /// The command that a person would type or look for.
    pub fn command(self) -> &'static str {
        match self {
            Self::Procps => "sysctl --system",
            Self::Systemd => "systemd-sysctl",
        }
    }

    /// What is cut off around keys and values: isspace(3) in procps, `WHITESPACE` in systemd
    /// (`src/basic/string-util.h`), to which a form feed is none.
    fn is_blank(self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
            || (self == Self::Procps && matches!(byte, b'\x0b' | b'\x0c'))
    }

    /// `bytes` without blanks at its head.
    pub(super) fn trim_start(self, bytes: &[u8]) -> &[u8] {
        let start = bytes.iter().position(|byte| !self.is_blank(*byte));
        bytes.get(start.unwrap_or(bytes.len())..).unwrap_or_default()
    }

    /// `bytes` without blanks at either end, as text: what is no UTF-8 names no key, and is shown as
    /// replacement characters.
    pub(super) fn trimmed(self, bytes: &[u8]) -> String {
        let bytes = self.trim_start(bytes);
        let end = bytes.iter().rposition(|byte| !self.is_blank(*byte)).map_or(0, |last| last + 1);
        String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.command())
    }
}
