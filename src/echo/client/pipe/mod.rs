//! Standard input to the server, and what it sends back to standard output, both at once.
//!
//! Two threads, one for each direction, so that neither waits for the other: a server that does not
//! read until it has been read from, or a reader that is slow, holds up what it has to and nothing
//! else. Each has one buffer, and nothing else is kept, also where what comes back is compared.

mod pace;
mod verdict;

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use pace::{PIECE, Pace};

use super::args::Args;
use super::comparison::Comparison;
use super::expected::Expected;
use super::link::Link;
use super::trouble::{Step, Trouble, Why};
use crate::echo::address::Carrier;
use crate::echo::transform::Transform;
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::clock::Stopwatch;
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
    /// What the server does to what it sends back.
    transform: Transform,
    /// How long nothing may come once all is sent, or while nothing can be: the last datagrams, and of a
    /// stream if it was given; `None` without an end, as a server may be slow.
    timeout: Option<Duration>,
    /// How long standard input may give nothing once the server has said that it sends nothing more.
    lull: Duration,
    /// Of a Unix stream.
    pace: Option<Pace>,
    /// Bytes that went, and that came.
    sent: AtomicU64,
    came: AtomicU64,
    /// Whether as many are to come as went.
    wants_all_back: bool,
    /// Of what is sent and what comes back; `None` if it is not judged.
    comparison: Option<Mutex<Comparison>>,
    /// Runs since all of standard input was sent.
    all_sent: OnceLock<Stopwatch>,
    /// Whether standard input has nothing now.
    waits_for_input: AtomicBool,
    /// Whether standard output takes nothing now: what the server has to wait for is not its fault.
    is_held_up: AtomicBool,
    stop: Stop,
}

/// Streams `input` through `link`, and judges what comes back if `args` want that.
pub fn run(
    args: &Args,
    link: &Link,
    input: &mut StandardInput,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let carrier = link.peer.carrier;
    let datagrams = carrier.keeps_messages();
    let pipe = Pipe {
        link,
        transform: args.transform,
        timeout: args.given_timeout().or(datagrams.then(|| args.timeout(carrier))),
        lull: args.timeout(carrier),
        pace: (carrier == Carrier::UnixStream).then(Pace::default),
        sent: AtomicU64::new(0),
        came: AtomicU64::new(0),
        wants_all_back: args.wants_all_back(),
        comparison: args.verifies().then(Mutex::default),
        all_sent: OnceLock::new(),
        waits_for_input: AtomicBool::new(false),
        is_held_up: AtomicBool::new(false),
        stop: Stop::new()?,
    };
    let streamed = pipe.stream(input, screen)?;
    Ok(pipe.outcome(streamed))
}

/// How both directions ended.
struct Streamed {
    /// Whether all was sent.
    has_sent_all: bool,
    /// Whether it was not for want of more.
    has_lulled: bool,
    fed: Result<(), Unfed>,
    drained: Option<Trouble>,
}

/// Why not all of standard input was sent.
enum Unfed {
    /// It could not be read.
    Input(io::Error),
    /// It could not be sent.
    Trouble(Trouble),
}

impl Unfed {
    /// Whether the connection is none the worse for it, so that the server does not know that it is over.
    fn is_the_end(&self) -> bool {
        match self {
            Self::Input(_) => true,
            Self::Trouble(trouble) => trouble.failure.why == Why::Late,
        }
    }
}

impl From<Trouble> for Unfed {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Pipe<'_> {
    /// Both directions, to the end of both.
    fn stream(&self, input: &mut StandardInput, screen: &mut Screen<'_>) -> io::Result<Streamed> {
        let done_feeding = Stop::new()?;
        thread::scope(|scope| {
            let sending = thread::Builder::new().spawn_scoped(scope, || {
                let fed = self.feed(input);
                if fed.as_ref().is_err_and(Unfed::is_the_end) {
                    self.link.cut();
                }
                done_feeding.stop();
                fed
            })?;
            let drained = self.drain(screen);
            let has_ended = matches!(drained, Ok(None));
            let has_lulled = has_ended && self.outlasts(&done_feeding);
            self.stop.stop();
            let has_sent_all = self.all_sent.get().is_some();
            if !has_sent_all || !has_ended {
                self.link.cut();
            }
            let fed = sending.join().unwrap_or(Ok(()));
            Ok(Streamed { has_sent_all, has_lulled, fed, drained: drained? })
        })
    }

    /// Lets the rest be sent to a server that has said that it sends nothing more (FIN): it may still
    /// read. Of one that is gone, only an answer to what is sent tells that, so that it is waited for no
    /// longer than standard input takes a rest. Whether it was that.
    fn outlasts(&self, done_feeding: &Stop) -> bool {
        loop {
            let sent = self.sent.load(Ordering::Relaxed);
            let patience = Patience::of(self.lull).or(Some(done_feeding.descriptor()));
            if self.link.wait_for_end(&patience) != Waited::Late {
                return false;
            }
            let is_still = self.sent.load(Ordering::Relaxed) == sent;
            if is_still && self.waits_for_input.load(Ordering::Relaxed) {
                return true;
            }
        }
    }

