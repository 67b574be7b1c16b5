//! Sockets as programs use them: families, types, options, and the calls. What each call does, the
//! system call beneath, and the traps.
//!
//! The names are Python's, which are C's but for a few that Python made. Sources: socket(7), ip(7),
//! ipv6(7), tcp(7), udp(7), unix(7) and the page of each call; CPython, Modules/socketmodule.c and
//! Lib/socket.py, where Python does more than the kernel.

/// What can be named in socket(2): a family or a type; and an option of setsockopt(2).
#[derive(Clone, Copy, Debug)]
pub struct SocketWord {
    /// Its name.
    pub name: &'static str,
    /// What it is, in half a sentence.
    pub meaning: &'static str,
    /// What it is written or set like.
    pub form: &'static str,
    /// What surprises.
    pub traps: &'static [&'static str],
    /// Where that is known from.
    pub source: &'static str,
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct SocketCall {
    /// Its name.
    pub name: &'static str,
    /// How it is written in Python.
    pub form: &'static str,
    /// Who calls it: a server, a client or both.
    pub who: &'static str,
    /// What it does, in half a sentence.
    pub meaning: &'static str,
    /// The system call beneath.
    pub beneath: &'static str,
    /// What it gives back.
    pub gives: &'static str,
    /// What surprises.
    pub traps: &'static [&'static str],
    /// Errors that it can give, and what each says here.
    pub errors: &'static [CallError],
    /// The command of netkit that looks at the same.
    pub look: Option<&'static str>,
}

/// The name of an errno, and what it says about a call.
pub type CallError = (&'static str, &'static str);

/// The families.
pub const FAMILIES: [SocketWord; 3] = [
    SocketWord {
        name: "AF_UNIX",
        meaning: "between processes of one machine, by a path or an abstract name",
        form: "a path of at most 107 bytes, or `@name` for an abstract one",
        traps: &[
            "the file stays when the server ends, and the next bind() fails with EADDRINUSE: remove \
             it first. SO_REUSEADDR changes nothing here",
            "write permission on the file is needed to connect; abstract names have no permissions, \
             and belong to the network namespace",
            "a full queue gives a client that does not block EAGAIN at once, not a timeout",
        ],
        source: "unix(7); net/unix/af_unix.c",
    },
    SocketWord {
        name: "AF_INET",
        meaning: "IPv4: an address of 32 bits and a port",
        form: "(\"127.0.0.1\", 8080); \"\" and 0.0.0.0 are every address of this host",
        traps: &[
            "a server on 127.0.0.1 is not reached from other hosts, nor from outside its container",
            "all of 127.0.0.0/8 is this host, without being configured",
        ],
        source: "ip(7)",
    },
    SocketWord {
        name: "AF_INET6",
        meaning: "IPv6: an address of 128 bits, a port and, for link-local addresses, an interface",
        form: "(\"::1\", 8080, 0, 0); [fe80::1%eth0]:8080 in writing",
        traps: &[
            "a socket on [::] takes IPv4 clients too unless IPV6_V6ONLY is on, and then has the port of \
             0.0.0.0 as well",
            "`localhost` may be ::1 and the server on 127.0.0.1 only: ECONNREFUSED",
            "a link-local address without its interface gives EINVAL",
        ],
        source: "ipv6(7)",
    },
];

/// The types.
pub const TYPES: [SocketWord; 3] = [
    SocketWord {
        name: "SOCK_STREAM",
        meaning: "a connection that carries bytes in order and without loss: TCP, or AF_UNIX",
        form: "listen() and accept() at one end, connect() at the other",
        traps: &[
            "it has no boundaries: what one send() wrote may come in several recv(), and several in one. \
             A program has to mark where a message ends",
            "bytes that send() took are in the kernel's buffer, not at the peer",
        ],
        source: "socket(2); RFC 9293",
    },
    SocketWord {
        name: "SOCK_DGRAM",
        meaning: "single messages: UDP, or AF_UNIX",
        form: "no listen() or accept(); connect() only remembers the peer",
        traps: &[
            "one sendto() is one recvfrom(): what does not fit the receiver's buffer is cut off and lost",
            "UDP loses, repeats and reorders; AF_UNIX does not, and blocks instead",
            "there is no end: a message of 0 bytes is a message, not a close",
        ],
        source: "socket(2); udp(7); RFC 768",
    },
    SocketWord {
        name: "SOCK_SEQPACKET",
        meaning: "a connection that keeps the boundaries of messages: AF_UNIX (and SCTP)",
        form: "as SOCK_STREAM",
        traps: &[
            "AF_INET has it only with SCTP: otherwise socket() fails with ESOCKTNOSUPPORT",
            "a message longer than the buffer of recv() is cut off; MSG_TRUNC tells",
        ],
        source: "socket(2); unix(7)",
    },
];

