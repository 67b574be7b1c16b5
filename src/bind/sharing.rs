//! Who may share a port with whom: the kernel's rule, as a function of what is known.
//!
//! `net/ipv4/inet_connection_sock.c`, `inet_bind_conflict`, and `net/ipv4/udp.c`,
//! `inet_rcv_saddr_equal`; every case measured on Linux 6.18.

use crate::kernel::owned_socket::SharingOptions;
use crate::model::{Address, Endpoint, Protocol, Socket, TcpState};

/// The bind that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The protocol.
    pub protocol: Protocol,
    /// Address and port.
    pub end: Endpoint,
    /// Whether it is an IPv6 socket for IPv6 alone.
    pub v6only: bool,
    /// The interface that it is bound to, as a link-local address is.
    pub interface: Option<u32>,
    /// `SO_REUSEADDR`.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// The user who asks.
    pub uid: u32,
}

/// Whether the two take any address in common. A wildcard takes all of its family, `::` without
/// `IPV6_V6ONLY` those of IPv4 too; where it is not known whether it has that, it may. Sockets that
/// are bound to different interfaces never meet.
pub fn overlaps(asked: &Asked, socket: &Socket, holder_v6only: Option<bool>) -> bool {
    let (a, b) = (asked.end.address, socket.local.address);
    let both = |address: Address, v6only: bool| address == Address::ANY_IPV6 && !v6only;
    let may_meet = match (asked.interface, socket.interface) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => true,
    };
    may_meet
        && socket.local.port == asked.end.port
        && (a == b
            || both(a, asked.v6only)
            || both(b, holder_v6only.unwrap_or(false))
            || (a.is_ipv4() == b.is_ipv4() && (is_any(a) || is_any(b))))
}

fn is_any(address: Address) -> bool {
    address == Address::ANY_IPV4 || address == Address::ANY_IPV6
}

/// Whether `socket`, which takes an address in common with `asked`, refuses it: both need
/// `SO_REUSEADDR`, of TCP only while `socket` does not listen; or both `SO_REUSEPORT` and the same
/// user, who does not matter for a mini-socket. `None` if an option that decides is not known.
pub fn refuses(asked: &Asked, socket: &Socket, sharing: SharingOptions) -> Option<bool> {
    let listens = socket.protocol == Protocol::Tcp && socket.state == TcpState::LISTEN;
    let by_addr = both(asked.reuse_addr && !listens, sharing.reuse_addr);
    let is_same_user =
        if socket.is_mini() { Some(true) } else { socket.uid.map(|uid| uid == asked.uid) };
    let by_port = match is_same_user {
        Some(false) => Some(false),
        Some(true) => both(asked.reuse_port, sharing.reuse_port),
        None if !asked.reuse_port || sharing.reuse_port == Some(false) => Some(false),
        None => None,
    };
    match (by_addr, by_port) {
        (Some(true), _) | (_, Some(true)) => Some(false),
        (Some(false), Some(false)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

/// Whether both sides have an option.
fn both(asked: bool, holder: Option<bool>) -> Option<bool> {
    if asked { holder } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_sockets::{end, socket, time_wait};

    fn asked(text: &str, v6only: bool) -> Asked {
        let plain = Asked {
            protocol: Protocol::Tcp,
            end: end(text),
            v6only,
            interface: None,
            reuse_addr: false,
            reuse_port: false,
            uid: 1000,
        };
        Asked { ..plain }
    }

    /// The addresses of the table, and whether each is for IPv6 alone.
    const ADDRESSES: [(&str, bool); 8] = [
        ("0.0.0.0:80", false),
        ("127.0.0.1:80", false),
        ("127.0.0.2:80", false),
        ("[::]:80", false),
        ("[::]:80", true),
        ("[::1]:80", false),
        ("[::ffff:127.0.0.1]:80", false),
        ("[::ffff:0.0.0.0]:80", false),
    ];

    /// Rows are the socket that is there, columns the one that is asked for; as measured on Linux
    /// 6.18. `x` is a conflict.
    const CONFLICTS: [&str; 8] = [
        "xxxx..xx", "xx.x..xx", "x.xx...x", "xxxxxxxx", "...xxx..", "...xxx..", "xx.x..xx",
        "xxxx..xx",
    ];

    #[test]
    fn addresses_overlap_as_measured() {
        for (row, (there, there_v6only)) in CONFLICTS.iter().zip(ADDRESSES) {
            for (cell, (new, new_v6only)) in row.chars().zip(ADDRESSES) {
                let holder = socket("LISTEN", there, "0.0.0.0:0");
                let found = overlaps(&asked(new, new_v6only), &holder, Some(there_v6only));
                assert_eq!(found, cell == 'x', "{there} v6only={there_v6only}, {new} {new_v6only}");
            }
        }
    }

    fn shares(state: &str, theirs: (bool, bool), ours: (bool, bool), uid: u32) -> bool {
        let holder = match state {
            "TIME_WAIT" => time_wait("127.0.0.1:80", "127.0.0.1:5000", 30_000),
            state => socket(state, "127.0.0.1:80", "127.0.0.1:5000"),
        };
        let sharing =
            SharingOptions { reuse_addr: Some(theirs.0), reuse_port: Some(theirs.1), v6only: None };
        let (reuse_addr, reuse_port) = ours;
        let asked = Asked { reuse_addr, reuse_port, uid, ..asked("127.0.0.1:80", false) };
        refuses(&asked, &holder, sharing) == Some(false)
    }

    #[test]
    fn options_and_users_decide_as_measured() {
        let (addr, port) = ((true, false), (false, true));
        assert!(!shares("LISTEN", addr, addr, 1000), "a listener shares by SO_REUSEPORT alone");
        assert!(shares("LISTEN", port, port, 1000) && !shares("LISTEN", port, port, 65534));
        assert!(shares("BOUND_INACTIVE", addr, addr, 65534), "SO_REUSEADDR asks for no user");
        assert!(!shares("BOUND_INACTIVE", addr, port, 1000), "the options have to be the same");
        assert!(!shares("TIME_WAIT", (false, false), (true, true), 1000));
        assert!(shares("TIME_WAIT", port, port, 65534), "a mini-socket has no user");
    }

    #[test]
    fn what_is_not_known_is_not_decided() {
        let asked = Asked { reuse_addr: true, ..asked("127.0.0.1:80", false) };
        let holder = socket("ESTABLISHED", "127.0.0.1:80", "127.0.0.1:5000");
        assert_eq!(refuses(&asked, &holder, SharingOptions::default()), None);
        let plain = Asked { reuse_addr: false, ..asked };
        assert_eq!(refuses(&plain, &holder, SharingOptions::default()), Some(true));
    }
}
