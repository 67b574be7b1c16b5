//! Queues, limits and memory.

use super::{
    ANY, BYTE, DefaultValue, JIFFIES, NATURAL, Scope, SysctlEntry, Unit, entry, integer, linux,
};
use crate::model::SysctlKind;

pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        judgement: "1 is right, and the default; 2 is for tests; 0 leaves a server open to SYN floods",
        myth: Some(
            "it has nothing to do with TIME_WAIT, and does not help a loaded server: a queue \
                    that is too short has to be lengthened",
        ),
        instead: Some("net.core.somaxconn, the program's listen() backlog, tcp_max_syn_backlog"),
        sources: &[
            "net/ipv4/tcp_input.c, tcp_conn_request",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..entry(
            "net.ipv4.tcp_syncookies",
            BYTE,
            "1",
            "answers SYNs without keeping state: 0 never, 1 when the queue is full, 2 always",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        default: DefaultValue::Formula("ehash entries / 128, at least 128"),
        judgement: "the default; raise it together with somaxconn and the program's backlog",
        sources: &["net/ipv4/tcp_ipv4.c, tcp_sk_init", "net/ipv4/tcp_input.c, tcp_conn_request"],
        ..entry(
            "net.ipv4.tcp_max_syn_backlog",
            ANY,
            "",
            "how many half-open connections a listener keeps without SYN cookies",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "4096 or more; 128 is the default of Linux before 5.4 and too short for servers",
        myth: Some(
            "alone it does nothing: the program's listen(backlog) has to ask for as much, and \
                    a listener keeps what it had until it is started anew",
        ),
        sources: &["net/socket.c, __sys_listen", "include/linux/socket.h, SOMAXCONN"],
        ..entry(
            "net.core.somaxconn",
            NATURAL,
            "4096",
            "the most that listen(backlog) can ask for: connections that wait for accept()",
        )
    },
    SysctlEntry {
        judgement: "leave 0; a full queue is cured by accepting faster or a longer backlog",
        danger: Some("1 makes a moment of overload a failure of the client's"),
        sources: &["net/ipv4/tcp_minisocks.c, tcp_check_req"],
        ..entry(
            "net.ipv4.tcp_abort_on_overflow",
            BYTE,
            "0",
            "1 resets a connection for which the accept queue has no room; 0 lets it try again",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        default: DefaultValue::Formula("half of the ehash entries"),
        scope: Scope::Global,
        judgement: "the default; above it connections are reset, and dmesg says so",
        sources: &["net/ipv4/tcp.c, tcp_check_oom", "Documentation/networking/ip-sysctl.rst"],
        ..entry(
            "net.ipv4.tcp_max_orphans",
            ANY,
            "",
            "the most connections of the machine that no program holds any more",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "0, which means 8; 1 or 2 cut off clients on slow lines",
        sources: &["net/ipv4/tcp_timer.c, tcp_orphan_retries"],
        ..entry(
            "net.ipv4.tcp_orphan_retries",
            BYTE,
            "0",
            "how often a closed connection that no program holds sends again",
        )
    },
    SysctlEntry {
        unit: Unit::Pages,
        default: DefaultValue::Formula("by memory"),
        scope: Scope::Global,
        judgement: "the default; TIME_WAIT takes nothing of it",
        sources: &["net/ipv4/tcp.c, tcp_init_mem", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_mem",
            SysctlKind::Triple { low: 0 },
            "",
            "memory of all TCP sockets: below the first no pressure, above the third none is given",
        )
    },
    SysctlEntry {
        unit: Unit::Bytes,
        default: DefaultValue::Formula("4096 131072, and by memory up to 6291456 or more"),
        judgement: "raise the third for long fat pipes (bandwidth x delay), not the second",
        sources: &["net/ipv4/tcp.c, tcp_init", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_rmem",
            SysctlKind::Triple { low: 1 },
            "",
            "receive buffer of a socket: least, at the start, and the most that it grows to",
        )
    },
    SysctlEntry {
        unit: Unit::Bytes,
        default: DefaultValue::Formula("4096 16384, and by memory up to 4194304"),
        judgement: "raise the third for long fat pipes (bandwidth x delay), not the second",
        sources: &["net/ipv4/tcp.c, tcp_init", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_wmem",
            SysctlKind::Triple { low: 1 },
            "",
            "send buffer of a socket: least, at the start, and the most that it grows to",
        )
    },
    SysctlEntry {
        unit: Unit::Bytes,
        default: DefaultValue::Formula("212992 before Linux 6.18, 4194304 there"),
        judgement: "it limits programs that set SO_RCVBUF themselves, and so lose the growing buffer",
        sources: &["net/core/sock.c, sk_setsockopt", "socket(7)"],
        ..entry(
            "net.core.rmem_max",
            integer(0, 2_147_483_647),
            "",
            "the most that SO_RCVBUF can ask for; TCP's own growing buffer goes by tcp_rmem",
        )
    },
    SysctlEntry {
        unit: Unit::Bytes,
        default: DefaultValue::Formula("212992 before Linux 6.18, 4194304 there"),
        judgement: "it limits programs that set SO_SNDBUF themselves, and so lose the growing buffer",
        sources: &["net/core/sock.c, sk_setsockopt", "socket(7)"],
        ..entry(
            "net.core.wmem_max",
            integer(0, 2_147_483_647),
            "",
            "the most that SO_SNDBUF can ask for; TCP's own growing buffer goes by tcp_wmem",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        scope: Scope::Global,
        judgement: "raise it where the second column of /proc/net/softnet_stat grows",
        sources: &["net/core/dev.c, enqueue_to_backlog"],
        ..entry(
            "net.core.netdev_max_backlog",
            ANY,
            "1000",
            "packets that wait for a CPU on the receiving side",
        )
    },
    SysctlEntry {
        scope: Scope::Global,
        default: DefaultValue::Formula("pfifo_fast, or what the distribution builds in"),
        judgement: "fq or fq_codel; it is for interfaces that are made from now on",
        sources: &["net/sched/sch_generic.c", "tc(8)"],
        ..entry(
            "net.core.default_qdisc",
            SysctlKind::Word,
            "",
            "the queueing discipline of new interfaces",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        scope: Scope::Global,
        default: DefaultValue::Formula("nf_conntrack_buckets, by memory"),
        judgement: "raise it before nf_conntrack_count comes near it; only the first namespace may",
        danger: Some("when it is reached, packets are dropped: nf_conntrack: table full"),
        instead: Some("net.netfilter.nf_conntrack_count"),
        sources: &["net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc"],
        ..entry(
            "net.netfilter.nf_conntrack_max",
            NATURAL,
            "",
            "the most connections that conntrack follows",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        scope: Scope::Global,
        default: DefaultValue::Formula("by memory, up to 262144"),
        judgement: "as many as nf_conntrack_max, or a fourth of it",
        sources: &["net/netfilter/nf_conntrack_core.c, nf_conntrack_hash_sysctl"],
        ..entry("net.netfilter.nf_conntrack_buckets", NATURAL, "", "the size of conntrack's table")
    },
    SysctlEntry {
        unit: Unit::Count,
        is_writable: false,
        default: DefaultValue::Formula("what there is now"),
        judgement: "below 80 % of nf_conntrack_max",
        sources: &["net/netfilter/nf_conntrack_standalone.c"],
        ..entry(
            "net.netfilter.nf_conntrack_count",
            NATURAL,
            "",
            "connections that conntrack follows now",
        )
    },
    SysctlEntry {
        unit: Unit::Seconds,
        judgement: "hours are enough; the default of five days fills the table of a busy gateway",
        sources: &["net/netfilter/nf_conntrack_proto_tcp.c"],
        ..entry(
            "net.netfilter.nf_conntrack_tcp_timeout_established",
            JIFFIES,
            "432000",
            "how long conntrack keeps an open connection on which nothing moves",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        scope: Scope::Global,
        default: DefaultValue::Formula("by memory"),
        judgement: "the default; TIME_WAIT has no descriptor",
        sources: &["fs/file_table.c, files_maxfiles_init", "proc(5)"],
        ..entry(
            "fs.file-max",
            integer(0, i64::MAX),
            "",
            "the most open files of the machine (ENFILE)",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        scope: Scope::Global,
        since: linux(2, 6),
        judgement: "the default; ulimit -n is what a process meets first (EMFILE)",
        sources: &["fs/file.c", "proc(5)"],
        ..entry(
            "fs.nr_open",
            integer(8, 2_147_483_584),
            "1048576",
            "the most descriptors that a process may be allowed",
        )
    },
];