    /// Sends all of `input`, and then says that it was all.
    fn feed(&self, input: &mut StandardInput) -> Result<(), Unfed> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(if keeps_messages { DATAGRAM } else { BUFFER });
        let patience = Patience::ENDLESS.or(Some(self.stop.descriptor()));
        let mut expected = Expected::new(self.transform, keeps_messages);
        loop {
            self.waits_for_input.store(true, Ordering::Relaxed);
            if patience.wait(input.as_fd(), Event::Readable) == Ok(Waited::Interrupted) {
                return Ok(());
            }
            self.waits_for_input.store(false, Ordering::Relaxed);
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(came) => {
                    let bytes = buffer.get(..came).unwrap_or_default();
                    // Before it can come back.
                    self.compare(|it| it.expect(&expected.of(bytes)));
                    self.send(bytes, &patience)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Unfed::Input(error)),
            }
        }
        self.compare(|it| it.expect(&expected.rest()));
        // Before the server can know it.
        self.all_sent.get_or_init(Stopwatch::start);
        if keeps_messages {
            return Ok(());
        }
        self.link
            .end_sending()
            .map_err(|error| self.link.trouble(Step::Send, Why::of(&error)).into())
    }

    /// Sends all of `bytes`, and counts them.
    fn send(&self, bytes: &[u8], patience: &Patience<'_>) -> Result<(), Trouble> {
        let piece = if self.pace.is_some() { PIECE } else { bytes.len().max(1) };
        for piece in bytes.chunks(piece) {
            if let Some(pace) = &self.pace {
                let is_held_up = || self.is_held_up.load(Ordering::Relaxed);
                pace.wait(self.sent.load(Ordering::Relaxed), is_held_up);
            }
            self.send_piece(piece, patience)?;
        }
        Ok(())
    }

    /// Sends all of `bytes`. Where a timeout was given for a stream, one in which nothing can be sent and
    /// nothing has come is the end.
    fn send_piece(&self, bytes: &[u8], patience: &Patience<'_>) -> Result<(), Trouble> {
        if self.link.peer.carrier.keeps_messages() {
            self.link.send(bytes, patience)?;
            self.sent.fetch_add(length(bytes), Ordering::Relaxed);
            return Ok(());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let came = self.came.load(Ordering::Relaxed);
            let moves = || {
                let has_come = self.came.load(Ordering::Relaxed) != came;
                has_come || self.is_held_up.load(Ordering::Relaxed)
            };
            let patience = self.timeout.map_or(*patience, |timeout| patience.at_most(timeout));
            match self.link.send_some(rest, &patience) {
                Ok(taken) => {
                    self.sent
                        .fetch_add(length(rest.get(..taken).unwrap_or(rest)), Ordering::Relaxed);
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Err(trouble) if trouble.failure.why == Why::Late && moves() => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Writes all that comes; what ended it before the peer did.
    fn drain(&self, screen: &mut Screen<'_>) -> io::Result<Option<Trouble>> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(BUFFER);
        let mut since_last = Stopwatch::start();
        loop {
            // Nobody says that a datagram was the last one: it is when for so long none was sent or came.
            let quiet = self.all_sent.get().map(|it| it.elapsed().min(since_last.elapsed()));
            let patience = self.timeout.map_or(Patience::ENDLESS, |timeout| {
                Patience::of(timeout.saturating_sub(quiet.unwrap_or_default()))
            });
            match self.link.receive(&mut buffer, &patience) {
                Ok(0) if self.link.peer.carrier.is_connected() => return Ok(None),
                Ok(came) => {
                    since_last = Stopwatch::start();
                    let bytes = buffer.get(..came).unwrap_or_default();
                    self.compare(|it| it.came(bytes));
                    self.came.fetch_add(length(bytes), Ordering::Relaxed);
                    if let Some(pace) = &self.pace {
                        pace.came(length(bytes));
                    }
                    self.is_held_up.store(true, Ordering::Relaxed);
                    let written = screen.out.write_all(bytes).and_then(|()| screen.out.flush());
                    self.is_held_up.store(false, Ordering::Relaxed);
                    written?;
                }
                Err(trouble) if trouble.failure.why == Why::Late => {
                    if quiet.is_some() {
                        return Ok((!keeps_messages).then_some(trouble));
                    }
                }
                Err(trouble) => return Ok(Some(trouble)),
            }
        }
    }

    /// Tells the comparison, if there is one.
    fn compare(&self, tell: impl FnOnce(&mut Comparison)) {
        if let Some(comparison) = &self.comparison {
            tell(&mut comparison.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
