//! Looks around an attempt: routes, neighbours, listeners, files. Only after a failure, but for the
//! queue of a listener of this machine, which is one question to the kernel.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::path::Path;

use super::attempt::{Attempt, Destination, Stage};
use super::evidence::{Barrier, Evidence, Other, Ports, Queue, UnixEvidence};
use super::outcome::Outcome;
use crate::catalogue::errnos;
use crate::kernel::connecting::SocketOptions;
use crate::kernel::owners::Holders;
use crate::kernel::path_access::{Obstacle, obstacle};
use crate::kernel::route::{self, Route, RouteKind, RouteQuestion};
use crate::kernel::rule;
use crate::kernel::sock_diag::{Detail, SockDiag};
use crate::kernel::sockets::{Wanted, scan};
use crate::kernel::tcp_settings::{TcpSettings, is_ipv6_disabled};
use crate::kernel::unix_binding::{FileKind, UnixType, file_kind};
use crate::kernel::{Errno, ProcRoot, interfaces, neighbour, unix_sockets};
use crate::model::{Endpoint, Protocol, Socket, StateSet, TcpState, UnixName};

/// What is known of the place where a failed attempt was made.
pub fn look(attempt: &Attempt, options: &SocketOptions, proc_root: &ProcRoot) -> Evidence {
    match &attempt.destination {
        _ if attempt.stage == Stage::Resolve => Evidence::default(),
        None => Evidence::default(),
        Some(Destination::Unix(name, kind)) => {
            Evidence { unix: Some(unix(name, *kind, proc_root)), ..Evidence::default() }
        }
        Some(Destination::Internet(protocol, address)) => {
            let mut evidence = way(*address, options);
            match attempt.outcome {
                Outcome::Refused | Outcome::SelfConnect | Outcome::Rejected if evidence.is_here => {
                    evidence.others = others(*protocol, *address, proc_root);
                }
                Outcome::TimedOut if evidence.is_here && *protocol == Protocol::Tcp => {
                    evidence.queue = queue(*address);
                }
                Outcome::LocalError if attempt.code == errnos::EADDRNOTAVAIL => {
                    evidence.ipv6_is_off = ipv6_is_off(*address, proc_root);
                    evidence.ports = ports(*address, proc_root);
                }
                Outcome::Unreachable if address.is_ipv6() => {
                    evidence.ipv6_is_off = ipv6_is_off(*address, proc_root);
                }
                Outcome::Connected
                | Outcome::Refused
                | Outcome::Rejected
                | Outcome::TimedOut
                | Outcome::Unreachable
                | Outcome::SelfConnect
                | Outcome::ResolveFailed
                | Outcome::LocalError
                | Outcome::Denied => {}
            }
            if attempt.code == errnos::EINVAL && lacks_scope(*address) {
                let all = interfaces::addresses().into_iter();
                let link_local = all.filter(|(_, ip)| is_link_local(*ip));
                evidence.scopes = link_local.map(|(name, _)| name).collect();
            }
            evidence
        }
    }
}

/// The queue of the listener that took a connection to this machine, or should have. One question,
/// one answer.
pub fn queue(address: SocketAddr) -> Option<Queue> {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let listener = SockDiag::open().and_then(|mut diag| diag.listener(address));
    tracing::info!(%address, is_found = matches!(listener, Ok(Some(_))), "asked for the accept queue");
    let listener = listener.ok()??;
    Some(Queue { waiting: listener.recv_queue, limit: listener.send_queue? })
}

/// Whether `address` is this machine's, as far as a connection tells that itself.
pub fn is_here(attempt: &Attempt, address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    ip.is_loopback() || attempt.local.is_some_and(|it| it.ip().to_canonical() == ip)
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn lacks_scope(address: SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(it) if is_link_local(address.ip()) && it.scope_id() == 0)
}

/// Route, link and neighbour.
pub fn way(address: SocketAddr, options: &SocketOptions) -> Evidence {
    let question = RouteQuestion {
        to: address,
        from: options.source.map(|it| it.ip()),
        interface: options.interface.as_deref().and_then(interfaces::index),
        mark: options.mark,
    };
    let route = route::lookup(&question);
    let is_local = |it: &Route| it.kind == RouteKind::Local;
    let ip = address.ip().to_canonical();
    let is_here = ip.is_loopback() || ip.is_unspecified() || route.as_ref().is_ok_and(is_local);
    let index = route.as_ref().ok().and_then(|it| it.interface);
    let name = match (is_here, index) {
        (true, _) => Some("lo".to_owned()),
        (false, index) => index.and_then(|index| interfaces::names().remove(&index)),
    };
    let next_hop = |it: &Route| it.gateway.unwrap_or(ip);
    let neighbour = match (&route, index) {
        (Ok(route), Some(index)) if route.kind == RouteKind::Unicast => {
            let hop = next_hop(route);
            neighbour::state(hop, index).map(|state| (hop, state))
        }
        _ => None,
    };
    tracing::info!(?route, link = name.as_deref(), ?neighbour, "asked the kernel for the way");
    Evidence {
        is_here,
        source: question.from,
        ttl: options.ttl,
        down: if route == Err(Errno::ENETUNREACH) { interfaces::down() } else { Vec::new() },
        rule: (route == Err(Errno::ENETUNREACH)).then(|| rule::unreachable(&question)).flatten(),
        link: name.as_deref().and_then(interfaces::is_up),
        interface: name,
        route: Some(route),
        neighbour,
        ..Evidence::default()
    }
}

