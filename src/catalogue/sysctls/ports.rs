//! Which ports connect() and bind() may use.

use super::{ANY_BYTE, DefaultValue, Earlier, PLAIN, SWITCH, SysctlEntry, Unit, WIDE};
use crate::model::{KernelRelease, SysctlKind};

/// The entries, in the order in which one should know them.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.ipv4.ip_local_port_range",
        kind: SysctlKind::RangePair,
        unit: Unit::Ports,
        default: DefaultValue::Fixed("32768\t60999"),
        earlier: &[Earlier {
            until: KernelRelease::new(4, 2),
            default: Some(DefaultValue::Fixed("32768\t61000")),
            kind: None,
            source: "commit 07f4c90062f8: one end even and the other odd",
        }],
        meaning: "the ports that connect() and bind() to port 0 choose from, IPv6 too, both ends included",
        judgement: "The default has 28,232 ports, which is 470 new connections a second to one destination \
            where none is reused. Widening it is the cheapest cure for EADDRNOTAVAIL: 1024 65535 has \
            64,512. One end even and the other odd: connect() begins with ports of one parity. One socket \
            can have a narrower range (IP_LOCAL_PORT_RANGE, Linux 6.3).",
        danger: Some(
            "A port of the range can be taken by an outgoing connection when a service wants to bind it: \
             put the ports of services into ip_local_reserved_ports. Kubernetes gives out 30000 to 32767 \
             to services, just below the default.",
        ),
        sources: &[
            "net/ipv4/sysctl_net_ipv4.c, ipv4_local_port_range",
            "net/ipv4/inet_hashtables.c, __inet_hash_connect",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.ip_local_reserved_ports",
        kind: SysctlKind::PortList,
        unit: Unit::Ports,
        default: DefaultValue::Fixed(""),
        meaning: "ports of the range that connect() and bind() to port 0 leave alone",
        judgement: "Every service whose port lies in ip_local_port_range belongs here: it is the cure for \
            a service that cannot start because an outgoing connection has its port. A bind to the port \
            itself still works. Writing it replaces the whole list.",
        sources: &[
            "net/ipv4/inet_hashtables.c, __inet_hash_connect",
            "net/ipv4/inet_connection_sock.c, inet_csk_find_open_port",
            "kernel/sysctl.c, proc_do_large_bitmap",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.ip_unprivileged_port_start",
        kind: SysctlKind::Integer { low: 0, high: 65535 },
        unit: Unit::Ports,
        default: DefaultValue::Fixed("1024"),
        since: Some(KernelRelease::new(4, 11)),
        meaning: "the lowest port that every user may bind; those below take CAP_NET_BIND_SERVICE",
        judgement: "1024, or 80 for a web server without privilege. 0 abolishes privileged ports, which is \
            common inside containers. It may not be above the low end of ip_local_port_range: EINVAL.",
        danger: Some(
            "With 0 on a host of many users, anybody can take the port of a service that is down.",
        ),
        sources: &[
            "net/ipv4/sysctl_net_ipv4.c, ipv4_privileged_ports",
            "commit 4548b683b781",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.ip_autobind_reuse",
        kind: SWITCH,
        unit: Unit::Flag,
        since: Some(KernelRelease::new(5, 7)),
        meaning: "whether bind() to port 0 may give a port twice, where all its sockets set SO_REUSEADDR",
        judgement: "0. 1 is for programs that bind to port 0 and then connect, and cannot be changed.",
        danger: Some("Two sockets on one port cannot both connect to the same destination."),
        instead: Some("IP_BIND_ADDRESS_NO_PORT in the program lets connect() choose the port."),
        sources: &[
            "net/ipv4/inet_connection_sock.c, inet_csk_find_open_port",
            "Documentation/networking/ip-sysctl.rst",
            "measured",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.ip_local_port_step_width",
        kind: SysctlKind::Unsigned { low: 0, high: u32::MAX },
        unit: Unit::Ports,
        since: Some(KernelRelease::new(7, 1)),
        meaning: "the largest random step by which connect() goes through the port range; 0 steps evenly",
        judgement: "0. It spreads the ports that are used where a long list of reserved ones makes those \
            after it be used more than others; it is to be larger than the longest range of that list. \
            Nobody needs it for TIME_WAIT.",
        sources: &["net/ipv4/inet_hashtables.c, __inet_hash_connect", "commit 7da62262ec96"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.ip_nonlocal_bind",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether IPv4 sockets may bind to addresses that this host does not have",
        judgement: "0. 1 is for services that bind to a floating address before it comes (keepalived, \
            HAProxy).",
        danger: Some("A misspelt address in a configuration is no longer an error."),
        instead: Some("IP_FREEBIND does it for one socket and takes no privilege."),
        sources: &[
            "net/ipv4/af_inet.c, __inet_bind; include/net/inet_sock.h, inet_can_nonlocal_bind",
        ],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv6.ip_nonlocal_bind",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether IPv6 sockets may bind to addresses that this host does not have",
        judgement: "0. It is a switch of its own: that of IPv4 does nothing for IPv6.",
        instead: Some("IPV6_FREEBIND does it for one socket and takes no privilege."),
        sources: &["net/ipv6/af_inet6.c, __inet6_bind; include/net/ipv6.h, ipv6_can_nonlocal_bind"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv6.bindv6only",
        kind: ANY_BYTE,
        earlier: WIDE,
        unit: Unit::Flag,
        meaning: "whether a socket on [::] leaves IPv4 alone, where the program does not say (IPV6_V6ONLY)",
        judgement: "0: a listener on [::] takes IPv4 too, stands in /proc/net/tcp6 alone, and blocks \
            0.0.0.0 on its port.",
        danger: Some(
            "With 1, services that listen on [::] and do not say IPV6_V6ONLY are gone from IPv4 at their \
             next start.",
        ),
        sources: &["net/ipv6/af_inet6.c, inet6_create", "RFC 3493, section 5.3", "measured"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_l3mdev_accept",
        kind: SWITCH,
        unit: Unit::Flag,
        since: Some(KernelRelease::new(4, 5)),
        meaning: "whether a listener outside of any VRF accepts connections of all VRFs",
        judgement: "0, unless the host routes by VRF and its services shall answer in each.",
        sources: &["Documentation/networking/ip-sysctl.rst", "Documentation/networking/vrf.rst"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_migrate_req",
        kind: SWITCH,
        unit: Unit::Flag,
        since: Some(KernelRelease::new(5, 14)),
        meaning: "whether connections of a closed SO_REUSEPORT listener move to another one on the port",
        judgement: "0. 1 spares clients the resets when one of several worker processes restarts; all \
            workers have to set the same socket options.",
        sources: &[
            "net/core/sock_reuseport.c, reuseport_migrate_sock",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
];
