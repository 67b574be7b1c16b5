//! SIGUSR1, by which a server is asked how it is getting on. It is read from a signalfd(2), as those are
//! that end it, and not caught by a handler, which could only wake the server by descriptors of its own.

use std::os::fd::{AsFd as _, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;

use super::KernelError;
use super::ending_signals::held_back;

/// The signal, held back in this thread and those that it starts from now on.
///
/// To be made before any thread. It stays held back when this is gone: one that comes too late to be
/// answered is not to kill a server that says its last words.
#[derive(Debug)]
pub struct AskingSignal {
    arrived: SignalFd,
}

impl AskingSignal {
    /// Holds it back, also where this process ignores it.
    pub fn hold() -> Result<Self, KernelError> {
        Ok(Self { arrived: held_back(&SigSet::from(Signal::SIGUSR1))? })
    }

    /// What becomes readable when it has arrived, and stays so until it is taken.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// Takes it, if it has arrived.
    pub fn take(&self) -> bool {
        matches!(self.arrived.read_signal(), Ok(Some(_)))
    }
}
