//! Interfaces brought up without ip(8): one rtnetlink message of 32 bytes, and its answer.
//!
//! ioctl(SIOCSIFFLAGS) would do the same, but has no safe wrapper.

use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// `include/uapi/linux/rtnetlink.h`
const RTM_SETLINK: u16 = 19;
/// `NLM_F_REQUEST | NLM_F_ACK`, `include/uapi/linux/netlink.h`.
const REQUEST_AND_ANSWER: u16 = 1 | 4;
const NLMSG_ERROR: u16 = 2;
/// `include/uapi/linux/if.h`
const IFF_UP: u32 = 1;
/// `struct nlmsghdr` and `struct ifinfomsg`, 16 bytes each.
const MESSAGE: u32 = 32;
/// The kernel answers at once; silence this long means that no answer will come.
const SILENCE_S: i64 = 5;

/// Brings the interface `name` up. Fails with the kernel's refusal: EPERM where the user namespace
/// has no capabilities, ENODEV where there is no such interface.
pub(super) fn up(name: &str) -> nix::Result<()> {
    let index = if_nametoindex(name)?;
    let kind = (SockType::Raw, SockProtocol::NetlinkRoute);
    let channel = socket(AddressFamily::Netlink, kind.0, SockFlag::SOCK_CLOEXEC, kind.1)?;
    setsockopt(&channel, sockopt::ReceiveTimeout, &TimeVal::seconds(SILENCE_S))?;
    let kernel = NetlinkAddr::new(0, 0);
    sendto(channel.as_raw_fd(), &request(index), &kernel, MsgFlags::empty())?;
    let mut buffer = [0; 256];
    let length = recv(channel.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
    answer(buffer.get(..length).unwrap_or_default())
}

/// "Set the flag `IFF_UP` of this interface, and no other flag."
fn request(index: u32) -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend(MESSAGE.to_ne_bytes());
    message.extend(RTM_SETLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ANSWER.to_ne_bytes());
    // A sequence number, and the kernel as the one who is spoken to.
    message.extend([0; 8]);
    // Family and type: any.
    message.extend([0; 4]);
    message.extend(index.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message
}

/// What the kernel said: `struct nlmsgerr` with 0 for success, else a negative errno.
fn answer(message: &[u8]) -> nix::Result<()> {
    let kind = message.get(4..6).and_then(|it| it.try_into().ok()).map(u16::from_ne_bytes);
    let code = message.get(16..20).and_then(|it| it.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(Errno::from_raw(code.saturating_neg())),
        _ => Err(Errno::EBADMSG),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer with this code, as the kernel sends it.
    fn answered(code: i32) -> Vec<u8> {
        let mut message = vec![36, 0, 0, 0];
        message.extend(NLMSG_ERROR.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(code.to_ne_bytes());
        message.extend([0; 16]);
        message
    }

    #[test]
    fn the_request_has_the_length_that_it_says() {
        assert_eq!(request(1).len(), usize::try_from(MESSAGE).unwrap());
    }

    #[test]
    fn the_answer_is_success_or_the_kernels_errno() {
        assert_eq!(answer(&answered(0)), Ok(()));
        assert_eq!(answer(&answered(-1)), Err(Errno::EPERM));
        assert_eq!(answer(&[]), Err(Errno::EBADMSG));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(answer(&bytes).is_err() || bytes.len() >= 20);
        }
    }
}
