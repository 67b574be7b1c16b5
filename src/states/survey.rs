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
    /// What was asked for.
    pub filter: Filter,
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
    /// The kernel's own totals, read before the tables.
    pub sockstat: SockStat,
    /// Whether bound sockets were among the rows.
    pub has_bound: bool,
}

/// Looks. `settings` are given where a verdict is wanted, `rows` where each socket is to be written.
///
/// Fails with the kernel's error, or with that of writing.
pub fn look(
    args: &Args,
    proc_root: &ProcRoot,
    settings: Option<&TcpSettings>,
    mut rows: Option<&mut RowWriter<'_>>,
) -> anyhow::Result<Survey> {
    let filter = args.filter();
    let sockstat = SockStat::read(proc_root).unwrap_or_default();
    let with_bound = args.bound || (is_small(&sockstat) && can_show_bound(args, proc_root));
    let states = match settings {
        Some(_) => states_for_verdict(&filter, with_bound),
        None => states_for_view(&filter),
    };
    let wanted = Wanted::all(args.protocols(), states);
    let mut tally = Tally::new();
    let mut grouping = (!args.by.is_empty()).then(|| Grouping::by(&args.by));
    let mut census = settings.map(Census::new);
    let mut close_wait = HashSet::new();
    let names_owners = rows.is_none() && args.by.is_empty() && settings.is_none();
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
        if names_owners && socket.state == TcpState::CLOSE_WAIT {
            close_wait.extend(socket.inode);
        }
        written = rows.as_mut().map_or(Ok(()), |rows| rows.row(socket));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written?;
    if let Some(census) = census.as_mut() {
        census.settle();
    }
    let reading = reading?;
    let has_pile = close_wait.len() >= CLOSE_WAIT_PILE;
    Ok(Survey {
        filter,
        has_bound: with_bound && reading.source == Source::SockDiag,
        reading,
        tally,
        grouping,
        census,
        close_wait_owners: if has_pile { Owners::of(&close_wait, proc_root) } else { None },
        sockstat,
    })
}

/// A verdict needs every connection, for live ones take ports too.
fn states_for_verdict(filter: &Filter, with_bound: bool) -> StateSet {
    let bound = StateSet::only(TcpState::BOUND_INACTIVE);
    let asked = if with_bound { bound } else { StateSet::EMPTY };
    StateSet::ALL.without(bound).union(asked).union(filter.states)
}

/// Bound sockets cost the kernel a walk of their own, so they are shown only where they are named.
fn states_for_view(filter: &Filter) -> StateSet {
    if filter.states.is_empty() {
        StateSet::ALL.without(StateSet::only(TcpState::BOUND_INACTIVE))
    } else {
        filter.states
    }
}

/// Whether the kernel counts so few sockets that a walk for bound ones costs no time to speak of.
fn is_small(sockstat: &SockStat) -> bool {
    sockstat.rows_claimed().is_some_and(|rows| rows < SMALL)
}

/// Whether bound sockets can be asked for.
fn can_show_bound(args: &Args, proc_root: &ProcRoot) -> bool {
    proc_root.is_live() && args.source() != Some(Source::Proc)
}

/// How many sockets of this machine may be bound to a port without having been seen. The kernel
/// counts the TCP sockets of all namespaces; those that are in the tables read are none of them.
pub fn unseen_bound(survey: &Survey, census: &Census) -> u64 {
    let allocated = survey.sockstat.allocated_machine_wide.filter(|_| !survey.has_bound);
    allocated.map_or(0, |allocated| allocated.saturating_sub(census.full_sockets))
}

/// Adds the sockets that are bound and do not listen to `census`.
pub fn add_bound(
    args: &Args,
    proc_root: &ProcRoot,
    census: &mut Census,
) -> Result<Vec<String>, KernelError> {
    let states = StateSet::only(TcpState::BOUND_INACTIVE);
    let wanted = Wanted::all(vec![Protocol::Tcp], states);
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
