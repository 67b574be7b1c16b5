//! SIGINT, SIGTERM and their like, held back while there is something to say before the end, and
//! then died of: who started netkit sees the signal (`WIFSIGNALED`), as of any program.
//!
//! They are read from a signalfd(2) and not caught by a handler. What arrives when nobody reads any
//! more stays pending, and ends the process, or the program that it becomes, once it is released.

use nix::errno::Errno;
pub use nix::sys::signal::Signal;
use nix::sys::signal::{SigSet, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::proc_root::read_text;
use super::{KernelError, ProcRoot};

/// The signals that end a program which does nothing about them, and that people send.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// The signals held back, in this thread and those that it starts from now on.
#[derive(Debug)]
pub struct EndingSignals {
    held: SigSet,
    arrived: SignalFd,
}

impl EndingSignals {
    /// Holds them back, but for those that this process ignores: under nohup(1), or in the
    /// background of a shell without job control, they are to stay without effect.
    pub fn hold() -> Result<Self, KernelError> {
        let status = read_text(&ProcRoot::live().path().join("self/status")).unwrap_or_default();
        let ignored = ignored(&status);
        let held: SigSet = ENDING.into_iter().filter(|it| !has(ignored, *it)).collect();
        held.thread_block().map_err(|errno| failed("block signals", errno))?;
        let arrived = SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| failed("wait for signals", errno))?;
        Ok(Self { held, arrived })
    }

    /// The one that has arrived, if any.
    pub fn arrived(&self) -> Option<Signal> {
        let info = self.arrived.read_signal().ok()??;
        i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())
    }

    /// Lets them through again.
    pub fn release(&self) -> Result<(), KernelError> {
        self.held.thread_unblock().map_err(|errno| failed("unblock signals", errno))
    }

    /// Dies of `signal`. Returns only to a process that the kernel keeps from that, which is the
    /// first of its PID namespace: the exit code that shells give in its place.
    pub fn die_of(&self, signal: Signal) -> Result<u8, KernelError> {
        self.release()?;
        raise(signal).map_err(|errno| failed("raise a signal", errno))?;
        Ok(u8::try_from(number(signal)).unwrap_or(0).saturating_add(128))
    }
}

/// The number of `signal`.
#[expect(clippy::as_conversions, reason = "a C enum has no other way to its number")]
fn number(signal: Signal) -> i32 {
    signal as i32
}

/// `SigIgn` of /proc/PID/status: bit *n* - 1 is signal *n* (`fs/proc/array.c`, `task_sig`).
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn has(mask: u64, signal: Signal) -> bool {
    let bit = u32::try_from(number(signal) - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

fn failed(operation: &str, errno: Errno) -> KernelError {
    KernelError::Program { operation: operation.to_owned(), source: errno.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tx\nSigBlk:\t0000000000004002\nSigIgn:\t0000000000001007\nSigCgt:\t0\n";
        let mask = ignored(status);
        assert!(
            has(mask, Signal::SIGHUP) && has(mask, Signal::SIGINT) && has(mask, Signal::SIGQUIT)
        );
        assert!(!has(mask, Signal::SIGTERM) && has(mask, Signal::SIGPIPE));
        assert_eq!(ignored("Name:\tx\n"), 0);
    }
}
