//! `netkit echo` alone: server and client in one process, on every path that this machine has.

mod directories;
mod happened;
mod loopback;
mod paths;
mod reason;
mod report;
mod servers;
mod text;
mod trial;

use std::{io, thread};

use clap::Args as ClapArgs;
use happened::{Failed, Happened};
use loopback::Loopback;
use paths::Path;
use report::{Judge, PathReport, Required, SCHEMA, SelftestReport, Verdict};
use trial::Limits;

use super::client::target::Peer;
use super::load::pattern::Pattern;
use super::transform::Transform;
use crate::exit::Exit;
use crate::kernel::clock::{self, Stopwatch};
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::{KernelError, Place, ProcRoot, descriptors};
use crate::output::numbers::microseconds_of;
use crate::output::{Outcome, Screen, emit};

/// What the self-test is asked for.
#[derive(Clone, Debug, ClapArgs)]
#[group(id = "selftest")]
pub struct Args {
    /// Fail if this is not there; without, IPv6 that is not there is a note
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
    let lo = Loopback::look(proc_root);
    let cannot = |operation: &'static str| {
        move |source| KernelError::Program { operation: operation.to_owned(), source }
    };
    descriptors::raise_limit();
    let paths = paths::all();
    let most = paths.len() * OF_A_PATH + OF_THE_RUNTIME;
    descriptors::spare(most, signals.descriptor()).map_err(cannot(START))?;
    let longest = paths.iter().map(Path::piece).max().unwrap_or(trial::SMALL);
    let pattern = Pattern::new(trial::SMALL, longest, Transform::None);
    let mut servers = servers::Servers::new(&paths, proc_root);
    servers.start().map_err(cannot(START))?;
    let each: Vec<_> = paths.iter().zip(servers.peers()).collect();
    let happened = try_all(&each, &pattern, lo.is_down(), signals);
    let mut warnings = servers.notes();
    servers.stop();
    let happened = happened.map_err(cannot("try the paths of the self-test"))?;
    if let Some(code) = happened.iter().find_map(Happened::lacks_descriptor) {
        let source = io::Error::from_raw_os_error(code);
        return Err(cannot("try the paths of the self-test")(source).into());
    }
    let judge = Judge { required: &args.require, lo: &lo };
    let each = paths.iter().zip(&happened);
    let reports: Vec<_> = each.map(|(path, it)| PathReport::new(path, it, judge)).collect();
    if lo.is_down() {
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

/// What cannot be done where a server or its thread cannot be had.
const START: &str = "start the servers of the self-test";
/// The descriptors that a path takes: those of the server, the client and the connection that is accepted.
/// A server that has none left for a connection would let its client wait, which would look like a path
/// that does not echo.
const OF_A_PATH: usize = 3;
/// Those that the runtime of the servers takes at most.
const OF_THE_RUNTIME: usize = 8;

/// Tries each path, and those that were late once more.
///
/// One after the other, so that no trial is in another's time; with little patience, so that many on
/// which nothing comes do not add up. Little may be too little on a busy machine: those get a second
/// trial with more of it, all at once, since nobody measures them. Fails if there is no thread for it.
fn try_all(
    paths: &[(&Path, &Result<Peer, Failed>)],
    pattern: &Pattern,
    is_lo_down: bool,
    signals: &EndingSignals,
) -> io::Result<Vec<Happened>> {
    let try_one = |(path, peer): (&Path, &Result<Peer, Failed>), limits: &Limits<'_>| match peer {
        Ok(peer) => trial::try_path(peer, pattern, path.piece(), limits),
        Err(failed) => failed.clone().into(),
    };
    let first = Limits::first(is_lo_down, signals);
    let each = paths.iter().take_while(|_| !signals.has_arrived());
    let mut happened: Vec<_> = each.map(|path| try_one(*path, &first)).collect();
    if is_lo_down {
        return Ok(happened);
    }
    let second = Limits::second(signals);
    thread::scope(|scope| {
        let late = happened.iter_mut().zip(paths).filter(|(happened, _)| happened.is_late());
        for (happened, path) in late {
            let (second, try_one) = (&second, &try_one);
            let again = move || *happened = happened.or(try_one(*path, second));
            thread::Builder::new().spawn_scoped(scope, again)?;
        }
        Ok(())
    })
    .map(|()| happened)
}
