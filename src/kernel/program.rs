//! Other processes: this program started once more as a worker, and programs that users name.
//!
//! No process outlives the one that started it, however that ends: the kernel kills it
//! (`PR_SET_PDEATHSIG`), and so a namespace that it made is gone too.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use nix::errno::Errno;
use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::unistd::{Pid, getppid};

use super::{KernelError, descriptors};

/// This program, as the running process has it: also if the file was replaced meanwhile.
const OWN: &str = "/proc/self/exe";

/// The end of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned this exit code.
    Code(u8),
    /// This signal ended it.
    Signal(i32),
}

impl End {
    fn is_interrupt(self) -> bool {
        matches!(self, Self::Signal(number) if Signal::try_from(number) == Ok(Signal::SIGINT))
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            // Of the code, eight bits reach the parent (wait(2)).
            Some(code) => Self::Code(u8::try_from(code).unwrap_or(u8::MAX)),
            None => Self::Signal(status.signal().unwrap_or(0)),
        }
    }
}

/// This program in a second process, which answers in lines and lives until it is released.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it with `arguments`. What it says on standard error goes to ours.
    pub fn start(arguments: &[OsString]) -> Result<Self, KernelError> {
        let failed = |source| program_error("start netkit once more", source);
        let mut command = Command::new(OWN);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let answers =
            child.stdout.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { child, answers: BufReader::new(answers) })
    }

    /// Its next answer; `None` when there will be no more.
    pub fn next_line(&mut self) -> Result<Option<String>, KernelError> {
        let mut line = String::new();
        let length = self
            .answers
            .read_line(&mut line)
            .map_err(|source| program_error("read what the worker says", source))?;
        Ok((length > 0).then_some(line))
    }

    /// Lets it end, and waits until it has. Closing its standard input is the sign.
    pub fn release(mut self) -> Result<End, KernelError> {
        drop(self.child.stdin.take());
        let status = self.child.wait();
        status.map(End::from).map_err(|source| program_error("wait for the worker", source))
    }
}

impl Drop for Worker {
    /// A worker that was not released, for something went wrong, is ended.
    fn drop(&mut self) {
        // Of one that has ended already, both do nothing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// In a worker: it dies with the process `parent` that started it, and the terminal's ^C is for
/// that process to answer. Fails if the parent is gone already.
pub fn serve(parent: u32) -> Result<(), KernelError> {
    die_with(parent)?;
    // Started by way of /proc/self/exe, it would be called `exe`.
    set_name(c"netkit").map_err(|errno| program_error("name this process", errno.into()))?;
    descriptors::raise_limit();
    let keys = terminal_signals().thread_block();
    keys.map_err(|errno| program_error("block signals", errno.into()))
}

/// Asks the kernel to kill this process when `parent` ends. Fails if it has.
pub fn die_with(parent: u32) -> Result<(), KernelError> {
    let failed = |errno: Errno| program_error("bind this process to its parent", errno.into());
    set_pdeathsig(Signal::SIGKILL).map_err(failed)?;
    // The parent may have ended before that took effect.
    let is_there = i32::try_from(parent).is_ok_and(|parent| getppid() == Pid::from_raw(parent));
    if is_there { Ok(()) } else { Err(failed(Errno::ESRCH)) }
}

/// In a worker: waits until it is released.
pub fn wait_for_release() {
    // That it cannot be read is as good a sign as its end.
    drop(io::copy(&mut io::stdin(), &mut io::sink()));
}

/// Waits for a line on standard input, or for its end.
pub fn wait_for_enter() {
    drop(io::stdin().read_line(&mut String::new()));
}

/// Runs this program with `arguments` on the user's own streams, and waits for its end.
///
/// As with system(3), ^C is for that program alone meanwhile.
pub fn run_attended(arguments: &[OsString], variable: (&str, &str)) -> Result<End, KernelError> {
    let failed = |source| program_error("start netkit once more", source);
    let mut command = Command::new(OWN);
    let mut child = command.args(arguments).env(variable.0, variable.1).spawn().map_err(failed)?;
    // After the start, since a child inherits what is blocked.
    let keys = terminal_signals();
    keys.thread_block().map_err(|errno| failed(errno.into()))?;
    let end = child.wait().map(End::from).map_err(failed)?;
    if end.is_interrupt() {
        // It was for us too: the shell that started netkit wants to know.
        keys.thread_unblock().map_err(|errno| failed(errno.into()))?;
        raise(Signal::SIGINT).map_err(|errno| failed(errno.into()))?;
    }
    Ok(end)
}

/// Becomes the program of `command`, of which the first word is its name. Returns why it could not.
pub fn become_program(command: &[OsString]) -> io::Error {
    let Some((name, arguments)) = command.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    Command::new(name).args(arguments).exec()
}

/// SIGINT and SIGQUIT: what ^C and ^\ send.
fn terminal_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGQUIT].into_iter().collect()
}

fn program_error(operation: &str, source: io::Error) -> KernelError {
    KernelError::Program { operation: operation.to_owned(), source }
}
