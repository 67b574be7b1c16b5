//! One connection: what comes goes back.
//!
//! Memory is what ten thousand idle connections cost, so that a connection has no buffer of its own:
//! it reads into one that all connections of the thread share, and writes from there. Only what the
//! peer does not take at once is kept, and until that is gone nothing more is read: a client that never
//! reads holds one read's worth, and the kernel's window holds the rest of it back.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::time::Sleep;

use super::faults::{Close, ResetAfter};
use super::idle::Idle;
use super::shaper::{Shaped, Shaper};
use super::shared::Visit;
use super::tally::End;
use crate::echo::reactor;
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::serving;

/// Bytes that one read takes at most, and a message has where messages are kept apart.
pub const READ: usize = 64 * 1024;

/// How long a connection that is over waits for the peer to close too: closed at once, what it has sent
/// meanwhile would reset the connection, and take replies with it that are still on their way.
const LINGER: Duration = Duration::from_secs(1);

thread_local! {
    static SCRATCH: RefCell<AlignedBuffer> = RefCell::new(AlignedBuffer::new(READ + 1));
}

/// Serves what was accepted, to its end.
pub async fn serve(socket: Socket, visit: Visit) {
    let Ok(mut connection) = Connection::new(socket, visit) else { return };
    let end = std::future::poll_fn(|context| connection.poll(context)).await;
    connection.visit.end = end;
    if end == End::FaultReset {
        // If it cannot be, it is closed.
        drop(serving::reset_at_close(connection.socket.get_ref()));
    }
}

/// What is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Read, and send back.
    Echoing,
    /// Send what is left, then end so.
    Ending(End),
    /// Send what is left, close the way to the peer, read until it closes too, then end so.
    Closing(End),
    /// Read what comes, and send nothing back.
    Discarding(End),
}

struct Connection {
    socket: AsyncFd<Socket>,
    visit: Visit,
    phase: Phase,
    /// What the peer has not taken yet, from `at` on.
    rest: Vec<u8>,
    at: usize,
    shaper: Option<Box<Shaper>>,
    /// Runs until the next reply is due.
    due: Option<Pin<Box<Sleep>>>,
    idle: Idle,
}

type Step = io::Result<Option<End>>;

