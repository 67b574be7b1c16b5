//! What decides how a connection ends, and what is kept of it.

use super::{
    ANY, ANY_BYTE, DefaultValue, Earlier, GLOBAL, Myth, PLAIN, SECONDS, SysctlEntry, Unit, WIDE,
};
use crate::model::{KernelRelease, SysctlKind};

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.ipv4.tcp_tw_reuse",
        kind: SysctlKind::Byte { low: 0, high: 2 },
        default: DefaultValue::Fixed("2"),
        earlier: &[Earlier {
            until: KernelRelease::new(4, 18),
            default: Some(DefaultValue::Fixed("0")),
            kind: Some(ANY),
            source: "commit 79e9fed46038: 0 and 1 alone had a meaning, as off and on",
        }],
        meaning: "whether connect() may take over its own TIME_WAIT: 0 never, 1 always, 2 loopback only",
        judgement: "2 is right for nearly everyone. 1 is right for a host that opens many connections to \
            few destinations, such as a proxy. It also governs IPv6. 2 goes by the address, 127.0.0.0/8 \
            or ::1, and not by the way: the host's own other address is not covered. Kubernetes counts \
            it among the unsafe settings, which the kubelet has to allow.",
        myth: Some(Myth {
            said: "A server full of TIME_WAIT needs tcp_tw_reuse = 1",
            truth: "it does nothing for a server: only connect() looks at it, and the number of \
                    TIME_WAITs stays",
        }),
        danger: Some(
            "Without timestamps on both ends nothing is reused: with tcp_timestamps = 0 on either, the \
             port came back after 60 s and not after 1 s.",
        ),
        instead: Some(
            "Where connect() fails with EADDRNOTAVAIL: keep connections open (pooling, keep-alive), then \
             widen net.ipv4.ip_local_port_range, then add addresses or ports. On a server, TIME_WAIT \
             costs some 250 bytes each and no port.",
        ),
        sources: &[
            "net/ipv4/tcp_ipv4.c, tcp_twsk_unique",
            "net/ipv4/inet_hashtables.c, __inet_check_established",
            "commit 79e9fed46038 (value 2)",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_tw_reuse_delay",
        kind: SysctlKind::Integer { low: 1, high: 60_000 },
        unit: Unit::Milliseconds,
        default: DefaultValue::Fixed("1000"),
        since: Some(KernelRelease::new(6, 14)),
        meaning: "how old a TIME_WAIT has to be before tcp_tw_reuse lets connect() take it over",
        judgement: "Leave 1000. Before this setting the kernel waited between one and two seconds.",
        danger: Some(
            "Below the tick of the peer's timestamp clock, the peer takes segments of the new connection \
             for old ones and drops them.",
        ),
        sources: &["net/ipv4/tcp_ipv4.c, tcp_twsk_unique", "RFC 7323, section 5", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_fin_timeout",
        kind: SECONDS,
        unit: Unit::Seconds,
        default: DefaultValue::Fixed("60"),
        meaning: "how long FIN_WAIT2 lasts once no program holds the socket; TIME_WAIT is always 60 s",
        judgement: "60 is right, 15 to 30 does little harm. The kernel takes every number: 0 and less \
            mean about half a second. A socket that a program still holds is not affected, and \
            TCP_LINGER2 sets it for one socket.",
        myth: Some(Myth {
            said: "Lower tcp_fin_timeout to shorten TIME_WAIT",
            truth: "it does not shorten TIME_WAIT, which is a fixed 60 s: it is the life of a \
                    FIN_WAIT2 that no program holds. The counters add the two, hence the tale",
        }),
        danger: Some(
            "61 to 119 are a trap: the socket lives 2 x (value - 60) seconds, so that 61 gives 2 s and 70 \
             gives 20 s. When it is over, data that the peer still sends is answered by RST, and its next \
             send fails with EPIPE.",
        ),
        instead: Some(
            "Many FIN_WAIT2 mean that peers do not close: look there. For TIME_WAIT, `netkit states \
             --time-wait` says whether it is a problem at all.",
        ),
        sources: &[
            "net/ipv4/tcp.c, __tcp_close; net/ipv4/tcp_input.c, tcp_rcv_state_process",
            "include/net/tcp.h, TCP_TIMEWAIT_LEN",
            "measured: TIME_WAIT lasted 60.7 s with 5, 30 and 60",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_max_tw_buckets",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Formula("half of tcp_ehash_entries: 131072 with 262144"),
        meaning: "how many TIME_WAIT sockets a namespace keeps; above it, sockets close without TIME_WAIT",
        judgement: "Leave the default, or raise it where TCPTimeWaitOverflow grows. The kernel compares \
            without a sign: -1 is no limit, and 0 is no TIME_WAIT at all. FIN_WAIT2 sockets that no \
            program holds count too.",
        myth: Some(Myth {
            said: "Lower it to get rid of TIME_WAIT",
            truth: "it does not cure TIME_WAIT: above the limit sockets skip it, and nothing \
                    protects new connections from late segments of old ones",
        }),
        danger: Some(
            "With a full table a close() that has to wait for the peer's FIN goes straight to CLOSE: the \
             peer gets RST, and may lose data. The kernel says nothing in its log, whatever the \
             documentation promises; only the counter TCPTimeWaitOverflow moves.",
        ),
        instead: Some("`netkit states --time-wait` says whether the number is a problem."),
        sources: &[
            "net/ipv4/inet_timewait_sock.c, inet_twsk_alloc",
            "net/ipv4/tcp_ipv4.c, tcp_sk_init",
            "Documentation/networking/ip-sysctl.rst",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_timestamps",
        kind: ANY_BYTE,
        earlier: WIDE,
        default: DefaultValue::Fixed("1"),
        meaning: "TCP timestamps: 0 off, 1 with a random offset for each connection, 2 without the offset",
        judgement: "1. They protect from old segments (PAWS) and measure the round trip, and \
            tcp_tw_reuse depends on them. Numbers from 3 on behave as on.",
        myth: Some(Myth {
            said: "tcp_timestamps = 0 hides the uptime: harden the host with it",
            truth: "it is no hardening: since Linux 4.10 each connection has an offset of its \
                    own, so that the uptime does not show",
        }),
        danger: Some(
            "With 0, a TIME_WAIT port comes back after 60 s instead of 1 s, and a SYN cookie cannot carry \
             window scaling and SACK.",
        ),
        sources: &[
            "net/ipv4/tcp_ipv4.c, tcp_twsk_unique",
            "net/ipv4/syncookies.c, cookie_init_timestamp",
            "RFC 7323",
            "measured: 60.5 s instead of 1 s",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_rfc1337",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether a TIME_WAIT ignores RST; with 0 a RST with the exact sequence number ends it",
        judgement: "Either is fine. 1 protects TIME_WAIT as RFC 1337 asks, and some hardening guides ask \
            for it. The kernel's documentation says it the wrong way round; code and measurement agree \
            with what stands here.",
        danger: Some(
            "With 1, a client that comes again with an older sequence number from the same port waits \
             longer: its RST no longer clears the TIME_WAIT.",
        ),
        sources: &["net/ipv4/tcp_minisocks.c, tcp_timewait_state_process", "RFC 1337", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_orphan_retries",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Count,
        meaning: "retransmissions for a socket that no program holds any more; 0 means 8",
        judgement: "Leave 0. It ends FIN_WAIT1, LAST_ACK and CLOSING whose peer does not answer. After an \
            ICMP error, and when nothing was heard lately, 0 is 0.",
        danger: Some(
            "1 or 2 cuts off clients on slow or lossy ways before they have all the data.",
        ),
        sources: &["net/ipv4/tcp_timer.c, tcp_orphan_retries"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_max_orphans",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Formula(
            "half of the entries of the connection table: 131072 with 262144",
        ),
        meaning: "how many TCP sockets that no program holds the machine keeps; TIME_WAIT does not count",
        judgement: "Leave the default. Such sockets are full ones with their buffers; sockstat's orphan \
            counts those of the whole machine, also inside a container.",
        danger: Some("Lowered, connections that still deliver their last data are reset."),
        sources: &[
            "net/ipv4/tcp.c, tcp_check_oom, tcp_init",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.ipv4.tcp_ehash_entries",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Formula(
            "from memory at boot, or thash_entries= on the kernel's command line",
        ),
        since: Some(KernelRelease::new(6, 1)),
        is_writable: false,
        meaning: "size of the connection table; negative where it is the first namespace's, shared",
        judgement: "It can only be read. tcp_max_tw_buckets and tcp_max_syn_backlog begin as fractions of \
            it.",
        sources: &["net/ipv4/sysctl_net_ipv4.c, proc_tcp_ehash_entries", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_child_ehash_entries",
        kind: SysctlKind::Unsigned { low: 0, high: 16_777_216 },
        unit: Unit::Count,
        since: Some(KernelRelease::new(6, 1)),
        meaning: "size of the connection table that namespaces made from this one get; 0 shares this one's",
        judgement: "0. Set it where one namespace's many connections slow down the others; it is rounded \
            up to a power of two. A child with a small table gets a small tcp_max_tw_buckets with it.",
        sources: &[
            "net/ipv4/tcp_ipv4.c, tcp_set_hashinfo",
            "Documentation/networking/ip-sysctl.rst",
            "measured",
        ],
        ..PLAIN
    },
];
