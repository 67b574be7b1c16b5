//! How long to wait for a descriptor: poll(2) to a moment of the monotonic clock.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connect(2) that comes to an end, one way or the other.
    Writable,
    /// Bytes, a datagram, or the peer's end.
    Readable,
    /// The end of both directions, or an error: of a stream, a peer that has only said that it sends
    /// nothing more is not gone (`tcp_poll`, `unix_poll`: EPOLLHUP).
    Gone,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The event came, or an error.
    Ready,
    /// The deadline came first.
    Late,
    /// The other descriptor came first: the user has interrupted.
    Interrupted,
}

/// A deadline, and a descriptor that ends every wait, such as that of [`super::ending_signals`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience<'a> {
    deadline: Option<Instant>,
    /// The user's, and those of others.
    interrupts: [Option<BorrowedFd<'a>>; 3],
}

/// A descriptor that ends waits in other threads.
#[derive(Debug)]
pub struct Stop {
    ours: UnixStream,
    theirs: UnixStream,
}

impl Stop {
    /// One that lets them wait.
    pub fn new() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok(Self { ours, theirs })
    }

    /// What becomes readable.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.theirs.as_fd()
    }

    /// Ends the waits.
    pub fn stop(&self) {
        // A stream that is shut down already has done its work.
        self.ours.shutdown(Shutdown::Both).unwrap_or_default();
    }
}

impl<'a> Patience<'a> {
    /// Waits as long as the kernel does.
    pub const ENDLESS: Self = Self { deadline: None, interrupts: [None; 3] };

    /// Waits until `duration` from now.
    pub fn of(duration: Duration) -> Self {
        // A deadline past the clock's end is none.
        Self { deadline: Instant::now().checked_add(duration), ..Self::ENDLESS }
    }

    /// The same, ended also by `descriptor` becoming readable, beside the two given last.
    #[must_use]
    pub fn or(self, descriptor: Option<BorrowedFd<'a>>) -> Self {
        let [last, before, _] = self.interrupts;
        match descriptor {
            Some(_) => Self { interrupts: [descriptor, last, before], ..self },
            None => self,
        }
    }

    /// The same without a deadline.
    #[must_use]
    pub fn endless(self) -> Self {
        Self { deadline: None, ..self }
    }

    /// What is left of it, at most `duration`.
    #[must_use]
    pub fn at_most(self, duration: Duration) -> Self {
        let short = Self::of(duration);
        let deadline = match (self.deadline, short.deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { deadline, ..self }
    }

    /// The time that is left; `None` without a deadline.
    pub fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits for `event` of `descriptor`. A signal does not shorten it.
    ///
    /// Fails only where poll(2) does: short of memory.
    pub fn wait(&self, descriptor: BorrowedFd<'_>, event: Event) -> Result<Waited, Errno> {
        let events = match event {
            Event::Writable => PollFlags::POLLOUT | PollFlags::POLLERR,
            Event::Readable => PollFlags::POLLIN | PollFlags::POLLERR,
            // Both are told unasked.
            Event::Gone => PollFlags::empty(),
        };
        self.poll(Some(PollFd::new(descriptor, events)))
    }

    /// Waits for the deadline or the interrupt.
    pub fn sleep(&self) -> Result<Waited, Errno> {
        self.poll(None)
    }

    fn poll(&self, first: Option<PollFd<'_>>) -> Result<Waited, Errno> {
        let is_first = usize::from(first.is_some());
        let interrupts = self.interrupts.into_iter().flatten();
        let interrupts = interrupts.map(|it| PollFd::new(it, PollFlags::POLLIN));
        let mut descriptors: Vec<PollFd> = first.into_iter().chain(interrupts).collect();
        let is_any = |it: &PollFd| it.any().unwrap_or(false);
        loop {
            match poll(&mut descriptors, self.timeout()) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
                // Rounded up to a millisecond, so that it is never early; cut short only where it
                // was longer than poll(2) can count.
                Ok(0) if self.left().is_none_or(|left| !left.is_zero()) => {}
                Ok(0) => return Ok(Waited::Late),
                Ok(_) if descriptors.iter().skip(is_first).any(is_any) => {
                    return Ok(Waited::Interrupted);
                }
                Ok(_) => return Ok(Waited::Ready),
            }
        }
    }

    fn timeout(&self) -> PollTimeout {
        let Some(left) = self.left() else { return PollTimeout::NONE };
        let milliseconds = left.as_nanos().div_ceil(1_000_000);
        PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_wait_ends_by_its_event_its_deadline_or_the_interrupt() {
        let (mut one, other) = UnixStream::pair().unwrap();
        let soon = Patience::of(Duration::from_millis(5));
        assert_eq!(soon.wait(other.as_fd(), Event::Readable), Ok(Waited::Late));
        assert_eq!(soon.left(), Some(Duration::ZERO));
        assert_eq!(soon.sleep(), Ok(Waited::Late));
        assert_eq!(Patience::ENDLESS.wait(other.as_fd(), Event::Writable), Ok(Waited::Ready));
        one.write_all(b"x").unwrap();
        assert_eq!(Patience::ENDLESS.wait(other.as_fd(), Event::Readable), Ok(Waited::Ready));
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(soon.wait(other.as_fd(), Event::Gone), Ok(Waited::Late));
        one.shutdown(Shutdown::Read).unwrap();
        assert_eq!(soon.wait(other.as_fd(), Event::Gone), Ok(Waited::Ready));
        let interrupted = Patience::ENDLESS.or(Some(other.as_fd()));
        assert_eq!(interrupted.sleep(), Ok(Waited::Interrupted));
        assert_eq!(interrupted.wait(one.as_fd(), Event::Readable), Ok(Waited::Interrupted));
    }

    #[test]
    fn a_wait_ends_by_either_descriptor() {
        let (one, other) = (Stop::new().unwrap(), Stop::new().unwrap());
        let both = Patience::of(Duration::from_millis(5))
            .or(Some(one.descriptor()))
            .or(Some(other.descriptor()));
        assert_eq!(both.sleep(), Ok(Waited::Late));
        one.stop();
        assert_eq!(both.sleep(), Ok(Waited::Interrupted));
    }

    #[test]
    fn a_deadline_is_only_made_shorter() {
        let hour = Duration::from_secs(3600);
        let short = Patience::of(Duration::from_secs(1)).at_most(hour);
        assert!(short.left() <= Some(Duration::from_secs(1)));
        assert!(Patience::ENDLESS.at_most(hour).left().is_some());
        assert_eq!(Patience::of(Duration::MAX).left(), None);
    }
}
