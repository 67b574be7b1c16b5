//! Sockets for tests.

use std::net::SocketAddr;

use super::{Endpoint, Family, Protocol, Socket, StateSet, TcpState, Timer, TimerKind};

/// The end that `text` names.
pub(crate) fn end(text: &str) -> Endpoint {
    let address: SocketAddr = text.parse().unwrap();
    Endpoint::new(address.ip(), address.port())
}

/// A socket as `sock_diag` would show it; in TIME_WAIT with 30 s left.
pub(crate) fn socket(state: &str, local: &str, remote: &str) -> Socket {
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
        opened_here: None,
    }
}

/// A TIME_WAIT socket that the kernel will keep for `left_ms`.
pub(crate) fn time_wait(local: &str, remote: &str, left_ms: u32) -> Socket {
    let timer = Timer { kind: TimerKind::TIME_WAIT, expires_ms: left_ms, retransmits: 0 };
    Socket { timer: Some(timer), ..socket("TIME_WAIT", local, remote) }
}
