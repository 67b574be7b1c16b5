//! One connection: what comes goes back.
//!
//! Memory is what ten thousand idle connections cost, so that a connection has no buffer of its own:
//! it reads into one that all connections of the thread share, and writes from there. Only what the
//! peer does not take at once is kept, and until that is gone nothing more is read: a client that never
//! reads holds one read's worth, and the kernel's window holds the rest of it back.

use std::cell::RefCell;
use std::future::Future as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::time::Sleep;

use super::accept::Accepted;
use super::listener::Shared;
use super::tally::{End, Tally};
use crate::echo::reactor;

/// Bytes that one read takes at most.
pub const READ: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// Serves what was accepted, to its end.
pub async fn serve(accepted: Accepted, shared: Arc<Shared>, hand: usize) {
    let Ok(mut connection) = Connection::new(accepted, shared, hand) else { return };
    let end = std::future::poll_fn(|context| connection.poll(context)).await;
    connection.end = end;
}

struct Connection {
    socket: AsyncFd<Socket>,
    shared: Arc<Shared>,
    hand: usize,
    /// What the peer has not taken yet, from `at` on.
    rest: Vec<u8>,
    at: usize,
    received: u64,
    sent: u64,
    idle: Option<Pin<Box<Sleep>>>,
    last: Instant,
    is_over: bool,
    end: End,
}

impl Connection {
    fn new(accepted: Accepted, shared: Arc<Shared>, hand: usize) -> io::Result<Self> {
        let socket = reactor::register(accepted.socket)?;
        let now = Instant::now();
        let idle = shared.options.idle_timeout;
        Ok(Self {
            socket,
            hand,
            rest: Vec::new(),
            at: 0,
            received: 0,
            sent: 0,
            idle: idle.map(|idle| Box::pin(tokio::time::sleep(idle))),
            last: now,
            is_over: false,
            end: End::Cut,
            shared,
        })
    }

    fn tally(&self) -> Option<&Tally> {
        self.shared.tallies.get(self.hand)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            let step = match self.poll_step(context) {
                Poll::Pending => return self.poll_idle(context),
                Poll::Ready(step) => step,
            };
            match step {
                Ok(None) => {}
                Ok(Some(end)) => return Poll::Ready(end),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(end_of(&error)),
            }
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        if self.at < self.rest.len() {
            ready!(self.poll_write(context))?;
            return Poll::Ready(Ok(None));
        }
        if self.is_over {
            return Poll::Ready(Ok(Some(End::PeerClosed)));
        }
        self.poll_read(context)
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut guard = ready!(self.socket.poll_write_ready(context))?;
        let rest = self.rest.get(self.at..).unwrap_or_default();
        match guard.get_inner().write(rest) {
            Ok(taken) => {
                self.at += taken;
                self.sent += u64::try_from(taken).unwrap_or(0);
                if self.at >= self.rest.len() {
                    // The memory goes back: that it was needed once does not mean again.
                    (self.rest, self.at) = (Vec::new(), 0);
                }
                self.last = Instant::now();
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                guard.clear_ready();
                self.poll_write(context)
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let length = match ready!(self.poll_read_into(scratch, context)) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Poll::Ready(Ok(None));
                }
                Err(error) => return Poll::Ready(Err(error)),
            };
            if length == 0 {
                self.is_over = true;
                return Poll::Ready(Ok(None));
            }
            let came = scratch.get(..length).unwrap_or_default();
            Poll::Ready(self.echo(came).map(|()| None))
        })
    }

    fn poll_read_into(
        &self,
        scratch: &mut [u8],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut guard = ready!(self.socket.poll_read_ready(context))?;
        let read = guard.get_inner().read(scratch);
        match &read {
            // As much as there was: another read would only say so.
            Ok(length) if *length < scratch.len() => guard.clear_ready(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            _ => {}
        }
        Poll::Ready(read)
    }

    /// Sends `bytes`, and keeps what the peer does not take.
    fn echo(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u64::try_from(bytes.len()).unwrap_or(0);
        self.received += length;
        if self.idle.is_some() {
            self.last = Instant::now();
        }
        let taken = match self.socket.get_ref().write(bytes) {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        self.sent += u64::try_from(taken).unwrap_or(0);
        if let Some(tally) = self.tally() {
            tally.received.add(length);
            tally.sent.add(u64::try_from(taken).unwrap_or(0));
            tally.reads.add(1);
        }
        let rest = bytes.get(taken..).unwrap_or_default();
        if !rest.is_empty() {
            self.rest.extend_from_slice(rest);
        }
        Ok(())
    }

    /// Ends a connection that has been idle for too long. The timer runs its course once; what
    /// happened meanwhile only moves the next one.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let (Some(idle), Some(timeout)) = (&mut self.idle, self.shared.options.idle_timeout) else {
            return Poll::Pending;
        };
        loop {
            ready!(idle.as_mut().poll(context));
            let quiet = self.last.elapsed();
            if quiet >= timeout {
                return Poll::Ready(End::Idle);
            }
            let next = Instant::now() + (timeout - quiet).max(Duration::from_millis(1));
            idle.as_mut().reset(next.into());
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(tally) = self.tally() {
            tally.ended(self.end);
        }
        self.shared.limits.leave(None);
    }
}

fn end_of(error: &io::Error) -> End {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => End::PeerReset,
        _ => End::Failed,
    }
}
