//! Which addresses overlap: every kind of address against every other, for a listener, a bound
//! socket and UDP. What netkit says, what the kernel says, and the table.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use socket2::{Socket, Type};

use crate::harness::binding::{IN_USE, OK, Reuse, code, socket};
use crate::harness::conditions::fresh;
use crate::harness::judgement::judge;
use crate::harness::{Need, live};

/// An address, and whether its socket takes IPv6 only.
type Place = (&'static str, bool);

const PLACES: [Place; 8] = [
    ("0.0.0.0", false),
    ("127.0.0.1", false),
    ("127.0.0.2", false),
    ("::", false),
    ("::", true),
    ("::1", false),
    ("::ffff:127.0.0.1", false),
    ("::ffff:0.0.0.0", false),
];

/// A row for the place that is taken, a column for the one that is wanted, both in the order of
/// [`PLACES`]. Measured on Linux 6.18; the rule is `inet_rcv_saddr_equal` in
/// net/ipv4/inet_connection_sock.c.
const TABLE: [&str; 8] = [
    "EEEE--EE", "EE-E--EE", "E-EE---E", "EEEEEEEE", "---EEE--", "---EEE--", "EE-E--EE", "EEEE--EE",
];

/// What takes the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Listener,
    Bound,
    Udp,
}

impl Kind {
    fn role(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Bound => "bound",
            Self::Udp => "udp",
        }
    }

    /// A socket of the kind that is wanted.
    fn new_socket(self, at: SocketAddr, v6only: bool, reuse: Reuse) -> Socket {
        let kind = if self == Self::Udp { Type::DGRAM } else { Type::STREAM };
        let socket = socket(at, kind, reuse);
        if at.is_ipv6() {
            socket.set_only_v6(v6only).unwrap();
        }
        socket
    }

    fn take(self, at: SocketAddr, v6only: bool) -> Socket {
        let reuse = if self == Self::Listener { Reuse::Addr } else { Reuse::No };
        let socket = self.new_socket(at, v6only, reuse);
        socket.bind(&at.into()).unwrap();
        if self == Self::Listener {
            socket.listen(1).unwrap();
        }
        socket
    }

    /// netkit's answer for `wanted` on a fresh port where `taken` is taken, and the blocker that
    /// should be in it if there is one.
    fn by_netkit(self, taken: Place, wanted: Place) -> (Value, Value) {
        let [taken_at, wanted_at] = ends(taken, wanted);
        let holder = self.take(taken_at, taken.1);
        // The kernel sets it by itself at a bind to one IPv6 address (`__inet6_bind`).
        let v6only = taken_at.is_ipv6().then(|| holder.only_v6().unwrap());
        let blocker = json!([self.role(), canonical(taken_at), v6only, std::process::id()]);
        let v6only = if wanted.1 { "--v6only" } else { "" };
        let udp = if self == Self::Udp { "--udp" } else { "" };
        (judge(&format!("{wanted_at} {v6only} {udp}")), blocker)
    }

    fn by_kernel(self, taken: Place, wanted: Place) -> i32 {
        let [taken_at, wanted_at] = ends(taken, wanted);
        let _taken = self.take(taken_at, taken.1);
        code(self.new_socket(wanted_at, wanted.1, Reuse::No).bind(&wanted_at.into()))
    }

    /// What is wrong in one cell.
    fn complaints(self, taken: Place, wanted: Place, table: i32) -> String {
        let kernel = self.by_kernel(taken, wanted);
        let (answer, expected) = self.by_netkit(taken, wanted);
        let mut text = String::new();
        let netkit = &answer["code"];
        if kernel != table || *netkit != table {
            writeln!(
                text,
                "{self:?} on {taken:?}, wanted {wanted:?}: table {table}, kernel {kernel}, netkit \
                 {netkit}"
            )
            .unwrap();
        }
        let blockers = answer["blockers"].as_array().unwrap().iter();
        let blockers: Vec<_> = blockers
            .map(|it| {
                let local = it["local"].as_str().unwrap().parse().unwrap();
                json!([it["role"], canonical(local), it["v6only"], it["owners"][0]["pid"]])
            })
            .collect();
        let is_blocked = table == IN_USE;
        if blockers != expected_once(is_blocked, expected) {
            writeln!(text, "{self:?} on {taken:?}, wanted {wanted:?}: {answer:#}").unwrap();
        }
        let asked = answer["options"][0]["v6only"] == wanted.1;
        if !asked {
            writeln!(text, "wanted {wanted:?}: {}", answer["options"]).unwrap();
        }
        text
    }

    fn compare(self) {
        let mut wrong = String::new();
        for (taken, row) in PLACES.into_iter().zip(TABLE) {
            for (wanted, cell) in PLACES.into_iter().zip(row.chars()) {
                let table = if cell == 'E' { IN_USE } else { OK };
                wrong += &self.complaints(taken, wanted, table);
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }
}

fn expected_once(is_there: bool, blocker: Value) -> Vec<Value> {
    is_there.then_some(blocker).into_iter().collect()
}

/// Both places on one port that was not used before.
fn ends(taken: Place, wanted: Place) -> [SocketAddr; 2] {
    let port = fresh().port();
    [taken, wanted].map(|(address, _)| SocketAddr::new(address.parse().unwrap(), port))
}

/// `[::ffff:127.0.0.1]:80` is `127.0.0.1:80`.
fn canonical(end: SocketAddr) -> String {
    let address: IpAddr = end.ip().to_canonical();
    SocketAddr::new(address, end.port()).to_string()
}

#[test]
fn beside_a_listener_with_reuse_addr() {
    live(&[Need::Ipv6, Need::Root], || Kind::Listener.compare());
}

#[test]
fn beside_a_bound_socket() {
    live(&[Need::Ipv6, Need::Root], || Kind::Bound.compare());
}

#[test]
fn beside_a_udp_socket() {
    live(&[Need::Ipv6, Need::Root], || Kind::Udp.compare());
}
