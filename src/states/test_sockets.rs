//! Sockets for tests.

use std::net::SocketAddr;

use super::pileup::Thresholds;
use crate::model::{Endpoint, Family, Protocol, Socket, StateSet, TcpState, Timer, TimerKind};

/// The end that `text` names.
pub(super) fn end(text: &str) -> Endpoint {
    let address: SocketAddr = text.parse().unwrap();
    Endpoint::new(address.ip(), address.port())
}

/// A socket as `sock_diag` would show it; in TIME_WAIT with 30 s left.
pub(super) fn socket(state: &str, local: &str, remote: &str) -> Socket {
    let set: StateSet = state.parse().unwrap();
    let code = u8::try_from(set.kernel_mask().trailing_zeros()).unwrap();
    let is_mini = state == "TIME_WAIT";
    let timer = Timer { kind: TimerKind::TIME_WAIT, expires_ms: 30_000, retransmits: 0 };
    let local = end(local);
    Socket {
        protocol: Protocol::Tcp,
        family: if local.address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 },
        state: TcpState::from_kernel(code),
        local,
        remote: end(remote),
        v4_mapped: false,
        recv_queue: 0,
        send_queue: Some(0),
        timer: is_mini.then_some(timer),
        uid: (!is_mini).then_some(1000),
        inode: (!is_mini).then_some(4711),
        interface: None,
        cookie: Some(1),
        v6_only: None,
    }
}

/// A TIME_WAIT socket that the kernel will keep for `left_ms`.
pub(super) fn time_wait(local: &str, remote: &str, left_ms: u32) -> Socket {
    let timer = Timer { kind: TimerKind::TIME_WAIT, expires_ms: left_ms, retransmits: 0 };
    Socket { timer: Some(timer), ..socket("TIME_WAIT", local, remote) }
}

/// The thresholds of the command line's defaults.
pub(super) const LIMITS: Thresholds = Thresholds {
    warn_used: 50.0,
    crit_used: 90.0,
    warn_rate: 70.0,
    crit_left: 500,
    warn_buckets: 80.0,
    max_total: None,
};
