//! The asking and reading: one netlink socket, one request after another, one reused buffer.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

use super::unix::{UnixSocket, decode_unix, unix_request};
use super::wire::{Answer, Messages, Request, decode, listener_request};
use crate::kernel::KernelError;
use crate::model::{Protocol, Socket, TcpState};

/// The kernel fills at most 32 KiB less its own header (`netlink_dump`, `SKB_WITH_OVERHEAD(32768)`),
/// so this holds whatever it sends.
const BUFFER: usize = 64 * 1024;
/// Holds one socket with all that is told of it (`inet_sk_attr_size` is below 1 KiB).
const ONE_SOCKET: usize = 4096;
/// The kernel answers in microseconds; silence this long means that no end will come.
const SILENCE_S: i64 = 5;
/// How often a full receive queue is forgiven before the dump is called broken.
const MAX_OVERRUNS: u32 = 16;
/// Rows around the seam of two buffers that are compared, see [`Seam`]. Above the longest hash
/// chain that is to be expected.
const SEAM: usize = 32;

/// What was not as it should be in a dump that came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpNotes {
    /// Rows passed on.
    pub rows: u64,
    /// Whoever looked at the rows wanted no more.
    pub broke: bool,
    /// Rows or messages that could not be decoded.
    pub malformed: u64,
    /// Buffers that were too short or lost for want of space: rows are missing.
    pub lost: u64,
    /// `NLM_F_DUMP_INTR` was set: the table changed in mid-dump.
    pub interrupted: bool,
    /// Rows that the kernel sent twice and that were passed on once.
    pub repeated: u64,
}

/// What a dump talks through; the tests put a scripted one in the kernel's place.
trait Channel {
    /// Sends one request.
    fn send(&self, message: &[u8]) -> nix::Result<()>;
    /// Receives one datagram and tells its true length, which is above the buffer's if it was cut.
    fn receive(&self, buffer: &mut [u8]) -> nix::Result<usize>;
}

impl Channel for OwnedFd {
    fn send(&self, message: &[u8]) -> nix::Result<()> {
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.as_raw_fd(), message, &kernel, MsgFlags::empty()).map(drop)
    }

    fn receive(&self, buffer: &mut [u8]) -> nix::Result<usize> {
        // With MSG_TRUNC the answer is the datagram's true length, which can exceed the buffer's.
        recv(self.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC)
    }
}

/// An open `NETLINK_SOCK_DIAG` socket. It belongs to the network namespace of the thread that
/// opened it.
pub struct SockDiag {
    channel: OwnedFd,
    /// Empty until there is a dump.
    buffer: Vec<u8>,
    sequence: u32,
}

