//! epoll(7): which of many descriptors can go on.
//!
//! Edge-triggered: an event comes when something has changed, and not again for as long as it stays
//! so. Room to write is asked for only where a write found none, since a Unix socket would report it
//! after every read of its peer's (`net/unix/af_unix.c`, `unix_write_space`).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Descriptors that are watched, each by a number of the caller's.
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes, or the peer's end.
    Reading,
    /// The same, and room for more bytes.
    Both,
}

impl Interest {
    fn flags(self) -> EventFlags {
        let reading = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        match self {
            Self::Reading => reading,
            Self::Both => reading | EventFlags::OUT,
        }
    }
}

impl Poller {
    /// One that tells of `most` descriptors at a time.
    pub fn new(most: usize) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(most.max(1)) })
    }

    /// Watches `descriptor` as `number`, until it is closed.
    pub fn add(&self, descriptor: impl AsFd, number: u64, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(number);
        Ok(epoll::add(&self.epoll, descriptor, data, interest.flags())?)
    }

    /// Watches for something else; what is there already is told again.
    pub fn change(&self, descriptor: impl AsFd, number: u64, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(number);
        Ok(epoll::modify(&self.epoll, descriptor, data, interest.flags())?)
    }

    /// Waits for at most `timeout`, in whole milliseconds, rounded up; how many descriptors there are to be
    /// asked for by [`Self::number`]. A signal ends it early.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<usize> {
        self.events.clear();
        let timeout = Timespec::try_from(timeout).ok();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) => Ok(self.events.len()),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The same to the nanosecond, for one system call more where something comes.
    ///
    /// epoll_pwait2(2) would do it in one; that is of Linux 5.11, and filters of system calls that are older
    /// refuse it. An epoll descriptor can be polled like any other.
    pub fn wait_exactly(&mut self, timeout: Duration) -> io::Result<usize> {
        if !timeout.is_zero() {
            let mut polled = [PollFd::new(self.epoll.as_fd(), PollFlags::POLLIN)];
            match ppoll(&mut polled, Some(timeout.into()), None) {
                Ok(0) | Err(Errno::EINTR) => {
                    self.events.clear();
                    return Ok(0);
                }
                Ok(_) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.wait(Duration::ZERO)
    }

    /// The number of the descriptor at `index` of those that were told of.
    pub fn number(&self, index: usize) -> Option<u64> {
        self.events.get(index).map(|event| event.data.u64())
    }

    /// Whether its peer has said that nothing more will come, behind what there is to read.
    pub fn is_ending(&self, index: usize) -> bool {
        // The struct is packed: the flags are copied out of it.
        let flags = self.events.get(index).map(|event| event.flags);
        flags.is_some_and(|flags| flags.contains(EventFlags::RDHUP))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_changes_is_told_once() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let mut poller = Poller::new(8).unwrap();
        poller.add(&one, 7, Interest::Reading).unwrap();
        assert_eq!(poller.wait(Duration::ZERO).unwrap(), 0);
        other.write_all(b"ab").unwrap();
        assert_eq!(poller.wait(Duration::from_secs(5)).unwrap(), 1);
        assert_eq!((poller.number(0), poller.number(1)), (Some(7), None));
        assert_eq!(poller.wait(Duration::ZERO).unwrap(), 0);
        one.read_exact(&mut [0; 2]).unwrap();
        poller.change(&one, 8, Interest::Both).unwrap();
        assert_eq!(poller.wait(Duration::from_secs(5)).unwrap(), 1);
        assert_eq!(poller.number(0), Some(8));
    }
    #[test]
    fn an_exact_wait_ends_within_the_millisecond_and_misses_nothing() {
        let (one, mut other) = UnixStream::pair().unwrap();
        let mut poller = Poller::new(8).unwrap();
        poller.add(&one, 7, Interest::Reading).unwrap();
        let mut took = || {
            let start = Instant::now();
            assert_eq!(poller.wait_exactly(Duration::from_micros(50)).unwrap(), 0);
            start.elapsed()
        };
        // One of so many is not kept waiting by anybody else.
        let shortest = (0..200).map(|_| took()).min().unwrap();
        assert!((50..900).contains(&shortest.as_micros()), "{shortest:?}");
        other.write_all(b"a").unwrap();
        for timeout in [Duration::from_secs(5), Duration::ZERO] {
            assert_eq!(poller.wait_exactly(timeout).unwrap(), 1);
            assert_eq!(poller.number(0), Some(7));
            assert_eq!(poller.wait_exactly(Duration::ZERO).unwrap(), 0);
            other.write_all(b"b").unwrap();
        }
    }
}
