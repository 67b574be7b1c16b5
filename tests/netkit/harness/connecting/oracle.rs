//! Python's own connect_ex, asked for many lines by one process.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::Row;

const ORACLE: &str = include_str!("oracle.py");

/// What Python says to one line, in the order of `MODES`, and more.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Said {
    block: i32,
    timeout: i32,
    nonblock: i32,
    /// What the non-blocking one comes to.
    pub later: i32,
    /// Whether a call before connect(2) raised it.
    pub is_raised: bool,
}

impl Said {
    /// The codes in the order of `MODES`.
    pub fn codes(self) -> [i32; 3] {
        [self.block, self.timeout, self.nonblock]
    }
}

/// Python on its way to run `script`: the system's own where there is one, for the first in the path
/// may be a shim of shell scripts that takes as long as a test.
pub fn python(script: &str) -> Command {
    let of_system = Path::new("/usr/bin/python3");
    let mut command =
        Command::new(if of_system.exists() { of_system } else { Path::new("python3") });
    command.args(["-S", "-c", script]);
    command
}

/// What Python says to the lines of `rows`, in the namespace of the caller; `arguments` are those
/// of oracle.py.
pub fn ask(rows: &[Row], arguments: &[&str]) -> BTreeMap<String, Said> {
    let mut command = python(ORACLE);
    command.args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines: Vec<_> = rows.iter().map(|row| &row.line).collect();
    let lines = serde_json::to_vec(&lines).unwrap();
    child.stdin.take().unwrap().write_all(&lines).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "oracle.py failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