impl SockDiag {
    /// Opens the socket. Fails where netlink is refused: seccomp, gVisor, no `CONFIG_INET_DIAG`.
    pub fn open() -> Result<Self, KernelError> {
        let refused = |operation| move |errno| KernelError::Refused { operation, errno };
        let channel = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkSockDiag,
        )
        .map_err(refused("socket(AF_NETLINK, NETLINK_SOCK_DIAG)"))?;
        setsockopt(&channel, sockopt::ReceiveTimeout, &TimeVal::seconds(SILENCE_S))
            .map_err(refused("setsockopt(SO_RCVTIMEO)"))?;
        Ok(Self { channel, buffer: Vec::new(), sequence: 0 })
    }

    /// Asks for `request` and calls `visit` for each row until it breaks or the dump ends. What
    /// there is to note is added to `notes`, also of a dump that fails.
    ///
    /// Breaking leaves the rest of the answer unread; a later dump passes it over by its number.
    pub fn dump(
        &mut self,
        request: Request,
        notes: &mut DumpNotes,
        visit: &mut dyn FnMut(&Socket) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        let mut rows = IpRows { protocol: request.protocol(), seam: Seam::new(), visit };
        let question = self.question(|sequence| request.encode(sequence));
        self.buffer.resize(BUFFER, 0);
        question.ask(&self.channel, &mut self.buffer, notes, &mut rows)
    }

    /// Calls `visit` for each Unix socket of the network namespace. Fails on a kernel without
    /// `CONFIG_UNIX_DIAG`.
    pub fn dump_unix(
        &mut self,
        notes: &mut DumpNotes,
        visit: &mut dyn FnMut(UnixSocket),
    ) -> Result<(), KernelError> {
        let question = self.question(unix_request);
        self.buffer.resize(BUFFER, 0);
        question.ask(&self.channel, &mut self.buffer, notes, &mut UnixRows(visit))
    }

    /// The socket that listens for connections of TCP to `address`; `None` if there is none. One
    /// question and one answer, whatever the size of the tables.
    pub fn listener(&mut self, address: SocketAddr) -> Result<Option<Socket>, KernelError> {
        let mut found = None;
        let mut first = |socket: &Socket| {
            found = Some(*socket);
            ControlFlow::Break(())
        };
        let mut rows = IpRows { protocol: Protocol::Tcp, seam: Seam::new(), visit: &mut first };
        let question = self.question(|sequence| listener_request(address, sequence));
        let notes = &mut DumpNotes::default();
        match question.ask(&self.channel, &mut [0; ONE_SOCKET], notes, &mut rows) {
            Err(KernelError::Refused { errno: Errno::ENOENT, .. }) => Ok(None),
            asked => asked.map(|()| found.filter(|it| it.state == TcpState::LISTEN)),
        }
    }

    fn question(&mut self, encode: impl FnOnce(u32) -> Vec<u8>) -> Question {
        self.sequence += 1;
        Question { request: encode(self.sequence), sequence: self.sequence }
    }
}

/// What takes the rows of a dump.
trait Rows {
    /// The rows that follow are from another buffer.
    fn next_buffer(&mut self) {}

    /// Takes the row of these bytes; breaks if it wants no more.
    fn row(&mut self, payload: &[u8], notes: &mut DumpNotes) -> ControlFlow<()>;
}

/// TCP and UDP sockets, each passed on once.
struct IpRows<'a> {
    protocol: Protocol,
    seam: Seam,
    visit: &'a mut dyn FnMut(&Socket) -> ControlFlow<()>,
}

impl Rows for IpRows<'_> {
    fn next_buffer(&mut self) {
        self.seam.next_buffer();
    }

    #[inline]
    fn row(&mut self, payload: &[u8], notes: &mut DumpNotes) -> ControlFlow<()> {
        // Looked at where it was made: moving it costs as much as decoding it.
        let decoded = decode(payload, self.protocol);
        let Some(socket) = &decoded else {
            notes.malformed += 1;
            return ControlFlow::Continue(());
        };
        if self.seam.is_repeated(socket) {
            notes.repeated += 1;
            return ControlFlow::Continue(());
        }
        notes.rows += 1;
        (self.visit)(socket)
    }
}

/// Unix sockets.
struct UnixRows<'a>(&'a mut dyn FnMut(UnixSocket));

impl Rows for UnixRows<'_> {
    fn row(&mut self, payload: &[u8], notes: &mut DumpNotes) -> ControlFlow<()> {
        match decode_unix(payload) {
            Some(socket) => {
                notes.rows += 1;
                (self.0)(socket);
            }
            None => notes.malformed += 1,
        }
        ControlFlow::Continue(())
    }
}

/// A request and the number that its answers carry.
#[derive(Clone, Debug)]
struct Question {
    request: Vec<u8>,
    sequence: u32,
}

impl Question {
    /// One dump, from the request to its end.
    fn ask(
        &self,
        channel: &impl Channel,
        buffer: &mut [u8],
        notes: &mut DumpNotes,
        rows: &mut impl Rows,
    ) -> Result<(), KernelError> {
        let failed = |operation| move |errno| KernelError::Refused { operation, errno };
        channel.send(&self.request).map_err(failed("the dump request"))?;
        loop {
            let Some(length) = receive(channel, buffer, notes)? else { continue };
            let received = buffer.get(..length).unwrap_or_default();
            let mut messages = Messages::new(received, self.sequence);
            rows.next_buffer();
            let end = pass_on(&mut messages, notes, rows);
            notes.interrupted |= messages.interrupted();
            match end {
                None => {}
                Some(Answer::Failed(errno)) => return Err(failed("the socket dump")(errno)),
                Some(_) => return Ok(()),
            }
        }
    }
}

