//! What the kernel's tables say about a port: the sockets on it, whose they are, and what decides
//! the side of a connection.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::sharing::{Asked, overlaps};
use crate::kernel::owned_socket::SharingOptions;
use crate::kernel::owners::{Holder, Holders};
use crate::kernel::sock_diag::Detail;
use crate::kernel::sockets::{Wanted, scan};
use crate::kernel::tcp_settings::TcpSettings;
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{Endpoint, Protocol, Side, Sides, Socket, StateSet, TcpState};

/// A socket on the port, and what could be learnt of it.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The row.
    pub socket: Socket,
    /// Its own options, as far as they could be read.
    pub sharing: SharingOptions,
    /// The descriptors that are this socket.
    pub owners: Vec<Holder>,
    /// The side of a connection, by rules and by counting.
    pub side: Side,
}

/// The sockets that take an address in common with the one that was asked for.
#[derive(Debug)]
pub struct Survey {
    /// The sockets.
    pub holdings: Vec<Holding>,
    /// The listeners of the namespace, and the range that connect(2) picks from.
    pub sides: Sides,
    /// Processes that could not be looked into.
    pub hidden_processes: u64,
    /// What has to be known about the rows.
    pub warnings: Vec<String>,
}

/// Looks for the sockets that overlap with `asked`.
pub fn look(
    asked: &Asked,
    settings: &TcpSettings,
    proc_root: &ProcRoot,
) -> Result<Survey, KernelError> {
    let mut sides = Sides::new(settings.port_range);
    let mut rows = Vec::new();
    let detail =
        Detail { local_port: Some(asked.end.port), tcp_info: asked.protocol == Protocol::Tcp };
    let wanted = Wanted { detail, ..Wanted::all(vec![asked.protocol], StateSet::ALL) };
    let reading = scan(None, proc_root, &wanted, &mut |socket| {
        if socket.state == TcpState::LISTEN {
            sides.listeners.add(socket);
        }
        // A half-open connection holds no port (`tcp_v4_syn_recv_sock` takes it when it is whole).
        if socket.state != TcpState::SYN_RECV && overlaps(asked, socket, socket.v6_only) {
            rows.push(*socket);
        }
        ControlFlow::Continue(())
    })?;
    let found = count_sides(&sides, &rows, proc_root)?;
    let inodes: HashSet<u32> = rows.iter().filter_map(|socket| socket.inode).collect();
    let Holders { holders, hidden_processes } =
        if inodes.is_empty() { Holders::default() } else { Holders::of(&inodes, proc_root) };
    let mut by_inode: HashMap<u32, Vec<Holder>> = HashMap::new();
    for holder in holders {
        by_inode.entry(holder.inode).or_default().push(holder);
    }
    let holdings = rows.iter().zip(found).map(|(socket, side)| {
        let owners = socket.inode.and_then(|inode| by_inode.get(&inode)).cloned();
        holding(*socket, side, owners.unwrap_or_default())
    });
    Ok(Survey { holdings: holdings.collect(), sides, hidden_processes, warnings: reading.warnings })
}

fn holding(socket: Socket, side: Side, owners: Vec<Holder>) -> Holding {
    let read = |owner: &Holder| SharingOptions::of(owner.pid, owner.fd, owner.inode);
    let read = owners.iter().find_map(read).unwrap_or_default();
    let sharing = SharingOptions { v6only: read.v6only.or(socket.v6_only), ..read };
    Holding { socket, sharing, owners, side }
}

/// How many more connections have to share an end than the other for it to be the service. Two may
/// share one by chance: connect(2) gives one port to connections to different destinations.
const MUCH_MORE: u64 = 3;

/// The side of each row; those that do not tell by themselves are counted, for which the kernel's
/// table is read once more.
fn count_sides(
    sides: &Sides,
    rows: &[Socket],
    proc_root: &ProcRoot,
) -> Result<Vec<Side>, KernelError> {
    let open = || rows.iter().filter(|row| is_open(sides, row));
    let mut here: HashMap<Endpoint, u64> = open().map(|row| (row.local, 0)).collect();
    let mut there: HashMap<Endpoint, u64> = open().map(|row| (row.remote, 0)).collect();
    if !here.is_empty() {
        let connected =
            StateSet::ALL.without(StateSet::of(&[TcpState::LISTEN, TcpState::BOUND_INACTIVE]));
        scan(None, proc_root, &Wanted::all(vec![Protocol::Tcp], connected), &mut |socket| {
            if let Some(count) = here.get_mut(&socket.local) {
                *count += 1;
            }
            if let Some(count) = there.get_mut(&socket.remote) {
                *count += 1;
            }
            ControlFlow::Continue(())
        })?;
    }
    let side = |row: &Socket| {
        if !is_open(sides, row) {
            return sides.of(row.local, row.remote);
        }
        let count = |counts: &HashMap<Endpoint, u64>, end| counts.get(end).copied().unwrap_or(0);
        let (here, there) = (count(&here, &row.local), count(&there, &row.remote));
        if here >= MUCH_MORE * there.max(1) {
            Side::Server(row.local)
        } else if there >= MUCH_MORE * here.max(1) {
            Side::Client
        } else {
            Side::Open
        }
    };
    Ok(rows.iter().map(side).collect())
}

/// Whether neither a listener, nor the SYN, nor the ports of a connection tell who opened it.
fn is_open(sides: &Sides, row: &Socket) -> bool {
    let ports_tell = sides
        .range()
        .is_some_and(|range| range.contains(row.local.port) != range.contains(row.remote.port));
    row.protocol == Protocol::Tcp
        && row.remote.port != 0
        && row.opened_here.is_none()
        && !ports_tell
        && sides.of(row.local, row.remote) == Side::Open
}
