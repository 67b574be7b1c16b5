//! `NETLINK_SOCK_DIAG`: the kernel's own socket dump (sock_diag(7), `net/ipv4/inet_diag.c`).
//!
//! The decoder is ours because the crates lose what netkit is about: the time left of a TIME_WAIT
//! socket, and sockets that are bound but not listening. `wire` is the format and opens nothing,
//! `unix` that of Unix sockets, `dump` asks and reads.

mod dump;
mod unix;
mod wire;

pub use dump::{DumpNotes, SockDiag};
pub use unix::{SocketFile, UnixSocket, decode_unix};
pub use wire::{Answer, Detail, Messages, Request, decode};
pub(super) use wire::{attribute, unmap};