/// Passes on the rows of one buffer. The answer that ends the dump, if one does.
fn pass_on<'a>(
    messages: &mut Messages<'a>,
    notes: &mut DumpNotes,
    rows: &mut impl Rows,
) -> Option<Answer<'a>> {
    for answer in messages {
        let payload = match answer {
            Answer::Row(payload) => payload,
            Answer::Done | Answer::Failed(_) => return Some(answer),
            Answer::Foreign | Answer::Ignored => continue,
            Answer::Malformed => {
                notes.malformed += 1;
                continue;
            }
        };
        if rows.row(payload, notes).is_break() {
            notes.broke = true;
            return Some(Answer::Done);
        }
    }
    None
}

/// The length of the next usable datagram; `None` to ask again.
fn receive(
    channel: &impl Channel,
    buffer: &mut [u8],
    notes: &mut DumpNotes,
) -> Result<Option<usize>, KernelError> {
    match channel.receive(buffer) {
        Ok(0) => Err(KernelError::BrokenOff("the kernel closed the netlink socket")),
        Ok(length) => {
            notes.lost += u64::from(length > buffer.len());
            Ok(Some(length.min(buffer.len())))
        }
        Err(Errno::EINTR) => Ok(None),
        Err(Errno::ENOBUFS) if notes.lost < u64::from(MAX_OVERRUNS) => {
            notes.lost += 1;
            Ok(None)
        }
        Err(Errno::ENOBUFS) => Err(KernelError::BrokenOff("the receive queue overflowed for good")),
        Err(Errno::EAGAIN) => Err(KernelError::BrokenOff("the kernel sent nothing for 5 s")),
        Err(errno) => Err(KernelError::Refused { operation: "recvmsg on the dump", errno }),
    }
}

/// Finds rows that are sent twice at the seam of two buffers.
///
/// The kernel resumes a dump at an index within a hash chain (`inet_diag_dump_icsk`): a socket that
/// was added to the chain meanwhile moves the index, and the rows before it come again. They are
/// among the last of one buffer and the first of the next, so a few cookies suffice to know them.
struct Seam {
    last: [u64; SEAM],
    next: usize,
    since_seam: usize,
}

impl Seam {
    fn new() -> Self {
        Self { last: [0; SEAM], next: 0, since_seam: SEAM }
    }

    fn next_buffer(&mut self) {
        self.since_seam = 0;
    }