impl Connection {
    fn new(socket: Socket, visit: Visit) -> io::Result<Self> {
        let options = &visit.shared.options;
        let now = Instant::now();
        let seed = options.seed.wrapping_add(visit.id);
        let shaper = Shaper::new(options, seed, now).map(Box::new);
        let idle = Idle::new(options.idle_timeout, now);
        Ok(Self {
            socket: reactor::register(socket)?,
            phase: Phase::Echoing,
            rest: Vec::new(),
            at: 0,
            shaper,
            due: None,
            idle,
            visit,
        })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            match self.poll_step(context) {
                Poll::Pending => return self.poll_idle(context),
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(end))) => return Poll::Ready(end),
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(self.failed(&error)),
            }
        }
    }

    fn failed(&mut self, error: &io::Error) -> End {
        self.visit.errno = error.raw_os_error();
        let is_reset = matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        if is_reset { End::PeerReset } else { End::Failed }
    }

    /// What is to be done next: what waits goes out first.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        if self.at < self.rest.len() {
            return self.poll_write(context);
        }
        if let Some(next) = self.poll_shaper(context) {
            return next;
        }
        match self.phase {
            Phase::Echoing if self.shaper.as_ref().is_some_and(|it| !it.has_room()) => {
                Poll::Pending
            }
            Phase::Echoing | Phase::Discarding(_) => self.poll_read(context),
            Phase::Ending(end) => Poll::Ready(Ok(Some(end))),
            Phase::Closing(end) => {
                self.socket.get_ref().shutdown(Shutdown::Write)?;
                if matches!(end, End::MaxBytes | End::FaultClosed | End::TooLong) {
                    self.idle.shorten(LINGER);
                }
                self.phase = Phase::Discarding(end);
                Poll::Ready(Ok(None))
            }
        }
    }

    /// Takes the next reply, when it is time; `None` if the connection can go on without.
    fn poll_shaper(&mut self, context: &mut Context<'_>) -> Option<Poll<Step>> {
        let shaper = self.shaper.as_mut()?;
        let due = shaper.next_due()?;
        let now = Instant::now();
        if shaper.release(&self.visit.shared.options, now) == Shaped::Reset {
            return Some(Poll::Ready(Ok(Some(End::FaultReset))));
        }
        if let Some(reply) = shaper.next(now) {
            (self.rest, self.at) = (reply, 0);
            return Some(Poll::Ready(Ok(None)));
        }
        let timer = self.due.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due.into())));
        if timer.deadline() != due.into() {
            timer.as_mut().reset(due.into());
        }
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Some(Poll::Ready(Ok(None))),
            // What comes meanwhile is read.
            Poll::Pending if self.phase == Phase::Echoing => None,
            Poll::Pending => Some(Poll::Pending),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let mut guard = ready!(self.socket.poll_write_ready(context))?;
        let rest = self.rest.get(self.at..).unwrap_or_default();
        let room = self.visit.room_before_reset().unwrap_or(rest.len());
        let rest = rest.get(..room).unwrap_or(rest);
        match guard.get_inner().write(rest) {
            Ok(taken) => {
                self.at += taken;
                if self.at >= self.rest.len() {
                    // The memory goes back: that it was needed once does not mean again.
                    (self.rest, self.at) = (Vec::new(), 0);
                }
                Poll::Ready(Ok(self.went(taken)))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                guard.clear_ready();
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        SCRATCH.with_borrow_mut(|scratch| {
            let length = match ready!(self.poll_read_into(scratch, context)) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Poll::Ready(Ok(None));
                }
                Err(error) => return Poll::Ready(Err(error)),
            };
            let came = scratch.get(..length).unwrap_or_default();
            if length > READ {
                return Poll::Ready(Ok(self.give_up(came)));
            }
            Poll::Ready(match self.phase {
                Phase::Discarding(end) if came.is_empty() => Ok(Some(end)),
                Phase::Discarding(_) => {
                    self.visit.received(number(length));
                    Ok(None)
                }
                Phase::Echoing | Phase::Ending(_) | Phase::Closing(_) if came.is_empty() => {
                    Ok(self.finish())
                }
                Phase::Echoing | Phase::Ending(_) | Phase::Closing(_) => self.echo(came),
            })
        })
    }

    /// Reads at most [`READ`] bytes; one more of a message that is longer, whose rest is lost then.
    fn poll_read_into(
        &self,
        scratch: &mut [u8],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let most = READ + usize::from(self.visit.keeps_messages);
        let scratch = scratch.get_mut(..most).unwrap_or_default();
        let mut guard = ready!(self.socket.poll_read_ready(context))?;
        let read = guard.get_inner().read(scratch);
        match &read {
            // Of a stream this was as much as there was, and another read would only say so.
            Ok(length) if *length < scratch.len() && !self.visit.keeps_messages => {
                guard.clear_ready();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            _ => {}
        }
        Poll::Ready(read)
    }

    /// A message has come that is not whole, so that nothing that could be sent back would be right.
    fn give_up(&mut self, came: &[u8]) -> Option<End> {
        self.visit.received(number(came.len()));
        if self.phase == Phase::Echoing {
            self.phase = Phase::Closing(End::TooLong);
        }
        None
    }

    /// The peer has said all it has to say.
    fn finish(&mut self) -> Option<End> {
        self.phase = Phase::Ending(End::PeerClosed);
        let shaper = self.shaper.as_mut()?;
        let rest = shaper.finish(&self.visit.shared.options, Instant::now());
        (rest == Shaped::Reset).then_some(End::FaultReset)
    }

    /// Sends `came` back, and keeps what the peer does not take.
    fn echo(&mut self, came: &[u8]) -> Step {
        let options = &self.visit.shared.options;
        let mut came = came;
        if let Some(max) = options.max_bytes {
            let room = usize::try_from(max.saturating_sub(self.visit.received));
            if let Some(allowed) = room.ok().and_then(|room| came.get(..room)) {
                came = allowed;
                self.phase = Phase::Closing(End::MaxBytes);
            }
        }
        self.visit.received(number(came.len()));
        if let Some(shaper) = &mut self.shaper {
            self.idle.interrupt();
            let (options, now) = (&self.visit.shared.options, Instant::now());
            let mut led_to = shaper.take(came, options, now);
            if led_to == Shaped::Replies && self.phase != Phase::Echoing {
                // Nothing more is read that could complete what is held.
                led_to = shaper.finish(options, now);
            }
            return Ok((led_to == Shaped::Reset).then_some(End::FaultReset));
        }
        let taken = match self.socket.get_ref().write(came) {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        let rest = came.get(taken..).unwrap_or_default();
        if !rest.is_empty() {
            self.rest.extend_from_slice(rest);
        }
        Ok(self.went(taken))
    }

    /// Counts what the peer has taken, and does what is to be done after that.
    fn went(&mut self, taken: usize) -> Option<End> {
        self.visit.sent(number(taken));
        self.idle.interrupt();
        self.shaper.as_ref()?;
        let faults = &self.visit.shared.options.faults;
        match (faults.reset_after, faults.close) {
            (Some(ResetAfter::Bytes(most)), _) if self.visit.sent >= most => Some(End::FaultReset),
            (_, Some(close)) if self.has_nothing_left() => {
                self.phase = match close {
                    Close::All => Phase::Closing(End::FaultClosed),
                    Close::Writing => Phase::Closing(End::PeerClosed),
                };
                None
            }
            _ => None,
        }
    }

    fn has_nothing_left(&self) -> bool {
        self.rest.is_empty() && self.shaper.as_ref().is_none_or(|shaper| shaper.is_empty())
    }

    /// Ends a connection that has been quiet for too long; not one whose next reply waits for its time.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if self.rest.is_empty() && self.shaper.as_ref().is_some_and(|shaper| !shaper.is_empty()) {
            return Poll::Pending;
        }
        ready!(self.idle.poll(context));
        Poll::Ready(match self.phase {
            Phase::Discarding(end) => end,
            Phase::Echoing | Phase::Ending(_) | Phase::Closing(_) => End::Idle,
        })
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
