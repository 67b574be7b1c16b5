//! `TCP_INFO` of a socket of our own: how often the SYN was sent again, and the round trip.

use std::os::fd::BorrowedFd;

use nix::libc;
use nix::sys::socket::getsockopt;
use nix::{getsockopt_impl, sockopt_impl};

/// The first 104 bytes of `struct tcp_info` (`include/uapi/linux/tcp.h`): those of Linux 2.6, which
/// every kernel fills. The structure of the C library may be longer, or shorter.
type Bytes = [u8; 104];

sockopt_impl!(
    /// The call, by nix.
    TcpInfoOption,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    Bytes
);

/// What is taken of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// `tcpi_total_retrans`: segments sent again, which before the handshake are SYNs.
    pub retransmits: u32,
    /// `tcpi_rtt` in microseconds, smoothed; after the handshake it is that of the SYN alone.
    pub rtt_us: u32,
}

/// Reads it; `None` where the kernel refuses, as for a socket that is not of TCP.
pub fn of(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    getsockopt(&socket, TcpInfoOption).ok().map(|bytes| decode(&bytes))
}

/// Eight bytes come first, then numbers of 32 bits.
fn decode(bytes: &Bytes) -> TcpInfo {
    let number = |at: usize| {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    };
    TcpInfo { rtt_us: number(68), retransmits: number(100) }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_numbers_are_where_the_header_has_them() {
        let mut bytes = [0; 104];
        bytes[68..72].copy_from_slice(&58_u32.to_ne_bytes());
        bytes[100..].copy_from_slice(&3_u32.to_ne_bytes());
        assert_eq!(decode(&bytes), TcpInfo { retransmits: 3, rtt_us: 58 });
    }

    #[test]
    fn a_connection_has_a_round_trip_and_a_unix_socket_none() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let info = of(client.as_fd()).unwrap();
        assert!(info.rtt_us > 0 && info.retransmits == 0, "{info:?}");
        assert_eq!(of(UnixStream::pair().unwrap().0.as_fd()), None);
    }
}
