//! Standard input to the server, and what it sends back to standard output, both at once.
//!
//! Two threads, one for each direction, so that neither waits for the other: a server that does not
//! read until it has been read from, or a reader that is slow, holds up what it has to and nothing
//! else. Each has one buffer, and nothing else is kept, also where what comes back is compared.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::args::Args;
use super::comparison::{Compared, Comparison};
use super::expected::Expected;
use super::link::Link;
use super::replies::CHANGES;
use super::trouble::{Step, Trouble, Why};
use crate::catalogue::errnos::ECONNRESET;
use crate::echo::transform::Transform;
use crate::exit::Exit;
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::clock::Stopwatch;
use crate::kernel::patience::{Event, Patience, Stop, Waited};
use crate::kernel::standard_input::StandardInput;
use crate::output::numbers::{count, thousands};
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
    /// How long the last datagrams may take.
    timeout: Duration,
    /// Of what is sent and what comes back; `None` if it is not judged.
    comparison: Option<Mutex<Comparison>>,
    /// Runs since all of standard input was sent.
    all_sent: OnceLock<Stopwatch>,
    stop: Stop,
}

/// Streams `input` through `link`, and judges what comes back if `args` want that.
pub fn run(
    args: &Args,
    link: &Link,
    input: &mut StandardInput,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let pipe = Pipe {
        link,
        transform: args.transform,
        timeout: args.timeout(link.peer.carrier),
        comparison: args.verifies().then(Mutex::default),
        all_sent: OnceLock::new(),
        stop: Stop::new()?,
    };
    let Streamed { has_sent_all, fed, drained } = pipe.stream(input, screen)?;
    let trouble = match (fed, drained) {
        (Err(Unfed::Input(error)), _) => {
            let problem = format!("cannot read standard input: {error}");
            return Ok(Outcome { exit: Exit::Blind, messages: vec![problem] });
        }
        (_, Some(trouble)) => Some(trouble),
        (Ok(()), None) if has_sent_all => None,
        (Ok(()), None) => Some(link.trouble(Step::Receive, Why::Closed)),
        // A reset is told to one direction alone, and looks like an end to the other. EPIPE comes of
        // `cut` as well.
        (Err(Unfed::Trouble(trouble)), None) => {
            let is_told = has_sent_all || trouble.failure.code() == Some(ECONNRESET);
            Some(if is_told { trouble } else { link.trouble(Step::Receive, Why::Closed) })
        }
    };
    let problem = trouble.map(|it| it.message()).or_else(|| pipe.problem());
    let exit = if problem.is_some() { Exit::Found } else { Exit::Fine };
    Ok(Outcome { exit, messages: problem.into_iter().collect() })
}

/// How both directions ended.
struct Streamed {
    /// Whether all was sent when the way back ended.
    has_sent_all: bool,
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

impl From<Trouble> for Unfed {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Pipe<'_> {
    /// Both directions, to the end of both.
    fn stream(&self, input: &mut StandardInput, screen: &mut Screen<'_>) -> io::Result<Streamed> {
        thread::scope(|scope| {
            let sending = thread::Builder::new().spawn_scoped(scope, || {
                let fed = self.feed(input);
                if matches!(fed, Err(Unfed::Input(_))) {
                    // The server is to end too.
                    self.link.cut();
                }
                fed
            })?;
            let drained = self.drain(screen);
            // Nothing that could still be sent would come back: the other thread is not waited for.
            self.stop.stop();
            let has_sent_all = self.all_sent.get().is_some();
            if !has_sent_all || !matches!(drained, Ok(None)) {
                self.link.cut();
            }
            let fed = sending.join().unwrap_or(Ok(()));
            Ok(Streamed { has_sent_all, fed, drained: drained? })
        })
    }

    /// Sends all of `input`, and then says that it was all.
    fn feed(&self, input: &mut StandardInput) -> Result<(), Unfed> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(if keeps_messages { DATAGRAM } else { BUFFER });
        let patience = Patience::ENDLESS.or(Some(self.stop.descriptor()));
        let mut expected = Expected::new(self.transform, keeps_messages);
        loop {
            if patience.wait(input.as_fd(), Event::Readable) == Ok(Waited::Interrupted) {
                return Ok(());
            }
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(came) => {
                    let bytes = buffer.get(..came).unwrap_or_default();
                    // Before it can come back.
                    self.compare(|it| it.expect(&expected.of(bytes)));
                    self.link.send(bytes, &patience)?;
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

    /// Writes all that comes; what ended it before the peer did.
    fn drain(&self, screen: &mut Screen<'_>) -> io::Result<Option<Trouble>> {
        let keeps_messages = self.link.peer.carrier.keeps_messages();
        let mut buffer = AlignedBuffer::new(BUFFER);
        let mut since_last = Stopwatch::start();
        loop {
            // Nobody says that a datagram was the last one: it is when for so long none was sent or came.
            let quiet = self.all_sent.get().map(|it| it.elapsed().min(since_last.elapsed()));
            let patience = if keeps_messages {
                Patience::of(self.timeout.saturating_sub(quiet.unwrap_or_default()))
            } else {
                Patience::ENDLESS
            };
            match self.link.receive(&mut buffer, &patience) {
                Ok(0) if self.link.peer.carrier.is_connected() => return Ok(None),
                Ok(came) => {
                    since_last = Stopwatch::start();
                    let bytes = buffer.get(..came).unwrap_or_default();
                    self.compare(|it| it.came(bytes));
                    screen.out.write_all(bytes)?;
                    screen.out.flush()?;
                }
                Err(trouble) if trouble.failure.why == Why::Late => {
                    if quiet.is_some() {
                        return Ok(None);
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

    /// What is wrong with what came back, if it was judged.
    fn problem(&self) -> Option<String> {
        let comparison = self.comparison.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted from 1, as cmp(1) does.
        let place = |at: u64| thousands(at.saturating_add(1));
        let (from, to) = match comparison.end() {
            Compared::Same => return None,
            Compared::Length { expected, came } => {
                let expected = count(expected, "byte");
                return Some(format!("{} of {expected} came back", thousands(came)));
            }
            Compared::Differs { from, to } => (from, to),
        };
        let first = if from == to {
            format!("is byte {}", place(from))
        } else {
            format!("is between byte {} and byte {}", place(from), place(to))
        };
        let hint = match self.transform {
            Transform::None => format!("\nhint: {CHANGES}"),
            Transform::Upper | Transform::Lower | Transform::Reverse | Transform::Rot13 => {
                String::new()
            }
        };
        Some(format!("what came back is not as expected: the first that differs {first}{hint}"))
    }
}
