//! What belongs to a topic and stands in no catalogue: the guides' names, the conditions of the lab
//! that show it, other topics.

/// A guide's name, its other names, and what it is about.
pub type GuideName = (&'static str, &'static [&'static str], &'static str);

/// The guides.
pub const GUIDES: [GuideName; 7] = [
    (
        "states",
        &["tcp-states", "state-diagram"],
        "the states of a TCP connection, drawn, and who moves where",
    ),
    (
        "sockets",
        &["socket-calls"],
        "families, types and calls: what each does, the system call beneath, the traps",
    ),
    (
        "tcp-vs-udp",
        &["tcp", "udp", "tcp-udp", "udp-vs-tcp"],
        "start order, boundaries, loss: what a program sees of the difference",
    ),
    (
        "layers",
        &["osi", "osi-model", "tcp-ip", "tcp/ip"],
        "the seven of OSI, the four of TCP/IP, what is spoken there, and which command looks",
    ),
    (
        "icmp",
        &["icmpv6", "icmp-errors"],
        "which ICMP message ends a connection attempt with which errno, and who sends it",
    ),
    (
        "tutorial",
        &["advice", "myths"],
        "well-known advice on TIME_WAIT, echo servers and connect_ex: what is right and what is not",
    ),
    ("exit-codes", &["exit", "exit-code"], "what the exit codes of netkit say"),
];

/// Conditions of the lab, and the topics that they show.
const SCENARIOS: [(&str, &[&str]); 34] = [
    (
        "address-in-use-time-wait",
        &["EADDRINUSE", "SO_REUSEADDR", "bind", "TIME_WAIT", "BIND_IN_USE"],
    ),
    ("address-in-use-listener", &["EADDRINUSE", "LISTEN"]),
    ("address-in-use-bound", &["EADDRINUSE", "BOUND_INACTIVE"]),
    (
        "address-in-use-outgoing",
        &["EADDRINUSE", "net.ipv4.ip_local_reserved_ports", "BIND_PORT_IS_EPHEMERAL"],
    ),
    ("address-in-use-dual-stack", &["EADDRINUSE", "IPV6_V6ONLY", "AF_INET6"]),
    ("address-in-use-unix-stale", &["EADDRINUSE", "AF_UNIX"]),
    ("time-wait-pileup", &["TIME_WAIT", "TW_PORTS_PRESSURE", "TW_LATENCY_CLIFF", "TW", "tw"]),
    ("time-wait-server", &["TIME_WAIT"]),
    (
        "ports-exhausted",
        &["EADDRNOTAVAIL", "TIME_WAIT", "TW_PORTS_EXHAUSTED", "net.ipv4.ip_local_port_range"],
    ),
    (
        "buckets-overflow",
        &["net.ipv4.tcp_max_tw_buckets", "TW_BUCKETS_FULL", "TW_OVERFLOWED", "TCPTimeWaitOverflow"],
    ),
    (
        "fin-wait2",
        &["FIN_WAIT2", "FIN_WAIT2_MINI", "net.ipv4.tcp_fin_timeout", "TW_MOSTLY_FIN_WAIT2"],
    ),
    ("close-wait-leak", &["CLOSE_WAIT", "recv", "close", "accept"]),
    (
        "backlog-full",
        &["LISTEN", "listen", "accept", "ListenOverflows", "CONNECT_ACCEPT_QUEUE_FULL"],
    ),
    ("connect-blackhole", &["EINVAL"]),
    ("connect-denied", &["EACCES"]),
    ("connect-host-unreachable", &["EHOSTUNREACH"]),
    ("connect-no-port-left", &["EADDRNOTAVAIL", "CONNECT_PORTS_EXHAUSTED"]),
    ("connect-no-route", &["ENETUNREACH"]),
    ("connect-refused", &["ECONNREFUSED", "connect", "connect_ex"]),
    ("connect-reset", &["ECONNRESET"]),
    ("connect-timeout", &["ETIMEDOUT", "EAGAIN", "settimeout", "connect_ex"]),
    ("connect-unix-absent", &["ENOENT", "AF_UNIX"]),
    ("connect-unix-full", &["EAGAIN", "AF_UNIX"]),
    ("connect-unix-stale", &["ECONNREFUSED", "AF_UNIX", "CONNECT_STALE_SOCKET"]),
    ("connect-unix-wrong-type", &["EPROTOTYPE"]),
    ("icmp-reject", &["icmp", "EHOSTUNREACH", "ECONNREFUSED", "CONNECT_REJECTED"]),
    ("ipv6-off", &["EADDRNOTAVAIL", "AF_INET6", "CONNECT_IPV6_OFF"]),
    ("lo-down", &["ENETUNREACH", "CONNECT_LOOPBACK_DOWN"]),
    ("partial-send", &["send", "sendall"]),
    ("peer-close", &["recv", "CLOSE_WAIT", "EPIPE"]),
    ("self-connect", &["connect", "getsockname", "getpeername", "CONNECT_SELF"]),
    ("udp-client-first", &["tcp-vs-udp", "sendto", "SOCK_DGRAM"]),
    ("udp-no-listener", &["tcp-vs-udp", "sendto", "recvfrom", "ECONNREFUSED"]),
    ("syn-backlog", &["SYN_SENT", "SYN_RECV", "listen", "ListenOverflows", "net.core.somaxconn"]),
];

/// Commands that show what a topic is about, or wait for it: the line, what it does, and the topics.
type Line = (&'static str, &'static str, &'static [&'static str]);
const LINES: [Line; 9] = [
    (
        "netkit echo",
        "sends through TCP, UDP and Unix sockets of this machine, and tells what does not go round",
        &["sockets", "AF_UNIX", "AF_INET", "AF_INET6"],
    ),
    (
        "netkit echo server",
        "something to connect and send to",
        &["sockets", "tcp-vs-udp", "tutorial", "listen", "accept", "recv"],
    ),
    (
        "netkit echo client HOST:PORT",
        "sends, and checks each byte that comes back",
        &["tcp-vs-udp", "tutorial", "send", "sendall", "SOCK_STREAM"],
    ),
    (
        "netkit echo client udp://HOST:PORT",
        "counts datagrams that are lost, late, doubled or out of order",
        &["tcp-vs-udp", "sendto", "recvfrom", "SOCK_DGRAM"],
    ),
    (
        "netkit wait --for echo HOST:PORT",
        "until the program there answers, which an open port does not say",
        &["accept", "recv"],
    ),
    (
        "netkit wait HOST:PORT -- COMMAND",
        "runs COMMAND once it accepts",
        &["tcp-vs-udp", "tutorial", "connect", "connect_ex", "ECONNREFUSED"],
    ),
    ("netkit wait listen:PORT", "until there is a listener here", &["LISTEN", "listen"]),
    (
        "netkit wait --for free ADDRESS:PORT",
        "until it can be bound, with a countdown",
        &["EADDRINUSE", "bind", "SO_REUSEADDR", "BIND_IN_USE"],
    ),
    (
        "netkit wait 'time-wait<1000'",
        "until there are fewer",
        &["TIME_WAIT", "TW_PORTS_PRESSURE", "TW_PORTS_EXHAUSTED"],
    ),
];

