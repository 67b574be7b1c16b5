//! The findings that netkit can make: their stable names, what each means, and where that is from.

/// A finding's name and meaning. How bad one is depends on the numbers, so that is not said here.
#[derive(Clone, Copy, Debug)]
pub struct FindingEntry {
    /// The stable name.
    pub id: &'static str,
    /// What it means, in a sentence without a full stop.
    pub meaning: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// Whether it is about a destination, of which there can be many, each with its own.
    pub about_destination: bool,
}

/// No port is left: connect(2) fails.
pub const TW_PORTS_EXHAUSTED: &str = "TW_PORTS_EXHAUSTED";
/// The ports run short.
pub const TW_PORTS_PRESSURE: &str = "TW_PORTS_PRESSURE";
/// connect(2) has become slow.
pub const TW_LATENCY_CLIFF: &str = "TW_LATENCY_CLIFF";
/// More connections a second than ports come back.
pub const TW_RATE_ABOVE_CEILING: &str = "TW_RATE_ABOVE_CEILING";
/// Nearly as many connections a second as ports come back.
pub const TW_RATE_NEAR_CEILING: &str = "TW_RATE_NEAR_CEILING";
/// No bucket is left, or nearly none.
pub const TW_BUCKETS_FULL: &str = "TW_BUCKETS_FULL";
/// Buckets run short.
pub const TW_BUCKETS_PRESSURE: &str = "TW_BUCKETS_PRESSURE";
/// Sockets skip TIME_WAIT now.
pub const TW_OVERFLOWING: &str = "TW_OVERFLOWING";
/// Sockets have skipped TIME_WAIT since boot.
pub const TW_OVERFLOWED: &str = "TW_OVERFLOWED";
/// `tcp_tw_reuse` cannot work.
pub const TW_REUSE_BLOCKED_BY_TIMESTAMPS: &str = "TW_REUSE_BLOCKED_BY_TIMESTAMPS";
/// The pile is FIN_WAIT2.
pub const TW_MOSTLY_FIN_WAIT2: &str = "TW_MOSTLY_FIN_WAIT2";
/// A limit that the user gave is passed.
pub const TW_TOTAL_ABOVE_LIMIT: &str = "TW_TOTAL_ABOVE_LIMIT";

/// The address is in use.
pub const BIND_IN_USE: &str = "BIND_IN_USE";
/// This user may not bind it.
pub const BIND_NOT_PERMITTED: &str = "BIND_NOT_PERMITTED";
/// The address is none of this namespace's.
pub const BIND_NOT_AVAILABLE: &str = "BIND_NOT_AVAILABLE";
/// Another error of bind(2).
pub const BIND_REFUSED: &str = "BIND_REFUSED";
/// Nothing that can be seen has the address.
pub const BIND_UNEXPLAINED: &str = "BIND_UNEXPLAINED";
/// connect(2) may take the port.
pub const BIND_PORT_IS_EPHEMERAL: &str = "BIND_PORT_IS_EPHEMERAL";
/// The socket met itself.
pub const CONNECT_SELF: &str = "CONNECT_SELF";
/// Nobody accepts.
pub const CONNECT_ACCEPT_QUEUE_FULL: &str = "CONNECT_ACCEPT_QUEUE_FULL";
/// Another address of the port is listened at.
pub const CONNECT_LISTENS_ELSEWHERE: &str = "CONNECT_LISTENS_ELSEWHERE";
/// Bound, and no more.
pub const CONNECT_NOT_LISTENING: &str = "CONNECT_NOT_LISTENING";
/// A firewall says no.
pub const CONNECT_REJECTED: &str = "CONNECT_REJECTED";
/// A router has no way.
pub const CONNECT_UNREACHABLE: &str = "CONNECT_UNREACHABLE";
/// This machine has no way.
pub const CONNECT_NO_ROUTE: &str = "CONNECT_NO_ROUTE";
/// A route says no.
pub const CONNECT_ROUTE_FORBIDS: &str = "CONNECT_ROUTE_FORBIDS";
/// Nobody on the link.
pub const CONNECT_NO_NEIGHBOUR: &str = "CONNECT_NO_NEIGHBOUR";
/// `lo` is down.
pub const CONNECT_LOOPBACK_DOWN: &str = "CONNECT_LOOPBACK_DOWN";
/// No IPv6.
pub const CONNECT_IPV6_OFF: &str = "CONNECT_IPV6_OFF";
/// No port is left.
pub const CONNECT_PORTS_EXHAUSTED: &str = "CONNECT_PORTS_EXHAUSTED";
/// A file without a socket.
pub const CONNECT_STALE_SOCKET: &str = "CONNECT_STALE_SOCKET";
/// A mode says no.
pub const CONNECT_UNIX_DENIED: &str = "CONNECT_UNIX_DENIED";
/// A file sets what no longer exists.
pub const SYSCTL_DEAD_KEY: &str = "SYSCTL_DEAD_KEY";
/// A setting does not do what it is set for.
pub const SYSCTL_MYTH: &str = "SYSCTL_MYTH";
/// Running and configured differ.
pub const SYSCTL_DRIFT: &str = "SYSCTL_DRIFT";
/// Two readers, two values.
pub const SYSCTL_PRECEDENCE_CONFLICT: &str = "SYSCTL_PRECEDENCE_CONFLICT";
/// A reboot loses it.
pub const SYSCTL_NOT_PERSISTENT: &str = "SYSCTL_NOT_PERSISTENT";
/// The kernel takes it, or not, to nobody's good.
pub const SYSCTL_NONSENSE_VALUE: &str = "SYSCTL_NONSENSE_VALUE";
/// Settings that do not go together.
pub const SYSCTL_COMBINATION: &str = "SYSCTL_COMBINATION";
/// A file sets what is not there.
pub const SYSCTL_UNKNOWN_KEY: &str = "SYSCTL_UNKNOWN_KEY";
/// A file that is not read.
pub const SYSCTL_FILE_IGNORED: &str = "SYSCTL_FILE_IGNORED";
/// A line without effect.
pub const SYSCTL_BAD_LINE: &str = "SYSCTL_BAD_LINE";
/// A key is set twice in a file.
pub const SYSCTL_DUPLICATE: &str = "SYSCTL_DUPLICATE";
/// A profile wants another value.
pub const SYSCTL_PROFILE: &str = "SYSCTL_PROFILE";
/// An expectation is not met.
pub const SYSCTL_EXPECTATION: &str = "SYSCTL_EXPECTATION";

