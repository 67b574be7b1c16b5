//! A street of three network namespaces: a client, which is the test's own, a router and a server.
//! Every obstacle of the tables that needs no namespace of its own stands somewhere on it, each at
//! an address or port of its own, so that all can be met at the same time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use socket2::Socket;

use super::super::needs::run;
use super::super::other::{Other, within};
use super::super::sockets::{bound, listen_at};
use super::super::{eventually, sysctl};
use super::oracle::python;

/// The router's addresses on the client's side, where its ICMP errors come from.
pub const ROUTER: &str = "10.77.1.254";
pub const ROUTER6: &str = "fd77:1::fe";
/// The server.
pub const SERVER: &str = "10.77.2.2";
pub const SERVER6: &str = "fd77:2::2";

/// Ports of the server, all below `ip_local_port_range`.
pub const OPEN: u16 = 80;
pub const FULL: u16 = 81;
pub const BOUND: u16 = 82;
pub const LOOPBACK_ONLY: u16 = 83;
pub const ECHO: u16 = 84;
pub const MUTE: u16 = 85;
pub const CLOSED: u16 = 9;
/// To this is added the code of the ICMP error that the router rejects a port with.
pub const ROUTER_REJECTS: u16 = 1000;
/// The same of the server's own packet filter, and of the client's.
pub const SERVER_REJECTS: u16 = 2000;
pub const CLIENT_REJECTS: u16 = 3000;
/// To the above is added one of these.
pub const DROP: u16 = 100;
pub const RESET: u16 = 200;
/// Ports that forger.py answers, each with its type and code in IPv4 and in IPv6.
pub const FORGED: [(u16, [(u8, u8); 2]); 4] = [
    (2900, [(12, 0), (4, 0)]),
    (2901, [(11, 0), (3, 0)]),
    (2902, [(11, 1), (3, 1)]),
    (2903, [(4, 0), (2, 0)]),
];

/// Codes of ICMP's "destination unreachable" that end a connect; 4 is about the size of packets.
pub const CODES: [u8; 15] = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
pub const CODES6: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

const FORGER: &str = include_str!("forger.py");

