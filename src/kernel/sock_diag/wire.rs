//! The bytes: requests, messages, rows. Layouts from `include/uapi/linux/inet_diag.h` and
//! `include/uapi/linux/netlink.h`; everything is in host byte order but ports and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::errno::Errno;

use crate::model::{Address, Endpoint, Family, Protocol, Socket, TcpState, Timer, TimerKind};

/// Size of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Size of `struct inet_diag_msg`; attributes follow.
const ROW: usize = 72;
/// `TCPDIAG_GETSOCK`: the request from before sock_diag. Its dump walks the connection table once
/// for both families (`inet_diag_dump_compat` sets `AF_UNSPEC`), which the newer one cannot.
const TCPDIAG_GETSOCK: u16 = 18;
/// `SOCK_DIAG_BY_FAMILY`.
pub(super) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP_REQUEST: u16 = 0x301;
/// `NLM_F_DUMP_INTR`: the table changed in a way that makes the dump inconsistent.
const DUMP_INTERRUPTED: u16 = 0x10;
/// `INET_DIAG_SKV6ONLY`, one byte, sent with IPv6 listeners.
const ATTRIBUTE_V6_ONLY: u16 = 11;
/// `INET_DIAG_INFO`: `struct tcp_info`, sent where it was asked for.
const ATTRIBUTE_INFO: u16 = 2;
/// The bit of `idiag_ext` that asks for [`ATTRIBUTE_INFO`].
const EXTENSION_INFO: u8 = 1 << (ATTRIBUTE_INFO - 1);

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Which rows of a dump are wanted, and how much of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Only rows of this local port. The kernel heeds it among listeners and connections, and not
    /// in its walk of bound sockets.
    pub local_port: Option<u16>,
    /// With the `tcp_info` of each, from which [`Socket::opened_here`] is known.
    pub tcp_info: bool,
}

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// TCP of both families in one walk.
    Legacy {
        /// Bit *n* asks for state *n*.
        states: u32,
        /// Which rows.
        detail: Detail,
    },
    /// One family of one protocol.
    ByFamily {
        /// The family.
        family: Family,
        /// The protocol.
        protocol: Protocol,
        /// Bit *n* asks for state *n*.
        states: u32,
        /// Which rows.
        detail: Detail,
    },
}

impl Request {
    /// The protocol of the rows that will come.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Legacy { .. } => Protocol::Tcp,
            Self::ByFamily { protocol, .. } => protocol,
        }
    }

    /// The message to send: 76 bytes for the legacy request, 72 for the newer one.
    pub fn encode(self, sequence: u32) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Legacy { states, detail } => (TCPDIAG_GETSOCK, legacy_body(states, detail)),
            Self::ByFamily { family, protocol, states, detail } => {
                (SOCK_DIAG_BY_FAMILY, by_family_body((family, protocol), states, detail))
            }
        };
        dump_request(kind, sequence, &body)
    }
}

/// A request for a dump.
pub(super) fn dump_request(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    message((kind, DUMP_REQUEST), sequence, body)
}

/// A question about one socket, and no dump: that which the kernel would give a SYN to `address`
/// (`inet_diag_find_one_icsk` looks up as the input path does). The cookie says that any will do.
pub(super) fn listener_request(address: SocketAddr, sequence: u32) -> Vec<u8> {
    let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    let mut body = by_family_body((family, Protocol::Tcp), u32::MAX, Detail::default());
    let mut id = address.port().to_be_bytes().to_vec();
    id.extend([0; 2]);
    match address.ip() {
        IpAddr::V4(ip) => id.extend(ip.octets()),
        IpAddr::V6(ip) => id.extend(ip.octets()),
    }
    id.resize(40, 0);
    id.extend([0xff; 8]);
    body.truncate(8);
    body.extend(id);
    message((SOCK_DIAG_BY_FAMILY, REQUEST), sequence, &body)
}

/// `struct nlmsghdr` and `body`.
fn message((kind, flags): (u16, u16), sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    message
}

impl Detail {
    /// `idiag_ext`.
    fn extensions(self) -> u8 {
        if self.tcp_info { EXTENSION_INFO } else { 0 }
    }

