//! What each error of connect(2) says about the address that was asked for, and what helps.
//!
//! Each was provoked on Linux 6.18 but those that are marked. Sources: connect(2), ip(7), ipv6(7),
//! unix(7); `net/ipv4/af_inet.c`, `__inet_stream_connect`; `net/ipv4/icmp.c`, `icmp_err_convert`;
//! `net/ipv6/icmp.c`, `icmpv6_err_convert`; `net/ipv4/fib_semantics.c`, `fib_props`;
//! `net/unix/af_unix.c`, `unix_stream_connect`.

/// An error of connect(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectErrno {
    /// Its C name.
    pub name: &'static str,
    /// What it says, in a sentence without a full stop.
    pub meaning: &'static str,
    /// What helps, where nothing more is known; empty where nothing does.
    pub help: &'static str,
}

const fn entry(name: &'static str, meaning: &'static str, help: &'static str) -> ConnectErrno {
    ConnectErrno { name, meaning, help }
}

/// Of sockets of every kind.
const EMFILE: ConnectErrno = entry(
    "EMFILE",
    "this process has all the descriptors that it may have",
    "`ulimit -n`; look for a leak",
);

/// The same. Not provoked: `fs/file_table.c`, `alloc_empty_file`.
const ENFILE: ConnectErrno = entry(
    "ENFILE",
    "the whole machine has all the open files that it may have",
    "`sysctl fs.file-nr` counts them; fs.file-max is the limit",
);

/// Of TCP and UDP.
pub const INTERNET: [ConnectErrno; 31] = [
    entry(
        "ECONNREFUSED",
        "somebody answered \"no\": nobody listens at this address and port, or a firewall says so",
        "start the service; is it this port, and does it listen on this very address, not on another alone",
    ),
    entry(
        "EAGAIN",
        "our own deadline passed, and nobody had answered; the kernel would have gone on trying",
        "`--block` waits as long as the kernel does; a longer `--timeout` outlasts a lost SYN",
    ),
    entry(
        "ETIMEDOUT",
        "the kernel gave up: it sent the SYN again and again, and nobody answered",
        "is the host on, is the address right, does a firewall drop it, is there a way back",
    ),
    entry(
        "EINPROGRESS",
        "a non-blocking connect has begun: this is no error",
        "wait for the socket to become writable, then read SO_ERROR",
    ),
    entry(
        "EALREADY",
        "the connect before this one is still under way",
        "wait for the socket to become writable, do not call connect again",
    ),
    entry("EISCONN", "the socket is connected, or listens", "a program's error: use a new socket"),
    entry(
        "ECONNABORTED",
        "the connect before this one failed, and its error was read already",
        "a program's error: use a new socket for each attempt",
    ),
    entry(
        "EHOSTUNREACH",
        "the host cannot be reached: nobody has the address on its network, or a router or firewall \
         says so",
        "who said so tells which; with nobody, look at the neighbour: `ip neigh`",
    ),
    entry(
        "ENETUNREACH",
        "there is no route to that network, from here or from a router on the way",
        "`ip route get ADDRESS`; is the interface up, is there a default route for this family",
    ),
    entry(
        "EACCES",
        "a policy forbids it: a `prohibit` route, a sandbox, or for IPv6 a firewall's ICMP message",
        "`ip route get ADDRESS`, `ip rule`; the sandbox's profile (Landlock, BPF, SELinux)",
    ),
    entry(
        "EPERM",
        "a policy of this machine forbids it: BPF of a cgroup, seccomp; of UDP, a firewall here",
        "systemd's IPAddressDeny=, `bpftool cgroup tree`, `nft list ruleset`",
    ),
    entry(
        "EINVAL",
        "a `blackhole` route takes it, or address and source do not go together",
        "`ip route get ADDRESS`; a link-local IPv6 address takes its interface: fe80::1%eth0",
    ),
    entry(
        "EADDRNOTAVAIL",
        "this machine has no port left for that destination, or no such source address, or IPv6 is \
         off",
        "`netkit states --time-wait` tells about ports; `netkit bind ADDRESS:0` about the address",
    ),
    entry(
        "EADDRINUSE",
        "the source port is taken",
        "`netkit bind ADDRESS:PORT` tells by whom; leave the source port to the kernel",
    ),
    entry(
        "ECONNRESET",
        "the connection was made and reset at once: a proxy without a backend, a limit, a wrapper",
        "the log of the server or load balancer",
    ),
    entry("EPIPE", "the other end has closed before it was spoken to", "the log of the server"),
    entry(
        "EAFNOSUPPORT",
        "the kernel has no such address family",
        "IPv6 may be off on the kernel's command line (ipv6.disable=1)",
    ),
    entry("EPROTONOSUPPORT", "the kernel has no such protocol", "load or build in its module"),
    entry("ESOCKTNOSUPPORT", "the family has no such type of socket", "use another type"),
    entry(
        "EHOSTDOWN",
        "an ICMP message says that the destination host is unknown",
        "look at who sent it",
    ),
    entry("ENONET", "an ICMP message says that the source host is isolated", "look at who sent it"),
    entry(
        "ENOPROTOOPT",
        "an ICMP message says that the host does not speak this protocol: most often a firewall",
        "look at who sent it",
    ),
    entry("EOPNOTSUPP", "an ICMP message says that the source route failed", "look at who sent it"),
    entry("EPROTO", "an ICMP message complains of the packet itself", "look at who sent it"),
    EMFILE,
    ENFILE,
    // Not provoked: `net/core/sock.c`, `sk_prot_alloc`.
    entry(
        "ENOMEM",
        "the kernel has no memory for the socket, or its memory cgroup has none left",
        "free memory; `memory.max` and `memory.events` of the cgroup; net.ipv4.tcp_mem",
    ),
    // Not provoked: `net/ipv4/route.c`, `ip_route_output_key_hash_rcu`; `net/core/sock.c`,
    // `sock_alloc_send_pskb`.
    entry(
        "ENOBUFS",
        "the kernel has no room: for a new route, or for the datagram in the queue of the interface",
        "try again; `ip -s link` counts what was dropped; net.ipv6.route.max_size, net.core.wmem_max",
    ),
    // Not provoked: `net/core/dev.c`, `__dev_queue_xmit`.
    entry(
        "ENETDOWN",
        "the interface went down while a datagram was on its way to it",
        "`ip -brief link`; `ip link set NAME up`",
    ),
    entry("ENODEV", "there is no such interface", "`ip -brief link` lists them"),
    entry(
        "EINTR",
        "a signal came; the attempt goes on",
        "wait for the socket to become writable, do not call connect again",
    ),
];

