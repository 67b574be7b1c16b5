//! Attending to a running server: signals, its time, its end.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::time::{interval, sleep};

use super::announce::Announcement;
use super::log::Log;
use super::report::{ServerReport, Stopped};
use super::running::Running;
use super::status::Status;
use crate::echo::reactor;
use crate::kernel::asking_signal::AskingSignal;
use crate::kernel::clock::Stopwatch;
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::ready;
use crate::output::numbers::{count, duration};
use crate::output::{Format, Style, emit};

/// How often the status is shown.
const TICK: Duration = Duration::from_millis(250);
/// Stands for no end: longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(86_400 * 365);

/// How a server came to its end.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Why it stopped.
    pub stopped: Stopped,
    /// The exit code of a second signal, which did not let connections end.
    pub hurried: Option<u8>,
    /// The warnings of its start, once more for its statistics.
    pub warnings: Vec<String>,
}

/// The signals that a server listens to.
pub struct Signals<'a> {
    stops: Stops<'a>,
    asks: Asks<'a>,
}

impl<'a> Signals<'a> {
    /// Those that stop it, and the one that asks it; all are held back, so that none ends the process.
    pub fn new(stopping: &'a EndingSignals, asking: &'a AskingSignal) -> io::Result<Self> {
        let arrived = reactor::register_for_reading(stopping.descriptor())?;
        let stops = Stops { held: stopping, arrived };
        let arrived = reactor::register_for_reading(asking.descriptor())?;
        Ok(Self { stops, asks: Asks { held: asking, arrived } })
    }
}

/// SIGUSR1, which asks for the statistics.
struct Asks<'a> {
    held: &'a AskingSignal,
    arrived: AsyncFd<BorrowedFd<'a>>,
}

impl Asks<'_> {
    /// Waits for the next one.
    async fn next(&self) -> io::Result<()> {
        taken(&self.arrived, || self.held.take().then_some(())).await
    }
}

/// SIGINT, SIGTERM and SIGHUP, of which the first stops a server and the second ends it at once.
struct Stops<'a> {
    held: &'a EndingSignals,
    arrived: AsyncFd<BorrowedFd<'a>>,
}

impl Stops<'_> {
    /// Waits for the next one: the exit code of a program that it has ended.
    async fn next(&self) -> io::Result<u8> {
        taken(&self.arrived, || self.held.take()).await.map(|signal| 128 + number(signal))
    }
}

/// Waits until `take` gives something of what has `arrived`.
async fn taken<T>(
    arrived: &AsyncFd<BorrowedFd<'_>>,
    take: impl Fn() -> Option<T>,
) -> io::Result<T> {
    loop {
        let mut guard = arrived.readable().await?;
        if let Some(it) = take() {
            return Ok(it);
        }
        guard.clear_ready();
    }
}

/// Whoever attends to a server while it serves, with all that is said about it.
pub struct Attendant<'a> {
    pub(super) announcement: &'a Announcement,
    pub(super) addresses: &'a [String],
    pub(super) warnings: &'a [String],
    pub(super) stopwatch: Stopwatch,
    pub(super) format: Format,
    pub(super) style: Style,
    pub(super) log: Log,
    /// Whether somebody is there to be told that the end takes a while.
    pub(super) is_terminal: bool,
    /// Whether there is a terminal for it, and it is wanted.
    pub(super) has_live_line: bool,
}

impl Attendant<'_> {
    /// Says that the server is there, attends to it, and lets it end.
    pub async fn attend(&self, running: &mut Running, signals: &Signals<'_>) -> io::Result<Ending> {
        let greeting = self.announcement.text(self.addresses, self.format);
        greeting.map(|text| self.log.add(text));
        // Now, and not when it has served.
        let mut warnings = self.warnings.to_vec();
        warnings.extend(self.announcement.tell_others(self.addresses));
        for warning in &warnings {
            self.log.warn(warning);
        }
        let stopped = self.until_stopped(running, signals, &warnings).await?;
        tracing::info!(why = ?stopped, "takes nothing more");
        // A manager that does not hear it sees the process end.
        drop(ready::notify("STOPPING=1"));
        running.stop_taking().await;
        self.tell_of_drain(running);
        let hurried = tokio::select! {
            biased;
            code = signals.stops.next() => Some(code?),
            () = running.all_end() => None,
            () = sleep(running.shared.options.drain) => None,
        };
        Ok(Ending { stopped, hurried, warnings })
    }

    async fn until_stopped(
        &self,
        running: &mut Running,
        signals: &Signals<'_>,
        warnings: &[String],
    ) -> io::Result<Stopped> {
        let shared = Arc::clone(&running.shared);
        let report = || ServerReport {
            warnings: warnings.to_vec(),
            ..ServerReport::of(&shared, self.addresses, self.stopwatch.elapsed())
        };
        let lifetime = sleep(shared.options.lifetime.unwrap_or(FOR_EVER));
        tokio::pin!(lifetime);
        let mut status = self.has_live_line.then(Status::default);
        let mut ticks = interval(TICK);
        loop {
            tokio::select! {
                stop = signals.stops.next() => return stop.map(|_| Stopped::Signal),
                ask = signals.asks.next() => ask.map(|()| self.tell(&report()))?,
                () = &mut lifetime => return Ok(Stopped::Lifetime),
                () = shared.one_is_done.notified() => return Ok(Stopped::OneOff),
                // Others are refused, and not left in a queue that nobody takes them from.
                () = shared.one_is_taken.notified() => running.stop_taking().await,
                _ = ticks.tick(), if status.is_some() => {
                    if let Some(status) = &mut status {
                        self.log.show(status.words(&report()));
                    }
                }
            }
        }
    }

    /// Says what is waited for, to whoever looks on.
    fn tell_of_drain(&self, running: &Running) {
        let open = running.shared.limits.open();
        let drain = running.shared.options.drain;
        if self.is_terminal && open > 0 && !drain.is_zero() {
            let open = count(u64::try_from(open).unwrap_or(u64::MAX), "open connection");
            let most = duration(drain.as_secs_f64());
            self.log.note(format!(
                "waiting up to {most} for {open} to end; a second signal ends it at once"
            ));
        }
    }

    /// Writes the statistics of now among the lines of the log.
    fn tell(&self, report: &ServerReport) {
        let mut text = Vec::new();
        // In JSON each is a line, since more will follow.
        let format = if self.format == Format::Json { Format::Ndjson } else { self.format };
        if emit(report, format, self.style, &mut text).is_ok() {
            self.log.add(String::from_utf8_lossy(&text).into_owned());
        }
    }
}
