//! The kernel's own totals: /proc/net/sockstat, sockstat6, netstat and snmp.
//!
//! They are read in microseconds whatever the number of sockets, and they are claims of another
//! instant than the rows: the two are shown side by side, never equated.

use serde::Serialize;

use super::proc_root::read_text;
use super::{KernelError, ProcRoot};

/// The TCP lines of /proc/net/sockstat and sockstat6 (`net/ipv4/proc.c`, `sockstat_seq_show`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SockStat {
    /// IPv4 sockets in the hash tables of this namespace: listening or connected, no mini-sockets.
    pub tcp_in_use: Option<u64>,
    /// The same for IPv6.
    pub tcp6_in_use: Option<u64>,
    /// IPv4 UDP sockets of this namespace.
    #[serde(skip)]
    pub udp_in_use: Option<u64>,
    /// The same for IPv6.
    #[serde(skip)]
    pub udp6_in_use: Option<u64>,
    /// Mini-sockets of this namespace, IPv4 and IPv6: TIME_WAIT and FIN_WAIT2 without an owner.
    pub time_wait: Option<u64>,
    /// Sockets without an owner that still close, on the whole machine.
    pub orphans_machine_wide: Option<u64>,
    /// TCP sockets allocated on the whole machine, in any namespace and any state.
    pub allocated_machine_wide: Option<u64>,
}

impl SockStat {
    /// Reads both files. Fails if `sockstat` cannot be read; without IPv6 there is no `sockstat6`.
    pub fn read(proc_root: &ProcRoot) -> Result<Self, KernelError> {
        let v4 = read_text(&proc_root.net("sockstat"))?;
        let v6 = read_text(&proc_root.net("sockstat6")).unwrap_or_default();
        Ok(Self::parse(&v4, &v6))
    }

    /// Parses `TCP: inuse 7 orphan 0 tw 2 alloc 10 mem 1` and `TCP6: inuse 2`.
    pub fn parse(v4: &str, v6: &str) -> Self {
        let tcp = |key| pair(v4, "TCP:", key);
        Self {
            tcp_in_use: tcp("inuse"),
            tcp6_in_use: pair(v6, "TCP6:", "inuse"),
            udp_in_use: pair(v4, "UDP:", "inuse"),
            udp6_in_use: pair(v6, "UDP6:", "inuse"),
            time_wait: tcp("tw"),
            orphans_machine_wide: tcp("orphan"),
            allocated_machine_wide: tcp("alloc"),
        }
    }

    /// Rows that the TCP tables should have: sockets of both families and mini-sockets. Half-open
    /// connections (SYN_RECV) are in the tables and not in this number.
    pub fn rows_claimed(&self) -> Option<u64> {
        let others = [self.tcp6_in_use, self.time_wait];
        Some(others.into_iter().flatten().fold(self.tcp_in_use?, u64::saturating_add))
    }

    /// Rows that the UDP tables should have.
    pub fn udp_rows_claimed(&self) -> Option<u64> {
        Some(self.udp_in_use?.saturating_add(self.udp6_in_use.unwrap_or(0)))
    }
}

/// The number after `key` on the line that starts with `head`.
fn pair(text: &str, head: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(head))?;
    let mut words = line.split_whitespace();
    words.find(|word| *word == key)?;
    words.next()?.parse().ok()
}

/// The counters since boot that speak of TIME_WAIT (`include/uapi/linux/snmp.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TcpCounters {
    /// `TcpExt: TW`: sockets that entered TIME_WAIT or its FIN_WAIT2 form for more than 4 s.
    pub tw: Option<u64>,
    /// `TcpExt: TWRecycled`: TIME_WAITs that connect(2) took over, by `tcp_tw_reuse`.
    pub tw_recycled: Option<u64>,
    /// `TcpExt: TWKilled`: the same as `tw` for 4 s and less.
    pub tw_killed: Option<u64>,
    /// `TcpExt: TCPTimeWaitOverflow`: sockets closed without TIME_WAIT, for want of a bucket.
    pub tw_overflow: Option<u64>,
    /// `TcpExt: PAWSActive`: SYN-ACKs refused for an old timestamp.
    pub paws_active: Option<u64>,
    /// `TcpExt: PAWSEstab`: segments of open connections refused for an old timestamp.
    pub paws_established: Option<u64>,
    /// `TcpExt: PAWSTimewait`: the same in TIME_WAIT; newer kernels alone.
    pub paws_time_wait: Option<u64>,
    /// `TcpExt: PAWSOldAck`: pure acknowledgements refused for an old timestamp; newer kernels.
    pub paws_old_ack: Option<u64>,
    /// `Tcp: ActiveOpens`: connections that connect(2) began.
    pub active_opens: Option<u64>,
    /// `Tcp: PassiveOpens`: connections that a listener got.
    pub passive_opens: Option<u64>,
    /// `Tcp: CurrEstab`: connections in ESTABLISHED or CLOSE_WAIT.
    pub current_established: Option<u64>,
}