    #[inline]
    fn is_repeated(&mut self, socket: &Socket) -> bool {
        let Some(cookie) = socket.cookie.filter(|cookie| *cookie != 0) else {
            return false;
        };
        if self.since_seam < SEAM {
            self.since_seam += 1;
            if self.last.contains(&cookie) {
                return true;
            }
        }
        if let Some(slot) = self.last.get_mut(self.next) {
            *slot = cookie;
        }
        self.next = (self.next + 1) % SEAM;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    /// A kernel that answers by a script.
    struct Script(RefCell<VecDeque<nix::Result<Vec<u8>>>>);

    impl Channel for Script {
        fn send(&self, _: &[u8]) -> nix::Result<()> {
            Ok(())
        }

        fn receive(&self, buffer: &mut [u8]) -> nix::Result<usize> {
            let bytes = self.0.borrow_mut().pop_front().expect("the dump asked once too often")?;
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            Ok(bytes.len())
        }
    }

    const SEQUENCE: u32 = 3;

    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    /// An IPv4 TIME_WAIT row with this cookie.
    fn row(cookie: u32) -> Vec<u8> {
        let mut payload = vec![0; 72];
        payload[..3].copy_from_slice(&[2, 6, 3]);
        payload[44..48].copy_from_slice(&cookie.to_ne_bytes());
        message(20, 2, SEQUENCE, &payload)
    }

    fn done(errno: i32) -> Vec<u8> {
        message(3, 2, SEQUENCE, &errno.to_ne_bytes())
    }

    /// The cookies of the rows that a script gives, and how the dump ended.
    fn play(script: Vec<nix::Result<Vec<u8>>>) -> (Vec<u64>, Result<DumpNotes, KernelError>) {
        let channel = Script(RefCell::new(script.into()));
        let mut cookies = Vec::new();
        let question = Question { request: Vec::new(), sequence: SEQUENCE };
        let mut notes = DumpNotes::default();
        let visit: &mut dyn FnMut(&Socket) -> ControlFlow<()> = &mut |socket| {
            cookies.push(socket.cookie.unwrap());
            ControlFlow::Continue(())
        };
        let mut rows = IpRows { protocol: Protocol::Tcp, seam: Seam::new(), visit };
        let result = question.ask(&channel, &mut [0; 512], &mut notes, &mut rows);
        let result = result.map(|()| notes);
        (cookies, result)
    }

    #[test]
    fn rows_come_through_signals_and_strangers() {
        let (cookies, result) = play(vec![
            Err(Errno::EINTR),
            Ok([row(1), message(20, 2, SEQUENCE - 1, &[0; 72])].concat()),
            Ok([row(2), done(0)].concat()),
        ]);
        assert_eq!(cookies, [1, 2]);
        assert_eq!(result.unwrap(), DumpNotes { rows: 2, ..DumpNotes::default() });
    }

    #[test]
    fn an_errno_is_an_error_wherever_it_stands() {
        for answer in [done(-2), message(2, 0, SEQUENCE, &(-2_i32).to_ne_bytes())] {
            let (_, result) = play(vec![Ok(answer)]);
            let error = result.unwrap_err().to_string();
            assert!(error.contains("ENOENT (No such file or directory)"), "{error}");
        }
    }

    #[test]
    fn lost_rows_are_counted_and_the_rest_is_kept() {
        let (cookies, result) = play(vec![
            Ok(row(1)),
            Err(Errno::ENOBUFS),
            Ok([row(2), vec![0; 600]].concat()),
            Ok([row(3), done(0)].concat()),
        ]);
        assert_eq!(cookies, [1, 2, 3]);
        let notes = result.unwrap();
        assert_eq!((notes.lost, notes.malformed), (2, 1));
    }

    #[test]
    fn an_overflow_that_never_ends_ends_the_dump() {
        let (_, result) = play((0..20).map(|_| Err(Errno::ENOBUFS)).collect());
        assert!(matches!(result, Err(KernelError::BrokenOff(_))));
        let (_, result) = play(vec![Err(Errno::EAGAIN)]);
        assert!(matches!(result, Err(KernelError::BrokenOff(_))));
        let (_, result) = play(vec![Ok(Vec::new())]);
        assert!(matches!(result, Err(KernelError::BrokenOff(_))));
    }

    #[test]
    fn an_interrupted_dump_is_noted() {
        let mut last = done(0);
        last[6] |= 0x10;
        let (_, result) = play(vec![Ok(row(1)), Ok(last)]);
        assert!(result.unwrap().interrupted);
    }

    #[test]
    fn rows_that_come_again_at_a_seam_are_passed_on_once() {
        let (cookies, result) = play(vec![
            Ok([row(1), row(2), row(3)].concat()),
            Ok([row(2), row(3), row(4), done(0)].concat()),
        ]);
        assert_eq!(cookies, [1, 2, 3, 4]);
        assert_eq!(result.unwrap().repeated, 2);
    }

    #[test]
    fn a_row_that_is_too_short_costs_only_itself() {
        let short = message(20, 2, SEQUENCE, &[2, 6]);
        let (cookies, result) = play(vec![Ok([
            row(1),
            {
                let mut padded = short;
                padded.resize(20, 0);
                padded
            },
            row(2),
            done(0),
        ]
        .concat())]);
        assert_eq!(cookies, [1, 2]);
        assert_eq!(result.unwrap().malformed, 1);
    }
}
