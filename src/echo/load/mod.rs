//! Load: many connections, many messages, how long they took, and whether every byte came back.
//!
//! - [`plan`]: what it is to be. [`schedule`], [`pattern`], [`sequence`], [`jitter`], [`latency`],
//!   [`tally`] and [`thresholds`] open nothing.
//! - `stream` and `datagrams` drive it, on one thread with epoll(7).
//! - [`report`] and `text`: what came of it.

mod connection;
mod datagrams;
mod flow;
pub mod jitter;
pub mod latency;
mod parting;
pub mod pattern;
pub mod plan;
pub mod report;
mod run;
pub mod schedule;
pub mod sequence;
mod stream;
pub mod tally;
mod text;
pub mod thresholds;
mod watch;

use std::io;

use plan::{Close, Plan};
use report::{Circumstances, LoadReport, TimeWaits};
use run::Run;
use watch::{Total, Watch};

use super::address::Carrier;
use super::client::target::{End, Peer};
use crate::exit::Exit;
use crate::kernel::counters::{SockStat, TcpCounters};
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::standard_input::output_is_terminal;
use crate::kernel::{ProcRoot, clock, descriptors};
use crate::output::{Aside, Format, Outcome, Screen, emit};

/// Loads `peer`, which was written as `target`, and shows what came of it; where `aside` is a
/// terminal, tells it how far that is.
pub fn run(
    plan: &Plan,
    (target, peer): (&str, &Peer),
    (proc_root, signals): (&ProcRoot, &EndingSignals),
    (screen, aside): (&mut Screen<'_>, &mut Aside<'_>),
) -> anyhow::Result<Outcome> {
    let captured_at = clock::now();
    // No other has them: what is counted meanwhile would be of others.
    let has_time_waits = peer.carrier == Carrier::Tcp;
    let entered = || has_time_waits.then(|| entered_time_wait(proc_root)).flatten();
    let before = entered();
    tracing::info!(
        %peer,
        options = peer.options(&plan.socket),
        connections = plan.connections,
        "loading"
    );
    clock::wake_exactly();
    // Fewer than all may be enough.
    descriptors::raise_limit();
    let mut run = Run::new(plan, watch(plan, screen, aside), signals)?;
    drive(peer, &mut run)?;
    let (measured_ns, interrupted) = (run.measured_ns(), run.is_interrupted);
    let tally = run.end()?;
    if let (Carrier::Tcp, Close::Fin, End::Internet(address)) =
        (peer.carrier, plan.close, &peer.end)
    {
        parting::settle(*address);
    }
    let after = entered();
    let made = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    let there = has_time_waits.then(|| SockStat::read(proc_root).ok()).flatten();
    let now = there.and_then(|it| it.time_wait);
    let about = Circumstances {
        target: target.to_owned(),
        peer: peer.clone(),
        captured_at: captured_at.to_string(),
        measured_ns,
        interrupted,
        time_wait: TimeWaits { made, now },
        warnings: Vec::new(),
    };
    let report = LoadReport::new(plan, &tally, about);
    emit(&report, screen.format, screen.style, screen.out)?;
    // Before the process ends of SIGINT.
    screen.out.flush()?;
    Ok(outcome(&report, screen.format))
}

/// What is told while it runs.
fn watch<'a>(plan: &Plan, screen: &'a mut Screen<'_>, aside: &'a mut Aside<'_>) -> Watch<'a> {
    // What -v tells would be written into the line.
    let has_line = aside.is_terminal && !tracing::enabled!(tracing::Level::INFO);
    let total = Total { count: plan.count, duration: plan.duration };
    match screen.format {
        Format::Table | Format::Markdown if has_line => Watch::line(aside, total),
        // Where data and line go to one terminal, it may be a program's, which wants the data alone.
        Format::Json | Format::Csv if has_line && !output_is_terminal() => {
            Watch::line(aside, total)
        }
        Format::Ndjson => Watch::rows(screen.out, plan.interval),
        Format::Table | Format::Markdown | Format::Json | Format::Csv => Watch::nothing(),
    }
}

fn drive(peer: &Peer, run: &mut Run<'_>) -> io::Result<()> {
    if peer.carrier.keeps_messages() {
        datagrams::Datagrams::drive(peer, run, clock::distinct())
    } else {
        stream::Streams::drive(peer, run)
    }
}

/// Sockets of this network namespace that have entered TIME_WAIT since it was made.
fn entered_time_wait(proc_root: &ProcRoot) -> Option<u64> {
    let counters = TcpCounters::read(proc_root).ok()?;
    Some(counters.tw?.saturating_add(counters.tw_killed.unwrap_or(0)))
}

/// The text has the limits that were missed in its head; what a program reads has them said beside it.
fn outcome(report: &LoadReport, format: Format) -> Outcome {
    let messages = match format {
        Format::Table | Format::Markdown => Vec::new(),
        Format::Json | Format::Ndjson | Format::Csv => {
            let missed = report.thresholds.iter().filter(|it| !it.is_met);
            missed.map(|it| format!("missed --{}", text::demand(it))).collect()
        }
    };
    let exit = if report.is_fine() { Exit::Fine } else { Exit::Found };
    Outcome { exit, messages }
}