impl TcpCounters {
    /// Reads both files. Fails if `netstat` cannot be read.
    pub fn read(proc_root: &ProcRoot) -> Result<Self, KernelError> {
        let netstat = read_text(&proc_root.net("netstat"))?;
        let snmp = read_text(&proc_root.net("snmp")).unwrap_or_default();
        Ok(Self::parse(&netstat, &snmp))
    }

    /// Parses tables that are pairs of lines: the names, then the values.
    pub fn parse(netstat: &str, snmp: &str) -> Self {
        let ext = |name| column(netstat, "TcpExt:", name);
        let tcp = |name| column(snmp, "Tcp:", name);
        Self {
            tw: ext("TW"),
            tw_recycled: ext("TWRecycled"),
            tw_killed: ext("TWKilled"),
            tw_overflow: ext("TCPTimeWaitOverflow"),
            paws_active: ext("PAWSActive"),
            paws_established: ext("PAWSEstab"),
            paws_time_wait: ext("PAWSTimewait"),
            paws_old_ack: ext("PAWSOldAck"),
            active_opens: tcp("ActiveOpens"),
            passive_opens: tcp("PassiveOpens"),
            current_established: tcp("CurrEstab"),
        }
    }
}

/// The number of `name` in `file` of the network directory, among the lines that start with `head`:
/// of sockstat beside its name, of netstat and snmp below it. `None` where the kernel has no such.
pub fn read_one(
    proc_root: &ProcRoot,
    file: &str,
    head: &str,
    name: &str,
) -> Result<Option<u64>, KernelError> {
    let text = read_text(&proc_root.net(file))?;
    Ok(if file == "sockstat" { pair(&text, head, name) } else { column(&text, head, name) })
}

/// The value under `name` in the pair of lines that start with `head`.
fn column(text: &str, head: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(head));
    let (names, values) = (lines.next()?, lines.next()?);
    let position = names.split_whitespace().position(|word| word == name)?;
    values.split_whitespace().nth(position)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sockstat_is_read_by_name() {
        let v4 = "sockets: used 10\nTCP: inuse 7 orphan 0 tw 2 alloc 10 mem 1121\nUDP: inuse 0\n";
        let stat = SockStat::parse(v4, " TCP6: inuse 2\nUDP6: inuse 0\n");
        assert_eq!(stat.time_wait, Some(2));
        assert_eq!(stat.allocated_machine_wide, Some(10));
        assert_eq!(stat.rows_claimed(), Some(11));
        assert_eq!(SockStat::parse("", "").rows_claimed(), None);
    }

    #[test]
    fn counters_are_read_by_the_name_above_them() {
        let netstat = "TcpExt: SyncookiesSent TW TWRecycled TCPTimeWaitOverflow\n\
                       TcpExt: 1 20 3 4\nIpExt: InNoRoutes\nIpExt: 0\n";
        let snmp = "Tcp: RtoAlgorithm MaxConn ActiveOpens\nTcp: 1 -1 55\n";
        let counters = TcpCounters::parse(netstat, snmp);
        assert_eq!((counters.tw, counters.tw_recycled), (Some(20), Some(3)));
        assert_eq!((counters.tw_overflow, counters.active_opens), (Some(4), Some(55)));
        assert_eq!(counters.paws_time_wait, None, "a counter that is not there is not 0");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,200}") {
            SockStat::parse(&text, &text);
            TcpCounters::parse(&text, &text);
        }
    }
}
