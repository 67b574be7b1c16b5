//! The run of `netkit echo server`, from its first word to its last.

use std::io;
use std::sync::Arc;
use std::thread;

use super::announce::{self, Announcement};
use super::attend::{Attendant, Ending, Signals};
use super::caps;
use super::hands::Hands;
use super::listener::Server;
use super::log::Log;
use super::report::ServerReport;
use super::scribe;
use super::shared::Shared;
use crate::exit::Exit;
use crate::kernel::asking_signal::AskingSignal;
use crate::kernel::clock::Stopwatch;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::{KernelError, descriptors};
use crate::output::{Aside, Outcome, Screen, emit};

/// Serves until it is told to stop, and says what it has done.
pub fn run(
    server: Server,
    announcement: &Announcement,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Outcome> {
    // Before any thread is made; and this one first, so that it stays held back when the others are not
    // any more.
    let asking = AskingSignal::hold()?;
    let stopping = EndingSignals::hold_to_stop()?;
    let stopwatch = Stopwatch::start();
    // Fewer than all is no reason not to serve.
    let most = descriptors::raise_limit();
    let addresses: Vec<String> = server.addresses().map(ToString::to_string).collect();
    let few = most.and_then(|most| caps::of_descriptors(&server.options, most));
    let warnings: Vec<String> = announce::warnings(&server).into_iter().chain(few).collect();
    // Two that draw on one terminal would cut each other's lines.
    let is_traced = tracing::enabled!(tracing::Level::INFO);
    let is_terminal = aside.is_terminal;
    let has_live_line = announcement.has_status && is_terminal && !is_traced;
    let (shared, ending) = thread::scope(|scope| {
        let (log, entries) = Log::new();
        let out = &mut *screen.out;
        let writer = scope.spawn(move || scribe::write(&entries, out, aside));
        let attendant = Attendant {
            announcement,
            addresses: &addresses,
            warnings: &warnings,
            stopwatch,
            format: screen.format,
            style: screen.style,
            log,
            is_terminal,
            has_live_line,
        };
        let outcome = serve(server, &attendant, (&stopping, &asking))
            .map_err(|source| KernelError::Program { operation: "serve".to_owned(), source });
        // The last that could write a line.
        drop(attendant);
        // Of what is still to be written nobody knows whether it is read: one more signal is the end.
        drop(stopping);
        let (shared, ending) = outcome?;
        shared.close_log();
        drop(writer.join());
        anyhow::Ok((shared, ending))
    })?;
    let report = ServerReport {
        stopped: Some(ending.stopped),
        warnings: ending.warnings,
        ..ServerReport::of(&shared, &addresses, stopwatch.elapsed())
    };
    if announcement.has_answer(screen.format) {
        emit(&report, screen.format, screen.style, screen.out)?;
        screen.out.flush()?;
    }
    Ok(Outcome { exit: ending.hurried.map_or(Exit::Fine, Exit::Program), messages: Vec::new() })
}

/// Serves to the end, at which connections that are still open are cut.
fn serve(
    server: Server,
    attendant: &Attendant<'_>,
    (stopping, asking): (&EndingSignals, &AskingSignal),
) -> io::Result<(Arc<Shared>, Ending)> {
    let hands = Hands::new(server.options.threads)?;
    hands.block_on(async {
        let signals = Signals::new(stopping, asking)?;
        let log = attendant.log.clone();
        let mut running = server.start_with(&hands.handles(), Some(log))?;
        let ending = attendant.attend(&mut running, &signals).await?;
        Ok((Arc::clone(&running.shared), ending))
    })
}
