//! Who is in the way, and in which role.

use serde::Serialize;

use super::probe::Trials;
use super::sharing::{Asked, refuses};
use super::survey::{Holding, Survey};
use crate::kernel::owned_socket::SharingOptions;
use crate::model::{PortRange, Protocol, Side, TcpState};

/// What a blocker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A listening TCP socket.
    Listener,
    /// A TCP socket that is bound and neither listens nor is connected.
    Bound,
    /// A connection that a listener made.
    Accepted,
    /// A connection whose port connect(2) picked.
    Outgoing,
    /// A connection that was the one or the other.
    Either,
    /// A UDP socket.
    Udp,
    /// A Unix socket that a program has open.
    UnixLive,
    /// A socket file that nobody has open any more.
    UnixStale,
    /// A file that is no socket.
    Path,
}

/// A descriptor that is the socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BlockerOwner {
    /// The process.
    pub pid: i32,
    /// Its name as it set it: to be sanitised before it is shown.
    pub name: String,
    /// Its effective user.
    pub uid: u32,
    /// The descriptor's number.
    pub fd: i32,
}

/// A socket or file that refuses the bind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// What it is.
    pub role: Role,
    /// Its state; `None` for a file.
    pub state: Option<TcpState>,
    /// Its own end.
    pub local: String,
    /// The other end of a connection.
    pub remote: Option<String>,
    /// Milliseconds that the kernel will keep a mini-socket.
    pub expires_ms: Option<u32>,
    /// The socket's user; `None` for one that only the kernel holds.
    pub uid: Option<u32>,
    /// The socket's inode.
    pub inode: Option<u32>,
    /// Everybody who has it open, as far as that can be seen.
    pub owners: Vec<BlockerOwner>,
    /// Its `SO_REUSEADDR`.
    pub reuse_addr: Option<bool>,
    /// Its `SO_REUSEPORT`.
    pub reuse_port: Option<bool>,
    /// Its `IPV6_V6ONLY`.
    pub v6only: Option<bool>,
    /// Why its role cannot be told.
    pub why: Option<&'static str>,
}

impl Blocker {
    /// Whether the kernel alone holds it, for a time that it tells.
    pub fn is_mini(&self) -> bool {
        self.expires_ms.is_some()
    }
}

/// The sockets that refuse `asked`, those that a program has to give up first.
pub fn blockers(asked: &Asked, survey: &Survey, trials: Option<&Trials>) -> Vec<Blocker> {
    let proof = Proof::of(survey, trials);
    let mut found: Vec<Blocker> = survey
        .holdings
        .iter()
        .map(|holding| (holding, proof.complete(holding)))
        .filter(|(holding, sharing)| refuses(asked, &holding.socket, *sharing) != Some(false))
        .map(|(holding, sharing)| blocker(holding, sharing, survey.sides.range(), proof))
        .collect();
    found.sort_by_cached_key(|it| {
        (it.role, it.is_mini(), it.state.map(TcpState::code), it.local.clone(), it.remote.clone())
    });
    found
}

fn blocker(
    holding: &Holding,
    sharing: SharingOptions,
    range: Option<PortRange>,
    proof: Proof,
) -> Blocker {
    let socket = &holding.socket;
    let (role, why) = role(holding, range, proof);
    Blocker {
        role,
        state: Some(socket.state),
        local: socket.local.to_string(),
        remote: (socket.remote.port != 0).then(|| socket.remote.to_string()),
        expires_ms: socket.timer.filter(|_| socket.is_mini()).map(|timer| timer.expires_ms),
        uid: socket.uid,
        inode: socket.inode,
        owners: holding.owners.iter().map(BlockerOwner::from).collect(),
        reuse_addr: sharing.reuse_addr,
        reuse_port: sharing.reuse_port,
        v6only: sharing.v6only,
        why,
    }
}

impl From<&crate::kernel::owners::Holder> for BlockerOwner {
    fn from(holder: &crate::kernel::owners::Holder) -> Self {
        Self { pid: holder.pid, name: holder.name.clone(), uid: holder.uid, fd: holder.fd }
    }
}

const BOTH_IN_RANGE: &str = "both ports are in ip_local_port_range and no listener is left: a \
                             server that is gone may have accepted it, or a client here opened it";
