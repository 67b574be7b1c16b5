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
    let report = place.inside(|proc_root| look(args, proc_root))??;
    emit(&report, screen.format, screen.style, screen.out)?;
    let exit = if report.ok { Exit::Fine } else { Exit::Found };
    Ok(Outcome { exit, messages: Vec::new() })
}

fn look(args: &Args, proc_root: &ProcRoot) -> anyhow::Result<SelftestReport> {
    let captured_at = clock::now().to_string();
    let stopwatch = Stopwatch::start();
    let paths = paths::all();
    let longest = paths.iter().map(paths::Path::piece).max().unwrap_or(trial::SMALL);
    let pattern = Pattern::new(trial::SMALL, longest, Transform::None);
    let mut servers = servers::Servers::new(&paths, proc_root);
    servers.start()?;
    let judge = |(path, peer): (&paths::Path, &Result<_, report::Failed>)| {
        let happened = match peer {
            Ok(peer) => trial::try_path(peer, &pattern, path.piece()),
            Err(failed) => Happened::Failed(failed.clone()),
        };
        PathReport::new(path, &happened, &args.require)
    };
    let reports: Vec<_> = paths.iter().zip(servers.peers()).map(judge).collect();
    servers.stop();
    let mut warnings = Vec::new();
    if let Some((false, _)) = interfaces::is_up("lo") {
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
