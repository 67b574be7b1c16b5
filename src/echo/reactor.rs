//! Sockets in tokio's reactor.
//!
//! `AsyncFd` and not tokio's own streams: one type for TCP and all kinds of Unix sockets, of which tokio
//! knows no `SOCK_SEQPACKET`, and every option stays within reach.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::unix::AsyncFd;

/// Registers `socket`, which must not block, with the runtime that this is called in.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe, for types whose descriptor changes; a socket's never does"
)]
pub fn register<S: AsRawFd>(socket: S) -> io::Result<AsyncFd<S>> {
    AsyncFd::new(socket)
}