/// Of Unix sockets.
pub const UNIX: [ConnectErrno; 15] = [
    entry(
        "ECONNREFUSED",
        "nobody listens at this name; of a path, the file is there all the same",
        "start the server; if its bind() says EADDRINUSE, remove the file that a dead one left: only \
         some programs do so themselves",
    ),
    entry(
        "EAGAIN",
        "the queue of the listener is full: the server does not accept",
        "is the server stuck; a larger backlog in its listen() takes more at once",
    ),
    entry(
        "ENOENT",
        "there is no such file",
        "is the path right, is it mounted here, has the server started",
    ),
    entry("ENOTDIR", "a part of the path is a file", "correct the path"),
    entry(
        "EACCES",
        "this user may not search a directory of the path, or not write to the socket",
        "the mode and group of the socket and of its directories",
    ),
    entry("EPERM", "a security policy forbids it", "the profile of the sandbox"),
    entry(
        "EPROTOTYPE",
        "the socket there is of another type",
        "`--type dgram` or `--type seqpacket`",
    ),
    entry("ELOOP", "too many symbolic links on the way", "correct the links"),
    entry("ENAMETOOLONG", "a part of the path is too long", "use a shorter path"),
    entry("EINVAL", "the name is not fit for a Unix socket", "correct the name"),
    entry("EISCONN", "the socket is connected", "a program's error: use a new socket"),
    entry("ECONNRESET", "the server closed without accepting", "the log of the server"),
    EMFILE,
    ENFILE,
    // Not provoked: `net/core/sock.c`, `sk_prot_alloc`.
    entry(
        "ENOMEM",
        "the kernel has no memory for the socket, or its memory cgroup has none left",
        "free memory; `memory.max` and `memory.events` of the cgroup",
    ),
];

/// What the error `name` of connect(2) says of TCP or UDP; `None` if it is in no table.
pub fn internet(name: &str) -> Option<&'static ConnectErrno> {
    INTERNET.iter().find(|it| it.name == name)
}

/// What the error `name` of connect(2) says of a Unix socket; `None` if it is in no table.
pub fn unix(name: &str) -> Option<&'static ConnectErrno> {
    UNIX.iter().find(|it| it.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::errnos::ERRNOS;

    #[test]
    fn every_name_is_an_errno_and_stands_once() {
        for table in [&INTERNET[..], &UNIX[..]] {
            for (index, entry) in table.iter().enumerate() {
                assert!(ERRNOS.iter().any(|(_, name, _)| *name == entry.name), "{}", entry.name);
                assert!(table[index + 1..].iter().all(|other| other.name != entry.name));
                for text in [entry.meaning, entry.help] {
                    assert!(!text.ends_with('.') && !text.is_empty(), "{}", entry.name);
                }
            }
        }
    }
}
