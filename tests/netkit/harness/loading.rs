//! `netkit echo client` with a load that goes on until something is done to it.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::command::{PROGRAM, netkit};
use super::schema::Schema;

/// The JSON of a load of `address` by these options, which keeps to the schema, with this exit code.
#[track_caller]
pub fn json_of(options: &str, address: &str, code: i32) -> Value {
    let answer = netkit(&format!("echo client {options} --json")).arg(address).run();
    let answer = answer.exits(code).json();
    Schema::of("echo").holds(&answer);
    answer
}

/// A load under way.
pub struct Loading {
    child: Child,
    rows: Lines<BufReader<ChildStdout>>,
}

impl Loading {
    /// A load of `address` by these options, when the first replies have come.
    #[track_caller]
    pub fn start(options: &str, address: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["echo", "client", "--format", "ndjson", "--interval", "50ms"]);
        command.args(options.split_whitespace()).arg(address);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let rows = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut loading = Self { child, rows };
        loop {
            let row = loading.row().expect("it ended before a reply came");
            if row["received"].as_u64().unwrap() > 0 {
                return loading;
            }
        }
    }

    fn row(&mut self) -> Option<Value> {
        self.rows.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end: its last row, which is the report, and how it ended.
    #[track_caller]
    pub fn ends(mut self) -> (Value, ExitStatus) {
        let mut last = None;
        while let Some(row) = self.row() {
            last = Some(row);
        }
        (last.expect("it ended without a report"), self.child.wait().unwrap())
    }
}
