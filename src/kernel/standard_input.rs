//! Standard input as a descriptor: read past any buffer, so that poll(2) on it tells the truth.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::{AsFd, BorrowedFd};

/// Standard input.
#[derive(Debug)]
pub struct StandardInput(File);

impl StandardInput {
    /// A descriptor of its own for it.
    pub fn open() -> io::Result<Self> {
        Ok(Self(File::from(io::stdin().as_fd().try_clone_to_owned()?)))
    }

    /// Reads what there is; 0 at its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    /// Whether a person types it.
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

impl AsFd for StandardInput {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether a person reads standard output.
pub fn output_is_terminal() -> bool {
    io::stdout().is_terminal()
}