/// The router and the server, which end with this.
pub struct Street {
    _router: Other,
    _server: Other,
    _listeners: Vec<TcpListener>,
    _sockets: Vec<Socket>,
    _waiting: TcpStream,
    _forger: Ended,
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Street {
    /// Builds it. The kernel's own patience in the client is four seconds.
    pub fn new() -> Self {
        let (router, server) = (Other::new(), Other::new());
        for path in [own_namespace(), router.path(), server.path()] {
            within(&path, without_waiting);
        }
        let link = format!("link add c0 type veth peer name r0 netns {}\n", router.pid());
        batch(&(link + CLIENT));
        fed("ip -6 -batch -", CLIENT_RULES6);
        let link = format!("link add r1 type veth peer name s0 netns {}\n", server.pid());
        within(&router.path(), || {
            sysctl::write("net.ipv4.ip_forward", "1");
            sysctl::write("net.ipv6.conf.all.forwarding", "1");
            batch(&(link + ROUTING));
            neighbours_answer_soon("r1");
            filter("forward", ROUTER_REJECTS);
        });
        neighbours_answer_soon("c0");
        filter("output", CLIENT_REJECTS);
        let forger = within(&server.path(), || {
            batch(SERVING);
            filter("input", SERVER_REJECTS);
            forge()
        });
        let (listeners, sockets) = within(&server.path(), serve);
        // Interfaces and their addresses come up in their own time.
        for host in [SERVER, SERVER6] {
            eventually(|| {
                TcpStream::connect((host, OPEN)).map_err(|error| format!("{host}: {error}"))
            });
        }
        let waiting = TcpStream::connect((SERVER, FULL)).unwrap();
        Self {
            _router: router,
            _server: server,
            _listeners: listeners,
            _sockets: sockets,
            _waiting: waiting,
            _forger: forger,
        }
    }
}

/// The file of the network namespace that this thread is in.
pub fn own_namespace() -> PathBuf {
    PathBuf::from(format!("/proc/{}/ns/net", std::process::id()))
}

/// No limit on ICMP errors, no detection of duplicate addresses, and a kernel that gives up after
/// four seconds.
///
/// The limiters of the packet filter's errors and of the routes' (`ip_error`, net/ipv4/route.c)
/// share one bucket for each client. `icmp_ratelimit = 0` would empty it for the routes; a mask
/// without any type leaves it alone (`icmpv4_xrlim_allow`, net/ipv4/icmp.c).
fn without_waiting() {
    sysctl::write("net.ipv4.icmp_ratemask", "0");
    sysctl::write("net.ipv6.icmp.ratelimit", "0");
    for which in ["all", "default"] {
        sysctl::write(&format!("net.ipv6.conf.{which}.accept_dad"), "0");
    }
    sysctl::set("tcp_syn_retries", "1");
    sysctl::set("tcp_syn_linear_timeouts", "1");
}

/// A neighbour that does not answer three times is given up after 0.3 instead of 3 seconds.
fn neighbours_answer_soon(interface: &str) {
    for family in ["ipv4", "ipv6"] {
        sysctl::write(&format!("net.{family}.neigh.{interface}.retrans_time_ms"), "100");
    }
}

const CLIENT: &str = "
    addr add 10.77.1.1/24 dev c0
    addr add 10.77.1.11/24 dev c0
    addr add 10.77.1.12/24 dev c0
    addr add 10.77.1.13/24 dev c0
    addr add fd77:1::1/64 dev c0
    link set c0 up
    route add 10.77.2.0/24 via 10.77.1.254
    route add 10.78.1.1 via 10.77.1.254 src 10.77.1.11
    route add 10.78.2.1 via 10.77.1.254 src 10.77.1.12
    route add 10.78.3.0/24 via 10.77.1.254
    route add 10.78.4.1 via 10.77.1.254 src 10.77.1.13
    route add unreachable 10.79.1.0/24
    route add prohibit 10.79.2.0/24
    route add blackhole 10.79.3.0/24
    route add throw 10.79.4.0/24
    rule add to 10.79.5.0/24 unreachable
    rule add to 10.79.6.0/24 prohibit
    rule add to 10.79.7.0/24 blackhole
    route add fd77:2::/64 via fd77:1::fe
    route add fd78::/16 via fd77:1::fe
    route add unreachable fd79:1::/64
    route add prohibit fd79:2::/64
    route add blackhole fd79:3::/64
    route add throw fd79:4::/64
";

const CLIENT_RULES6: &str = "
    rule add to fd79:5::/64 unreachable
    rule add to fd79:6::/64 prohibit
    rule add to fd79:7::/64 blackhole
";

const ROUTING: &str = "
    addr add 10.77.1.254/24 dev r0
    addr add fd77:1::fe/64 dev r0
    addr add 10.77.2.254/24 dev r1
    addr add fd77:2::fe/64 dev r1
    link set r0 up
    link set r1 up
    route add unreachable 10.78.1.0/24
    route add prohibit 10.78.2.0/24
    route add blackhole 10.78.3.0/24
    route add unreachable fd78:1::/64
    route add prohibit fd78:2::/64
    route add blackhole fd78:3::/64
";

const SERVING: &str = "
    addr add 10.77.2.2/24 dev s0
    addr add fd77:2::2/64 dev s0
    link set s0 up
    route add default via 10.77.2.254
    route add default via fd77:2::fe
";

/// Runs ip(8) on many lines.
#[track_caller]
pub fn batch(lines: &str) {
    fed("ip -batch -", lines);
}

/// Runs a program with something to read, and panics with what it said if that is no good.
#[track_caller]
pub fn fed(line: &str, input: &str) {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{line}`: {said}\n{input}");
}

/// A packet filter at `hook` that answers the ports from `first` on, to nobody else's harm.
fn filter(hook: &str, first: u16) {
    let mut rules = String::new();
    let families = [("ip", "icmp", &CODES[..]), ("ip6", "icmpv6", &CODES6[..])];
    for (family, protocol, codes) in families {
        let chain = format!("type filter hook {hook} priority 0");
        rules += &format!("table {family} street {{\n chain {hook} {{\n  {chain}\n");
        for code in codes {
            let port = first + u16::from(*code);
            let reject = format!("reject with {protocol} type {code}");
            rules += &format!("  meta l4proto {{ tcp, udp }} th dport {port} {reject}\n");
        }
        rules += &format!("  meta l4proto {{ tcp, udp }} th dport {} drop\n", first + DROP);
        rules += &format!("  tcp dport {} reject with tcp reset\n", first + RESET);
        if hook == "input" {
            for (port, _) in FORGED {
                rules += &format!("  tcp dport {port} drop\n");
            }
        }
        rules += " }\n}\n";
    }
    fed("nft -f -", &rules);
}

/// The server's sockets, in whose namespace the caller is.
fn serve() -> (Vec<TcpListener>, Vec<Socket>) {
    let listeners = vec![
        listen_at("::", OPEN),
        listen_at("127.0.0.1", LOOPBACK_ONLY),
        listen_at("::1", LOOPBACK_ONLY),
    ];
    let full = bound("::", FULL);
    full.listen(0).unwrap();
    let echo = UdpSocket::bind(("::", ECHO)).unwrap();
    std::thread::spawn(move || echo_datagrams(&echo));
    let mute = UdpSocket::bind(("::", MUTE)).unwrap();
    (listeners, vec![full, bound("::", BOUND), mute.into()])
}

/// Sends every datagram back, until the process ends.
fn echo_datagrams(socket: &UdpSocket) {
    let mut buffer = [0; 2048];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
        drop(socket.send_to(&buffer[..length], peer));
    }
}

/// Starts forger.py in the namespace of the caller.
fn forge() -> Ended {
    let pairs = FORGED.map(|(port, errors)| (port.to_string(), serde_json::json!(errors)));
    let errors = serde_json::Value::Object(pairs.into_iter().collect()).to_string();
    let mut command = python(FORGER);
    command.arg(&errors).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "watching\n");
    Ended(child)
}

/// How many SYNs left this namespace for a port.
pub struct Syns(u16);

impl Syns {
    /// Counts from now on.
    pub fn count(port: u16) -> Self {
        let rule = format!("tcp dport {port} tcp flags syn counter name syns");
        let chain = "type filter hook output priority -10";
        fed(
            "nft -f -",
            &format!(
                "table inet syns-{port} {{\n counter syns {{ }}\n chain output {{\n  {chain}\n  \
                 {rule}\n }}\n}}\n"
            ),
        );
        Self(port)
    }

    /// How many there were.
    pub fn seen(&self) -> u64 {
        let listed = run(&format!("nft list counter inet syns-{} syns", self.0));
        let mut words = listed.split_whitespace().skip_while(|word| *word != "packets");
        words.nth(1).unwrap().parse().unwrap()
    }
}