    /// `struct inet_diag_sockid` with nothing but the local port, which comes first in it.
    fn socket_id(self) -> [u8; 48] {
        let mut id = [0; 48];
        id[..2].copy_from_slice(&self.local_port.unwrap_or(0).to_be_bytes());
        id
    }
}

/// `struct inet_diag_req`: family, lengths, extensions; the sockid; states; dbs.
fn legacy_body(states: u32, detail: Detail) -> Vec<u8> {
    let mut body = vec![0, 0, 0, detail.extensions()];
    body.extend(detail.socket_id());
    body.extend(states.to_ne_bytes());
    body.extend(0_u32.to_ne_bytes());
    body
}

/// `struct inet_diag_req_v2`: family, protocol, extensions, padding; states; the sockid.
fn by_family_body((family, protocol): (Family, Protocol), states: u32, detail: Detail) -> Vec<u8> {
    let family = match family {
        Family::Ipv4 => AF_INET,
        Family::Ipv6 => AF_INET6,
    };
    let protocol = match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    };
    let mut body = vec![family, protocol, detail.extensions(), 0];
    body.extend(states.to_ne_bytes());
    body.extend(detail.socket_id());
    body
}

/// One message of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A socket: `struct inet_diag_msg` and its attributes.
    Row(&'a [u8]),
    /// The end of the dump.
    Done,
    /// The kernel's error, instead of rows or at their end.
    Failed(Errno),
    /// An answer to somebody else, or to an earlier request.
    Foreign,
    /// A message that says nothing (`NLMSG_NOOP`, or a type that no dump has).
    Ignored,
    /// Bytes that are no message; what follows them in the buffer is lost.
    Malformed,
}

/// The messages of one received buffer.
#[derive(Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    sequence: u32,
    interrupted: bool,
}

impl<'a> Messages<'a> {
    /// The messages in `buffer`, of which those with another number than `sequence` are foreign.
    pub fn new(buffer: &'a [u8], sequence: u32) -> Self {
        Self { rest: buffer, sequence, interrupted: false }
    }

    /// Whether a message so far carried `NLM_F_DUMP_INTR`.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Answer<'a>;

    fn next(&mut self) -> Option<Answer<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let split = self.rest.first_chunk::<HEADER>().and_then(|header| {
            let length = usize::try_from(u32_at(header, 0)).ok()?;
            Some((header, self.rest.get(HEADER..length)?, length))
        });
        let Some((header, payload, length)) = split else {
            self.rest = &[];
            return Some(Answer::Malformed);
        };
        // Messages start on multiples of four (NLMSG_ALIGN); the last one may lack its padding.
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        if u32_at(header, 8) != self.sequence {
            return Some(Answer::Foreign);
        }
        self.interrupted |= u16_at(header, 6) & DUMP_INTERRUPTED != 0;
        Some(classify(u16_at(header, 4), payload))
    }
}

/// By the message type: `NLMSG_ERROR` is 2, `NLMSG_DONE` 3; both begin with a negative errno, where
/// 0 means success: an acknowledgement, or a dump without an error.
fn classify(kind: u16, payload: &[u8]) -> Answer<'_> {
    let code = || payload.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
    let failed = |code: i32| Answer::Failed(Errno::from_raw(code.saturating_neg()));
    match kind {
        SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => Answer::Row(payload),
        2 => match code() {
            Some(code) if code < 0 => failed(code),
            Some(_) => Answer::Ignored,
            None => Answer::Malformed,
        },
        3 => code().filter(|code| *code < 0).map_or(Answer::Done, failed),
        _ => Answer::Ignored,
    }
}

/// Reads one row. `None` if it is shorter than `struct inet_diag_msg` or of no IP family.
#[inline]
pub fn decode(payload: &[u8], protocol: Protocol) -> Option<Socket> {
    let row: &[u8; ROW] = payload.first_chunk()?;
    let family = match row[0] {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        _ => return None,
    };
    let state = state_of(row[1], u16_be_at(row, 6), protocol);
    let (local, remote) = addresses(row, family);
    let inode = u32_at(row, 68);
    let attributes = payload.get(ROW..).unwrap_or_default();
    let is_unconnected = matches!(state, TcpState::LISTEN | TcpState::BOUND_INACTIVE);
    Some(Socket {
        protocol,
        family,
        state,
        local: Endpoint::new(local, u16_be_at(row, 4)),
        remote: Endpoint::new(remote, u16_be_at(row, 6)),
        v4_mapped: family == Family::Ipv6 && local.is_ipv4(),
        recv_queue: u32_at(row, 56),
        send_queue: Some(u32_at(row, 60)),
        timer: timer(row),
        uid: (inode != 0).then(|| u32_at(row, 64)),
        inode: (inode != 0).then_some(inode),
        interface: Some(u32_at(row, 40)).filter(|index| *index != 0),
        cookie: Some(cookie_at(row, 44)),
        v6_only: if is_unconnected { v6_only(attributes) } else { None },
        opened_here: if is_unconnected { None } else { opened_here(attributes, state) },
    })
}

