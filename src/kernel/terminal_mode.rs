//! The terminal's mode while somebody is asked for line after line: what is typed between two of them is
//! kept as it is.
//!
//! A line editor takes the terminal's own line editing away for as long as it reads, and gives it back
//! behind each line. What is typed then goes through that, and is not what was typed any more: Ctrl-D
//! becomes a zero byte, a line of more than 4,095 bytes is cut (`drivers/tty/n_tty.c`,
//! `n_tty_receive_char_special` and `n_tty_receive_buf_common`), and all is shown twice. So it stays
//! taken away from the first line to the last, but for the keys that send signals.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc::termios;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::termios::{
    FlushArg, InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use nix::unistd::{getpgrp, tcgetpgrp};

use super::KernelError;
use super::ending_signals::{EndingSignals, held_back};

/// Whether `terminal` edits lines itself: what it gives then are lines, and their end.
pub fn edits_lines(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).is_ok_and(|mode| mode.local_flags.contains(LocalFlags::ICANON))
}

/// SIGTSTP, of Ctrl-Z, held back in this thread and those that it starts from now on, while this is there.
///
/// To be made before the thread of a [`KeepingTerminal`]: in any other it would stop the process with the
/// terminal as that has left it.
#[derive(Debug)]
pub struct HeldStop(());

impl HeldStop {
    /// Holds it back.
    pub fn hold() -> Result<Self, KernelError> {
        stop_signal().thread_block().map_err(|errno| KernelError::Program {
            operation: "block signals".to_owned(),
            source: errno.into(),
        })?;
        Ok(Self(()))
    }
}

impl Drop for HeldStop {
    fn drop(&mut self) {
        stop_signal().thread_unblock().unwrap_or_default();
    }
}

/// A terminal that keeps what is typed, until this is dropped.
#[derive(Debug)]
pub struct KeepingTerminal {
    terminal: OwnedFd,
    before: termios,
    /// SIGTSTP, of Ctrl-Z, which is to find the terminal as it was.
    stops: SignalFd,
}

impl KeepingTerminal {
    /// Takes the line editing of `terminal` away. SIGTSTP waits from now on, in this thread and those
    /// that it starts.
    pub fn take(terminal: BorrowedFd<'_>) -> Result<Self, KernelError> {
        let stops = held_back(&stop_signal())?;
        Self::taken(terminal, stops).map_err(|source| KernelError::Program {
            operation: "set the terminal's mode".to_owned(),
            source,
        })
    }

    fn taken(terminal: BorrowedFd<'_>, stops: SignalFd) -> io::Result<Self> {
        let terminal = terminal.try_clone_to_owned()?;
        let before = tcgetattr(&terminal)?;
        let mut keeping = before.clone();
        keeping.local_flags &= !(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
        keeping.input_flags &= !InputFlags::ICRNL;
        for (index, value) in
            [(SpecialCharacterIndices::VMIN, 1), (SpecialCharacterIndices::VTIME, 0)]
        {
            if let Some(character) = keeping.control_chars.get_mut(place(index)) {
                *character = value;
            }
        }
        let taken = Self { terminal, before: before.into(), stops };
        taken.set(&keeping)?;
        Ok(taken)
    }

    /// What becomes readable when the user wants to stop this process.
    pub fn stops(&self) -> BorrowedFd<'_> {
        self.stops.as_fd()
    }

    /// Stops, with the terminal as it was, and takes it again when this process is continued, unless one
    /// of `endings` has come.
    ///
    /// By SIGTSTP itself: a process group that nobody could continue is not stopped by it.
    pub fn stop(&self, endings: &EndingSignals) -> io::Result<()> {
        let now = tcgetattr(&self.terminal)?;
        self.restore();
        let stop = stop_signal();
        stop.thread_unblock()?;
        stop.thread_block()?;
        if !endings.has_arrived() {
            self.set(&now)?;
        }
        Ok(())
    }

    /// Forgets what is typed and not read yet.
    pub fn forget(&self) {
        // One that is gone has nothing.
        tcflush(&self.terminal, FlushArg::TCIFLUSH).unwrap_or_default();
    }

    /// Gives it back, if it is this process's to change: a terminal that another job has is not.
    fn restore(&self) {
        if tcgetpgrp(&self.terminal) == Ok(getpgrp()) {
            // One that is gone has no mode.
            self.set(&self.before.into()).unwrap_or_default();
        }
    }

    fn set(&self, mode: &Termios) -> Result<(), Errno> {
        // What is typed meanwhile is not to be lost, and so nothing is flushed.
        tcsetattr(&self.terminal, SetArg::TCSADRAIN, mode)
    }
}

impl Drop for KeepingTerminal {
    fn drop(&mut self) {
        self.restore();
        stop_signal().thread_unblock().unwrap_or_default();
    }
}

fn stop_signal() -> SigSet {
    [Signal::SIGTSTP].into_iter().collect()
}

#[expect(clippy::as_conversions, reason = "a C enum has no other way to its number")]
fn place(index: SpecialCharacterIndices) -> usize {
    index as usize
}
