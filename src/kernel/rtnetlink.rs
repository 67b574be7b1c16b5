//! rtnetlink, as far as a namespace of our own is furnished by it: one message that asks for a
//! change, and the kernel's answer. Written by hand, since a message is a header and a few
//! attributes, and the crates for it bring all families and an executor along.

use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// `NLM_F_REQUEST | NLM_F_ACK`, `include/uapi/linux/netlink.h`.
const REQUEST_AND_ANSWER: u16 = 1 | 4;
/// `NLM_F_CREATE | NLM_F_EXCL`: make it, and fail if it is there.
pub(super) const MAKE: u16 = 0x400 | 0x200;
/// No flag more.
pub(super) const CHANGE: u16 = 0;
const NLMSG_ERROR: u16 = 2;
/// `struct nlmsghdr`
const HEADER: usize = 16;
/// `struct nlattr`
const ATTRIBUTE_HEADER: usize = 4;
/// The kernel answers at once; silence this long means that no answer will come.
const SILENCE_S: i64 = 5;

/// Sends a message of this kind (`RTM_NEWLINK`, `RTM_NEWROUTE` …): its `body` is the fixed part
/// and the attributes. Fails with the kernel's refusal: EPERM where the user namespace has no
/// capabilities.
pub(super) fn ask(kind: u16, flags: u16, body: &[Vec<u8>]) -> nix::Result<()> {
    let message = message(kind, flags, &body.concat())?;
    let protocol = SockProtocol::NetlinkRoute;
    let channel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    setsockopt(&channel, sockopt::ReceiveTimeout, &TimeVal::seconds(SILENCE_S))?;
    sendto(channel.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut buffer = [0; 1024];
    let length = recv(channel.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
    answer(buffer.get(..length).unwrap_or_default())
}

/// An attribute: `value` behind its length and kind, filled up to four bytes.
pub(super) fn attribute(kind: u16, value: &[u8]) -> nix::Result<Vec<u8>> {
    let length = u16::try_from(value.len() + ATTRIBUTE_HEADER).map_err(|_| Errno::EMSGSIZE)?;
    let mut bytes = Vec::with_capacity(value.len() + 2 * ATTRIBUTE_HEADER);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(ATTRIBUTE_HEADER), 0);
    Ok(bytes)
}

/// An attribute that is text, with the zero at its end.
pub(super) fn text(kind: u16, value: &str) -> nix::Result<Vec<u8>> {
    attribute(kind, &[value.as_bytes(), &[0]].concat())
}

fn message(kind: u16, flags: u16, body: &[u8]) -> nix::Result<Vec<u8>> {
    let length = u32::try_from(HEADER + body.len()).map_err(|_| Errno::EMSGSIZE)?;
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((REQUEST_AND_ANSWER | flags).to_ne_bytes());
    // A sequence number, and the kernel as the one who is spoken to.
    message.extend([0; 8]);
    message.extend(body);
    Ok(message)
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
    fn a_message_has_the_length_that_it_says() {
        let name = text(3, "lo").unwrap();
        assert_eq!(name, [&7_u16.to_ne_bytes()[..], &3_u16.to_ne_bytes(), b"lo\0\0"].concat());
        let message = message(16, MAKE, &name).unwrap();
        assert_eq!(message.len(), 24);
        assert_eq!(message[..4], 24_u32.to_ne_bytes());
        assert_eq!(message[4..8], [&16_u16.to_ne_bytes()[..], &0x605_u16.to_ne_bytes()].concat());
    }

    #[test]
    fn what_is_too_long_for_its_length_is_refused() {
        assert_eq!(attribute(1, &[0; 65_532]), Err(Errno::EMSGSIZE));
        assert_eq!(attribute(1, &[0; 65_531]).map(|it| it.len()), Ok(65_536));
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
