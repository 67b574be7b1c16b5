//! `/proc/net/tcp`, `tcp6`, `udp` and `udp6`: the text form of the socket tables (proc(5),
//! `net/ipv4/tcp_ipv4.c`, `tcp4_seq_show`).
//!
//! The fallback for where netlink is refused, and the way to read a capture. It is not a snapshot,
//! and under load it has no end: the kernel finds its place again by (bucket, offset), and once it
//! has passed the last bucket, by counting rows from the start (`tcp_seq_start`). Sockets that were
//! added meanwhile make it show the end of the table again, one page for each walk of the whole
//! table, for as long as sockets are added faster than a page holds. So rows are deduplicated here,
//! and reading stops when only known rows come, or more than the kernel says that it has.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use memchr::memchr;

use super::counters::SockStat;
use super::proc_root::{open, unreadable};
use super::seen::{Novelty, Seen};
use super::sock_diag::unmap;
use super::{KernelError, ProcRoot};
use crate::model::{Address, Endpoint, Family, Protocol, Socket, TcpState, Timer, TimerKind};

/// The kernel gives at most a page at a time; a captured file gives more.
const BUFFER: usize = 64 * 1024;
/// One tick of the `tm->when` column: `USER_HZ` is 100 for every Linux that Rust runs on.
const TICK_MS: u64 = 10;
/// Known rows after which the kernel is taken to show the table's end again. A page holds 27 rows;
/// a socket added to a chain in mid-read repeats one.
const MAX_REPEATED: u64 = 128;
/// Rows beyond the kernel's own count that are still read: half-open connections are in the table
/// and not in the count, and sockets are added while it is read.
const SLACK: u64 = 16 * 1024;
/// Rows that are read in any case at most: a captured count can be any number.
const MOST: u64 = 64 * 1024 * 1024;
/// Rows that are read at most where the kernel does not say how many there are.
const UNCOUNTED: u64 = 1024 * 1024;

/// What was not as it should be in a table that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcNotes {
    /// Lines that could not be parsed.
    pub malformed: u64,
    /// Rows that came twice and were passed on once.
    pub repeated: u64,
    /// Reading a table stopped because only known rows came.
    pub had_no_end: bool,
    /// Rows that there was no room for: more came than the kernel counts.
    pub over_budget: u64,
}

/// Reads the tables of `protocols` and calls `visit` for each row, listeners first.
///
/// Fails if the IPv4 table cannot be opened, or a table breaks off. A machine without IPv6 has no
/// `tcp6` and `udp6`, which is no failure.
pub fn read(
    proc_root: &ProcRoot,
    protocols: &[Protocol],
    visit: &mut dyn FnMut(&Socket) -> ControlFlow<()>,
) -> Result<ProcNotes, KernelError> {
    let before = SockStat::read(proc_root).unwrap_or_default();
    let mut notes = ProcNotes::default();
    for protocol in protocols {
        let claimed = match protocol {
            Protocol::Tcp => before.rows_claimed(),
            Protocol::Udp => before.udp_rows_claimed(),
        };
        let seen = Seen::with_capacity(budget(claimed));
        let mut reading = Reading { visit, seen, notes, ipv4_minis: 0 };
        let flow = match protocol {
            Protocol::Tcp => reading.tcp(proc_root, &before)?,
            Protocol::Udp => reading.udp(proc_root)?,
        };
        notes = reading.notes;
        if flow.is_break() {
            break;
        }
    }
    Ok(notes)
}

/// Rows that are read of the tables that the kernel says have `claimed`.
fn budget(claimed: Option<u64>) -> usize {
    let rows = claimed.map(|rows| rows.saturating_add(rows / 4).saturating_add(SLACK));
    usize::try_from(rows.unwrap_or(UNCOUNTED).min(MOST)).unwrap_or(usize::MAX)
}

struct Reading<'a> {
    visit: &'a mut dyn FnMut(&Socket) -> ControlFlow<()>,
    seen: Seen,
    notes: ProcNotes,
    ipv4_minis: u64,
}

