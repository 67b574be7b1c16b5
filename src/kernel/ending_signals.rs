//! SIGINT, SIGTERM and their like, held back while there is something to say before the end, and
//! then died of: who started netkit sees the signal (`WIFSIGNALED`), as of any program.
//!
//! They are read from a signalfd(2), which a wait can be ended by, and not caught by a handler. What
//! arrives when nobody reads any more stays pending, and ends the process, or the program that it
//! becomes, once it is released.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
pub use nix::sys::signal::Signal;
use nix::sys::signal::{SigSet, SigmaskHow, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::patience::{Patience, Waited};
use super::proc_root::read_text;
use super::{KernelError, ProcRoot};

/// The signals that end a program which does nothing about them, and that people send.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// The signals held back, in this thread and those that it starts from now on, while this is there.
///
/// To be made before any thread: a signal that one thread blocks goes to another that does not.
#[derive(Debug)]
pub struct EndingSignals {
    mask_before: SigSet,
    arrived: SignalFd,
}

impl EndingSignals {
    /// Holds them back, but for those that this process ignores: under nohup(1), or in the
    /// background of a shell without job control, they are to stay without effect. So are those
    /// that it was started with as blocked.
    pub fn hold() -> Result<Self, KernelError> {
        let ignored = own_ignored();
        let mask_before =
            SigSet::thread_get_mask().map_err(|errno| failed("ask which signals wait", errno))?;
        let has_effect = |it: &Signal| !has(ignored, *it) && !mask_before.contains(*it);
        Self::of(ENDING.into_iter().filter(has_effect).collect(), mask_before)
    }

    /// Holds SIGINT and SIGTERM back for what they are to stop in order, a server. Also where this
    /// process ignores SIGINT, as in the background of a script: `kill -INT` is meant for it then. And
    /// SIGHUP, unless it is ignored: a server under nohup(1) is to outlive its terminal.
    pub fn hold_to_stop() -> Result<Self, KernelError> {
        let mask_before =
            SigSet::thread_get_mask().map_err(|errno| failed("ask which signals wait", errno))?;
        let mut held: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        if !has(own_ignored(), Signal::SIGHUP) {
            held.add(Signal::SIGHUP);
        }
        Self::of(held, mask_before)
    }

    fn of(held: SigSet, mask_before: SigSet) -> Result<Self, KernelError> {
        Ok(Self { mask_before, arrived: held_back(&held)? })
    }

    /// What becomes readable when one has arrived, and stays so until it is taken.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// Whether one has arrived.
    pub fn has_arrived(&self) -> bool {
        let now = Patience::of(Duration::ZERO).or(Some(self.descriptor()));
        now.sleep() == Ok(Waited::Interrupted)
    }

    /// The one that has arrived, if any. It does not end the process by itself any more.
    pub fn take(&self) -> Option<Signal> {
        let info = self.arrived.read_signal().ok()??;
        i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())
    }
}

impl Drop for EndingSignals {
    /// Lets them through again: one that arrived and was not taken ends the process now.
    fn drop(&mut self) {
        // A mask that was set before can be set again.
        self.mask_before.thread_set_mask().unwrap_or_default();
    }
}

/// Holds `signals` back, in this thread and those that it starts from now on, and gives where they are
/// read instead.
pub(super) fn held_back(signals: &SigSet) -> Result<SignalFd, KernelError> {
    let arrived = SignalFd::with_flags(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|errno| failed("wait for signals", errno))?;
    signals.thread_block().map_err(|errno| failed("block signals", errno))?;
    Ok(arrived)
}

/// Calls `body` while they wait, all of them.
pub(super) fn without_signals<T>(body: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let ending: SigSet = ENDING.into_iter().collect();
    let before = ending.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let result = body();
    before.thread_set_mask()?;
    result
}

/// Dies of the signal of this number, so that a shell and its script see that it was the user.
/// Returns only to a process that the kernel keeps from that, which is the first of its PID namespace.
pub fn die_of(number: u8) {
    let died = Signal::try_from(i32::from(number)).and_then(raise);
    died.unwrap_or_default();
}

/// The number of `signal`.
#[expect(clippy::as_conversions, reason = "a C enum has no other way to its number")]
pub fn number(signal: Signal) -> u8 {
    u8::try_from(signal as i32).unwrap_or(0)
}

/// The signals that this process ignores.
fn own_ignored() -> u64 {
    ignored(&read_text(&ProcRoot::live().path().join("self/status")).unwrap_or_default())
}

/// `SigIgn` of /proc/PID/status: bit *n* - 1 is signal *n* (`fs/proc/array.c`, `task_sig`).
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn has(mask: u64, signal: Signal) -> bool {
    let bit = number(signal).checked_sub(1).and_then(|bit| 1_u64.checked_shl(bit.into()));
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
