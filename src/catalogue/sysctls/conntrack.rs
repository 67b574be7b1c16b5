//! Netfilter's table of connections, and descriptors: what is often blamed on TIME_WAIT.

use super::{ANY, DefaultValue, Earlier, GLOBAL, Myth, PLAIN, SECONDS, SWITCH, SysctlEntry, Unit};
use crate::model::{KernelRelease, SysctlKind};

const SOURCE: &str =
    "net/netfilter/nf_conntrack_standalone.c; net/netfilter/nf_conntrack_proto_tcp.c";
const SIZES: &str =
    "commit d532bcd0b269 (netfilter: conntrack: sanitize table size default settings)";
const DOCUMENTATION: &str = "Documentation/networking/nf_conntrack-sysctl.rst";

/// A time that conntrack keeps an entry; it does nothing to sockets.
const TIMEOUT: SysctlEntry =
    SysctlEntry { kind: SECONDS, unit: Unit::Seconds, sources: &[SOURCE, "measured"], ..PLAIN };

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_max",
        kind: SysctlKind::Integer { low: 0, high: i32::MAX },
        unit: Unit::Count,
        default: DefaultValue::Formula("as many as nf_conntrack_buckets"),
        earlier: &[Earlier {
            until: KernelRelease::new(5, 15),
            default: Some(DefaultValue::Formula("four times nf_conntrack_buckets")),
            kind: None,
            source: SIZES,
        }],
        meaning: "connections that netfilter tracks; above it new ones are dropped",
        judgement: "Keep nf_conntrack_count below four fifths of it, and nf_conntrack_buckets near it. \
            Each namespace counts for itself and the limit is the machine's.",
        danger: Some(
            "A full table drops packets of new connections: \"nf_conntrack: table full, dropping packet\" \
             in the log, timeouts for clients. 0 is no limit. A file that is read before the module is \
             loaded sets nothing.",
        ),
        instead: Some(
            "Where connections are many and need no tracking, a NOTRACK rule keeps them out of the table.",
        ),
        sources: &[
            "net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc",
            DOCUMENTATION,
            "measured",
        ],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.nf_conntrack_max",
        kind: SysctlKind::Integer { low: 0, high: i32::MAX },
        unit: Unit::Count,
        default: DefaultValue::Formula("that of net.netfilter.nf_conntrack_max"),
        meaning: "another name of net.netfilter.nf_conntrack_max",
        judgement: "Set one of the two names alone: the last one that is written counts.",
        sources: &["net/netfilter/nf_conntrack_standalone.c, nf_ct_netfilter_table", "measured"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_buckets",
        kind: SysctlKind::Integer { low: 1, high: i32::MAX },
        unit: Unit::Count,
        default: DefaultValue::Formula("memory / 16 KiB, at most 262144"),
        earlier: &[Earlier {
            until: KernelRelease::new(5, 15),
            default: Some(DefaultValue::Formula("memory / 16 KiB, at most 65536")),
            kind: None,
            source: SIZES,
        }],
        meaning: "size of netfilter's table; too small a one makes each packet slower",
        judgement: "Near nf_conntrack_max. It does not grow with it: a raised maximum alone makes the \
            chains longer.",
        sources: &["net/netfilter/nf_conntrack_core.c, nf_conntrack_hash_sysctl", DOCUMENTATION],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_count",
        kind: ANY,
        unit: Unit::Count,
        is_writable: false,
        meaning: "connections that netfilter tracks now, in this namespace",
        judgement: "It can only be read; compare it with nf_conntrack_max.",
        sources: &[SOURCE, DOCUMENTATION, "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
        default: DefaultValue::Fixed("120"),
        meaning: "how long netfilter remembers a connection that it has seen closed; no socket's TIME_WAIT",
        judgement: "120. On a gateway that translates addresses, it is how long a port of the gateway is \
            not given to the same destination again; 30 to 60 helps where these run out.",
        myth: Some(Myth {
            said: "Lower it and TIME_WAIT goes away",
            truth: "it is a state of the firewall's table, and does not change the sockets' \
                    TIME_WAIT, which lasts 60 s whatever it says",
        }),
        sources: &[SOURCE, DOCUMENTATION],
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_established",
        default: DefaultValue::Fixed("432000"),
        meaning: "how long netfilter remembers an open connection on which nothing comes",
        judgement: "Five days fill the table with connections whose ends are long gone. An hour or a day \
            is sensible, above the keep-alive of the programs.",
        danger: Some(
            "Below the idle time of connections that are still used, their next packet belongs to none: \
             a strict firewall drops it, and a NAT sends it nowhere.",
        ),
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
        default: DefaultValue::Fixed("60"),
        meaning: "how long netfilter remembers a connection that one end has closed, without a packet",
        judgement: "60. Too short where one side closes and the other goes on sending with long pauses.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
        default: DefaultValue::Fixed("120"),
        meaning: "how long netfilter remembers a connection after the first FIN, without a packet",
        judgement: "120. It has nothing to do with tcp_fin_timeout.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_last_ack",
        default: DefaultValue::Fixed("30"),
        meaning: "how long netfilter waits for the last ACK of a connection",
        judgement: "30.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_close",
        default: DefaultValue::Fixed("10"),
        meaning: "how long netfilter remembers a connection that was reset",
        judgement: "10.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
        default: DefaultValue::Fixed("120"),
        meaning: "how long netfilter remembers a SYN that nobody answers",
        judgement: "120. Lower it where scans or floods fill the table.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_timeout_syn_recv",
        default: DefaultValue::Fixed("60"),
        meaning: "how long netfilter remembers a handshake that lacks its last ACK",
        judgement: "60.",
        ..TIMEOUT
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_loose",
        kind: SWITCH,
        unit: Unit::Flag,
        default: DefaultValue::Fixed("1"),
        meaning: "whether netfilter takes up connections in whose midst it comes",
        judgement: "1. 0 is strict: after a restart of the firewall open connections are lost.",
        sources: &[SOURCE, DOCUMENTATION],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.netfilter.nf_conntrack_tcp_be_liberal",
        kind: SWITCH,
        unit: Unit::Flag,
        meaning: "whether packets outside of the window count as valid, but for RST",
        judgement: "0. 1 is a stopgap where offloading or asymmetric routes make netfilter see wrong \
            windows and reset connections.",
        sources: &[SOURCE, DOCUMENTATION],
        ..PLAIN
    },
    SysctlEntry {
        key: "fs.file-max",
        kind: SysctlKind::Long { low: 0, high: i64::MAX.unsigned_abs() },
        unit: Unit::Count,
        default: DefaultValue::Formula(
            "from memory at boot; systemd raises it to the greatest number",
        ),
        meaning: "open files of the whole machine; above it open(), socket() and accept() fail: ENFILE",
        judgement: "Leave it.",
        myth: Some(Myth {
            said: "Raise it against too many open files",
            truth: "\"too many open files\" is EMFILE, the limit of one process: `ulimit -n`, \
                    LimitNOFILE= of systemd",
        }),
        instead: Some("TIME_WAIT uses no descriptor: no limit of files matters to it."),
        sources: &["fs/file_table.c, alloc_empty_file", "Documentation/admin-guide/sysctl/fs.rst"],
        ..GLOBAL
    },
    SysctlEntry {
        key: "fs.nr_open",
        kind: SysctlKind::Unsigned { low: 64, high: 2_147_483_584 },
        unit: Unit::Count,
        default: DefaultValue::Fixed("1048576"),
        meaning: "the most that a process may have as its limit of open files (ulimit -n)",
        judgement: "Raise it only for a process that needs more than a million descriptors; some programs \
            walk through all of them when they start.",
        sources: &["fs/file_table.c", "Documentation/admin-guide/sysctl/fs.rst"],
        ..GLOBAL
    },
];
