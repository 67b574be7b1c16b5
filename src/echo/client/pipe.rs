//! Standard input to the server, and what it sends back to standard output, both at once.
//!
//! Two threads, one for each direction, so that neither waits for the other: a server that does not
//! read until it has been read from, or a reader that is slow, holds up what it has to and nothing
//! else. Each has one buffer, and nothing else is kept.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::link::Link;
use super::trouble::{Step, Trouble, Why};
use crate::catalogue::errnos::ECONNRESET;
use crate::exit::Exit;
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::patience::{Event, Patience, Stop, Waited};
use crate::kernel::standard_input::StandardInput;
use crate::output::{Outcome, Screen};

/// Bytes of a buffer. Where both threads share a processor, each of half the size is a tenth slower, and
/// larger ones are no faster.
const BUFFER: usize = 512 * 1024;
/// What a datagram holds at most.
const DATAGRAM: usize = 65_507;

/// What both directions know.
struct Pipe<'a> {
    link: &'a Link,
    /// How long the last datagrams may take.
    timeout: Duration,
    /// Whether all of standard input was sent.
    has_sent_all: AtomicBool,
    stop: Stop,
}

/// Streams `input` through `link`.
pub fn run(
    link: &Link,
    input: &mut StandardInput,
    timeout: Duration,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let pipe = Pipe { link, timeout, has_sent_all: AtomicBool::new(false), stop: Stop::new()? };
    let (has_sent_all, drained, fed) = thread::scope(|scope| {
        let sending = thread::Builder::new().spawn_scoped(scope, || {
            let fed = pipe.feed(input);
            if matches!(fed, Err(Unfed::Input(_))) {
                // The server is to end too.
                link.cut();
            }
            fed
        })?;
        let drained = pipe.drain(screen);
        // Nothing that could still be sent would come back: the other thread is not waited for.
        pipe.stop.stop();
        let has_sent_all = pipe.has_sent_all.load(Ordering::Acquire);
        if !has_sent_all || !matches!(drained, Ok(None)) {
            link.cut();
        }
        let fed = sending.join().unwrap_or(Ok(()));
        io::Result::Ok((has_sent_all, drained?, fed))
    })?;
    let trouble = match (fed, drained) {
        (Err(Unfed::Input(error)), _) => {
            let problem = format!("cannot read standard input: {error}");
            return Ok(Outcome { exit: Exit::Blind, messages: vec![problem] });
        }
        (_, Some(trouble)) => Some(trouble),
        // A reset is told to one of both alone; the other then reads what looks like an end. By `cut`
        // comes EPIPE.
        (Err(Unfed::Trouble(trouble)), None)
            if has_sent_all || trouble.failure.code() == Some(ECONNRESET) =>
        {
            Some(trouble)
        }
        (Ok(()), None) if has_sent_all => None,
        (Ok(()) | Err(Unfed::Trouble(_)), None) => Some(link.trouble(Step::Receive, Why::Closed)),
    };
    Ok(match trouble {
        None => Outcome { exit: Exit::Fine, messages: Vec::new() },
        Some(trouble) => Outcome { exit: Exit::Found, messages: vec![trouble.message()] },
    })
}

/// Why not all of standard input was sent.
enum Unfed {
    /// It could not be read.
    Input(io::Error),
    /// It could not be sent.
    Trouble(Trouble),
}

impl From<Trouble> for Unfed {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Pipe<'_> {
    /// Sends all of `input`, and then says that it was all.
    fn feed(&self, input: &mut StandardInput) -> Result<(), Unfed> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(if keeps_messages { DATAGRAM } else { BUFFER });
        let patience = Patience::ENDLESS.or(Some(self.stop.descriptor()));
        loop {
            if patience.wait(input.as_fd(), Event::Readable) == Ok(Waited::Interrupted) {
                return Ok(());
            }
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(came) => {
                    self.link.send(buffer.get(..came).unwrap_or_default(), &patience)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Unfed::Input(error)),
            }
        }
        // Before the server can know it.
        self.has_sent_all.store(true, Ordering::Release);
        if keeps_messages {
            return Ok(());
        }
        self.link
            .end_sending()
            .map_err(|error| self.link.trouble(Step::Send, Why::of(&error)).into())
    }

    /// Writes all that comes; what ended it before the peer did.
    fn drain(&self, screen: &mut Screen<'_>) -> io::Result<Option<Trouble>> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(BUFFER);
        loop {
            // Nobody says that a datagram was the last one: after it, there is the whole of the timeout.
            let had_sent_all = self.has_sent_all.load(Ordering::Acquire);
            let patience =
                if keeps_messages { Patience::of(self.timeout) } else { Patience::ENDLESS };
            match self.link.receive(&mut buffer, &patience) {
                Ok(0) if self.link.peer.carrier.is_connected() => return Ok(None),
                Ok(came) => {
                    screen.out.write_all(buffer.get(..came).unwrap_or_default())?;
                    screen.out.flush()?;
                }
                Err(trouble) if trouble.failure.why == Why::Late => {
                    if had_sent_all {
                        return Ok(None);
                    }
                }
                Err(trouble) => return Ok(Some(trouble)),
            }
        }
    }
}
