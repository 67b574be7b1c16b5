//! `netkit echo` alone: server and client in one process, on every path that this machine has.

mod directories;
mod paths;
mod report;
mod servers;
mod text;
mod trial;

use std::thread;

use clap::Args as ClapArgs;
use paths::Path;
use report::{Failed, Happened, PathReport, Required, SCHEMA, SelftestReport, Verdict};
use trial::Limits;

use super::client::target::Peer;
use super::load::pattern::Pattern;
use super::transform::Transform;
use crate::exit::Exit;
use crate::kernel::clock::{self, Stopwatch};
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::{KernelError, Place, ProcRoot, interfaces};
use crate::output::numbers::microseconds_of;
use crate::output::{Outcome, Screen, emit};

/// What the self-test is asked for.
#[derive(Clone, Debug, ClapArgs)]
#[group(id = "selftest")]
pub struct Args {
    /// Fail if this is not there; without, IPv6 that is switched off is a note
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    require: Vec<Required>,
}

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    // Before any thread is made. Who interrupts it leaves no directory behind, and gets no verdict.
    let signals = EndingSignals::hold()?;
    let report = place.inside(|proc_root| look(args, proc_root, &signals))??;
    if let Some(signal) = signals.take() {
        return Ok(Outcome { exit: Exit::Signal(number(signal)), messages: Vec::new() });
    }
    emit(&report, screen.format, screen.style, screen.out)?;
    // What cannot be written is no verdict.
    screen.out.flush()?;
    let exit = if report.ok { Exit::Fine } else { Exit::Found };
    Ok(Outcome { exit, messages: Vec::new() })
}

fn look(
    args: &Args,
    proc_root: &ProcRoot,
    signals: &EndingSignals,
) -> anyhow::Result<SelftestReport> {
    let captured_at = clock::now().to_string();
    let stopwatch = Stopwatch::start();
    let paths = paths::all();
    let longest = paths.iter().map(Path::piece).max().unwrap_or(trial::SMALL);
    let pattern = Pattern::new(trial::SMALL, longest, Transform::None);
    let mut servers = servers::Servers::new(&paths, proc_root);
    servers.start().map_err(|source| KernelError::Program {
        operation: "start the servers of the self-test".to_owned(),
        source,
    })?;
    let is_lo_down = matches!(interfaces::is_up("lo"), Some((false, _)));
    let each: Vec<_> = paths.iter().zip(servers.peers()).collect();
    let happened = try_all(&each, &pattern, is_lo_down, signals);
    let mut warnings = servers.notes();
    servers.stop();
    let judge = |(path, happened): (&Path, &Happened)| {
        PathReport::new(path, happened, &args.require).with_lo_down(is_lo_down && path.is_on_lo())
    };
    let reports: Vec<_> = paths.iter().zip(&happened).map(judge).collect();
    if is_lo_down {
        let down = "lo is down in this network namespace: `ip link set lo up`";
        warnings.push(down.to_owned());
    }
    Ok(SelftestReport {
        schema: SCHEMA,
        captured_at,
        warnings,
        elapsed_us: microseconds_of(stopwatch.elapsed()),
        ok: reports.iter().all(|it| it.verdict != Verdict::Failed),
        paths: reports,
    })
}

/// Tries each path, and those that were late once more.
///
/// One after the other, so that no trial is in another's time; with little patience, so that many on
/// which nothing comes do not add up. Little may be too little on a busy machine: those get a second
/// trial with more of it, all at once, since nobody measures them.
fn try_all(
    paths: &[(&Path, &Result<Peer, Failed>)],
    pattern: &Pattern,
    is_lo_down: bool,
    signals: &EndingSignals,
) -> Vec<Happened> {
    let try_one = |(path, peer): (&Path, &Result<Peer, Failed>), limits: &Limits<'_>| match peer {
        Ok(peer) => trial::try_path(peer, pattern, path.piece(), limits),
        Err(failed) => Happened::Failed(failed.clone()),
    };
    let first = Limits::first(is_lo_down, signals);
    let each = paths.iter().take_while(|_| !signals.has_arrived());
    let mut happened: Vec<_> = each.map(|path| try_one(*path, &first)).collect();
    if is_lo_down {
        return happened;
    }
    let second = Limits::second(signals);
    thread::scope(|scope| {
        let late = happened.iter_mut().zip(paths).filter(|(happened, _)| happened.is_late());
        for (happened, path) in late {
            let (second, try_one) = (&second, &try_one);
            scope.spawn(move || *happened = try_one(*path, second));
        }
    });
    happened
}
