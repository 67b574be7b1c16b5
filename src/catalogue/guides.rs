//! What cannot be said of one row of a catalogue: how TCP and UDP differ for a program, and what a
//! well-known piece of advice gets right and wrong.

/// How TCP and UDP differ: the question, TCP's answer, UDP's answer.
pub const TCP_VS_UDP: [[&str; 3]; 9] = [
    [
        "start order",
        "the server has to listen first: connect() is refused otherwise (ECONNREFUSED)",
        "either may start first: what comes before the server is lost, and the sender may never know",
    ],
    [
        "calls",
        "server: bind, listen, accept; client: connect; then send and recv",
        "bind where datagrams are to come; then sendto and recvfrom",
    ],
    [
        "boundaries",
        "none: a stream of bytes. One send() may come in several recv(), several in one",
        "kept: one sendto() is one recvfrom(), whole or not at all",
    ],
    [
        "loss",
        "repeated by the kernel, until it gives up (ETIMEDOUT)",
        "not noticed: the program has to",
    ],
    ["order", "as sent", "as it comes; it may come twice"],
    [
        "nobody there",
        "RST: ECONNREFUSED at once; silence: a timeout",
        "ICMP port unreachable, which only a connected socket hears of, at its next call; or silence",
    ],
    [
        "the end",
        "recv() returns 0 bytes: the peer has closed",
        "there is none; 0 bytes are a message",
    ],
    [
        "afterwards",
        "TIME_WAIT for 60 s, at the side that closed first",
        "nothing: the port is free at once",
    ],
    [
        "a check",
        "connect() says that the peer's kernel answers, not that the program does",
        "only an answer proves a service: silence is silence, never \"open\"",
    ],
];

/// How far a piece of advice can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Do it.
    Right,
    /// It does no harm, and not what it is given for.
    Harmless,
    /// It holds within limits.
    Partly,
    /// Do not.
    Wrong,
}

impl Worth {
    /// The word of a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Harmless => "harmless",
            Self::Partly => "partly",
            Self::Wrong => "wrong",
        }
    }
}

/// Why.
#[derive(Clone, Copy, Debug)]
pub enum Because {
    /// What the catalogue of sysctls says of this key.
    Sysctl(&'static str),
    /// This.
    Fact(&'static str),
}

/// A piece of advice, and what it is worth.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// What is said.
    pub says: &'static str,
    /// How far it can be followed.
    pub worth: Worth,
    /// Why.
    pub because: Because,
}

const fn advice(worth: Worth, says: &'static str, because: Because) -> Advice {
    Advice { says, worth, because }
}

/// The advice on too many TIME_WAITs that many guides give.
pub const TUNING: [Advice; 6] = [
    advice(
        Worth::Wrong,
        "thousands of TIME_WAITs are a problem",
        Because::Fact(
            "their number alone is none; what counts is how many ports they take from one destination \
             of this host's own connections",
        ),
    ),
    advice(
        Worth::Harmless,
        "net.ipv4.tcp_syncookies = 1",
        Because::Sysctl("net.ipv4.tcp_syncookies"),
    ),
    advice(Worth::Partly, "net.ipv4.tcp_tw_reuse = 1", Because::Sysctl("net.ipv4.tcp_tw_reuse")),
    advice(Worth::Wrong, "net.ipv4.tcp_tw_recycle = 1", Because::Sysctl("net.ipv4.tcp_tw_recycle")),
    advice(
        Worth::Wrong,
        "net.ipv4.tcp_fin_timeout = 30",
        Because::Sysctl("net.ipv4.tcp_fin_timeout"),
    ),
    advice(
        Worth::Partly,
        "write that into /etc/sysctl.conf and run sysctl -p",
        Because::Fact(
            "it holds until the next boot: systemd-sysctl reads /etc/sysctl.d, and /etc/sysctl.conf \
             only where a distribution links it there; `sysctl -p` also ends with exit code 1 at \
             tcp_tw_recycle, though it sets the other lines",
        ),
    ),
];

/// The advice on echo servers, their clients, and what goes wrong with them.
pub const PROGRAMMING: [Advice; 9] = [
    advice(
        Worth::Right,
        "start the server before the client",
        Because::Fact("with TCP; see tcp-vs-udp"),
    ),
    advice(
        Worth::Partly,
        "conn.send(data) sends the data",
        Because::Fact("it may take a part of it only, and says how much: sendall() sends all"),
    ),
    advice(
        Worth::Partly,
        "data = conn.recv(1024) receives the message",
        Because::Fact(
            "it receives what has come, a part of a message or more than one; 0 bytes are the peer's \
             close, and a loop that goes on then spins",
        ),
    ),
    advice(
        Worth::Partly,
        "connect_ex() is 0 if the service is up",
        Because::Fact(
            "the kernel of the peer has answered: the program may hang; and on this host a socket can \
             have met itself",
        ),
    ),
    advice(
        Worth::Partly,
        "connect_ex() 111: the port is closed",
        Because::Fact(
            "or a firewall rejects with ICMP, which gives the same number; who sent it tells them apart",
        ),
    ),
    advice(
        Worth::Partly,
        "connect_ex() 11 and 110 are timeouts",
        Because::Fact(
            "11 is the program's own, by settimeout(); 110 is the kernel's, after about two minutes; \
             11 of a Unix socket is a full queue, at once",
        ),
    ),
    advice(
        Worth::Partly,
        "113, No route to host: the host is off",
        Because::Fact("or a firewall answers with ICMP \"prohibited\", which is as common"),
    ),
    advice(
        Worth::Partly,
        "Address already in use: another server runs",
        Because::Fact(
            "or a TIME_WAIT of the last one, a socket that is only bound, an outgoing connection on \
             the port, a listener on [::]",
        ),
    ),
    advice(
        Worth::Right,
        "set SO_REUSEADDR before bind()",
        Because::Fact(
            "in every server; it helps from the second restart on: the server that left the TIME_WAIT \
             must have set it too",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sysctls;

    #[test]
    fn advice_on_a_setting_rests_on_a_tale_that_the_catalogue_knows() {
        for it in TUNING.iter().chain(&PROGRAMMING) {
            assert!(!it.says.is_empty());
            if let Because::Sysctl(key) = it.because {
                let entry = sysctls::all().find(|entry| entry.key == key).unwrap();
                assert!(entry.myth.is_some(), "{key}");
            }
        }
    }
}
