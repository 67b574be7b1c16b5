//! One look at the socket tables: what was asked for is counted or written as it comes, and the
//! verdict's counts are taken from the same rows.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;

use super::args::Args;
use super::census::Census;
use super::filter::Filter;
use super::grouping::{Grouping, Tally};
use crate::kernel::counters::{SockStat, TcpCounters};
use crate::kernel::owners::Owners;
use crate::kernel::sockets::{Reading, Source, Wanted, scan};
use crate::kernel::tcp_settings::TcpSettings;
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{Protocol, Socket, StateClass, StateSet, TcpState};
use crate::output::RowWriter;

/// CLOSE_WAITs from which on their owners are looked for: a few are connections of this moment, and
/// looking at every process's descriptors costs more than all else here.
const CLOSE_WAIT_PILE: usize = 10;

/// Sockets up to which bound ones are always looked at. Their walk takes as long as the first one
/// did (2 ms for 10,000 sockets); above, it is made where it could change the verdict.
const SMALL: u64 = 5000;

/// What was seen.
#[derive(Debug)]
pub struct Survey {
    /// How the tables were read.
    pub reading: Reading,
    /// The sockets that were asked for, by state.
    pub tally: Tally,
    /// The same by the keys of `--by`.
    pub grouping: Option<Grouping>,
    /// The counts that the verdict needs.
    pub census: Option<Census>,
    /// Who holds the sockets in CLOSE_WAIT, where there are many.
    pub close_wait_owners: Option<Owners>,
    /// The kernel's own totals.
    pub sockstat: SockStat,
}

/// Looks: fails with the kernel's error, or with that of writing. `settings` are given where a verdict is wanted, `rows` where each socket is to be written.
pub fn look(
    args: &Args,
    proc_root: &ProcRoot,
    settings: Option<&TcpSettings>,
    mut rows: Option<&mut RowWriter<'_>>,
) -> anyhow::Result<Survey> {
    let filter = args.filter();
    let wanted = Wanted {
        protocols: args.protocols(),
        states: wanted_states(args, &filter, settings.is_some()),
    };
    let mut tally = Tally::new();
    let mut grouping = (!args.by.is_empty()).then(|| Grouping::by(&args.by));
    let mut census = settings.map(Census::new);
    let mut close_wait = HashSet::new();
    let mut written: io::Result<()> = Ok(());
    let reading = scan(args.source(), proc_root, &wanted, &mut |socket| {
        if let Some(census) = census.as_mut() {
            census.add(socket);
        }
        let class = socket.class();
        if !filter.matches(class, socket) {
            return ControlFlow::Continue(());
        }
        tally.add(class);
        if let Some(grouping) = grouping.as_mut() {
            grouping.add(socket);
        }
        if socket.state == TcpState::CLOSE_WAIT {
            close_wait.extend(socket.inode);
        }
        written = rows.as_mut().map_or(Ok(()), |rows| rows.row(socket));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written?;
    if let Some(census) = census.as_mut() {
        census.settle();
    }
    let has_pile = rows.is_none() && close_wait.len() >= CLOSE_WAIT_PILE;
    Ok(Survey {
        reading: reading?,
        tally,
        grouping,
        census,
        close_wait_owners: has_pile.then(|| Owners::of(&close_wait, proc_root)),
        sockstat: SockStat::read(proc_root).unwrap_or_default(),
    })
}

/// The states to ask the kernel for. A verdict needs every connection, for live ones take ports
/// too; bound sockets cost the kernel a walk of their own, so they come only where they are named.
fn wanted_states(args: &Args, filter: &Filter, for_verdict: bool) -> StateSet {
    let bound = StateSet::only(TcpState::BOUND_INACTIVE);
    let usual = StateSet::ALL.without(bound);
    match (for_verdict, filter.states.is_empty()) {
        (true, _) if args.bound => StateSet::ALL,
        (true, _) => usual.union(filter.states),
        (false, true) => usual,
        (false, false) => filter.states,
    }
}

/// How many sockets of this machine may be bound to a port without having been seen. The kernel
/// counts the TCP sockets of all namespaces; those that are in the tables read are none of them.
pub fn unseen_bound(survey: &Survey, census: &Census, looked: bool) -> u64 {
    if looked {
        return 0;
    }
    let allocated = survey.sockstat.allocated_machine_wide;
    allocated.map_or(0, |allocated| allocated.saturating_sub(census.full_sockets))
}

/// Whether bound sockets can be asked for the way the tables were read.
pub fn can_show_bound(survey: &Survey) -> bool {
    survey.reading.source == Source::SockDiag
}

/// Whether so little was seen that a walk for bound sockets costs no time to speak of.
pub fn is_small(census: &Census) -> bool {
    census.time_wait + census.fin_wait2_mini + census.full_sockets < SMALL
}

/// Adds the sockets that are bound and do not listen to `census`.
pub fn add_bound(
    args: &Args,
    proc_root: &ProcRoot,
    census: &mut Census,
) -> Result<Vec<String>, KernelError> {
    let states = StateSet::only(TcpState::BOUND_INACTIVE);
    let wanted = Wanted { protocols: vec![Protocol::Tcp], states };
    let reading = scan(args.source(), proc_root, &wanted, &mut |socket: &Socket| {
        if socket.class() == StateClass::State(TcpState::BOUND_INACTIVE) {
            census.add(socket);
        }
        ControlFlow::Continue(())
    })?;
    Ok(reading.warnings)
}

/// The counters, unknown where they cannot be read.
pub fn counters(proc_root: &ProcRoot) -> TcpCounters {
    TcpCounters::read(proc_root).unwrap_or_default()
}
