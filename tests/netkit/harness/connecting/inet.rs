//! The obstacles of [`Street`](super::Street) for AF_INET and AF_INET6.

use super::code::*;
use super::street::{
    BOUND, CLIENT_REJECTS, CLOSED, CODES, CODES6, DROP, ECHO, FORGED, FULL, LOOPBACK_ONLY, MUTE,
    OPEN, RESET, ROUTER, ROUTER_REJECTS, ROUTER6, SERVER, SERVER_REJECTS, SERVER6,
};
use super::{Icmp, Row};

/// ICMP's "destination unreachable" and the addresses of a family.
struct Family {
    server: &'static str,
    router: &'static str,
    client: &'static str,
    unreachable: u8,
    codes: &'static [u8],
    /// Port 80 of the first host of a subnet of these two numbers.
    web: fn(u8, u8) -> String,
}

const FOUR: Family = Family {
    server: SERVER,
    router: ROUTER,
    client: "10.77.1.1",
    unreachable: 3,
    codes: &CODES,
    web: |net, subnet| format!("10.{net}.{subnet}.1:80"),
};
const SIX: Family = Family {
    server: SERVER6,
    router: ROUTER6,
    client: "fd77:1::1",
    unreachable: 1,
    codes: &CODES6,
    web: |net, subnet| format!("[fd{net}:{subnet}::1]:80"),
};

