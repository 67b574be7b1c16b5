//! A user without any rights.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::TempDir;

use super::Netkit;
use super::command::PROGRAM;

/// The number of this user and of his group.
pub const UID: u32 = 65534;

/// Runs netkit as a user without rights, by a copy of the program that he can reach.
pub struct Nobody {
    directory: TempDir,
}

impl Nobody {
    /// Copies the program.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("netkit");
        fs::copy(PROGRAM, &copy).unwrap();
        for path in [directory.path(), &copy] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        Self { directory }
    }

    /// `netkit` with the words of `line`, by this user.
    pub fn netkit(&self, line: &str) -> Netkit {
        let id = UID.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
        command.arg(self.directory.path().join("netkit"));
        Netkit::by(command, line)
    }
}