/// Topics that speak of the same thing.
const TOGETHER: [&[&str]; 17] = [
    &["TIME_WAIT", "tutorial", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_fin_timeout", "SO_REUSEADDR"],
    &["EADDRINUSE", "SO_REUSEADDR", "SO_REUSEPORT", "TIME_WAIT"],
    &["EADDRNOTAVAIL", "net.ipv4.ip_local_port_range", "TIME_WAIT"],
    &["SO_REUSEADDR", "bind"],
    &["CLOSE_WAIT", "recv", "close"],
    &["FIN_WAIT2", "FIN_WAIT2_MINI", "shutdown"],
    &["LISTEN", "listen", "net.core.somaxconn", "ListenOverflows"],
    &["CLOSE", "close"],
    &["SYN_RECV", "net.ipv4.tcp_syncookies", "TCPReqQFullDoCookies"],
    &["SYN_SENT", "connect", "ETIMEDOUT"],
    &["connect", "connect_ex", "ECONNREFUSED", "ETIMEDOUT", "EADDRNOTAVAIL"],
    &["connect_ex", "OK", "EAGAIN", "EINPROGRESS", "settimeout", "tutorial"],
    &["send", "sendall", "EPIPE", "ECONNRESET"],
    &["sockets", "tcp-vs-udp", "states"],
    &["SOCK_STREAM", "SOCK_DGRAM", "tcp-vs-udp"],
    &["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "icmp", "layers"],
    &["EHOSTUNREACH", "icmp", "ENETUNREACH", "EACCES"],
];

/// The conditions of the lab that show `topic`.
pub fn scenarios(topic: &str) -> impl Iterator<Item = &'static str> {
    let shown = SCENARIOS.iter().filter(move |(_, topics)| topics.contains(&topic));
    shown.map(|(scenario, _)| *scenario)
}

/// Commands for what `topic` is about, and what each does.
pub fn commands(topic: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let fit = LINES.iter().filter(move |(_, _, topics)| topics.contains(&topic));
    fit.map(|(line, shows, _)| (*line, *shows))
}

/// Other topics that belong to `topic`: those after it in its own row come first.
pub fn see_also(topic: &str) -> Vec<String> {
    let own = TOGETHER.iter().filter(|row| row.first() == Some(&topic));
    let others = TOGETHER.iter().filter(|row| row.first() != Some(&topic) && row.contains(&topic));
    let mut found: Vec<String> = Vec::new();
    let names = own.flat_map(|row| row.iter()).chain(others.filter_map(|row| row.first()));
    for name in names.filter(|name| **name != topic) {
        if !found.iter().any(|known| known == name) {
            found.push((*name).to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::topics;

    #[test]
    fn what_is_named_is_a_topic() {
        let shown = SCENARIOS.iter().flat_map(|(_, topics)| topics.iter());
        let waited = LINES.iter().flat_map(|(_, _, topics)| topics.iter());
        for name in shown.chain(waited).chain(TOGETHER.iter().flat_map(|row| row.iter())) {
            assert!(topics::all().any(|topic| topic.name == *name), "{name}");
        }
    }
}