const NEITHER_IN_RANGE: &str = "neither port is in ip_local_port_range: a server that is gone may \
                                have accepted it, or a client here had bound the port";
const CLIENT_BOUND: &str =
    "it was opened from here, by a program that had bound the port before connect()";
const RANGE_UNKNOWN: &str = "ip_local_port_range could not be read";

/// What the socket is, and for [`Role::Either`] why that is all.
fn role(holding: &Holding, range: Option<PortRange>, proof: Proof) -> (Role, Option<&'static str>) {
    let socket = &holding.socket;
    if socket.protocol == Protocol::Udp {
        return (Role::Udp, None);
    }
    match socket.state {
        TcpState::LISTEN => return (Role::Listener, None),
        TcpState::BOUND_INACTIVE => return (Role::Bound, None),
        TcpState::SYN_RECV => return (Role::Accepted, None),
        _ => {}
    }
    let opened_here = match (socket.state, socket.opened_here, holding.side) {
        (TcpState::SYN_SENT, _, _) | (_, Some(true), _) => Some(true),
        (_, Some(false), _) | (_, _, Side::Server(_)) => Some(false),
        (_, _, Side::Client) => Some(true),
        (_, None, Side::Open) => None,
    };
    let Some(range) = range else {
        return match opened_here {
            Some(false) => (Role::Accepted, None),
            Some(true) | None => (Role::Either, Some(RANGE_UNKNOWN)),
        };
    };
    let in_range = [socket.local.port, socket.remote.port].map(|port| range.contains(port));
    match (opened_here, in_range) {
        // connect(2) has given it no option, and nothing shares a port with it.
        (Some(true), [true, _]) if !proof.has_options() => (Role::Outgoing, None),
        (Some(true), _) => (Role::Either, Some(CLIENT_BOUND)),
        (Some(false), _) | (None, [false, true]) => (Role::Accepted, None),
        (None, [true, _]) => (Role::Either, Some(BOTH_IN_RANGE)),
        (None, [false, false]) => (Role::Either, Some(NEITHER_IN_RANGE)),
    }
}

/// What the answers of bind(2) prove about the sockets on the port.
#[derive(Clone, Copy, Debug, Default)]
struct Proof {
    /// Whether a bind with `SO_REUSEADDR` was accepted: then all have it.
    reuse_addr: Option<bool>,
    /// The same of `SO_REUSEPORT`.
    reuse_port: Option<bool>,
    /// Whether there is but one socket, so that a refusal is its own.
    is_single: bool,
}

impl Proof {
    fn of(survey: &Survey, trials: Option<&Trials>) -> Self {
        let refused = |trials: &&Trials| !trials.of(false, false).is_accepted();
        let Some(trials) = trials.filter(refused) else {
            return Self::default();
        };
        let [_, addr, port, _] = trials.options;
        let answer = |it: super::probe::OptionTrial| it.verified.then(|| it.trial.is_accepted());
        Self {
            reuse_addr: answer(addr),
            reuse_port: answer(port),
            is_single: survey.holdings.len() == 1 && survey.warnings.is_empty(),
        }
    }

    /// Whether the sockets are shown to have an option.
    fn has_options(self) -> bool {
        self.reuse_addr == Some(true) || self.reuse_port == Some(true)
    }

    /// The options of a socket that were read, and those that are proved.
    ///
    /// A refusal proves the lack of an option where nothing else can be the cause: a listener
    /// refuses `SO_REUSEADDR` whatever it has, and `SO_REUSEPORT` is refused for the user's sake too.
    fn complete(self, holding: &Holding) -> SharingOptions {
        let (read, socket) = (holding.sharing, &holding.socket);
        let accepted = |answer: Option<bool>| answer.filter(|accepted| *accepted);
        let refused = |answer: Option<bool>, is_sure: bool| {
            answer.filter(|accepted| !accepted && is_sure && self.is_single)
        };
        let listens = socket.state == TcpState::LISTEN;
        SharingOptions {
            reuse_addr: read
                .reuse_addr
                .or(accepted(self.reuse_addr))
                .or(refused(self.reuse_addr, !listens)),
            reuse_port: read
                .reuse_port
                .or(accepted(self.reuse_port))
                .or(refused(self.reuse_port, socket.is_mini())),
            v6only: read.v6only,
        }
    }
}