/// A TCP socket that is dumped in `CLOSE` was asked for as bound-inactive (bit 13): nothing else
/// that is closed is in the kernel's tables.
fn state_of(code: u8, remote_port: u16, protocol: Protocol) -> TcpState {
    match TcpState::from_kernel(code) {
        TcpState::CLOSE if protocol == Protocol::Tcp && remote_port == 0 => {
            TcpState::BOUND_INACTIVE
        }
        state => state,
    }
}

fn timer(row: &[u8; ROW]) -> Option<Timer> {
    let kind = TimerKind::from_kernel(row[2])?;
    Some(Timer { kind, expires_ms: u32_at(row, 52), retransmits: row[3] })
}

/// Both addresses.
#[inline]
fn addresses(row: &[u8; ROW], family: Family) -> (Address, Address) {
    match family {
        Family::Ipv4 => (
            Address::from_ipv4(Ipv4Addr::from(bytes_at::<4>(row, 8))),
            Address::from_ipv4(Ipv4Addr::from(bytes_at::<4>(row, 24))),
        ),
        Family::Ipv6 => unmap(ipv6_at(row, 8), ipv6_at(row, 24)),
    }
}

/// The ends of an IPv6 socket. Where one is an IPv4 address, so is the other: of an unconnected
/// socket that is bound to `::ffff:a.b.c.d` the remote end is `::`, which then means `0.0.0.0`.
#[inline]
pub(in crate::kernel) fn unmap(local: Address, remote: Address) -> (Address, Address) {
    let as_ipv4 = |address: Address| match address {
        Address::ANY_IPV6 => Address::ANY_IPV4,
        address => address,
    };
    if local.is_ipv4() || remote.is_ipv4() {
        (as_ipv4(local), as_ipv4(remote))
    } else {
        (local, remote)
    }
}

