//! `NETLINK_ROUTE`: one question, and one answer or a whole table (rtnetlink(7)).

use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// `NLM_F_REQUEST`, `include/uapi/linux/netlink.h`.
pub(super) const REQUEST: u16 = 1;
/// `NLM_F_ACK`
pub(super) const ACKNOWLEDGE: u16 = 4;
/// `NLM_F_CREATE | NLM_F_EXCL`: make it, and fail if it is there.
pub(super) const MAKE: u16 = 0x400 | 0x200;
/// `NLM_F_DUMP`: all there is.
const DUMP: u16 = 0x100 | 0x200;
/// `NLMSG_ERROR`
const NLMSG_ERROR: u16 = 2;
/// `NLMSG_DONE`
const NLMSG_DONE: u16 = 3;
/// The kernel fills no more than this at a time (`net/netlink/af_netlink.c`, `netlink_dump`).
const DUMP_BUFFER: usize = 32 * 1024;
/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// The kernel answers at once; silence this long means that no answer will come.
const SILENCE_S: i64 = 5;

/// Sends a message of this type, flags and body, and gives the body of the answer: empty for an
/// acknowledgement. Fails with the kernel's refusal.
pub(super) fn ask((kind, flags): (u16, u16), body: &[u8]) -> nix::Result<Vec<u8>> {
    let channel = send((kind, flags), body)?;
    let mut buffer = [0; 4096];
    let length = recv(channel.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
    answer(buffer.get(..length).unwrap_or_default()).map(<[u8]>::to_vec)
}

/// Sends a message of this type and body, and gives the bodies of all that the kernel answers.
pub(super) fn dump(kind: u16, body: &[u8]) -> nix::Result<Vec<Vec<u8>>> {
    let channel = send((kind, DUMP), body)?;
    let mut buffer = vec![0; DUMP_BUFFER];
    let mut bodies = Vec::new();
    loop {
        let length = recv(channel.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if is_end(buffer.get(..length).unwrap_or_default(), &mut bodies)? {
            return Ok(bodies);
        }
    }
}

fn send((kind, flags): (u16, u16), body: &[u8]) -> nix::Result<OwnedFd> {
    let protocol = SockProtocol::NetlinkRoute;
    let channel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    setsockopt(&channel, sockopt::ReceiveTimeout, &TimeVal::seconds(SILENCE_S))?;
    let kernel = NetlinkAddr::new(0, 0);
    let message = message((kind, REQUEST | flags), body);
    sendto(channel.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
    Ok(channel)
}

/// Takes the bodies out of one reading of a dump, and says whether it was the last. Fails with
/// the kernel's refusal.
fn is_end(mut messages: &[u8], bodies: &mut Vec<Vec<u8>>) -> nix::Result<bool> {
    while let Some(length) = messages.first_chunk().map(|it| u32::from_ne_bytes(*it)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let message =
            messages.get(..length).filter(|it| it.len() >= HEADER).ok_or(Errno::EBADMSG)?;
        let kind = message.get(4..6).and_then(<[u8]>::first_chunk);
        if kind.map(|it| u16::from_ne_bytes(*it)) == Some(NLMSG_DONE) {
            return Ok(true);
        }
        bodies.push(answer(message)?.to_vec());
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn message((kind, flags): (u16, u16), body: &[u8]) -> Vec<u8> {
    let length = HEADER + body.len();
    let mut message = Vec::with_capacity(length);
    message.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // A sequence number, and the kernel as the one who is spoken to.
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// What the kernel said: a message, or `struct nlmsgerr` with 0 for success, else a negative errno.
fn answer(message: &[u8]) -> nix::Result<&[u8]> {
    let kind = message.get(4..6).and_then(<[u8]>::first_chunk).map(|it| u16::from_ne_bytes(*it));
    let body = message.get(HEADER..).ok_or(Errno::EBADMSG)?;
    if kind != Some(NLMSG_ERROR) {
        return Ok(body);
    }
    match body.first_chunk().map(|it| i32::from_ne_bytes(*it)) {
        Some(0) => Ok(&[]),
        Some(code) => Err(Errno::from_raw(code.saturating_neg())),
        None => Err(Errno::EBADMSG),
    }
}

/// An attribute: its length, its type and its value, padded to four bytes.
pub(super) fn put_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer with this code, as the kernel sends it.
    fn answered(code: i32) -> Vec<u8> {
        let mut body = code.to_ne_bytes().to_vec();
        body.extend([0; 16]);
        message((NLMSG_ERROR, 0), &body)
    }

    #[test]
    fn the_answer_is_success_a_message_or_the_kernels_errno() {
        assert_eq!(answer(&answered(0)), Ok(&[][..]));
        assert_eq!(answer(&answered(-1)), Err(Errno::EPERM));
        assert_eq!(answer(&message((24, 0), b"body")), Ok(&b"body"[..]));
        assert_eq!(answer(&[]), Err(Errno::EBADMSG));
    }

    #[test]
    fn a_dump_ends_with_its_last_message() {
        let mut bodies = Vec::new();
        let two = [message((32, 0), b"one."), message((32, 0), b"two.")].concat();
        assert_eq!(is_end(&two, &mut bodies), Ok(false));
        let last = [message((32, 0), b"last"), message((NLMSG_DONE, 0), &[0; 4])].concat();
        assert_eq!(is_end(&last, &mut bodies), Ok(true));
        assert_eq!(bodies, [b"one.", b"two.", b"last"]);
        assert_eq!(is_end(&answered(-1), &mut bodies), Err(Errno::EPERM));
    }

    #[test]
    fn attributes_are_padded() {
        let mut bytes = Vec::new();
        put_attribute(&mut bytes, 1, &[7, 8]);
        assert_eq!(bytes, [6, 0, 1, 0, 7, 8, 0, 0]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(answer(&bytes).is_err() || bytes.len() >= HEADER);
            let mut bodies = Vec::new();
            is_end(&bytes, &mut bodies).unwrap_or_default();
            prop_assert!(bodies.len() <= bytes.len() / HEADER);
        }
    }
}
