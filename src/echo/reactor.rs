//! Sockets in tokio's reactor.
//!
//! `AsyncFd` and not tokio's own streams: one type for TCP and all kinds of Unix sockets, of which tokio
//! knows no `SOCK_SEQPACKET`, and every option stays within reach.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers `socket`, which must not block, with the runtime that this is called in.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe, for types whose descriptor changes; a socket's never does"
)]
pub fn register<S: AsRawFd>(socket: S) -> io::Result<AsyncFd<S>> {
    AsyncFd::new(socket)
}

/// The same of a socket that never waits for room to write. One of datagrams would be told of room after
/// each datagram that has left it (`sock_wfree`, net/core/sock.c), and wake its thread for nothing.
#[expect(deprecated, reason = "as above")]
pub fn register_for_reading<S: AsRawFd>(socket: S) -> io::Result<AsyncFd<S>> {
    AsyncFd::with_interest(socket, Interest::READABLE)
}
