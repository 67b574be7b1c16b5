//! The error queue of a socket: which ICMP message ended a connect(2), and who sent it.
//!
//! ip(7) says that TCP has no error queue. Since Linux 2.6 the handler of ICMP for TCP puts the
//! message there all the same while the SYN is unanswered (`net/ipv4/tcp_ipv4.c`, `tcp_v4_err`;
//! `net/ipv6/tcp_ipv6.c`, `tcp_v6_err`), for any user. Measured on Linux 6.18.

use std::io::IoSliceMut;
use std::net::IpAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use nix::libc::sock_extended_err;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

/// `SO_EE_ORIGIN_ICMP`, `include/uapi/linux/errqueue.h`.
const ORIGIN_ICMP: u8 = 2;
/// `SO_EE_ORIGIN_ICMP6`
const ORIGIN_ICMP6: u8 = 3;
/// Messages that are read at most: a queue that never ends is somebody's flood.
const MOST: usize = 32;

/// An ICMP message about a connection of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Whether it is of ICMPv6.
    pub is_v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The host that sent it: a router or firewall on the way, or the destination.
    pub from: Option<IpAddr>,
    /// The error number that the kernel makes of it.
    pub errno: i32,
}

/// Takes the messages off the queue and gives the last one, which is what the socket's error is of.
/// `None` where there was none: an RST, or an error of this machine's own.
pub fn last_icmp(socket: BorrowedFd<'_>) -> Option<IcmpError> {
    let mut last = None;
    for _ in 0..MOST {
        match next(socket) {
            Ok(message) => last = message.or(last),
            Err(_) => break,
        }
    }
    last
}

/// The next message, `None` for one that is not of ICMP. Fails at the end of the queue.
fn next(socket: BorrowedFd<'_>) -> nix::Result<Option<IcmpError>> {
    let mut control = nix::cmsg_space!(sock_extended_err, nix::libc::sockaddr_in6);
    let mut payload = [0; 64];
    let mut parts = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    Ok(message.cmsgs().ok().and_then(|mut parts| parts.find_map(|part| icmp(&part))))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is asked for")]
fn icmp(part: &ControlMessageOwned) -> Option<IcmpError> {
    match part {
        ControlMessageOwned::Ipv4RecvErr(error, from) => {
            let from =
                from.map(|from| IpAddr::from(u32::from_be(from.sin_addr.s_addr).to_be_bytes()));
            decode(error, from)
        }
        ControlMessageOwned::Ipv6RecvErr(error, from) => {
            decode(error, from.map(|from| IpAddr::from(from.sin6_addr.s6_addr)))
        }
        _ => None,
    }
}

/// An IPv6 socket that speaks IPv4 gets messages of both origins; an offender of ICMP is then a
/// mapped address.
fn decode(error: &sock_extended_err, from: Option<IpAddr>) -> Option<IcmpError> {
    let is_icmp = [ORIGIN_ICMP, ORIGIN_ICMP6].contains(&error.ee_origin);
    is_icmp.then(|| IcmpError {
        is_v6: error.ee_origin == ORIGIN_ICMP6,
        kind: error.ee_type,
        code: error.ee_code,
        // Where the kernel does not know it, the address is left zero.
        from: from.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified()),
        errno: i32::try_from(error.ee_errno).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(origin: u8) -> sock_extended_err {
        sock_extended_err {
            ee_errno: 113,
            ee_origin: origin,
            ee_type: 3,
            ee_code: 13,
            ee_pad: 0,
            ee_info: 0,
            ee_data: 0,
        }
    }

    #[test]
    fn an_icmp_message_has_its_sender_and_others_are_none() {
        let from: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        let icmp = decode(&error(ORIGIN_ICMP), Some(from)).unwrap();
        assert_eq!((icmp.kind, icmp.code, icmp.errno, icmp.is_v6), (3, 13, 113, false));
        assert_eq!(icmp.from.unwrap().to_string(), "10.0.0.1");
        let nobody: IpAddr = "0.0.0.0".parse().unwrap();
        assert_eq!(decode(&error(ORIGIN_ICMP6), Some(nobody)).unwrap().from, None);
        // SO_EE_ORIGIN_LOCAL
        assert_eq!(decode(&error(1), None), None);
    }
}
