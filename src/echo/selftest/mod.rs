//! `netkit echo` alone: server and client in one process, on every path that this machine has.

mod paths;
mod report;
mod servers;
mod text;
mod trial;

use clap::Args as ClapArgs;
use report::{Happened, PathReport, Required, SCHEMA, SelftestReport, Verdict};

use super::load::pattern::Pattern;
use super::transform::Transform;
use crate::exit::Exit;
use crate::kernel::clock::{self, Stopwatch};
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::{Place, ProcRoot, interfaces};
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
    let longest = paths.iter().map(paths::Path::piece).max().unwrap_or(trial::SMALL);
    let pattern = Pattern::new(trial::SMALL, longest, Transform::None);
    let mut servers = servers::Servers::new(&paths, proc_root);
    servers.start()?;
    let is_lo_down = matches!(interfaces::is_up("lo"), Some((false, _)));
    let limits = trial::Limits::new(is_lo_down, signals);
    let judge = |(path, peer): (&paths::Path, &Result<_, report::Failed>)| {
        let happened = match peer {
            Ok(peer) => trial::try_path(peer, &pattern, path.piece(), &limits),
            Err(failed) => Happened::Failed(failed.clone()),
        };
        PathReport::new(path, &happened, &args.require).with_lo_down(is_lo_down && path.is_on_lo())
    };
    let each = paths.iter().zip(servers.peers()).take_while(|_| !signals.has_arrived());
    let reports: Vec<_> = each.map(judge).collect();
    servers.stop();
    let mut warnings = Vec::new();
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
