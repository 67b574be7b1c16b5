//! How fast data goes, and how much memory it takes.

use super::{
    ANY_BYTE, BUFFERS, DefaultValue, Earlier, GLOBAL, Myth, PLAIN, SysctlEntry, Unit, WIDE,
};
use crate::model::{KernelRelease, SysctlKind};

/// The most that programs could ask for, until it was raised to 4 MB.
const SMALL_BUFFERS: &[Earlier] = &[Earlier {
    until: KernelRelease::new(6, 18),
    default: Some(DefaultValue::Formula(
        "256 packets of 256 bytes with their overhead: 212992 on x86-64",
    )),
    kind: None,
    source: "commit \"net: set net.core.rmem_max and net.core.wmem_max to 4 MB\", of August 2025",
}];

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.ipv4.tcp_rmem",
        kind: BUFFERS,
        unit: Unit::Bytes,
        default: DefaultValue::Formula(
            "4096, 131072, and from memory; a namespace copies the first one's",
        ),
        earlier: &[Earlier {
            until: KernelRelease::new(4, 20),
            default: Some(DefaultValue::Formula("4096, 87380, and from memory")),
            kind: None,
            source: "commit a337531b942b (tcp: up initial rmem to 128KB)",
        }],
        meaning: "receive buffer of a TCP socket: least, first, and the most that tuning may make of it",
        judgement: "Raise the third number where one connection over a long way is slow: bandwidth times \
            round trip, doubled. 64 MiB is enough for 10 Gbit/s over 25 ms.",
        myth: Some(Myth {
            said: "net.core.rmem_max bounds it",
            truth: "that bounds programs that set SO_RCVBUF, which also ends the tuning of that \
                    socket",
        }),
        danger: Some(
            "A large second number gives every idle connection a large buffer. Of three numbers with a \
             wrong one, those before it are set although the write fails.",
        ),
        sources: &[
            "net/ipv4/tcp_input.c, tcp_rcv_space_adjust",
            "net/ipv4/tcp_ipv4.c, tcp_sk_init",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_wmem",
        kind: BUFFERS,
        unit: Unit::Bytes,
        default: DefaultValue::Formula(
            "4096, 16384, and from memory; a namespace copies the first one's",
        ),
        meaning: "send buffer of a TCP socket: least, first, and the most that tuning may make of it",
        judgement: "As tcp_rmem, on the side that sends.",
        myth: Some(Myth {
            said: "net.core.wmem_max bounds it",
            truth: "that bounds programs that set SO_SNDBUF, which also ends the tuning of that \
                    socket",
        }),
        sources: &["net/ipv4/tcp_input.c, tcp_sndbuf_expand", "net/ipv4/tcp_ipv4.c, tcp_sk_init"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_mem",
        kind: SysctlKind::LongTriple,
        unit: Unit::Pages,
        default: DefaultValue::Formula("from memory at boot"),
        meaning: "memory of all TCP sockets of the machine: no care, pressure, and the most",
        judgement: "Leave it: the kernel knows the memory better than a tuning guide. It is in pages, not \
            in bytes. TIME_WAIT does not count.",
        danger: Some(
            "Copied from a smaller machine, or in bytes, it drops packets or protects nothing.",
        ),
        sources: &["net/ipv4/tcp.c, tcp_init_mem", "Documentation/networking/ip-sysctl.rst"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.rmem_max",
        kind: SysctlKind::Integer { low: 1, high: i32::MAX },
        unit: Unit::Bytes,
        default: DefaultValue::Fixed("4194304"),
        earlier: SMALL_BUFFERS,
        meaning: "the most that SO_RCVBUF may ask for, for sockets of every kind",
        judgement: "For UDP, and for programs that set their buffers. TCP's own tuning goes by tcp_rmem. \
            The kernel refuses less than one packet takes, some 2,300 bytes.",
        sources: &["net/core/sock.c, sk_setsockopt", "net/core/sysctl_net_core.c"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.wmem_max",
        kind: SysctlKind::Integer { low: 1, high: i32::MAX },
        unit: Unit::Bytes,
        default: DefaultValue::Fixed("4194304"),
        earlier: SMALL_BUFFERS,
        meaning: "the most that SO_SNDBUF may ask for, for sockets of every kind",
        judgement: "As net.core.rmem_max, on the side that sends; the least is some 4,600 bytes.",
        sources: &["net/core/sock.c, sk_setsockopt", "net/core/sysctl_net_core.c"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.rmem_default",
        kind: SysctlKind::Integer { low: 1, high: i32::MAX },
        unit: Unit::Bytes,
        default: DefaultValue::Formula(
            "256 packets of 256 bytes with their overhead: 212992 on x86-64",
        ),
        meaning: "receive buffer that sockets begin with, but for TCP",
        judgement: "For UDP that loses datagrams in bursts. TCP begins with the second number of tcp_rmem.",
        sources: &["net/core/sock.c, sock_init_data", "include/net/sock.h, SK_RMEM_MAX"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.wmem_default",
        kind: SysctlKind::Integer { low: 1, high: i32::MAX },
        unit: Unit::Bytes,
        default: DefaultValue::Formula(
            "256 packets of 256 bytes with their overhead: 212992 on x86-64",
        ),
        meaning: "send buffer that sockets begin with, but for TCP",
        judgement: "Leave it. TCP begins with the second number of tcp_wmem.",
        sources: &["net/core/sock.c, sock_init_data", "include/net/sock.h, SK_WMEM_MAX"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.ipv4.tcp_moderate_rcvbuf",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether the kernel tunes receive buffers by what arrives, within tcp_rmem",
        judgement: "1.",
        danger: Some("With 0, long ways are slow unless every program sets its buffers."),
        sources: &["net/ipv4/tcp_input.c, tcp_rcv_space_adjust"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_window_scaling",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether windows above 64 KiB are offered and taken",
        judgement: "1, always.",
        danger: Some("With 0, no connection is faster than 64 KiB a round trip."),
        sources: &["net/ipv4/tcp_output.c, tcp_select_initial_window", "RFC 7323, section 2"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_sack",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether the receiver may say which segments came beyond a gap",
        judgement: "1. 0 was a stopgap for the SACK Panic of 2019 (CVE-2019-11477), which kernels have \
            long fixed; a file that still sets it costs throughput on every lossy way.",
        sources: &["net/ipv4/tcp_input.c, tcp_sacktag_write_queue", "RFC 2018"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_dsack",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether the receiver says which segments came twice",
        judgement: "1. It tells the sender that it sent again too early.",
        sources: &["net/ipv4/tcp_input.c, tcp_dsack_set", "RFC 2883"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_slow_start_after_idle",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether a connection that was idle begins slowly again",
        judgement: "0 helps connections that are kept open and used in bursts (HTTP keep-alive, HTTP/2, \
            pools); 1 is kinder to the network.",
        sources: &["net/ipv4/tcp_output.c, tcp_cwnd_restart", "RFC 2861"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_no_metrics_save",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether what a connection learnt of its way is forgotten with it",
        judgement: "0. 1 is for measurements, each of which shall begin alike.",
        sources: &["net/ipv4/tcp_metrics.c, tcp_update_metrics"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_mtu_probing",
        kind: ANY_BYTE,
        earlier: WIDE,
        meaning: "whether TCP finds the packet size of the way by itself: 0 no, 1 after losses, 2 always",
        judgement: "1 where connections hang at their first large packet, because a firewall on the way \
            drops the ICMP messages that tell the size (tunnels, VPNs, jumbo frames).",
        sources: &["net/ipv4/tcp_timer.c, tcp_mtu_probing", "RFC 4821"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_ecn",
        kind: SysctlKind::Byte { low: 0, high: 2 },
        default: DefaultValue::Fixed("2"),
        meaning: "explicit congestion notification: 0 off, 1 ask and answer, 2 answer those who ask",
        judgement: "2; 1 in networks whose routers mark packets. Kernels after 6.18 may take more than 2, \
            for AccECN.",
        sources: &[
            "net/ipv4/sysctl_net_ipv4.c",
            "RFC 3168",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_notsent_lowat",
        kind: SysctlKind::Unsigned { low: 0, high: u32::MAX },
        unit: Unit::Bytes,
        default: DefaultValue::Fixed("4294967295"),
        since: Some(KernelRelease::new(3, 12)),
        meaning: "bytes not yet sent above which a socket is not writable; the default is no limit",
        judgement: "16384 to 131072 on servers that choose what to send next at the last moment \
            (HTTP/2 priorities). It is a maximum of unsent data, not of the buffer.",
        sources: &[
            "include/net/tcp.h, tcp_stream_memory_free",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_adv_win_scale",
        kind: SysctlKind::Integer { low: -31, high: 31 },
        default: DefaultValue::Fixed("1"),
        meaning: "how much of a receive buffer was taken to be overhead when the window was told",
        unread_since: Some(KernelRelease::new(6, 6)),
        judgement: "Remove it from every file. Since Linux 6.6 the overhead is measured for each socket.",
        instead: Some("net.ipv4.tcp_rmem bounds the window."),
        sources: &["commit dfa2f0483360 (tcp: get rid of sysctl_tcp_adv_win_scale)"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_congestion_control",
        kind: SysctlKind::Word,
        default: DefaultValue::Formula(
            "as the kernel was built, mostly cubic; a namespace begins with the first one's",
        ),
        meaning: "the congestion control of new connections",
        judgement: "cubic is right for most. bbr holds its rate on lossy long ways; it paces by itself, \
            and no fq is needed for it any more. What is loaded, tcp_available_congestion_control says; \
            another name loads its module where there is one, else the write fails with ENOENT.",
        danger: Some(
            "Outside of the first namespace only what tcp_allowed_congestion_control has: EPERM.",
        ),
        sources: &["net/ipv4/tcp_cong.c, tcp_set_default_congestion_control", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_available_congestion_control",
        kind: SysctlKind::Word,
        default: DefaultValue::Formula("what is built in and loaded"),
        is_writable: false,
        meaning: "the congestion controls that are loaded",
        judgement: "It can only be read.",
        sources: &["net/ipv4/tcp_cong.c, tcp_get_available_congestion_control"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.ipv4.tcp_allowed_congestion_control",
        kind: SysctlKind::Word,
        default: DefaultValue::Formula("reno and the default"),
        meaning: "the congestion controls that programs without CAP_NET_ADMIN, and containers, may choose",
        judgement: "Add what programs shall choose by TCP_CONGESTION. It is set for the machine.",
        sources: &["net/ipv4/tcp_cong.c, tcp_set_allowed_congestion_control", "measured"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.default_qdisc",
        kind: SysctlKind::Word,
        default: DefaultValue::Formula("pfifo_fast, unless the kernel was built otherwise"),
        since: Some(KernelRelease::new(3, 12)),
        meaning: "the queueing discipline that network devices get when they come up",
        judgement: "fq_codel, which files of systemd set on many distributions, or fq on hosts that mostly \
            send. lo, veth and other virtual devices have none whatever it says.",
        myth: Some(Myth {
            said: "It takes effect at once",
            truth: "devices that are up keep what they have: `tc qdisc replace` changes them",
        }),
        sources: &[
            "net/core/sysctl_net_core.c, set_default_qdisc",
            "Documentation/admin-guide/sysctl/net.rst",
        ],
        ..GLOBAL
    },
];
