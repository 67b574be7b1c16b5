//! The run of `netkit echo server`, from its first word to its last.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use super::announce::{self, Announcement};
use super::attend::{Attendant, Ending, Signals};
use super::hands::Hands;
use super::listener::Server;
use super::log::Log;
use super::report::ServerReport;
use super::shared::Shared;
use crate::exit::Exit;
use crate::kernel::clock::Stopwatch;
use crate::kernel::program;
use crate::output::{Format, Outcome, Screen, emit};

/// Serves until it is told to stop, and says what it has done.
pub fn run(
    server: Server,
    announcement: &Announcement,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let stopwatch = Stopwatch::start();
    // Fewer than all is no reason not to serve.
    drop(program::take_all_descriptors());
    let addresses: Vec<String> = server.addresses().map(ToString::to_string).collect();
    let warnings = announce::warnings(&server);
    let (shared, ending) = thread::scope(|scope| {
        let (log, lines) = Log::new();
        let out = &mut *screen.out;
        let writer = scope.spawn(move || write_lines(&lines, out));
        let attendant = Attendant {
            announcement,
            addresses: &addresses,
            warnings: &warnings,
            stopwatch,
            format: screen.format,
            style: screen.style,
            log,
        };
        let outcome = serve(server, &attendant);
        // The last that could write a line.
        drop(attendant);
        let (shared, ending) = outcome?;
        shared.close_log();
        drop(writer.join());
        anyhow::Ok((shared, ending))
    })?;
    let report = ServerReport {
        stopped: Some(ending.stopped),
        warnings: warnings.clone(),
        ..ServerReport::of(&shared, &addresses, stopwatch.elapsed())
    };
    emit(&report, screen.format, screen.style, screen.out)?;
    screen.out.flush()?;
    let is_part = matches!(screen.format, Format::Json | Format::Ndjson);
    let said = warnings.iter().filter(|_| !is_part && announcement.is_terse());
    Ok(Outcome {
        exit: ending.hurried.map_or(Exit::Fine, Exit::Program),
        messages: said.map(|warning| format!("warning: {warning}")).collect(),
    })
}

/// Serves to the end, at which connections that are still open are cut.
fn serve(server: Server, attendant: &Attendant<'_>) -> anyhow::Result<(Arc<Shared>, Ending)> {
    let hands = Hands::new(server.options.threads)?;
    hands.block_on(async {
        let mut signals = Signals::new()?;
        let log = attendant.log.clone();
        let mut running = server.start_with(&hands.handles(), Some(log))?;
        let ending = attendant.attend(&mut running, &mut signals).await?;
        anyhow::Ok((Arc::clone(&running.shared), ending))
    })
}

/// Writes lines as they come, for as long as there may be more. Where nobody reads them any more, the
/// server goes on without a log.
fn write_lines(lines: &Receiver<String>, out: &mut (dyn Write + Send)) {
    let mut is_read = true;
    while let Ok(first) = lines.recv() {
        let waiting = std::iter::once(first).chain(lines.try_iter());
        for line in waiting {
            is_read = is_read && out.write_all(line.as_bytes()).is_ok();
        }
        is_read = is_read && out.flush().is_ok();
    }
}
