//! The kernel's counters that tell how TCP fares: what each counts, and what its growth means.
//!
//! Names are those of /proc/net/netstat, /proc/net/snmp and /proc/net/sockstat; nstat(8) and
//! Prometheus write them with the table's name before, as in `TcpExtTW`. Measured on Linux 6.18
//! where a source does not say otherwise.

use crate::model::KernelRelease;

/// Where a counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `TcpExt:` of /proc/net/netstat.
    TcpExt,
    /// `Tcp:` of /proc/net/snmp.
    Tcp,
    /// `TCP:` of /proc/net/sockstat; its numbers go up and down.
    SockStat,
}

impl Table {
    /// The word before its lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::TcpExt => "TcpExt",
            Self::Tcp => "Tcp",
            Self::SockStat => "sockstat",
        }
    }

    /// Its file below the network directory of /proc.
    pub fn file(self) -> &'static str {
        match self {
            Self::TcpExt => "netstat",
            Self::Tcp => "snmp",
            Self::SockStat => "sockstat",
        }
    }

    /// What its lines begin with.
    pub fn head(self) -> &'static str {
        match self {
            Self::TcpExt => "TcpExt:",
            Self::Tcp => "Tcp:",
            Self::SockStat => "TCP:",
        }
    }
}

/// A counter.
#[derive(Clone, Copy, Debug)]
pub struct CounterEntry {
    /// Where it stands.
    pub table: Table,
    /// The kernel's name.
    pub name: &'static str,
    /// What is counted.
    pub meaning: &'static str,
    /// What it says when it grows, or is large.
    pub tells: &'static str,
    /// What shows more.
    pub look: Option<&'static str>,
    /// The release from which on all kernels have it, for those that many have not.
    pub since: Option<KernelRelease>,
    /// Where that is known from.
    pub source: &'static str,
}

/// Sockets that closed without TIME_WAIT.
pub const TIME_WAIT_OVERFLOW: &str = "TCPTimeWaitOverflow";

const fn ext(name: &'static str, meaning: &'static str, tells: &'static str) -> CounterEntry {
    CounterEntry {
        table: Table::TcpExt,
        name,
        meaning,
        tells,
        look: None,
        since: None,
        source: "include/uapi/linux/snmp.h; net/ipv4/proc.c",
    }
}

const fn tcp(name: &'static str, meaning: &'static str, tells: &'static str) -> CounterEntry {
    CounterEntry {
        table: Table::Tcp,
        source: "RFC 4022; net/ipv4/proc.c",
        ..ext(name, meaning, tells)
    }
}

const fn stat(name: &'static str, meaning: &'static str, tells: &'static str) -> CounterEntry {
    CounterEntry {
        table: Table::SockStat,
        source: "net/ipv4/proc.c, sockstat_seq_show",
        ..ext(name, meaning, tells)
    }
}

const JUDGED: Option<&str> = Some("netkit states --time-wait");