/// Options that decide who gets an address, and how a connection ends.
pub const OPTIONS: [SocketWord; 8] = [
    SocketWord {
        name: "SO_REUSEADDR",
        meaning: "lets bind() share a port with sockets that have set it too and do not listen: what a \
                  server needs to start again at once",
        form: "s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1), before bind()",
        traps: &[
            "both need it: TIME_WAITs of a server that had not set it still refuse one that has, once",
            "it never lets two servers listen on one address",
            "with UDP it lets another program take the datagrams: the last to bind gets them",
        ],
        source: "socket(7); net/ipv4/inet_connection_sock.c, inet_bind_conflict",
    },
    SocketWord {
        name: "SO_REUSEPORT",
        meaning: "lets several sockets of one user listen on one address; the kernel spreads the clients",
        form: "s.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1), before bind(), on each of them",
        traps: &[
            "all of them need it, and the same effective user",
            "a connection that waits for accept() at a socket that is closed is lost, unless \
             tcp_migrate_req is 1",
        ],
        source: "socket(7); net/ipv4/inet_connection_sock.c, inet_bind_conflict",
    },
    SocketWord {
        name: "IPV6_V6ONLY",
        meaning: "keeps an IPv6 socket from taking IPv4 too",
        form: "s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1), before bind()",
        traps: &["the default is net.ipv6.bindv6only, 0: [::]:80 then also has 0.0.0.0:80"],
        source: "ipv6(7)",
    },
    SocketWord {
        name: "SO_LINGER",
        meaning: "what close() does with data that are not sent yet: waits for so many seconds, or with 0 \
                  throws them away and sends RST",
        form: "s.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack(\"ii\", 1, 0))",
        traps: &[
            "with 0 there is no TIME_WAIT, and the peer may lose what it has not read: ECONNRESET. For \
             probes, not for services",
        ],
        source: "socket(7); net/ipv4/tcp.c, __tcp_close",
    },
    SocketWord {
        name: "SO_KEEPALIVE",
        meaning: "asks a silent peer whether it is still there",
        form: "s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)",
        traps: &[
            "the first question comes after tcp_keepalive_time, two hours: later than most firewalls \
             forget. TCP_KEEPIDLE sets it for one socket",
        ],
        source: "socket(7); tcp(7)",
    },
    SocketWord {
        name: "TCP_NODELAY",
        meaning: "sends small pieces at once instead of waiting for the ACK of the one before (Nagle)",
        form: "s.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)",
        traps: &["without it, write-write-read stalls for up to 40 ms against delayed ACKs"],
        source: "tcp(7); RFC 9293 section 3.7.4",
    },
    SocketWord {
        name: "IP_BIND_ADDRESS_NO_PORT",
        meaning: "lets bind(address, 0) take no port yet: connect() then picks one per destination",
        form: "s.setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), before bind()",
        traps: &["without it a bound source address takes its port from every destination"],
        source: "ip(7); Linux 4.2",
    },
    SocketWord {
        name: "SO_ERROR",
        meaning: "the error that waits at a socket: how a connect() that did not block ended",
        form: "s.getsockopt(SOL_SOCKET, SO_ERROR), once poll() says writable",
        traps: &["reading it clears it: read it once"],
        source: "socket(7); connect(2)",
    },
];

const AGAIN: CallError =
    ("EAGAIN", "nothing can be done now: the socket does not block, or its time is up");
const RESET: CallError = ("ECONNRESET", "the peer ended the connection with RST");
const NOT_CONNECTED: CallError = ("ENOTCONN", "there is no connection, or no longer");
const UNHEARD: CallError = (
    "ECONNREFUSED",
    "of a connected UDP socket: a datagram sent before met a port where nothing listens",
);
const NO_PEER_ERRORS: &[CallError] = &[NOT_CONNECTED, ("EBADF", "it was closed here")];
const SEND_ERRORS: &[CallError] = &[
    AGAIN,
    RESET,
    (
        "EPIPE",
        "the connection is over: the peer sent RST before, or this side has shut it down; without \
               MSG_NOSIGNAL, SIGPIPE comes too, which Python ignores",
    ),
    ("ENOTCONN", "no peer: connect() first, or use sendto()"),
    ("EMSGSIZE", "the datagram is larger than the protocol takes"),
    ("ENOBUFS", "the kernel is short of memory, or the card's queue is full"),
];
const DATAGRAM_ERRORS: &[CallError] = &[
    UNHEARD,
    ("EPERM", "a firewall rule on this host drops it"),
    ("EDESTADDRREQ", "neither an address nor connect()"),
    ("EMSGSIZE", "the datagram is larger than the protocol takes"),
    AGAIN,
];

