//! What a server keeps of connections that are not accepted yet.

use super::{ANY, ANY_BYTE, DefaultValue, Earlier, GLOBAL, Myth, PLAIN, SysctlEntry, Unit, WIDE};
use crate::model::{KernelRelease, SysctlKind};

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.core.somaxconn",
        kind: SysctlKind::Integer { low: 0, high: i32::MAX },
        unit: Unit::Count,
        default: DefaultValue::Fixed("4096"),
        earlier: &[Earlier {
            until: KernelRelease::new(5, 4),
            default: Some(DefaultValue::Fixed("128")),
            kind: None,
            source: "commit 19f92a030ca6 (net: increase SOMAXCONN to 4096)",
        }],
        meaning: "the most that listen() may ask for as the length of its queue",
        judgement: "4096 since Linux 5.4, 128 before. 128 on a newer kernel is a remnant of an old \
            tuning file. It is the namespace's in which the program calls listen(): the host's value does \
            nothing for containers.",
        myth: Some(Myth {
            said: "Raise somaxconn and the queue is longer",
            truth: "it is only the ceiling: the program has to ask for as much in listen(), and \
                    a listener that runs keeps what it has, which `ss -ltn` shows as Send-Q",
        }),
        instead: Some(
            "Where ListenOverflows grows, the program accepts too slowly or asks for too short a queue.",
        ),
        sources: &[
            "net/socket.c, __sys_listen",
            "Documentation/networking/ip-sysctl.rst",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_max_syn_backlog",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Formula(
            "the larger of 128 and tcp_ehash_entries / 128: 2048 with 262144",
        ),
        meaning: "half-open connections of a listener from which on unknown clients are dropped",
        judgement: "It is looked at only where tcp_syncookies is 0: then the last quarter is kept for \
            clients that are known. With SYN cookies, which are the default, it decides nothing.",
        myth: Some(Myth {
            said: "Raise it against dropped SYNs",
            truth: "with SYN cookies on it is not read at all: how many half-open connections a \
                    listener has is bounded by its own queue, the lesser of what listen() asked \
                    for and somaxconn",
        }),
        instead: Some("net.core.somaxconn, and the number that the program gives to listen()."),
        sources: &["net/ipv4/tcp_input.c, tcp_conn_request", "include/net/inet_connection_sock.h"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_syncookies",
        kind: ANY_BYTE,
        earlier: WIDE,
        default: DefaultValue::Fixed("1"),
        meaning: "SYN cookies: 0 never, 1 when a listener's queue is full, 2 always, for tests",
        judgement: "1, which is the default: a line that sets it changes nothing.",
        myth: Some(Myth {
            said: "tcp_syncookies = 1 helps against TIME_WAIT, or a busy server",
            truth: "it has nothing to do with TIME_WAIT, and does not help a loaded server: a \
                    queue that is too short has to be lengthened",
        }),
        danger: Some(
            "0 leaves listeners open to SYN floods. 2 gives every client a cookie, and those without \
             timestamps lose window scaling and SACK.",
        ),
        instead: Some(
            "\"Possible SYN flooding\" in the log of a host that is not attacked: a longer queue, by \
             listen() and net.core.somaxconn.",
        ),
        sources: &[
            "net/ipv4/tcp_input.c, tcp_conn_request, tcp_syn_flood_action",
            "net/ipv4/tcp_ipv4.c, tcp_sk_init",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_abort_on_overflow",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether the last ACK of a handshake is answered by RST where the accept queue is full",
        judgement: "0: the client sends again, and gets in when the burst is over. It does not speed up \
            failing: a SYN at a full queue is dropped in silence with either value, so that clients still \
            time out.",
        danger: Some("With 1, a short burst resets clients that would have been served."),
        instead: Some("A longer queue, or a program that accepts faster."),
        sources: &["net/ipv4/tcp_minisocks.c, tcp_check_req", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_fastopen",
        kind: SysctlKind::Bitmask,
        default: DefaultValue::Fixed("1"),
        earlier: &[Earlier {
            until: KernelRelease::new(3, 13),
            default: Some(DefaultValue::Fixed("0")),
            kind: None,
            source: "commit 0d41cca490c2 (tcp: enable sockets to use MSG_FASTOPEN by default)",
        }],
        since: Some(KernelRelease::new(3, 6)),
        meaning: "TCP Fast Open: 1 client, 2 server, 4 client without cookie, 512 server without, 1024 all",
        judgement: "1. 3 lets servers use it too, if the program sets TCP_FASTOPEN. Firewalls on the way \
            often drop such SYNs.",
        danger: Some(
            "With 512 servers take data without a cookie, from forged addresses too. With 1024 every \
             listener takes part, also those of programs that may not be asked the same thing twice.",
        ),
        sources: &["net/ipv4/tcp_fastopen.c", "RFC 7413", "Documentation/networking/ip-sysctl.rst"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_fastopen_key",
        kind: SysctlKind::FastOpenKeys,
        default: DefaultValue::Formula("random, made when it is first needed; zeros until then"),
        since: Some(KernelRelease::new(3, 6)),
        is_secret: true,
        meaning: "the secret that TCP Fast Open's cookies are made with; a second one after a comma",
        judgement: "Leave it to the kernel, unless several servers behind one address have to accept \
            each other's cookies: then all of them need the same. Root alone may read it. A second key \
            (Linux 5.3) is accepted and not handed out, so that keys can be changed without a break.",
        danger: Some("Who knows it can make cookies, and send data from forged addresses."),
        sources: &[
            "net/ipv4/sysctl_net_ipv4.c, proc_tcp_fastopen_key",
            "commit 9092a76d3cf8 (tcp: add backup TFO key infrastructure)",
            "Documentation/networking/ip-sysctl.rst",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.core.netdev_max_backlog",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Fixed("1000"),
        meaning: "packets that one CPU queues between the driver and the protocols",
        judgement: "Raise it where the second column of /proc/net/softnet_stat grows. Most drivers poll \
            (NAPI) and come by this queue only where RPS spreads packets; loopback and veth use it always.",
        sources: &[
            "net/core/dev.c, enqueue_to_backlog",
            "Documentation/admin-guide/sysctl/net.rst",
        ],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.core.netdev_budget",
        kind: ANY,
        unit: Unit::Count,
        default: DefaultValue::Fixed("300"),
        meaning: "packets that one CPU takes from all its devices before it lets others run",
        judgement: "Raise it, and netdev_budget_usecs with it, where the third column of \
            /proc/net/softnet_stat grows.",
        sources: &["net/core/dev.c, net_rx_action", "Documentation/admin-guide/sysctl/net.rst"],
        ..GLOBAL
    },
];