/// Sockets of the same port: at other addresses, bound without listening, or of the other protocol.
fn others(protocol: Protocol, address: SocketAddr, proc_root: &ProcRoot) -> Vec<Other> {
    let mut found: Vec<Socket> = Vec::new();
    let states = [TcpState::LISTEN, TcpState::BOUND_INACTIVE, TcpState::CLOSE];
    let states = StateSet::of(&states);
    let detail = Detail { local_port: Some(address.port()), tcp_info: false };
    let wanted = Wanted { protocols: vec![Protocol::Tcp, Protocol::Udp], states, detail };
    let scanned = scan(None, proc_root, &wanted, &mut |socket| {
        if socket.local.port == address.port() && socket.remote.port == 0 {
            found.push(*socket);
        }
        ControlFlow::Continue(())
    });
    tracing::info!(
        port = address.port(),
        found = found.len(),
        is_complete = scanned.is_ok(),
        "looked for other sockets of the port"
    );
    // Without a socket there is no owner, and the descriptors of all processes need no look.
    if scanned.is_err() || found.is_empty() {
        return Vec::new();
    }
    let inodes: HashSet<u32> = found.iter().filter_map(|it| it.inode).collect();
    let holders = Holders::of(&inodes, proc_root).holders;
    let mut others: Vec<Other> = found
        .iter()
        .map(|socket| Other {
            protocol: socket.protocol.name(),
            local: socket.local,
            state: socket.state,
            owner: holders.iter().find(|it| Some(it.inode) == socket.inode).cloned(),
        })
        .collect();
    // Those of the protocol that was asked for first, listeners before the rest.
    others.sort_by_key(|it| (it.protocol != protocol.name(), it.state != TcpState::LISTEN));
    others
}

fn ipv6_is_off(address: SocketAddr, proc_root: &ProcRoot) -> Option<bool> {
    if address.ip().to_canonical().is_ipv4() {
        return None;
    }
    let interface = if address.ip().is_loopback() { "lo" } else { "all" };
    is_ipv6_disabled(proc_root, interface)
}

/// How many ports connect(2) has for this destination. Counted where it has failed alone.
fn ports(address: SocketAddr, proc_root: &ProcRoot) -> Option<Ports> {
    let settings = TcpSettings::read(proc_root);
    let usable = settings.ephemeral_ports()?;
    let remote = Endpoint::new(address.ip(), address.port());
    let mut taken = HashSet::new();
    let wanted = Wanted::all(vec![Protocol::Tcp], StateSet::ALL);
    scan(None, proc_root, &wanted, &mut |socket| {
        if socket.remote == remote && usable.contains(socket.local.port) {
            taken.insert(socket.local.port);
        }
        ControlFlow::Continue(())
    })
    .ok()?;
    tracing::info!(taken = taken.len(), usable = usable.len(), "counted the ports of connect()");
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Some(Ports {
        range: settings.port_range?,
        usable: u64::from(usable.len()),
        taken: count(taken.len()),
    })
}

fn unix(name: &UnixName, kind: UnixType, proc_root: &ProcRoot) -> UnixEvidence {
    let file = match name {
        UnixName::Path(path) => file_kind(path),
        UnixName::Abstract(_) => FileKind::Nothing,
    };
    let all = unix_sockets::named(proc_root).map(|(sockets, _)| sockets).unwrap_or_default();
    let is_it = |socket: &crate::kernel::sock_diag::UnixSocket| match (file, socket.file) {
        (FileKind::Socket(file), Some(own)) => {
            own == file || (own.inode == file.inode && socket.has_name(name))
        }
        _ => socket.has_name(name),
    };
    let mut sockets: Vec<_> =
        all.iter().filter(|it| is_it(it)).map(|it| (it.kind, it.state)).collect();
    sockets.sort_by_key(|(number, state)| (*number != kind.number(), *state != TcpState::LISTEN));
    let barrier = match name {
        UnixName::Path(path) => barrier(path),
        UnixName::Abstract(_) => None,
    };
    tracing::info!(?file, named = sockets.len(), ?barrier, "looked at /proc/net/unix and the path");
    UnixEvidence { file, sockets, barrier }
}

fn barrier(path: &Path) -> Option<(String, Barrier)> {
    let (path, barrier) = match obstacle(path)? {
        Obstacle::Missing(path) => (path, Barrier::Missing),
        Obstacle::NoSearch(path) => (path, Barrier::NoSearch),
        Obstacle::NoWrite(path) => (path, Barrier::NoWrite),
    };
    Some((path.display().to_string(), barrier))
}