/// Every finding.
pub const FINDINGS: [FindingEntry; 45] = [
    FindingEntry {
        id: TW_PORTS_EXHAUSTED,
        meaning: "every ephemeral port to a destination is taken: connect() to it fails with \
                  EADDRNOTAVAIL, and no counter of the kernel says so",
        source: "net/ipv4/inet_hashtables.c, __inet_hash_connect; measured on Linux 6.18",
        about_destination: true,
    },
    FindingEntry {
        id: TW_PORTS_PRESSURE,
        meaning: "most of the ephemeral ports to a destination are taken, by TIME_WAIT or by open \
                  connections",
        source: "net/ipv4/inet_hashtables.c, __inet_hash_connect",
        about_destination: true,
    },
    FindingEntry {
        id: TW_LATENCY_CLIFF,
        meaning: "more than half of the ports to a destination are taken: connect() tries all of \
                  one parity before the other, and takes milliseconds instead of microseconds",
        source: "net/ipv4/inet_hashtables.c, __inet_hash_connect; measured: 48 us below half, 2 to \
                 4 ms above, on Linux 6.18",
        about_destination: true,
    },
    FindingEntry {
        id: TW_RATE_ABOVE_CEILING,
        meaning: "connections to a destination are closed faster than TIME_WAIT gives ports back: \
                  it runs out if that goes on",
        source: "include/net/tcp.h, TCP_TIMEWAIT_LEN: ports come back after 60 s",
        about_destination: true,
    },
    FindingEntry {
        id: TW_RATE_NEAR_CEILING,
        meaning: "connections to a destination are closed nearly as fast as TIME_WAIT gives ports \
                  back",
        source: "include/net/tcp.h, TCP_TIMEWAIT_LEN",
        about_destination: true,
    },
    FindingEntry {
        id: TW_BUCKETS_FULL,
        meaning: "tcp_max_tw_buckets is reached: sockets close without TIME_WAIT, and late segments \
                  of theirs are answered with RST",
        source: "net/ipv4/inet_timewait_sock.c, inet_twsk_alloc",
        about_destination: false,
    },
    FindingEntry {
        id: TW_BUCKETS_PRESSURE,
        meaning: "tcp_max_tw_buckets is nearly reached",
        source: "net/ipv4/inet_timewait_sock.c, inet_twsk_alloc",
        about_destination: false,
    },
    FindingEntry {
        id: TW_OVERFLOWING,
        meaning: "sockets close without TIME_WAIT now: TCPTimeWaitOverflow grew while netkit \
                  looked",
        source: "net/ipv4/tcp_minisocks.c, tcp_time_wait",
        about_destination: false,
    },
    FindingEntry {
        id: TW_OVERFLOWED,
        meaning: "sockets closed without TIME_WAIT at some time since boot",
        source: "net/ipv4/tcp_minisocks.c, tcp_time_wait",
        about_destination: false,
    },
    FindingEntry {
        id: TW_REUSE_BLOCKED_BY_TIMESTAMPS,
        meaning: "tcp_tw_reuse is on and tcp_timestamps off: without timestamps nothing is reused, \
                  not even on loopback",
        source: "net/ipv4/tcp_ipv4.c, tcp_twsk_unique; measured: 60 s instead of 1 s",
        about_destination: false,
    },
    FindingEntry {
        id: TW_MOSTLY_FIN_WAIT2,
        meaning: "most of what the kernel counts as TIME_WAIT is FIN_WAIT2: the peer has not \
                  closed",
        source: "net/ipv4/tcp_minisocks.c, tcp_time_wait; /proc/net/sockstat counts both",
        about_destination: false,
    },
    FindingEntry {
        id: TW_TOTAL_ABOVE_LIMIT,
        meaning: "more sockets are in TIME_WAIT than --max-total allows",
        source: "the command line: the kernel has no such limit, a total alone is no problem",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_IN_USE,
        meaning: "bind() or listen() fails with EADDRINUSE: a socket or file that may not share the \
                  address has it",
        source: "net/ipv4/inet_connection_sock.c, inet_csk_get_port; net/unix/af_unix.c, unix_bind",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_NOT_PERMITTED,
        meaning: "bind() fails with EACCES: the port is privileged, or the directory of a socket \
                  file may not be written; whether the address is in use is not looked at then",
        source: "net/ipv4/af_inet.c, __inet_bind; unix(7)",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_NOT_AVAILABLE,
        meaning: "bind() fails with EADDRNOTAVAIL: no interface of this network namespace has the \
                  address, or not yet",
        source: "net/ipv4/af_inet.c, inet_addr_valid_or_nonlocal; net/ipv6/af_inet6.c, \
                 __inet6_bind",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_REFUSED,
        meaning: "bind() fails with another error",
        source: "bind(2)",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_UNEXPLAINED,
        meaning: "the address is in use, and no socket that can be seen has it",
        source: "a socket that is bound and does not listen is hidden before Linux 6.8",
        about_destination: false,
    },
    FindingEntry {
        id: BIND_PORT_IS_EPHEMERAL,
        meaning: "connect() may pick the port for an outgoing connection, which no option of a \
                  server can beat",
        source: "net/ipv4/inet_hashtables.c, __inet_hash_connect; ip_local_reserved_ports",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_SELF,
        meaning: "nobody listens: connect() picked the destination's own port for its end, and \
                  TCP's simultaneous open connected the socket with itself",
        source: "RFC 9293, section 3.5; net/ipv4/inet_hashtables.c, __inet_hash_connect; \
                 measured on Linux 6.18",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_ACCEPT_QUEUE_FULL,
        meaning: "the accept queue of a listener of this machine is full: of TCP, the kernel \
                  drops every SYN, of a Unix socket connect() gives EAGAIN",
        source: "include/net/sock.h, sk_acceptq_is_full; net/unix/af_unix.c, unix_stream_connect",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_LISTENS_ELSEWHERE,
        meaning: "the port is listened on, at another address of this machine alone",
        source: "net/ipv4/inet_hashtables.c, __inet_lookup_listener",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_NOT_LISTENING,
        meaning: "a socket is bound to the address and has not called listen()",
        source: "net/ipv4/tcp_ipv4.c, tcp_v4_rcv; net/unix/af_unix.c, unix_stream_connect",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_REJECTED,
        meaning: "an ICMP message says that the connection is not allowed, and who says so",
        source: "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, icmpv6_err_convert; \
                 measured on Linux 6.18",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_UNREACHABLE,
        meaning: "an ICMP message says that the destination cannot be reached, and who says so",
        source: "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, icmpv6_err_convert",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_NO_ROUTE,
        meaning: "this machine has no route to the destination",
        source: "net/ipv4/route.c, ip_route_output_key_hash_rcu",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_ROUTE_FORBIDS,
        meaning: "a route or rule of this machine forbids the destination",
        source: "net/ipv4/fib_semantics.c, fib_props",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_NO_NEIGHBOUR,
        meaning: "nobody on the link answers for the destination or the next router",
        source: "net/core/neighbour.c, neigh_timer_handler",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_LOOPBACK_DOWN,
        meaning: "the loopback interface is down, so that this machine does not reach itself",
        source: "measured on Linux 6.18: a timeout where `lo` was up before, ENETUNREACH where not",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_IPV6_OFF,
        meaning: "IPv6 is switched off by sysctl, so that no IPv6 address can be reached",
        source: "net/ipv6/addrconf.c, addrconf_disable_ipv6",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_PORTS_EXHAUSTED,
        meaning: "every port that connect() may choose from goes to that destination already",
        source: "net/ipv4/inet_hashtables.c, __inet_hash_connect",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_STALE_SOCKET,
        meaning: "a socket file is left by a server that is gone",
        source: "net/unix/af_unix.c, unix_find_bsd",
        about_destination: false,
    },
    FindingEntry {
        id: CONNECT_UNIX_DENIED,
        meaning: "the mode of a directory or of the socket file keeps this user out",
        source: "unix(7); net/unix/af_unix.c, unix_find_bsd",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_DEAD_KEY,
        meaning: "a file sets a key that the kernel no longer has, or that nothing reads",
        source: "commit 4396e46187ca for tcp_tw_recycle; catalogue::sysctls for the others",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_MYTH,
        meaning: "a setting does not do what people set it for",
        source: "catalogue::sysctls has the source of each",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_DRIFT,
        meaning: "the running value is not the one that a reboot would set",
        source: "sysctl.d(5)",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_PRECEDENCE_CONFLICT,
        meaning: "systemd-sysctl at boot and sysctl --system leave different values",
        source: "procps 4.0.2 and systemd 252, measured: the one reads /etc/sysctl.conf last, \
                 the other not at all",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_NOT_PERSISTENT,
        meaning: "a value that a reboot loses: no file sets it, or one that systemd-sysctl does \
                  not read",
        source: "sysctl.d(5); measured",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_NONSENSE_VALUE,
        meaning: "a value that the kernel refuses or reads in part, or that does harm",
        source: "kernel/sysctl.c, proc_get_long; catalogue::sysctls",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_COMBINATION,
        meaning: "settings that do not go together, or not with what listens",
        source: "net/ipv4/tcp_ipv4.c, tcp_twsk_unique; net/ipv4/inet_hashtables.c, \
                 __inet_hash_connect",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_UNKNOWN_KEY,
        meaning: "a file sets a key that this kernel does not have",
        source: "/proc/sys",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_FILE_IGNORED,
        meaning: "a file that nobody, or not everybody, reads",
        source: "sysctl.d(5), sysctl(8); measured",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_BAD_LINE,
        meaning: "a line that means nothing to those who read it",
        source: "sysctl.d(5), sysctl(8); measured",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_DUPLICATE,
        meaning: "a file sets a key twice",
        source: "sysctl.d(5)",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_PROFILE,
        meaning: "a value is not what the profile wants",
        source: "the profile that was asked for",
        about_destination: false,
    },
    FindingEntry {
        id: SYSCTL_EXPECTATION,
        meaning: "a value is not what --expect says",
        source: "the command line",
        about_destination: false,
    },
];

/// The command that makes findings whose names begin so.
const MAKERS: [(&str, &str); 4] = [
    ("TW_", "netkit states --time-wait"),
    ("BIND_", "netkit bind PORT"),
    ("CONNECT_", "netkit connect HOST:PORT"),
    ("SYSCTL_", "netkit sysctl"),
];

/// The command that makes findings of this name.
pub fn maker(id: &str) -> Option<&'static str> {
    MAKERS.iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, command)| *command)
}

/// Whether findings of this name are about a destination.
pub fn is_about_destination(id: &str) -> bool {
    FINDINGS.iter().any(|entry| entry.id == id && entry.about_destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_entries_complete() {
        for (index, entry) in FINDINGS.iter().enumerate() {
            assert!(FINDINGS.iter().skip(index + 1).all(|other| other.id != entry.id));
            assert!(!entry.meaning.ends_with('.') && !entry.source.is_empty(), "{}", entry.id);
            assert!(maker(entry.id).is_some(), "no command makes {}", entry.id);
        }
    }
}
