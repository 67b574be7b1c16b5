//! How long a connection is believed alive.

use super::{ANY_BYTE, DefaultValue, Myth, PLAIN, SECONDS, SysctlEntry, Unit, WIDE};
use crate::model::{KernelRelease, SysctlKind};

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.ipv4.tcp_keepalive_time",
        kind: SECONDS,
        unit: Unit::Seconds,
        default: DefaultValue::Fixed("7200"),
        meaning: "idle time before the first keep-alive probe, of sockets with SO_KEEPALIVE alone",
        judgement: "60 to 600 where a NAT, a firewall or a load balancer on the way forgets idle \
            connections: most forget sooner than after two hours. It is not for TIME_WAIT, but for \
            connections whose peer is gone. The kernel takes every number.",
        myth: Some(Myth {
            said: "Lower it and dead connections go away",
            truth: "it is for programs that set SO_KEEPALIVE, and most do not; TIME_WAIT and \
                    CLOSE_WAIT are not touched",
        }),
        instead: Some(
            "TCP_KEEPIDLE sets it for one socket; TCP_USER_TIMEOUT bounds data that is sent.",
        ),
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer", "RFC 9293, section 3.8.4"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_keepalive_intvl",
        kind: SECONDS,
        unit: Unit::Seconds,
        default: DefaultValue::Fixed("75"),
        meaning: "time between keep-alive probes that are not answered",
        judgement: "75 with 9 probes finds a dead peer after some 11 minutes; 10 to 30 is usual beside a \
            lowered tcp_keepalive_time.",
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_keepalive_probes",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Count,
        default: DefaultValue::Fixed("9"),
        meaning: "keep-alive probes without an answer after which the connection is given up",
        judgement: "9, or 3 to 6 beside a lowered tcp_keepalive_time.",
        danger: Some(
            "Few probes in quick succession end connections over a way that fails for seconds.",
        ),
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_syn_retries",
        kind: SysctlKind::Byte { low: 1, high: 127 },
        unit: Unit::Count,
        default: DefaultValue::Fixed("6"),
        meaning: "how often connect() sends its SYN again before ETIMEDOUT",
        judgement: "6 gives up after about two minutes: 131 s with tcp_syn_linear_timeouts = 4, 127 s \
            without. 2 or 3 is for clients that have another server to go to; a timeout in the program is \
            better.",
        instead: Some("TCP_SYNCNT sets it for one socket."),
        sources: &[
            "net/ipv4/tcp_timer.c, tcp_write_timeout",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_syn_linear_timeouts",
        kind: SysctlKind::Byte { low: 0, high: 127 },
        unit: Unit::Count,
        default: DefaultValue::Fixed("4"),
        since: Some(KernelRelease::new(6, 5)),
        meaning: "how many of the SYNs of connect() come a second apart before the waits double",
        judgement: "4. 0 is how kernels before 6.5 did it: 1, 2, 4, 8 seconds.",
        sources: &[
            "net/ipv4/tcp_timer.c, tcp_retransmit_timer",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_synack_retries",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Count,
        default: DefaultValue::Fixed("5"),
        meaning: "how often a server sends its SYN and ACK again for a handshake that is half open",
        judgement: "5 keeps a half-open connection for some 63 s. 2 or 3 frees them sooner in a SYN flood; \
            SYN cookies keep none at all.",
        sources: &[
            "net/ipv4/inet_connection_sock.c, reqsk_timer_handler",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_retries1",
        kind: ANY_BYTE,
        unit: Unit::Count,
        default: DefaultValue::Fixed("3"),
        meaning: "retransmissions after which TCP doubts the way and asks for another route",
        judgement: "3, the least that RFC 1122 allows. It ends no connection.",
        sources: &["net/ipv4/tcp_timer.c, tcp_write_timeout", "RFC 1122, section 4.2.3.5"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_retries2",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Count,
        default: DefaultValue::Fixed("15"),
        meaning: "retransmissions of data after which a connection is given up with ETIMEDOUT",
        judgement: "15 is at least 924.6 s. 8, which is 100 s, is the least that RFC 1122 recommends; \
            clusters that fail over sooner go down to 5.",
        danger: Some(
            "Lowered, connections do not survive a failure of the network of some seconds.",
        ),
        instead: Some("TCP_USER_TIMEOUT bounds it in milliseconds for one socket."),
        sources: &[
            "net/ipv4/tcp_timer.c, tcp_write_timeout",
            "RFC 1122, section 4.2.3.5",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
];
