//! What is tuned, rightly or wrongly, on account of TIME_WAIT.

use super::{ANY, BYTE, DefaultValue, JIFFIES, SysctlEntry, Unit, entry, integer, linux};

pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        judgement: "2 is right; 1 helps a host that opens many connections to few addresses, with \
                    timestamps at both ends; 0 is for tests",
        myth: Some(
            "it does nothing for a server: only connect() looks at it, and the number of \
                    TIME_WAITs stays",
        ),
        instead: Some("netkit states --time-wait"),
        sources: &[
            "net/ipv4/tcp_ipv4.c, tcp_twsk_unique",
            "commit 79e9fed46038: 2, loopback alone, is the default",
        ],
        ..entry(
            "net.ipv4.tcp_tw_reuse",
            integer(0, 2),
            "2",
            "lets connect() take the port of an old TIME_WAIT: 0 never, 1 always, 2 loopback",
        )
    },
    SysctlEntry {
        unit: Unit::Milliseconds,
        since: linux(6, 14),
        judgement: "leave it: it may not be below a tick of the peer's timestamp clock",
        danger: Some("too low, and the peer takes the new connection for the old one"),
        sources: &[
            "net/ipv4/tcp_ipv4.c, tcp_twsk_unique",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..entry(
            "net.ipv4.tcp_tw_reuse_delay",
            integer(1, 60_000),
            "1000",
            "the age from which tcp_tw_reuse may take a TIME_WAIT",
        )
    },
    SysctlEntry {
        until: linux(4, 12),
        judgement: "remove it wherever it is set: it does not exist since Linux 4.12",
        myth: Some(
            "it never was a cure: it dropped the SYNs of clients behind one NAT, and since \
                    Linux 4.10, with random timestamp offsets, those of everybody",
        ),
        danger: Some("on a kernel before 4.12, clients behind NAT cannot connect at random"),
        instead: Some("net.ipv4.tcp_tw_reuse on clients; servers need nothing"),
        sources: &["commit 4396e46187ca: tcp: remove tcp_tw_recycle"],
        ..entry(
            "net.ipv4.tcp_tw_recycle",
            ANY,
            "0",
            "gone: dropped connections by their timestamps to shorten TIME_WAIT",
        )
    },
    SysctlEntry {
        unit: Unit::Seconds,
        judgement: "60 is right, 15 to 30 do no harm; 61 to 119 give 2 x (value - 60) seconds",
        myth: Some(
            "it does not shorten TIME_WAIT, which is a fixed 60 s: it is the life of a \
                    FIN_WAIT2 that no program holds. The counters add the two, hence the tale",
        ),
        danger: Some("too low, and a slow peer's last data are answered with RST"),
        instead: Some("netkit states --time-wait; TCP_LINGER2 for one socket"),
        sources: &[
            "net/ipv4/tcp.c, tcp_fin_time; net/ipv4/tcp_minisocks.c, tcp_time_wait",
            "include/net/tcp.h, TCP_TIMEWAIT_LEN",
        ],
        ..entry(
            "net.ipv4.tcp_fin_timeout",
            JIFFIES,
            "60",
            "how long a FIN_WAIT2 that no program holds waits for the peer's FIN",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        default: DefaultValue::Formula("half of tcp_ehash_entries"),
        judgement: "never below its default; raise it where TCPTimeWaitOverflow grows",
        myth: Some(
            "lowering it does not cure TIME_WAIT: above the limit sockets skip it, and late \
                    segments of theirs are answered with RST",
        ),
        danger: Some("0 takes TIME_WAIT away altogether; a negative number is no limit"),
        instead: Some("netkit states --time-wait"),
        sources: &[
            "net/ipv4/inet_timewait_sock.c, inet_twsk_alloc",
            "Documentation/networking/ip-sysctl.rst: must not be lowered artificially",
        ],
        ..entry(
            "net.ipv4.tcp_max_tw_buckets",
            ANY,
            "",
            "the most TIME_WAIT and orphaned FIN_WAIT2 sockets of a network namespace",
        )
    },
    SysctlEntry {
        judgement: "1 is right; 2 leaves out the random offset; 0 takes PAWS and tcp_tw_reuse away",
        myth: Some(
            "0 is no hardening: since Linux 4.10 each connection has an offset of its own, so \
                    that the uptime does not show",
        ),
        danger: Some(
            "0 disables tcp_tw_reuse, also on loopback: ports come back after 60 s, not 1",
        ),
        sources: &["net/ipv4/tcp_ipv4.c, tcp_twsk_unique", "RFC 7323"],
        ..entry(
            "net.ipv4.tcp_timestamps",
            BYTE,
            "1",
            "TCP timestamps: 0 off, 1 with a random offset, 2 without",
        )
    },
    SysctlEntry {
        judgement: "either will do; 1 is what hardening guides ask for",
        myth: Some(
            "the kernel's documentation says it the wrong way round: 1 ignores a RST to a \
                    TIME_WAIT, 0 lets it end it",
        ),
        sources: &["net/ipv4/tcp_minisocks.c, tcp_timewait_state_process", "RFC 1337"],
        ..entry(
            "net.ipv4.tcp_rfc1337",
            BYTE,
            "0",
            "1 ignores a RST that would end a TIME_WAIT early",
        )
    },
    SysctlEntry {
        unit: Unit::Seconds,
        judgement: "matters on a NAT gateway alone",
        myth: Some("it does not change the sockets' TIME_WAIT: it is conntrack's own state"),
        sources: &["net/netfilter/nf_conntrack_proto_tcp.c"],
        ..entry(
            "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
            JIFFIES,
            "120",
            "how long conntrack keeps a connection that both sides have closed",
        )
    },
];