/// Every counter that is known.
pub const COUNTERS: &[CounterEntry] = &[
    CounterEntry {
        look: Some("netkit states --time-wait --sample 5s"),
        source: "net/ipv4/inet_timewait_sock.c, inet_twsk_schedule",
        ..ext(
            "TW",
            "sockets that entered TIME_WAIT, or FIN_WAIT2 without an owner, for more than 4 s",
            "its growth a second is how many connections this side closes first",
        )
    },
    CounterEntry {
        look: JUDGED,
        source: "net/ipv4/tcp_ipv4.c, tcp_twsk_unique; net/ipv4/inet_hashtables.c",
        ..ext(
            "TWRecycled",
            "TIME_WAITs whose port connect() took over",
            "tcp_tw_reuse works; a SYN that comes in and replaces a TIME_WAIT is not counted",
        )
    },
    CounterEntry {
        source: "net/ipv4/inet_timewait_sock.c, inet_twsk_schedule",
        ..ext(
            "TWKilled",
            "the same as TW, for 4 s and less",
            "tcp_fin_timeout is very low, or one of 61 to 64",
        )
    },
    CounterEntry {
        look: JUDGED,
        source: "net/ipv4/tcp_minisocks.c, tcp_time_wait",
        ..ext(
            TIME_WAIT_OVERFLOW,
            "sockets that closed without TIME_WAIT, for want of a bucket or of memory",
            "tcp_max_tw_buckets is too low: late segments of those connections are answered with RST",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process",
        ..ext(
            "PAWSActive",
            "answers to a SYN of this host that were refused for a wrong timestamp",
            "something between changes or repeats timestamps",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_validate_incoming",
        ..ext(
            "PAWSEstab",
            "segments of open connections that were refused for an old timestamp",
            "a few are late duplicates; many, and several hosts behind one NAT share an address, \
             or packets arrive far out of order",
        )
    },
    CounterEntry {
        since: Some(KernelRelease::new(6, 18)),
        source: "net/ipv4/tcp_minisocks.c, tcp_timewait_state_process; older kernels count these \
                 under PAWSEstab",
        ..ext(
            "PAWSTimewait",
            "segments for a TIME_WAIT that were refused for an old timestamp",
            "a SYN among them was a client's, from a port that it used a moment ago, with a clock \
             that went back: behind NAT, or restarted",
        )
    },
    CounterEntry {
        since: Some(KernelRelease::new(6, 18)),
        ..ext(
            "PAWSOldAck",
            "pure acknowledgements that were refused for an old timestamp",
            "packets overtake each other; harmless",
        )
    },
    CounterEntry {
        since: Some(KernelRelease::new(6, 18)),
        ..ext(
            "TSEcrRejected",
            "segments that were refused for echoing a timestamp that was never sent",
            "forged or damaged segments",
        )
    },
    CounterEntry {
        since: Some(KernelRelease::new(6, 18)),
        ..ext(
            "BeyondWindow",
            "segments that were refused for lying beyond the receive window",
            "a peer or a box between ignores the window",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_oow_rate_limited",
        ..ext(
            "TCPACKSkippedTimeWait",
            "answers to segments for a TIME_WAIT that were left out, for one went a moment before",
            "a peer insists on a connection that is over",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_oow_rate_limited",
        ..ext(
            "TCPACKSkippedFinWait2",
            "the same for a FIN_WAIT2 without an owner",
            "a peer still sends to a program that has closed",
        )
    },
    CounterEntry {
        look: Some("netkit states --listening --list"),
        source: "net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; net/ipv4/tcp_input.c, tcp_conn_request",
        ..ext(
            "ListenOverflows",
            "SYNs and last ACKs of a handshake that were dropped because the accept queue was full",
            "a server does not call accept() fast enough, or its backlog is too short; each of the \
             client's repetitions counts again",
        )
    },
    CounterEntry {
        look: Some("netkit states --listening --list"),
        source: "net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; net/ipv4/tcp_input.c, tcp_conn_request",
        ..ext(
            "ListenDrops",
            "every SYN and last ACK that a listener dropped: ListenOverflows, and for want of memory \
             or a route",
            "clients wait a second and more for their connection; what it has beyond \
             ListenOverflows is not the accept queue",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_syn_flood_action",
        ..ext(
            "TCPReqQFullDoCookies",
            "SYNs answered with a cookie because the SYN queue was full",
            "a SYN flood, or a backlog that is too short for the clients that come",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_input.c, tcp_syn_flood_action",
        ..ext(
            "TCPReqQFullDrop",
            "SYNs dropped because the SYN queue was full and tcp_syncookies is 0",
            "clients cannot connect: set tcp_syncookies to 1, its default",
        )
    },
    CounterEntry {
        source: "net/ipv4/syncookies.c",
        ..ext(
            "SyncookiesSent",
            "SYN cookies sent",
            "as TCPReqQFullDoCookies; with tcp_syncookies = 2, every handshake",
        )
    },
    CounterEntry {
        source: "net/ipv4/syncookies.c, cookie_v4_check",
        ..ext(
            "SyncookiesRecv",
            "handshakes completed by a cookie",
            "real clients got through a full SYN queue",
        )
    },
    CounterEntry {
        source: "net/ipv4/syncookies.c, cookie_v4_check",
        ..ext(
            "SyncookiesFailed",
            "ACKs to a listener that carried no valid cookie",
            "late or forged ACKs: without a flood, of connections that this host no longer knows",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_minisocks.c, tcp_check_req",
        ..ext(
            "EmbryonicRsts",
            "half-open connections that the client ended with RST",
            "port scans and health checks do that",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp.c, __tcp_close; measured",
        ..ext(
            "TCPAbortOnData",
            "connections ended with RST instead of FIN: SO_LINGER with 0 seconds, or data that came \
             after close()",
            "a program avoids TIME_WAIT by throwing data away, or a peer sends to one that has closed",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp.c, __tcp_close; measured",
        ..ext(
            "TCPAbortOnClose",
            "connections ended with RST because close() left data unread",
            "a program closes before it has read what the peer sent; the peer may lose the answer too",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp.c, tcp_check_oom",
        ..ext(
            "TCPAbortOnMemory",
            "connections ended for want of memory, or of room among the orphans",
            "tcp_mem or tcp_max_orphans is reached",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_timer.c, tcp_write_err",
        ..ext(
            "TCPAbortOnTimeout",
            "connections given up because the peer did not answer",
            "hosts that vanish, firewalls that forget connections: ETIMEDOUT in programs",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp.c, __tcp_close",
        ..ext(
            "TCPAbortOnLinger",
            "connections in FIN_WAIT2 ended at once because TCP_LINGER2 is negative",
            "a program asks for it",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_output.c, tcp_send_active_reset",
        ..ext("TCPAbortFailed", "RSTs that could not be sent for want of memory", "memory is short")
    },
    CounterEntry {
        source: "net/ipv4/tcp_timer.c, tcp_retransmit_timer",
        ..ext(
            "TCPTimeouts",
            "retransmission timers that ran out",
            "packets are lost, or peers are gone: compare with OutSegs",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_output.c, __tcp_retransmit_skb",
        ..ext(
            "TCPSynRetrans",
            "SYNs and SYN-ACKs that were sent again",
            "each costs a second or more: a full accept queue, a firewall that drops, a host that is off",
        )
    },
    CounterEntry {
        source: "net/ipv4/tcp_ipv4.c, tcp_add_backlog",
        ..ext(
            "TCPBacklogDrop",
            "segments dropped because a socket's own backlog was full while a program held it",
            "a receiver is far too slow, or its buffer too small",
        )
    },
    CounterEntry {
        look: Some("netkit states --time-wait --sample 5s"),
        source: "RFC 4022, tcpActiveOpens; net/ipv4/tcp_output.c, tcp_connect",
        ..tcp(
            "ActiveOpens",
            "connections that connect() began",
            "a connect() that finds no port (EADDRNOTAVAIL) is not counted, here or anywhere",
        )
    },
    CounterEntry {
        source: "RFC 4022, tcpPassiveOpens; net/ipv4/tcp_minisocks.c, tcp_create_openreq_child",
        ..tcp("PassiveOpens", "connections that a listener got", "clients come")
    },
    CounterEntry {
        source: "RFC 4022, tcpAttemptFails; net/ipv4/tcp.c, tcp_done",
        ..tcp(
            "AttemptFails",
            "connections that ended before they were open, in SYN_SENT or SYN_RECV",
            "refused and timed-out connects of this host, and clients that gave up",
        )
    },
    CounterEntry {
        source: "RFC 4022, tcpEstabResets; net/ipv4/tcp.c, tcp_set_state",
        ..tcp(
            "EstabResets",
            "connections that ended from ESTABLISHED or CLOSE_WAIT without a FIN of this side",
            "RSTs, sent or received: crashed programs, SO_LINGER with 0 seconds, idle timeouts",
        )
    },
    tcp("CurrEstab", "connections in ESTABLISHED or CLOSE_WAIT now", "it goes up and down"),
    tcp("InSegs", "segments that came, the wrong ones included", "what there is to compare with"),
    tcp(
        "OutSegs",
        "segments sent, without repetitions and pure RSTs",
        "what RetransSegs is compared with",
    ),
    tcp(
        "RetransSegs",
        "segments sent again",
        "packets are lost: below 0.1 % of OutSegs is common, above 1 % is felt",
    ),
    tcp("InErrs", "segments that came damaged", "a faulty card, cable or tunnel"),
    CounterEntry {
        source: "RFC 4022, tcpOutRsts; net/ipv4/tcp_ipv4.c, tcp_v4_send_reset",
        ..tcp(
            "OutRsts",
            "RSTs sent",
            "clients ask for ports where nothing listens, or programs end connections by RST",
        )
    },
    tcp(
        "InCsumErrors",
        "segments that came with a wrong checksum",
        "as InErrs, which has them too",
    ),
    CounterEntry {
        look: JUDGED,
        ..stat(
            "tw",
            "mini-sockets of this network namespace, IPv4 and IPv6: TIME_WAIT, and FIN_WAIT2 without \
             an owner",
            "`ss -s` calls both timewait; this is what tcp_max_tw_buckets limits",
        )
    },
    stat(
        "inuse",
        "IPv4 sockets of this network namespace that listen or are connected, without mini-sockets",
        "IPv6 has its own in /proc/net/sockstat6",
    ),
    stat(
        "orphan",
        "sockets that programs have closed and that still send, on the whole machine",
        "peers do not take the last data; also inside a container it is the machine's number",
    ),
    stat(
        "alloc",
        "TCP sockets in memory, on the whole machine",
        "far above inuse: sockets that were never bound or connected, or other namespaces'",
    ),
    stat(
        "mem",
        "pages of memory in TCP's buffers, on the whole machine",
        "compare with tcp_mem, whose second number is where TCP begins to save",
    ),
];

impl CounterEntry {
    /// The name with its table, as in `TcpExt TW`.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.table.name(), self.name)
    }
}

/// The counter of this name.
pub fn find(name: &str) -> Option<&'static CounterEntry> {
    COUNTERS.iter().find(|entry| entry.name == name)
}

/// The name of a counter with its table.
pub fn full_name(name: &str) -> String {
    find(name).map_or_else(|| name.to_owned(), CounterEntry::full_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_entries_complete() {
        for (index, entry) in COUNTERS.iter().enumerate() {
            assert!(COUNTERS.iter().skip(index + 1).all(|other| other.name != entry.name));
            for words in [entry.meaning, entry.tells, entry.source] {
                assert!(!words.is_empty() && !words.ends_with('.'), "{}: {words}", entry.name);
            }
        }
        assert_eq!(full_name(TIME_WAIT_OVERFLOW), "TcpExt TCPTimeWaitOverflow");
    }
}
