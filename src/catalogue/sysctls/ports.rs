//! Which ports connect(2) and bind(2) may have.

use super::{ANY, SWITCH, SysctlEntry, Unit, entry, integer, linux};
use crate::model::SysctlKind;

pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        unit: Unit::Ports,
        judgement: "widen it where ports run out (1024 65535 gives 64,512), and reserve the ports of \
                    your services then; ends of different parity",
        danger: Some("a service's port inside it can be taken by an outgoing connection"),
        instead: Some("netkit states --time-wait"),
        sources: &["net/ipv4/inet_hashtables.c, __inet_hash_connect", "ip(7)"],
        ..entry(
            "net.ipv4.ip_local_port_range",
            SysctlKind::RangePair,
            "32768 60999",
            "the ports that connect() and bind() to port 0 pick from",
        )
    },
    SysctlEntry {
        unit: Unit::Ports,
        since: linux(2, 6),
        judgement: "put the ports of services here that lie in ip_local_port_range",
        sources: &["net/ipv4/inet_hashtables.c, __inet_hash_connect", "ip-sysctl.rst"],
        ..entry(
            "net.ipv4.ip_local_reserved_ports",
            SysctlKind::PortList,
            "",
            "ports that connect() and bind() to port 0 leave out; an explicit bind may have them",
        )
    },
    SysctlEntry {
        judgement: "leave 0; IP_BIND_ADDRESS_NO_PORT in the program is better",
        sources: &["net/ipv4/inet_connection_sock.c, inet_csk_find_open_port"],
        ..entry(
            "net.ipv4.ip_autobind_reuse",
            SWITCH,
            "0",
            "1 lets bind() to port 0 share ports of SO_REUSEADDR sockets when none is left",
        )
    },
    SysctlEntry {
        unit: Unit::Ports,
        since: linux(4, 11),
        judgement: "1024; container runtimes set 0, which is well inside a container",
        sources: &["net/ipv4/af_inet.c, __inet_bind"],
        ..entry(
            "net.ipv4.ip_unprivileged_port_start",
            integer(0, 65_535),
            "1024",
            "the lowest port that needs no CAP_NET_BIND_SERVICE; at most ip_local_port_range's",
        )
    },
    SysctlEntry {
        judgement: "0, except for failover addresses that come later; IP_FREEBIND does it per socket",
        sources: &["net/ipv4/af_inet.c, inet_can_nonlocal_bind"],
        ..entry(
            "net.ipv4.ip_nonlocal_bind",
            integer(0, 255),
            "0",
            "1 lets bind() take IPv4 addresses that no interface has",
        )
    },
    SysctlEntry {
        judgement: "0, except for failover addresses that come later; it is apart from IPv4's",
        sources: &["net/ipv6/af_inet6.c, __inet6_bind"],
        ..entry(
            "net.ipv6.ip_nonlocal_bind",
            integer(0, 255),
            "0",
            "1 lets bind() take IPv6 addresses that no interface has",
        )
    },
    SysctlEntry {
        judgement: "0; a program that wants one family alone says so by IPV6_V6ONLY",
        sources: &["ipv6(7)", "net/ipv6/af_inet6.c, inet6_create"],
        ..entry(
            "net.ipv6.bindv6only",
            integer(0, 255),
            "0",
            "what IPV6_V6ONLY a new socket has: with 0, [::] takes IPv4 too",
        )
    },
    SysctlEntry {
        judgement: "leave 0, except with VRFs",
        sources: &["net/ipv4/inet_hashtables.c, inet_bind_bucket_match"],
        ..entry(
            "net.ipv4.tcp_l3mdev_accept",
            SWITCH,
            "0",
            "1 lets a listener that is bound to no VRF accept in all of them",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        default: super::DefaultValue::Formula(
            "set at boot by memory (thash_entries); negative: shared",
        ),
        since: linux(6, 1),
        is_writable: false,
        judgement: "it can only be read; negative where the namespace shares the machine's table",
        sources: &["net/ipv4/sysctl_net_ipv4.c, proc_tcp_ehash_entries"],
        ..entry(
            "net.ipv4.tcp_ehash_entries",
            ANY,
            "",
            "how many buckets the table of connections has",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        since: linux(6, 1),
        judgement: "0; a power of two for hosts with very many namespaces",
        sources: &["net/ipv4/tcp_ipv4.c, tcp_set_hashinfo"],
        ..entry(
            "net.ipv4.tcp_child_ehash_entries",
            integer(0, 16_777_216),
            "0",
            "a table of connections of their own for namespaces made from now on; 0: shared",
        )
    },
];
