//! SIGINT as a descriptor, signalfd(2): a wait can be ended by it, and there is time to say what is
//! known before the process ends of it all the same.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::KernelError;
use super::patience::{Patience, Waited};

/// SIGINT of this process, which does not end it while this is there.
///
/// To be made before any thread: a signal that one thread blocks goes to another that does not.
#[derive(Debug)]
pub struct Interrupt {
    signals: SignalFd,
    mask_before: SigSet,
}

impl Interrupt {
    /// Takes SIGINT from now on.
    pub fn watch() -> Result<Self, KernelError> {
        let refused = |call| move |errno| KernelError::NoSocket { call, errno };
        let mut sigint = SigSet::empty();
        sigint.add(Signal::SIGINT);
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&sigint, flags).map_err(refused("signalfd"))?;
        let mask_before =
            sigint.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(refused("sigprocmask"))?;
        Ok(Self { signals, mask_before })
    }

    /// What becomes readable when it comes, and stays so.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Whether it has come.
    pub fn has_come(&self) -> bool {
        let now = Patience::of(Duration::ZERO).or(Some(self.descriptor()));
        now.sleep() == Ok(Waited::Interrupted)
    }

    /// Whether it came. It is taken then, and does not end the process by itself any more.
    pub fn take(&self) -> bool {
        matches!(self.signals.read_signal(), Ok(Some(_)))
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // A mask that was set before can be set again.
        self.mask_before.thread_set_mask().unwrap_or_default();
    }
}

/// Ends the process by SIGINT, so that a shell and its script see that it was the user. Returns where
/// the signal is ignored.
pub fn end_by_sigint() {
    raise(Signal::SIGINT).unwrap_or_default();
}
