//! TIME_WAIT beyond the words of its state: why it is there, whom it hurts, what helps, what does not.

/// What is often advised against TIME_WAIT and does not help.
pub const DOES_NOT_HELP: [&str; 3] = [
    "net.ipv4.tcp_fin_timeout does not change TIME_WAIT, which is a fixed 60 s",
    "net.ipv4.tcp_tw_recycle no longer exists (removed in Linux 4.12)",
    "a lower net.ipv4.tcp_max_tw_buckets breaks connections instead of shortening TIME_WAIT",
];

/// The advice that can be given without looking at anything.
pub const CLOSE_ELSEWHERE: &str = "let the server close first, so that TIME_WAIT is kept there";

/// What helps a client whose ports run short, most useful first. `netkit states --time-wait` says it
/// with the numbers of the destination.
pub const HELPS: [&str; 5] = [
    "keep connections open: a pool, keep-alive",
    CLOSE_ELSEWHERE,
    "widen net.ipv4.ip_local_port_range, and put the ports of your services into \
     net.ipv4.ip_local_reserved_ports",
    "use more addresses: each further source address, destination address or port has its own ports",
    "net.ipv4.tcp_tw_reuse = 1, with timestamps on at both ends: ports come back after 1 s instead \
     of 60 s",
];

/// Why it is there.
pub const PURPOSE: [&str; 2] = [
    "the last ACK may be lost: the peer then repeats its FIN, and somebody has to answer it",
    "late segments of this connection must not be taken for those of the next one between the same \
     two addresses and ports",
];

/// Whom it hurts, and whom not.
pub const HARM: [(&str, &str); 4] = [
    (
        "server side",
        "nobody: all are on the one port that is served, 256 bytes each, and a client that comes \
         again from the same port replaces its own",
    ),
    (
        "client side",
        "each takes a local port from its destination for 60 s: 28,232 ports by default are 470 \
         connections a second to one address and port, for ever. Past half, connect() gets slow; at \
         the end it fails with EADDRNOTAVAIL",
    ),
    (
        "a restart",
        "bind() fails with EADDRINUSE where the server that left them had not set SO_REUSEADDR",
    ),
    (
        "the limit",
        "at tcp_max_tw_buckets sockets close without TIME_WAIT: TCPTimeWaitOverflow counts them",
    ),
];

/// Where that is known from.
pub const SOURCES: [&str; 4] = [
    "RFC 9293 section 3.6; RFC 1337",
    "include/net/tcp.h, TCP_TIMEWAIT_LEN",
    "net/ipv4/inet_hashtables.c, __inet_hash_connect",
    "measured on Linux 6.18",
];