const fn call(name: &'static str, form: &'static str, meaning: &'static str) -> SocketCall {
    SocketCall {
        name,
        form,
        who: "both",
        meaning,
        beneath: "",
        gives: "nothing",
        traps: &[],
        errors: &[],
        look: None,
    }
}

/// The calls, in the order in which a program meets them.
pub const CALLS: [SocketCall; 22] = [
    SocketCall {
        beneath: "socket(2)",
        gives: "a socket, that is a file descriptor",
        traps: &["it costs a descriptor until close(): `ulimit -n` is how many a process may have"],
        errors: &[
            ("EMFILE", "this process has no descriptor left"),
            ("ENFILE", "the machine has none left"),
            ("EAFNOSUPPORT", "the kernel has no such family"),
            ("EPROTONOSUPPORT", "the family has no such protocol"),
            ("ESOCKTNOSUPPORT", "the family has no such type"),
        ],
        ..call("socket", "socket.socket(AF_INET, SOCK_STREAM)", "makes a socket")
    },
    SocketCall {
        who: "server",
        beneath: "bind(2)",
        traps: &[
            "SO_REUSEADDR has to be set before, or a restart within 60 s may fail with EADDRINUSE",
            "port 0 asks for any free port: getsockname() tells which",
            "it is not listening: clients are refused until listen()",
        ],
        look: Some("netkit bind PORT"),
        ..call("bind", "s.bind((\"0.0.0.0\", 8080))", "gives the socket its own address")
    },
    SocketCall {
        who: "server",
        beneath: "listen(2)",
        traps: &[
            "the backlog is how many connections may wait for accept(), cut to net.core.somaxconn; when it \
             is full, SYNs are dropped and clients wait in steps of a second and more",
            "a connection is open before accept(): the kernel answers clients of a server that hangs",
        ],
        errors: &[
            ("EADDRINUSE", "another socket listens on the port"),
            ("EOPNOTSUPP", "this type of socket does not listen: UDP"),
        ],
        look: Some("netkit states --listening --list"),
        ..call("listen", "s.listen(128)", "begins to take connections, and queues them")
    },
    SocketCall {
        who: "server",
        beneath: "accept4(2)",
        gives: "a new socket for the connection, and the peer's address; the listener stays",
        traps: &[
            "forgetting to close the new socket leaves CLOSE_WAIT when the peer goes",
            "EMFILE leaves the connection in the queue: a loop that only tries again spins",
        ],
        errors: &[
            ("EAGAIN", "no connection waits"),
            ("EMFILE", "this process has no descriptor left; the connection stays in the queue"),
            ("ECONNABORTED", "the client was gone before it was its turn"),
            ("EINVAL", "the socket does not listen"),
        ],
        look: Some("netkit states --state CLOSE_WAIT --by local"),
        ..call("accept", "conn, peer = s.accept()", "takes the next connection out of the queue")
    },
    SocketCall {
        who: "client",
        beneath: "connect(2)",
        traps: &[
            "without a timeout it waits until the kernel gives up: about two minutes, ETIMEDOUT",
            "Python raises the error: ConnectionRefusedError and the like; connect_ex() returns it",
            "success says that the peer's kernel answered, not that a program has accepted",
            "a connect to a free port of this host in the ephemeral range can meet itself",
        ],
        look: Some("netkit connect HOST:PORT"),
        ..call(
            "connect",
            "s.connect((\"db\", 5432))",
            "opens a connection; for UDP, remembers the peer",
        )
    },
    SocketCall {
        who: "client",
        beneath: "connect(2), and with a timeout poll(2) and SO_ERROR",
        gives: "0, or the errno as a number",
        traps: &[
            "with a timeout, \"no answer in time\" is 11 (EAGAIN); without one the kernel's own is 110 \
             (ETIMEDOUT)",
            "with setblocking(False) it is 115 (EINPROGRESS) at once, which is no failure",
            "what comes before connect(2) still raises: a name that does not resolve (gaierror), a port out \
             of range",
            "of a name with several addresses only the first is tried",
        ],
        look: Some("netkit connect HOST:PORT"),
        ..call(
            "connect_ex",
            "s.connect_ex((\"db\", 5432))",
            "the same as connect(), and returns the error",
        )
    },
    SocketCall {
        beneath: "sendto(2) without an address",
        gives: "how many bytes the kernel took, which may be fewer than were given",
        traps: &[
            "send is partial: what it did not take has to be sent again, from there on. sendall() does that",
            "that it returns says nothing about the peer: the first send() after the peer's RST fails, the \
             one before it did not",
        ],
        errors: SEND_ERRORS,
        look: Some("netkit states --list"),
        ..call("send", "n = s.send(data)", "hands bytes to the kernel's send buffer")
    },
    SocketCall {
        beneath: "sendto(2), as often as it takes",
        traps: &[
            "it loops until all is taken; when it raises, nobody knows how much was",
            "a timeout holds for all of it together",
            "two programs that both sendall() before they recv() block each other once the buffers are full",
        ],
        errors: SEND_ERRORS,
        ..call("sendall", "s.sendall(data)", "sends until the kernel has taken every byte")
    },
    SocketCall {
        beneath: "recvfrom(2) without an address",
        gives: "the bytes that are there, at least one and at most so many; b\"\" for the end",
        traps: &[
            "0 bytes are the peer's close. A loop that ignores it spins: recv() returns at once, for ever, \
             and the socket stays in CLOSE_WAIT",
            "a stream has no boundaries: read until the message is whole, not once",
        ],
        errors: &[
            AGAIN,
            RESET,
            NOT_CONNECTED,
            UNHEARD,
            ("ETIMEDOUT", "the peer no longer acknowledges, or does not answer keepalive"),
        ],
        look: Some("netkit states --state CLOSE_WAIT --by local"),
        ..call("recv", "data = s.recv(4096)", "takes bytes out of the receive buffer")
    },
    SocketCall {
        beneath: "sendto(2)",
        gives: "how many bytes went; of a datagram all or none",
        traps: &[
            "success says that it left, if that: nobody listens, nobody knows, unless the socket is \
             connect()ed and an ICMP message comes back",
            "more than the path's MTU is sent in fragments, of which one lost loses all",
        ],
        errors: DATAGRAM_ERRORS,
        ..call("sendto", "s.sendto(data, (\"host\", 53))", "sends a datagram to an address")
    },
    SocketCall {
        beneath: "recvfrom(2)",
        gives: "one datagram, and who sent it",
        traps: &[
            "what does not fit the given size is cut off and lost",
            "anybody can send here: compare the address with the one that was asked",
            "without a timeout a lost answer is waited for for ever",
        ],
        errors: &[AGAIN, UNHEARD],
        ..call("recvfrom", "data, peer = s.recvfrom(65535)", "takes the next datagram")
    },
    SocketCall {
        beneath: "getpeername(2)",
        gives: "the address at the other end",
        traps: &["behind a proxy or NAT it is that one's address, not the client's"],
        errors: NO_PEER_ERRORS,
        ..call("getpeername", "s.getpeername()", "tells who the peer is")
    },
    SocketCall {
        beneath: "getsockname(2)",
        gives: "the socket's own address; after bind() to port 0, the port that it got",
        traps: &[
            "0.0.0.0 before a connection: which address it is, only an accepted or connected socket knows",
            "equal to getpeername(): the socket is connected to itself",
        ],
        errors: &[("EBADF", "it was closed here")],
        ..call("getsockname", "s.getsockname()", "tells the own address")
    },
    SocketCall {
        beneath: "getsockopt(2)",
        gives: "the option's value",
        traps: &[
            "SO_RCVBUF and SO_SNDBUF come back twice as large as they were set: the kernel counts its own",
            "SO_ERROR is cleared by reading it",
        ],
        errors: &[("ENOPROTOOPT", "this kernel or protocol has no such option")],
        ..call("getsockopt", "s.getsockopt(SOL_SOCKET, SO_ERROR)", "reads an option")
    },
    SocketCall {
        beneath: "setsockopt(2)",
        traps: &[
            "SO_REUSEADDR, SO_REUSEPORT and IPV6_V6ONLY count only before bind()",
            "accepted sockets inherit the listener's options",
            "SO_RCVBUF before connect() or listen(), for the window is agreed on in the handshake",
        ],
        errors: &[
            ("ENOPROTOOPT", "this kernel or protocol has no such option"),
            ("EPERM", "the option is for root"),
            ("EINVAL", "the value does not fit, or comes too late"),
        ],
        look: Some("netkit bind PORT --reuse-addr"),
        ..call("setsockopt", "s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)", "sets an option")
    },
    SocketCall {
        beneath: "close(2)",
        traps: &[
            "whoever closes first keeps TIME_WAIT",
            "data that were not read turn the FIN into a RST, and the peer may lose what it had not read",
            "a copy in a child process, or makefile(), keeps the connection open",
            "it does not wait until the peer has everything: shutdown(SHUT_WR), then recv() until b\"\"",
        ],
        look: Some("netkit states --time-wait"),
        ..call("close", "s.close()", "gives the descriptor back; the last one to do so sends FIN")
    },
    SocketCall {
        beneath: "shutdown(2)",
        traps: &[
            "SHUT_WR sends FIN and still reads: the peer's recv() returns 0 bytes",
            "it holds for every copy of the socket, and gives no descriptor back: close() is still needed",
            "a FIN_WAIT2 that a program holds waits for ever: tcp_fin_timeout counts only after close()",
        ],
        errors: &[NOT_CONNECTED],
        ..call("shutdown", "s.shutdown(SHUT_WR)", "ends one direction of a connection, or both")
    },
    SocketCall {
        beneath: "ioctl(2) FIONBIO",
        traps: &[
            "False makes every call return at once: EAGAIN, and EINPROGRESS of connect()",
            "False is settimeout(0.0), True is settimeout(None): each call undoes the other",
            "a loop without poll() or select() then spins",
        ],
        ..call("setblocking", "s.setblocking(False)", "whether calls wait")
    },
    SocketCall {
        beneath: "ioctl(2) FIONBIO, then poll(2) before each call",
        traps: &[
            "it is Python's, not the kernel's: the descriptor itself no longer blocks, which C code that \
             gets it will see",
            "of connect_ex() it gives 11 (EAGAIN), of the others TimeoutError",
            "it is for one call, not for the whole exchange",
            "AF_UNIX: connect() to a full queue does not wait for it, and fails at once",
        ],
        ..call("settimeout", "s.settimeout(3.0)", "how long a call may wait")
    },
    SocketCall {
        beneath: "none: Python remembers it",
        gives: "seconds, 0.0 for not at all, None for ever",
        traps: &["the default for new sockets is socket.setdefaulttimeout()'s, which is None"],
        ..call("gettimeout", "s.gettimeout()", "tells what settimeout() set")
    },
    SocketCall {
        beneath: "none: Python knows it",
        gives: "the number of the descriptor; -1 after close()",
        traps: &[
            "the number is given to the next file once this one is closed: do not keep it",
            "`ls -l /proc/PID/fd` shows it as socket:[INODE]",
        ],
        ..call("fileno", "s.fileno()", "the file descriptor, for poll() and select()")
    },
    SocketCall {
        beneath: "none: a buffer over recv() and send()",
        gives: "a file object: readline(), write(), flush()",
        traps: &[
            "what was written stays in its buffer until flush()",
            "the socket is closed only when it and every file made of it are",
            "a timeout in the middle of a line makes the file unusable",
        ],
        ..call("makefile", "f = s.makefile(\"rwb\")", "wraps the socket as a file")
    },
];

