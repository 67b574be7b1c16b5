//! The program run once: arguments, environment and standard input in; both streams and the exit
//! code out, all of which a failed comparison shows.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The program that cargo built for these tests.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_netkit");

/// A run in the making.
pub struct Netkit {
    command: Command,
    stdin: Vec<u8>,
}

/// `netkit` with the words of `line`.
pub fn netkit(line: &str) -> Netkit {
    Netkit::by(Command::new(PROGRAM), line)
}

impl Netkit {
    /// `netkit` with the words of `line`, where `command` ends in the program: as in
    /// `setpriv … netkit`.
    pub fn by(mut command: Command, line: &str) -> Self {
        command.args(line.split_whitespace());
        for name in ["NO_COLOR", "RUST_BACKTRACE", "RUST_LOG"] {
            command.env_remove(name);
        }
        Self { command, stdin: Vec::new() }
    }

    /// One more argument, which may hold blanks.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// `--procfs DIR`.
    pub fn procfs(self, directory: impl AsRef<Path>) -> Self {
        self.arg("--procfs").arg(directory.as_ref())
    }

    /// A variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the program can read.
    pub fn stdin(mut self, bytes: &[u8]) -> Self {
        bytes.clone_into(&mut self.stdin);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Answer {
        self.command.stdout(Stdio::piped());
        self.finish()
    }

    /// Runs it with standard output going elsewhere; the answer's is then empty.
    pub fn run_into(mut self, stdout: impl Into<Stdio>) -> Answer {
        self.command.stdout(stdout);
        self.finish()
    }

    /// Starts it, for a test that does something meanwhile. It reads nothing.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { command: self.command, child, stderr, said: String::new() }
    }

    fn finish(mut self) -> Answer {
        self.command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // A program that reads nothing may be gone by now.
        drop(child.stdin.take().unwrap().write_all(&self.stdin));
        let output = child.wait_with_output().unwrap();
        Answer::of(&self.command, &output)
    }
}

/// A run that has not ended.
pub struct Running {
    command: Command,
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    /// Waits until it says a line with `words` on standard error.
    #[track_caller]
    pub fn says(mut self, words: &str) -> Self {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            let length = self.stderr.read_line(&mut line).unwrap();
            self.said.push_str(&line);
            assert_ne!(length, 0, "it ended without {words:?}: {}", self.said);
        }
        self
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends it a signal.
    pub fn signal(self, signal: Signal) -> Self {
        kill(self.pid(), signal).unwrap();
        self
    }

    /// Waits for its end, and gives how it ended too, where the exit code does not tell.
    pub fn ends(mut self) -> (Answer, ExitStatus) {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut output = self.child.wait_with_output().unwrap();
        output.stderr = self.said.into_bytes();
        (Answer::of(&self.command, &output), output.status)
    }
}

/// What a run said, and how it ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The command line.
    pub line: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    fn of(command: &Command, output: &Output) -> Self {
        let words = command.get_args().map(OsStr::to_string_lossy);
        Self {
            line: words.collect::<Vec<_>>().join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Demands this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "another exit code\n{self}");
        self
    }

    /// Demands an empty standard error.
    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.stderr, "", "standard error is not empty\n{self}");
        self
    }

    /// Demands that all of both streams and the exit code are these.
    #[track_caller]
    pub fn is(&self, code: i32, stdout: &str, stderr: &str) {
        let expected = Self {
            line: self.line.clone(),
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        assert!(self.to_string() == expected.to_string(), "EXPECTED {expected}\nGOT {self}");
    }

    /// Demands that standard error says `words`.
    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "standard error does not say {words:?}\n{self}");
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn rows(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}\n{self}"))
            })
            .collect()
    }

    /// Standard output with the place and the time of looking replaced by `DIR` and `T`.
    pub fn timeless(&self) -> String {
        let timed = |line: &str| match (line.find(" in /"), line.find(" (proc, ")) {
            (Some(at), Some(_)) => format!("{} in DIR (proc, T ms)", &line[..at]),
            _ => line.to_owned(),
        };
        self.stdout.lines().map(timed).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        write!(
            f,
            "netkit {line}\n--- exit code {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---"
        )
    }
}

/// A file of the repository.
pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
