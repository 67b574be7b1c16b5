//! Obstacles that take a whole namespace, in which there is nothing but `lo`.

use std::net::TcpStream;

use socket2::Socket;

use super::code::*;
use super::{Place, Row};
use crate::harness::needs::run;
use crate::harness::sockets::{bound, listen_at};
use crate::harness::{Other, sysctl, within};

/// A namespace with the sockets that stand in the way there.
pub struct World {
    /// What it is.
    pub name: &'static str,
    /// Where the rows are asked.
    pub place: Place,
    /// What is asked there.
    pub rows: Vec<Row>,
    _other: Other,
    _sockets: Vec<Socket>,
}

impl World {
    fn new(name: &'static str, other: Other, rows: Vec<Row>) -> Self {
        Self { name, place: Place::other(&other), rows, _other: other, _sockets: Vec::new() }
    }

    fn with(self, sockets: Vec<Socket>) -> Self {
        Self { _sockets: sockets, ..self }
    }
}

/// `lo` as it is in a namespace that nobody has set up.
pub fn fresh() -> World {
    let rows = vec![
        Row::at_once("lo was never up", "127.0.0.1:9", ENETUNREACH, "unreachable")
            .because("`lo` is down"),
        Row::at_once("::1 without lo", "[::1]:9", EADDRNOTAVAIL, "local_error")
            .because("`lo` is down"),
        Row::at_once("no interface at all", "192.0.2.1:9", ENETUNREACH, "unreachable")
            .because("no route"),
        // Without any address of one's own, the route is not looked for.
        Row::at_once("no interface, IPv6", "[2001:db8::1]:9", EADDRNOTAVAIL, "local_error"),
    ];
    World::new("fresh", Other::without_lo(), rows)
}

/// `lo` was up: its addresses are still local, and nothing is delivered.
pub fn lo_down() -> World {
    let other = Other::new();
    within(&other.path(), || {
        run("ip link set lo down");
        sysctl::set("tcp_syn_retries", "1");
        sysctl::set("tcp_syn_linear_timeouts", "1");
    });
    let rows = vec![
        Row::silent("lo went down", "127.0.0.1:9").because("`lo` is down"),
        Row::at_once("::1 when lo went down", "[::1]:9", EADDRNOTAVAIL, "local_error")
            .because("`lo` is down"),
    ];
    World::new("lo down", other, rows)
}

/// IPv6 is switched off.
pub fn without_ipv6() -> World {
    let other = Other::new();
    within(&other.path(), || sysctl::write("net.ipv6.conf.all.disable_ipv6", "1"));
    let rows = vec![
        Row::at_once("::1 with disable_ipv6", "[::1]:9", EADDRNOTAVAIL, "local_error")
            .because("disable_ipv6"),
        Row::at_once("IPv6 with disable_ipv6", "[2001:db8::1]:9", EADDRNOTAVAIL, "local_error")
            .because("disable_ipv6"),
        Row::answered("IPv4 is not touched", "127.0.0.1:9", ECONNREFUSED, "refused"),
    ];
    World::new("without IPv6", other, rows)
}

/// All four ports of the ephemeral range go to one service.
pub fn exhausted() -> World {
    let other = Other::new();
    let sockets = within(&other.path(), || {
        sysctl::set("ip_local_port_range", "40000 40003");
        let mut sockets = Vec::new();
        for host in ["127.0.0.1", "::1"] {
            let listener = bound(host, 80);
            listener.listen(16).unwrap();
            let clients = (0..4).map(|_| TcpStream::connect((host, 80)).unwrap().into());
            sockets.extend(clients.collect::<Vec<_>>());
            sockets.push(listener);
        }
        sockets
    });
    let rows = vec![
        Row::at_once("no port is left", "127.0.0.1:80", EADDRNOTAVAIL, "local_error")
            .because("all 4 ports"),
        Row::at_once("no port is left, IPv6", "[::1]:80", EADDRNOTAVAIL, "local_error")
            .because("all 4 ports"),
        Row::answered("they are left to others", "127.0.0.1:81", ECONNREFUSED, "refused"),
    ];
    World::new("exhausted", other, rows).with(sockets)
}

/// The kernel picks the port that is connected to.
pub fn self_connect() -> World {
    let other = Other::new();
    within(&other.path(), || sysctl::set("ip_local_port_range", "41000 41001"));
    let rows = vec![
        Row::answered("to itself", "127.0.0.1:41000", OK, "self_connect")
            .because("picked port 41000"),
        Row::answered("to itself, IPv6", "[::1]:41000", OK, "self_connect")
            .because("picked port 41000"),
    ];
    World { place: Place::other(&other).one_by_one(), ..World::new("self-connect", other, rows) }
}

/// Loopback as it is everywhere.
pub fn loopback() -> World {
    let other = Other::new();
    let sockets = within(&other.path(), || {
        sysctl::set("tcp_syn_retries", "1");
        sysctl::set("tcp_syn_linear_timeouts", "1");
        let full = bound("127.0.0.1", 81);
        full.listen(0).unwrap();
        let waiting = TcpStream::connect(("127.0.0.1", 81)).unwrap();
        let open = ["127.0.0.1", "::1"].map(|host| Socket::from(listen_at(host, 80)));
        let [four, six] = open;
        vec![full, waiting.into(), four, six, bound("127.0.0.1", 82)]
    });
    let rows = vec![
        Row::answered("open", "127.0.0.1:80", OK, "connected"),
        Row::answered("open, IPv6", "[::1]:80", OK, "connected"),
        Row::answered("closed", "127.0.0.1:9", ECONNREFUSED, "refused")
            .because("nobody on this machine"),
        Row::answered("closed, IPv6", "[::1]:9", ECONNREFUSED, "refused"),
        Row::answered("bound", "127.0.0.1:82", ECONNREFUSED, "refused")
            .because("has not called listen()"),
        Row::answered("IPv4 by IPv6", "[::ffff:127.0.0.1]:80", OK, "connected"),
        Row::silent("the accept queue is full", "127.0.0.1:81").because("accept queue"),
        Row::before(
            "the source is a listener's",
            "--source 127.0.0.1:80 127.0.0.1:9",
            "bind",
            EADDRINUSE,
        )
        .because("source port"),
    ];
    World::new("loopback", other, rows).with(sockets)
}

/// What only root may.
pub fn as_nobody() -> World {
    let other = Other::new();
    let rows = vec![
        Row::before("a low source", "--source 127.0.0.1:70 127.0.0.1:9", "bind", EACCES)
            .because("source port"),
        Row::answered("closed", "127.0.0.1:9", ECONNREFUSED, "refused")
            .because("nobody on this machine"),
    ];
    World { place: Place::other(&other).by_nobody(), ..World::new("as nobody", other, rows) }
}