impl Reading<'_> {
    /// Both TCP tables: first the listeners at the head of each, then the rest.
    fn tcp(&mut self, root: &ProcRoot, before: &SockStat) -> Result<ControlFlow<()>, KernelError> {
        let mut v4 = Table::open(root, Protocol::Tcp, Family::Ipv4)?;
        let has_v6_sockets = !root.is_live() || before.tcp6_in_use != Some(0);
        let mut v6 = if has_v6_sockets { Table::open_v6(root, Protocol::Tcp)? } else { None };
        for table in [Some(&mut v4), v6.as_mut()].into_iter().flatten() {
            if self.listeners(table)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.rest(&mut v4)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        // Walking an empty table costs as much as walking a full one, a third of this reading. With
        // no IPv6 socket, and each mini-socket that the kernel counts found, there is nothing in it.
        if !has_v6_sockets && !self.has_found_all_minis(root, before) {
            v6 = Table::open_v6(root, Protocol::Tcp)?;
        }
        v6.as_mut().map_or(Ok(ControlFlow::Continue(())), |table| self.rest(table))
    }

    fn udp(&mut self, root: &ProcRoot) -> Result<ControlFlow<()>, KernelError> {
        let mut v4 = Table::open(root, Protocol::Udp, Family::Ipv4)?;
        if self.rest(&mut v4)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let v6 = Table::open_v6(root, Protocol::Udp)?;
        v6.map_or(Ok(ControlFlow::Continue(())), |mut table| self.rest(&mut table))
    }

    fn has_found_all_minis(&self, root: &ProcRoot, before: &SockStat) -> bool {
        let after = SockStat::read(root).unwrap_or_default();
        after.tcp6_in_use == Some(0)
            && after.time_wait == before.time_wait
            && after.time_wait == Some(self.ipv4_minis)
    }

    /// The listening rows at the head of `table`; the first other row is kept for [`Self::rest`].
    fn listeners(&mut self, table: &mut Table) -> Result<ControlFlow<()>, KernelError> {
        while let Some(socket) = table.next(&mut self.notes)? {
            if socket.state != TcpState::LISTEN {
                table.put_back = Some(socket);
                break;
            }
            if self.pass(&socket).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The rows of `table` to its end, or to where its end is taken to be.
    fn rest(&mut self, table: &mut Table) -> Result<ControlFlow<()>, KernelError> {
        let repeated_before = self.notes.repeated;
        while let Some(socket) = table.next(&mut self.notes)? {
            self.ipv4_minis += u64::from(socket.family == Family::Ipv4 && socket.is_mini());
            if self.pass(&socket).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if self.notes.over_budget > 0 {
                break;
            }
            if self.notes.repeated - repeated_before > MAX_REPEATED {
                self.notes.had_no_end = true;
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Passes a row on if it is new. Listeners and UDP sockets may share their addresses by
    /// `SO_REUSEPORT`; the inode tells them apart.
    fn pass(&mut self, socket: &Socket) -> ControlFlow<()> {
        let key = (socket.protocol, socket.local, socket.remote, socket.inode);
        match self.seen.insert(&key) {
            Novelty::New => (self.visit)(socket),
            Novelty::Repeated => {
                self.notes.repeated += 1;
                ControlFlow::Continue(())
            }
            Novelty::Full => {
                self.notes.over_budget += 1;
                ControlFlow::Continue(())
            }
        }
    }
}

/// One open table.
struct Table {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are read and not yet passed on.
    unread: Range<usize>,
    protocol: Protocol,
    family: Family,
    put_back: Option<Socket>,
}

impl Table {
    fn open(root: &ProcRoot, protocol: Protocol, family: Family) -> Result<Self, KernelError> {
        let suffix = if family == Family::Ipv6 { "6" } else { "" };
        let path = root.net(&format!("{}{suffix}", protocol.name()));
        let file = open(&path)?;
        let buffer = vec![0; BUFFER];
        let mut table = Self { path, file, buffer, unread: 0..0, protocol, family, put_back: None };
        table.line()?;
        Ok(table)
    }

    /// As [`Self::open`]; `None` without IPv6.
    fn open_v6(root: &ProcRoot, protocol: Protocol) -> Result<Option<Self>, KernelError> {
        match Self::open(root, protocol, Family::Ipv6) {
            Err(KernelError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            table => table.map(Some),
        }
    }

    /// The next row; `None` at the end of the file.
    fn next(&mut self, notes: &mut ProcNotes) -> Result<Option<Socket>, KernelError> {
        if let Some(socket) = self.put_back.take() {
            return Ok(Some(socket));
        }
        let (protocol, family) = (self.protocol, self.family);
        while let Some(line) = self.line()? {
            match parse_line(line, protocol, family) {
                Some(socket) => return Ok(Some(socket)),
                None => notes.malformed += 1,
            }
        }
        Ok(None)
    }

    /// The next line, without its end; `None` at the end of the file. A line as long as the buffer
    /// is cut there: it is none of the kernel's.
    fn line(&mut self) -> Result<Option<&[u8]>, KernelError> {
        loop {
            let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
            let is_full = unread.len() == self.buffer.len();
            if let Some(length) = memchr(b'\n', unread).or(is_full.then_some(unread.len())) {
                let start = self.unread.start;
                self.unread.start = (start + length + 1).min(self.unread.end);
                return Ok(self.buffer.get(start..start + length));
            }
            if !self.fill()? {
                let rest = std::mem::replace(&mut self.unread, 0..0);
                return Ok(self.buffer.get(rest).filter(|line| !line.is_empty()));
            }
        }
    }

    /// Reads more behind what is unread; false at the end of the file.
    fn fill(&mut self) -> Result<bool, KernelError> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let room = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        loop {
            match self.file.read(room) {
                Ok(length) => {
                    self.unread.end += length;
                    return Ok(length > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&self.path, error)),
            }
        }
    }
}

/// Reads one line of a table. `None` if it is not one.
pub fn parse_line(line: &[u8], protocol: Protocol, family: Family) -> Option<Socket> {
    let colon = line.iter().take(16).position(|byte| *byte == b':')?;
    let mut fields = Fields { rest: line.get(colon + 1..)? };
    let (local, remote) = match family {
        Family::Ipv4 => (fields.ipv4()?, fields.ipv4()?),
        Family::Ipv6 => fields.ipv6_pair()?,
    };
    let [state] = fields.hex::<2>()?.to_be_bytes().last_chunk().copied()?;
    let state = match TcpState::from_kernel(state) {
        TcpState::NEW_SYN_RECV => TcpState::SYN_RECV,
        state => state,
    };
    let (send_queue, recv_queue) = fields.queues()?;
    let kind = u8::try_from(fields.hex::<2>()?).ok().map(TimerKind::from_kernel)?;
    fields.skip(b':')?;
    let ticks = fields.ticks_left()?;
    let retransmits = fields.hex::<8>()?;
    let (uid, probes, inode) = fields.owner()?;
    // The number in the tables of sock_diag has 32 bits; so this one gets.
    let inode = u32::try_from(inode & u64::from(u32::MAX)).ok()?;
    let timer = kind.map(|kind| Timer {
        kind,
        expires_ms: u32::try_from(ticks.saturating_mul(TICK_MS)).unwrap_or(u32::MAX),
        retransmits: u8::try_from(counted(kind, retransmits.into(), probes)).unwrap_or(u8::MAX),
    });
    Some(Socket {
        protocol,
        family,
        state,
        local,
        remote,
        v4_mapped: family == Family::Ipv6 && local.address.is_ipv4(),
        recv_queue,
        send_queue: (state != TcpState::LISTEN).then_some(send_queue),
        timer,
        uid: if inode == 0 { None } else { Some(u32::try_from(uid).ok()?) },
        inode: (inode != 0).then_some(inode),
        interface: None,
        cookie: None,
        v6_only: None,
        opened_here: None,
    })
}

/// What `sock_diag` reports as `idiag_retrans`: probes for the timers that send probes.
fn counted(kind: TimerKind, retransmits: u64, probes: u64) -> u64 {
    match kind {
        TimerKind::KEEPALIVE | TimerKind::PERSIST => probes,
        _ => retransmits,
    }
}

/// The columns of a line, from left to right.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    /// `0100007F:1F90`: the address as a word in host order, the port as a number.
    #[inline]
    fn ipv4(&mut self) -> Option<Endpoint> {
        let address = Ipv4Addr::from(self.hex::<8>()?.to_ne_bytes());
        Some(Endpoint::new(Address::from_ipv4(address), self.port()?))
    }

    /// Both ends of an IPv6 socket: each address is four words in host order.
    fn ipv6_pair(&mut self) -> Option<(Endpoint, Endpoint)> {
        let (local, local_port) = (self.ipv6()?, self.port()?);
        let (remote, remote_port) = (self.ipv6()?, self.port()?);
        let (local, remote) = unmap(local, remote);
        Some((Endpoint::new(local, local_port), Endpoint::new(remote, remote_port)))
    }

    fn ipv6(&mut self) -> Option<Address> {
        let mut bits = 0;
        for _ in 0..4 {
            let word = u32::from_be_bytes(self.hex::<8>()?.to_ne_bytes());
            bits = bits << 32 | u128::from(word);
        }
        Some(Address::from_ipv6(Ipv6Addr::from_bits(bits)))
    }

    #[inline]
    fn port(&mut self) -> Option<u16> {
        self.skip(b':')?;
        u16::try_from(self.hex::<4>()?).ok()
    }

    /// `tx_queue:rx_queue`, which most rows have empty.
    #[inline]
    fn queues(&mut self) -> Option<(u32, u32)> {
        const EMPTY: &[u8] = b" 00000000:00000000";
        if let Some(rest) = self.rest.strip_prefix(EMPTY) {
            self.rest = rest;
            return Some((0, 0));
        }
        let send_queue = self.hex::<8>()?;
        self.skip(b':')?;
        Some((send_queue, self.hex::<8>()?))
    }

    /// `uid`, `timeout` (unanswered probes) and `inode`, all 0 for rows that only the kernel holds.
    #[inline]
    fn owner(&mut self) -> Option<(u64, u64, u64)> {
        const NOBODY: &[u8] = b"     0        0 0 ";
        if self.rest.starts_with(NOBODY) {
            return Some((0, 0, 0));
        }
        Some((self.decimal()?, self.decimal()?, self.decimal()?))
    }

    /// Exactly `N` hexadecimal digits after any blanks; up to eight.
    #[inline]
    fn hex<const N: usize>(&mut self) -> Option<u32> {
        self.skip_blanks();
        let (digits, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        hexadecimal(digits)
    }

    /// `tm->when`: eight digits; or sixteen, of a negative number: the timer is overdue.
    #[inline]
    fn ticks_left(&mut self) -> Option<u64> {
        let ticks = self.hex::<8>()?;
        match self.rest.first()? {
            b' ' => Some(u64::from(ticks)),
            _ => self.hex::<8>().map(|_| 0),
        }
    }

    #[inline]
    fn decimal(&mut self) -> Option<u64> {
        self.skip_blanks();
        let mut sum = None;
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            let tens = sum.unwrap_or(0_u64).checked_mul(10)?;
            sum = Some(tens.checked_add(u64::from(digit - b'0'))?);
            self.rest = rest;
        }
        sum
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some((b' ', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    #[inline]
    fn skip(&mut self, expected: u8) -> Option<()> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*byte == expected).then_some(())
    }
}

/// The value of each byte as a hexadecimal digit; 0xff for those that are none.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which checks it")]
const DIGITS: [u8; 256] = {
    let mut table = [0xff; 256];
    let (mut index, mut byte) = (0, 0_u8);
    while index < table.len() {
        table[index] = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'F' => byte - b'A' + 10,
            b'a'..=b'f' => byte - b'a' + 10,
            _ => 0xff,
        };
        index += 1;
        byte = byte.wrapping_add(1);
    }
    table
};

/// The value of up to eight hexadecimal digits. Faults are gathered and looked at once: a branch a
/// digit costs more than the rest of the line.
#[inline]
fn hexadecimal<const N: usize>(digits: &[u8; N]) -> Option<u32> {
    let mut sum = 0;
    let mut faults = 0;
    for digit in digits {
        let value = DIGITS.get(usize::from(*digit)).copied().unwrap_or(0xff);
        faults |= value;
        sum = sum << 4 | u32::from(value & 15);
    }
    (faults < 16).then_some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines of Linux 6.18.
    const TIME_WAIT: &[u8] = b"   5: 0100007F:D20C 0100007F:2328 06 00000000:00000000 03:00001765 \
        00000000     0        0 0 3 00000000183e70cb                                      \n";
    const LISTEN: &[u8] = b"   0: 0100007F:232D 00000000:0000 0A 00000000:00000003 00:00000000 \
        00000000  1000        0 272414 2 0000000092372a82 100 0 0 10 0\n";
    const MAPPED: &[u8] = b"   1: 0000000000000000FFFF00000100007F:2329 \
        0000000000000000FFFF00000100007F:B1AA 08 00000000:00000001 00:00000000 00000000     0        \
        0 272411 1 0000000063c5aa04 20 4 0 10 -1\n";
    const PERSIST: &[u8] = b"10000: 0100007F:D218 0100007F:2328 0B 0039F201:00000001 04:0000000A \
        00000000     0        7 272416 2 000000004b52bde9 20 0 0 14 -1\n";

    fn tcp(line: &[u8], family: Family) -> Socket {
        parse_line(line, Protocol::Tcp, family).unwrap()
    }

    #[test]
    fn a_time_wait_line_keeps_its_timer_and_has_no_owner() {
        let socket = tcp(TIME_WAIT, Family::Ipv4);
        assert_eq!(socket.local.to_string(), "127.0.0.1:53772");
        assert_eq!(socket.remote.to_string(), "127.0.0.1:9000");
        let timer = Timer { kind: TimerKind::TIME_WAIT, expires_ms: 59_890, retransmits: 0 };
        assert_eq!(socket.timer, Some(timer));
        assert_eq!((socket.uid, socket.inode), (None, None));
        assert!(socket.is_mini());
    }

    #[test]
    fn a_listener_has_an_owner_and_no_known_backlog() {
        let socket = tcp(LISTEN, Family::Ipv4);
        assert_eq!((socket.uid, socket.inode), (Some(1000), Some(272_414)));
        assert_eq!((socket.recv_queue, socket.send_queue), (3, None));
    }

    #[test]
    fn a_mapped_line_is_ipv4_on_an_ipv6_socket() {
        let socket = tcp(MAPPED, Family::Ipv6);
        assert!(socket.v4_mapped && socket.family == Family::Ipv6);
        assert_eq!(socket.remote.to_string(), "127.0.0.1:45482");
    }

    #[test]
    fn a_timer_that_is_overdue_has_no_time_left() {
        let line = String::from_utf8_lossy(TIME_WAIT).replace("00001765", "FFFFFFFFFFFFFFF0");
        assert_eq!(tcp(line.as_bytes(), Family::Ipv4).timer.unwrap().expires_ms, 0);
    }

    #[test]
    fn probes_are_counted_for_the_probe_timer() {
        let timer = tcp(PERSIST, Family::Ipv4).timer.unwrap();
        assert_eq!((timer.kind, timer.retransmits), (TimerKind::PERSIST, 7));
    }

    #[test]
    fn an_unknown_state_costs_its_name_and_not_the_row() {
        let line = String::from_utf8_lossy(LISTEN).replace(" 0A ", " 2A ");
        assert_eq!(tcp(line.as_bytes(), Family::Ipv4).state, TcpState::from_kernel(0x2a));
    }

    #[test]
    fn a_damaged_line_is_no_row() {
        for cut in 0..92 {
            assert_eq!(parse_line(&LISTEN[..cut], Protocol::Tcp, Family::Ipv4), None, "{cut}");
        }
        let header = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when";
        assert_eq!(parse_line(header, Protocol::Tcp, Family::Ipv4), None);
    }

    #[test]
    fn a_bad_line_costs_itself_and_a_repeated_one_is_passed_on_once() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("net")).unwrap();
        let table = [b"header\n", LISTEN, b"garbage\n", TIME_WAIT, TIME_WAIT, PERSIST].concat();
        std::fs::write(tree.path().join("net/tcp"), table).unwrap();
        let mut rows = 0;
        let notes = read(&ProcRoot::at(tree.path()), &[Protocol::Tcp], &mut |_| {
            rows += 1;
            ControlFlow::Continue(())
        });
        let expected = ProcNotes { malformed: 1, repeated: 1, ..ProcNotes::default() };
        assert_eq!((rows, notes.unwrap()), (3, expected));
    }

    #[test]
    fn a_table_that_shows_its_end_for_ever_is_left() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("net")).unwrap();
        let table = [&b"header\n"[..], LISTEN, &TIME_WAIT.repeat(5000), PERSIST].concat();
        std::fs::write(tree.path().join("net/tcp"), table).unwrap();
        let notes =
            read(&ProcRoot::at(tree.path()), &[Protocol::Tcp], &mut |_| ControlFlow::Continue(()));
        assert!(notes.unwrap().had_no_end);
    }

    #[test]
    fn more_rows_than_the_kernel_counts_are_not_read() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("net")).unwrap();
        let line = |port: u32| {
            format!(
                " 1: 0100007F:{port:04X} 0100007F:2328 06 00000000:00000000 \
            03:00001765 00000000 0 0 0\n"
            )
        };
        let table: String = (0..40_000).map(line).collect();
        std::fs::write(tree.path().join("net/tcp"), format!("header\n{table}")).unwrap();
        std::fs::write(tree.path().join("net/sockstat"), "TCP: inuse 0 orphan 0 tw 9\n").unwrap();
        let mut rows = 0;
        let notes = read(&ProcRoot::at(tree.path()), &[Protocol::Tcp], &mut |_| {
            rows += 1;
            ControlFlow::Continue(())
        });
        assert!(notes.unwrap().over_budget > 0 && (16_000..20_000).contains(&rows), "{rows}");
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            parse_line(&line, Protocol::Tcp, Family::Ipv4);
            parse_line(&line, Protocol::Udp, Family::Ipv6);
        }

        #[test]
        fn no_damage_makes_the_parser_panic(at in 0_usize..150, byte in any::<u8>()) {
            let mut line = TIME_WAIT.to_vec();
            if let Some(slot) = line.get_mut(at) {
                *slot = byte;
            }
            parse_line(&line, Protocol::Tcp, Family::Ipv4);
        }
    }
}
