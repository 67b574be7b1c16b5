//! The program run by a user without any rights.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::Netkit;
use super::command::PROGRAM;

/// A run as a user without any rights, of a copy of the program that this user can reach.
pub fn as_nobody(directory: &Path, line: &str) -> Netkit {
    let copy = directory.join("netkit");
    fs::copy(PROGRAM, &copy).unwrap();
    for path in [directory, &copy] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(copy);
    Netkit::by(command, line)
}