/// `HOST:PORT`, in brackets where the host has colons.
pub fn at(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What Linux makes of a "destination unreachable" (`icmp_err_convert`, net/ipv4/icmp.c;
/// `icmpv6_err_convert`, net/ipv6/icmp.c), and how the refusal is called.
fn meaning(unreachable: u8, code: u8) -> (i32, &'static str) {
    match (unreachable, code) {
        (3, 0 | 6 | 11) | (1, 0) => (ENETUNREACH, "unreachable"),
        (3, 1 | 12) | (1, 2 | 3) => (EHOSTUNREACH, "unreachable"),
        (3, 2) => (ENOPROTOOPT, "rejected"),
        (3, 3) | (1, 4) => (ECONNREFUSED, "rejected"),
        (3, 5) => (EOPNOTSUPP, "unreachable"),
        (3, 7) => (EHOSTDOWN, "unreachable"),
        (3, 8) => (ENONET, "unreachable"),
        (3, 9) => (ENETUNREACH, "rejected"),
        (3, 10 | 13..=15) => (EHOSTUNREACH, "rejected"),
        (1, 1 | 5 | 6) => (EACCES, "rejected"),
        (1, _) => (EPROTO, "rejected"),
        _ => panic!("no row has ICMP {unreachable}/{code}"),
    }
}

impl Family {
    fn at(&self, port: u16) -> String {
        at(self.server, port)
    }

    /// Sockets of the server, and nothing in between.
    fn sockets(&self) -> Vec<Row> {
        vec![
            Row::answered("a listener", &self.at(OPEN), OK, "connected"),
            Row::answered("a closed port", &self.at(CLOSED), ECONNREFUSED, "refused")
                .because("RST"),
            Row::answered("bound, not listening", &self.at(BOUND), ECONNREFUSED, "refused")
                .because("RST"),
            Row::answered("listens on lo", &self.at(LOOPBACK_ONLY), ECONNREFUSED, "refused"),
            Row::silent("the accept queue is full", &self.at(FULL)),
        ]
    }

    /// Ports from `first` on, which the packet filter at `from` rejects.
    fn rejects(&self, first: u16, from: &'static str) -> Vec<Row> {
        let row = |code: &u8| {
            let (errno, outcome) = meaning(self.unreachable, *code);
            let line = self.at(first + u16::from(*code));
            let name = format!("rejected by {from}, {}/{code}", self.unreachable);
            let icmp = (self.unreachable, *code, from);
            Row::answered(&name, &line, errno, outcome).icmp(icmp)
        };
        let mut rows: Vec<_> = self.codes.iter().map(row).collect();
        let reset = self.at(first + RESET);
        rows.push(Row::answered(&format!("reset by {from}"), &reset, ECONNREFUSED, "refused"));
        rows.push(Row::silent(&format!("dropped by {from}"), &self.at(first + DROP)));
        rows
    }

    /// ICMP errors that no packet filter makes: those that end a connect, and those that do not.
    fn forged(&self, which: usize, ends: &[(i32, &'static str)]) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, (port, errors)) in FORGED.iter().enumerate() {
            let (kind, code) = errors[which];
            let name = format!("forged {kind}/{code}");
            let line = self.at(*port);
            rows.push(match ends.get(at) {
                Some((errno, outcome)) => {
                    let icmp = (kind, code, self.server);
                    Row::answered(&name, &line, *errno, outcome).icmp(icmp)
                }
                None => Row::silent(&name, &line),
            });
        }
        rows
    }

    /// What the client's own routes and rules say.
    fn own_routes(&self) -> Vec<Row> {
        let no_way = |name, net, subnet, errno, (outcome, cause)| {
            Row::at_once(name, &(self.web)(net, subnet), errno, outcome).because(cause)
        };
        let (missing, forbidden) = (("unreachable", "no route"), ("denied", "`prohibit`"));
        let dropped = ("local_error", "`blackhole`");
        let unreachable = ("unreachable", "an `unreachable` route of");
        let by_rule = ("unreachable", "of type `unreachable`");
        vec![
            no_way("no route", 99, 0, ENETUNREACH, missing),
            no_way("route unreachable", 79, 1, EHOSTUNREACH, unreachable),
            no_way("route prohibit", 79, 2, EACCES, forbidden),
            no_way("route blackhole", 79, 3, EINVAL, dropped),
            no_way("route throw", 79, 4, ENETUNREACH, missing),
            no_way("rule unreachable", 79, 5, ENETUNREACH, by_rule),
            no_way("rule prohibit", 79, 6, EACCES, forbidden),
            no_way("rule blackhole", 79, 7, EINVAL, dropped),
            Row::silent("the router's blackhole", &(self.web)(78, 3)),
        ]
    }

    /// The three outcomes of a datagram, and more.
    fn datagrams(&self, prohibited: Icmp) -> Vec<Row> {
        let udp = |port| format!("udp://{}", self.at(port));
        let port = ROUTER_REJECTS + u16::from(prohibited.1);
        let (errno, _) = meaning(prohibited.0, prohibited.1);
        let closed = (self.unreachable, if self.unreachable == 3 { 3 } else { 4 }, self.server);
        vec![
            Row::datagram("an echo", &udp(ECHO), OK, "connected"),
            Row::datagram("silence", &udp(MUTE), EAGAIN, "timed_out"),
            Row::datagram("no socket", &udp(CLOSED), ECONNREFUSED, "refused").icmp(closed),
            Row::datagram("prohibited", &udp(port), errno, "rejected").icmp(prohibited),
            Row::datagram("dropped", &udp(ROUTER_REJECTS + DROP), EAGAIN, "timed_out"),
            Row::datagram("dropped here", &udp(CLIENT_REJECTS + DROP), EPERM, "denied")
                .because("firewall"),
        ]
    }
}

/// AF_INET on the street.
pub fn four() -> Vec<Row> {
    let mut rows = FOUR.sockets();
    rows.extend(FOUR.rejects(ROUTER_REJECTS, FOUR.router));
    rows.extend(FOUR.rejects(SERVER_REJECTS, FOUR.server));
    rows.extend(FOUR.rejects(CLIENT_REJECTS, FOUR.client));
    rows.extend(FOUR.forged(0, &[(EPROTO, "rejected"), (EHOSTUNREACH, "unreachable")]));
    rows.extend(FOUR.datagrams((3, 13, ROUTER)));
    rows.extend(FOUR.own_routes());
    rows.extend(routes_of_four());
    rows
}

/// AF_INET6 on the street.
pub fn six() -> Vec<Row> {
    let mut rows = SIX.sockets();
    rows.extend(SIX.rejects(ROUTER_REJECTS, SIX.router));
    rows.extend(SIX.rejects(SERVER_REJECTS, SIX.server));
    rows.extend(SIX.rejects(CLIENT_REJECTS, SIX.client));
    let expired = (EHOSTUNREACH, "unreachable");
    rows.extend(SIX.forged(1, &[(EPROTO, "rejected"), expired, expired]));
    rows.extend(SIX.datagrams((1, 1, ROUTER6)));
    rows.extend(SIX.own_routes());
    rows.extend(routes_of_six());
    rows
}

fn routes_of_four() -> Vec<Row> {
    let by_router = |name, line, icmp: (u8, u8), errno, outcome| {
        Row::answered(name, line, errno, outcome).icmp((icmp.0, icmp.1, ROUTER))
    };
    vec![
        by_router("the router's unreachable", "10.78.1.1:80", (3, 1), EHOSTUNREACH, "unreachable"),
        by_router("the router's prohibit", "10.78.2.1:80", (3, 13), EHOSTUNREACH, "rejected"),
        by_router("the router has no route", "10.78.4.1:80", (3, 0), ENETUNREACH, "unreachable"),
        // The client's own kernel tells it that nobody answers on the link.
        Row::answered("no neighbour", "10.77.1.77:80", EHOSTUNREACH, "unreachable")
            .because("nobody on c0")
            .icmp((3, 1, "10.77.1.1")),
        by_router("none behind", "10.77.2.77:80", (3, 1), EHOSTUNREACH, "unreachable"),
        by_router("TTL 1", "--ttl 1 10.77.2.2:80", (11, 0), EHOSTUNREACH, "unreachable")
            .because("by --ttl"),
        Row::at_once("broadcast", "10.77.1.255:80", ENETUNREACH, "unreachable")
            .because("broadcast"),
        Row::at_once("all ones", "255.255.255.255:80", ENETUNREACH, "unreachable")
            .because("broadcast"),
        Row::at_once("multicast", "224.0.0.1:80", ENETUNREACH, "unreachable").because("multicast"),
        Row::at_once("UDP to broadcast", "udp://10.77.1.255:80", EACCES, "denied")
            .because("SO_BROADCAST"),
        Row::at_once("UDP without a route", "udp://10.99.0.1:80", ENETUNREACH, "unreachable")
            .because("no route"),
        Row::at_once("UDP, prohibit", "udp://10.79.2.1:80", EACCES, "denied").because("`prohibit`"),
        Row::before(
            "a source of nobody's",
            "--source 192.0.2.1 10.77.2.2:80",
            "bind",
            EADDRNOTAVAIL,
        )
        .because("source address"),
        Row::at_once("from lo", "--source 127.0.0.1 10.77.2.2:80", EINVAL, "local_error")
            .because("source address"),
        Row::answered("by its interface", "--interface c0 10.77.2.2:80", OK, "connected"),
        Row::answered("by another source", "--source 10.77.1.12 10.77.2.2:80", OK, "connected"),
    ]
}

fn routes_of_six() -> Vec<Row> {
    let by_router = |name, line, icmp: (u8, u8), errno, outcome| {
        Row::answered(name, line, errno, outcome).icmp((icmp.0, icmp.1, ROUTER6))
    };
    vec![
        by_router("the router's unreachable", "[fd78:1::1]:80", (1, 0), ENETUNREACH, "unreachable"),
        by_router("the router's prohibit", "[fd78:2::1]:80", (1, 1), EACCES, "rejected"),
        by_router("the router has no route", "[fd78:4::1]:80", (1, 0), ENETUNREACH, "unreachable"),
        Row::answered("no neighbour", "[fd77:1::77]:80", EHOSTUNREACH, "unreachable")
            .because("nobody on c0")
            .icmp((1, 3, "fd77:1::1")),
        by_router("none behind", "[fd77:2::77]:80", (1, 3), EHOSTUNREACH, "unreachable"),
        by_router("TTL 1", "--ttl 1 [fd77:2::2]:80", (3, 0), EHOSTUNREACH, "unreachable")
            .because("by --ttl"),
        Row::at_once("link-local without scope", "[fe80::77]:80", EINVAL, "local_error")
            .because("link-local"),
        // The error of the neighbour table has no way back to a link-local address.
        Row::silent("no link-local neighbour", "[fe80::77%c0]:80").because("nobody on c0"),
        Row::at_once("multicast", "[ff02::1%c0]:80", ENETUNREACH, "unreachable")
            .because("multicast"),
        Row::before(
            "a source of nobody's",
            "--source 2001:db8::1 [fd77:2::2]:80",
            "bind",
            EADDRNOTAVAIL,
        )
        .because("source address"),
    ]
}
