//! Who sets what at boot: which of the files that were found are read, what their lines mean, and
//! which value is written to which key in the end.
//!
//! There are two answers. systemd-sysctl(8) runs at boot; `sysctl --system` of procps is what
//! people run after they changed a file, and what runs at boot without systemd. They agree on most
//! and not on all: [`Peer`] says who is meant, and everything here is asked for one of them. The
//! rules are those of procps 4.0.2 and systemd 252, measured (`tests/netkit/sysctl_files.rs` holds
//! them against the programs), and read in the sources of later ones. Where a later release is
//! known to differ, the place says so.
//!
//! Pure: bytes and keys come in. What is not here, because no file says it: the kernel's command
//! line (`sysctl.KEY=VALUE`), the credential `sysctl.extra` of systemd, udev rules, and what
//! programs write later.

mod lines;
mod merge;
mod name;
mod parse;
mod peer;
mod plan;
mod status;

pub use merge::{Merge, Setting, Write};
pub use name::{BadName, Name};
pub use parse::{LineProblem, Parsed, Problem, Statement, parse};
pub use peer::Peer;
pub use plan::{FileProblem, Plan, Source};
pub use status::{Status, statuses};
