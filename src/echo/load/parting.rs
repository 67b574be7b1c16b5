//! Waits until the connections that were closed last have come to where they are counted.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use crate::kernel::sock_diag::{Detail, DumpNotes, Request, SockDiag};
use crate::model::Endpoint;

/// States by the kernel's numbers in which our FIN is not acknowledged: `TCP_FIN_WAIT1`, `TCP_CLOSING`.
///
/// From there `tcp_rcv_state_process` leads an orphan to `tcp_time_wait`, which counts it. A server
/// acknowledges a FIN with its own, when it closes too, or some 40 ms later (`TCP_DELACK_MIN`).
const FIN_UNDER_WAY: u32 = 1 << 4 | 1 << 11;
/// How long is waited at most: a peer that is gone never acknowledges.
const LONGEST: Duration = Duration::from_millis(500);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until no connection to `peer` is on its way to TIME_WAIT. Where the kernel does not tell, it
/// does not wait.
pub(super) fn settle(peer: SocketAddr) {
    let Ok(mut diag) = SockDiag::open() else { return };
    let peer = Endpoint::new(peer.ip(), peer.port());
    let start = Instant::now();
    while has_closing(&mut diag, peer) && start.elapsed() < LONGEST {
        thread::sleep(PAUSE);
    }
}

fn has_closing(diag: &mut SockDiag, peer: Endpoint) -> bool {
    let mut is_there = false;
    let request = Request::Legacy { states: FIN_UNDER_WAY, detail: Detail::default() };
    let asked = diag.dump(request, &mut DumpNotes::default(), &mut |socket| {
        if socket.remote != peer {
            return ControlFlow::Continue(());
        }
        is_there = true;
        ControlFlow::Break(())
    });
    asked.is_ok() && is_there
}