/// What the calls say of the error `name`: which call, and what it means there.
pub fn errors(name: &str) -> impl Iterator<Item = (&'static SocketCall, &'static str)> {
    let calls = CALLS.iter();
    calls.flat_map(move |call| {
        let mine = call.errors.iter().filter(move |(error, _)| *error == name);
        mine.map(move |(_, meaning)| (call, *meaning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::errnos::ERRNOS;

    #[test]
    fn every_error_is_one_of_the_kernels_and_entries_are_complete() {
        for call in &CALLS {
            for (name, meaning) in call.errors {
                assert!(ERRNOS.iter().any(|(_, known, _)| known == name), "{name}");
                assert!(!meaning.ends_with('.'), "{meaning}");
            }
            assert!(!call.beneath.is_empty() && !call.traps.is_empty(), "{}", call.name);
            assert!(call.form.contains(call.name), "{}", call.form);
        }
        for word in FAMILIES.iter().chain(&TYPES).chain(&OPTIONS) {
            assert!(!word.traps.is_empty() && !word.source.is_empty(), "{}", word.name);
        }
    }

    #[test]
    fn an_error_is_told_by_the_calls_that_give_it() {
        let calls: Vec<_> = errors("EPIPE").map(|(call, _)| call.name).collect();
        assert_eq!(calls, ["send", "sendall"]);
    }
}