/// The value of the attribute `kind` among `attributes`, each a length, a type and a value, padded
/// to multiples of four.
pub(in crate::kernel) fn attribute(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = attributes;
    while let Some(header) = rest.first_chunk::<4>() {
        let length = usize::from(u16_at(header, 0));
        let value = rest.get(4..length)?;
        if u16_at(header, 2) == kind {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The value of `INET_DIAG_SKV6ONLY`.
fn v6_only(attributes: &[u8]) -> Option<bool> {
    attribute(attributes, ATTRIBUTE_V6_ONLY)?.first().map(|byte| *byte != 0)
}

/// Which side sent the SYN, from `tcp_info`: the kernel counts the SYN, and later the FIN, as a byte
/// that the peer acknowledged (`tcp_snd_una_update`), and neither as one that was sent. Of a
/// connection that was accepted the SYN was counted on the request socket, which is gone.
///
/// Sure only while nothing is unacknowledged; `None` else, and before Linux 4.19, which does not
/// tell `tcpi_bytes_sent`.
#[inline]
fn opened_here(attributes: &[u8], state: TcpState) -> Option<bool> {
    /// The first 216 bytes of `struct tcp_info`, up to `tcpi_bytes_retrans`.
    const INFO: usize = 216;
    let acknowledged_fins = match state {
        TcpState::ESTABLISHED | TcpState::CLOSE_WAIT => 0,
        TcpState::FIN_WAIT2 => 1,
        _ => return None,
    };
    let info: &[u8; INFO] = attribute(attributes, ATTRIBUTE_INFO)?.first_chunk()?;
    let (unacknowledged, acknowledged) = (u32_at(info, 24), u64_at(info, 120));
    let (sent, sent_again) = (u64_at(info, 200), u64_at(info, 208));
    let data = sent.checked_sub(sent_again)?;
    let beyond_data = acknowledged.checked_sub(data)?.checked_sub(acknowledged_fins)?;
    match (unacknowledged, beyond_data) {
        (0, 0) => Some(false),
        (0, 1) => Some(true),
        _ => None,
    }
}

/// `N` bytes of the fixed-size `row` at `offset`. The offsets are constants inside the row, so the
/// optimiser removes the check.
#[inline]
fn bytes_at<const N: usize>(row: &[u8], offset: usize) -> [u8; N] {
    row.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

#[inline]
fn u16_at(row: &[u8], offset: usize) -> u16 {
    u16::from_ne_bytes(bytes_at(row, offset))
}

#[inline]
fn u16_be_at(row: &[u8], offset: usize) -> u16 {
    u16::from_be_bytes(bytes_at(row, offset))
}

#[inline]
pub(super) fn u32_at(row: &[u8], offset: usize) -> u32 {
    u32::from_ne_bytes(bytes_at(row, offset))
}

/// Cookies are two 32-bit words, the low one first (`sock_diag_save_cookie`).
#[inline]
fn cookie_at(row: &[u8], offset: usize) -> u64 {
    u64::from(u32_at(row, offset)) | u64::from(u32_at(row, offset + 4)) << 32
}

#[inline]
fn u64_at(row: &[u8], offset: usize) -> u64 {
    u64::from_ne_bytes(bytes_at(row, offset))
}

#[inline]
fn ipv6_at(row: &[u8], offset: usize) -> Address {
    Address::from_ipv6(Ipv6Addr::from(bytes_at::<16>(row, offset)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEQUENCE: u32 = 7;

    /// A message of `kind` as the kernel lays it out.
    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEADER + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A row as Linux 6.18 sent it: TIME_WAIT, 127.0.0.1:53772 to 127.0.0.1:9000, 59,896 ms left.
    fn time_wait_row() -> Vec<u8> {
        let mut row = vec![2, 6, 3, 0];
        row.extend(53772_u16.to_be_bytes());
        row.extend(9000_u16.to_be_bytes());
        row.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        row.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for word in [0_u32, 0x15d5b, 0, 59_896, 0, 0, 0, 0] {
            row.extend(word.to_ne_bytes());
        }
        row
    }

    #[test]
    fn a_time_wait_row_keeps_its_timer_and_has_no_owner() {
        let socket = decode(&time_wait_row(), Protocol::Tcp).unwrap();
        assert_eq!(socket.state, TcpState::TIME_WAIT);
        assert_eq!(socket.local.to_string(), "127.0.0.1:53772");
        assert_eq!(socket.remote.to_string(), "127.0.0.1:9000");
        let timer = Timer { kind: TimerKind::TIME_WAIT, expires_ms: 59_896, retransmits: 0 };
        assert_eq!(socket.timer, Some(timer));
        assert_eq!((socket.uid, socket.inode, socket.interface), (None, None, None));
        assert_eq!(socket.cookie, Some(0x15d5b));
    }

    #[test]
    fn a_mapped_address_is_written_as_ipv4() {
        let mut row = time_wait_row();
        row[0] = AF_INET6;
        row[8..24].copy_from_slice(&"::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap().octets());
        row[24..40].copy_from_slice(&"::ffff:10.0.0.2".parse::<Ipv6Addr>().unwrap().octets());
        let socket = decode(&row, Protocol::Tcp).unwrap();
        assert!(socket.v4_mapped && socket.family == Family::Ipv6);
        assert_eq!(socket.remote.to_string(), "10.0.0.2:9000");
    }

    #[test]
    fn attributes_tell_v6only_of_a_listener() {
        let mut row = time_wait_row();
        (row[0], row[1], row[2]) = (AF_INET6, 10, 0);
        let plain = decode(&row, Protocol::Tcp).unwrap();
        assert_eq!(plain.v6_only, None);
        row.extend([5, 0, 8, 0, 0, 0, 0, 0, 5, 0, 11, 0, 1, 0, 0, 0]);
        assert_eq!(decode(&row, Protocol::Tcp).unwrap().v6_only, Some(true));
    }

    /// A row of ESTABLISHED with `tcp_info` that says so much was sent and acknowledged.
    fn with_info(sent: u64, acknowledged: u64, in_flight: u32) -> Socket {
        let mut info = [0; 232];
        info[24..28].copy_from_slice(&in_flight.to_ne_bytes());
        info[120..128].copy_from_slice(&acknowledged.to_ne_bytes());
        info[200..208].copy_from_slice(&sent.to_ne_bytes());
        let mut row = time_wait_row();
        (row[1], row[2]) = (1, 0);
        row.extend([236, 0, 2, 0]);
        row.extend(info);
        decode(&row, Protocol::Tcp).unwrap()
    }

    #[test]
    fn the_acknowledged_syn_tells_who_opened_a_connection() {
        // As Linux 6.18 counted ten bytes from the client, and five from the server.
        assert_eq!(with_info(10, 11, 0).opened_here, Some(true));
        assert_eq!(with_info(5, 5, 0).opened_here, Some(false));
        assert_eq!(with_info(5, 5, 1).opened_here, None, "something is under way");
        assert_eq!(with_info(5, 4, 0).opened_here, None);
        assert_eq!(with_info(5, 9, 0).opened_here, None, "data in the SYN, or a kernel to come");
    }

    #[test]
    fn messages_are_told_apart() {
        let mut buffer = message(TCPDIAG_GETSOCK, 0x12, SEQUENCE, &time_wait_row());
        buffer.extend(message(TCPDIAG_GETSOCK, 2, SEQUENCE + 1, &time_wait_row()));
        buffer.extend(message(1, 0, SEQUENCE, &[]));
        buffer.extend(message(2, 0, SEQUENCE, &(-2_i32).to_ne_bytes()));
        buffer.extend(message(3, 0, SEQUENCE, &(-2_i32).to_ne_bytes()));
        buffer.extend(message(3, 0, SEQUENCE, &0_i32.to_ne_bytes()));
        let mut messages = Messages::new(&buffer, SEQUENCE);
        assert!(matches!(messages.next(), Some(Answer::Row(_))));
        assert!(messages.interrupted());
        let rest: Vec<_> = messages.collect();
        let failed = || Answer::Failed(Errno::ENOENT);
        assert_eq!(
            rest,
            [Answer::Foreign, Answer::Ignored, failed(), failed(), Answer::Done],
            "NOOP is passed over, ERROR and the errno inside DONE are the same failure"
        );
    }

    #[test]
    fn short_and_overlong_messages_are_malformed_and_end_the_buffer() {
        let whole = message(TCPDIAG_GETSOCK, 2, SEQUENCE, &time_wait_row());
        for cut in 1..whole.len() {
            let answers: Vec<_> = Messages::new(&whole[..cut], SEQUENCE).collect();
            assert_eq!(answers, [Answer::Malformed], "cut to {cut} bytes");
        }
        let mut lies = whole;
        lies[0] = 15;
        let answers: Vec<_> = Messages::new(&lies, SEQUENCE).collect();
        assert_eq!(answers, [Answer::Malformed], "a length below the header's own");
        assert_eq!(decode(&time_wait_row()[..71], Protocol::Tcp), None);
    }

    #[test]
    fn requests_have_the_kernels_sizes() {
        let port = Detail { local_port: Some(8080), tcp_info: true };
        let legacy = Request::Legacy { states: 1 << 6, detail: port }.encode(1);
        assert_eq!((legacy.len(), u32_at(&legacy, 0), u32_at(&legacy, 68)), (76, 76, 1 << 6));
        assert_eq!((legacy[19], &legacy[20..22]), (2, &8080_u16.to_be_bytes()[..]));
        let detail = Detail::default();
        let (family, protocol) = (Family::Ipv6, Protocol::Udp);
        let bytes = Request::ByFamily { family, protocol, states: 1 << 7, detail }.encode(1);
        assert_eq!((bytes.len(), &bytes[16..18], u32_at(&bytes, 20)), (72, &[10, 17][..], 1 << 7));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for answer in Messages::new(&bytes, u32_at(&bytes, 8)) {
                if let Answer::Row(payload) = answer {
                    decode(payload, Protocol::Tcp);
                }
            }
            decode(&bytes, Protocol::Udp);
            v6_only(&bytes);
        }
    }
}
