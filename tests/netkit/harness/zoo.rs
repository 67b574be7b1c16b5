//! A connection in every TCP state, held in it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;

use netkit::kernel::ProcRoot;
use netkit::kernel::sockets::{Wanted, scan};
use netkit::model::{Protocol, StateSet, TcpState};
use socket2::{Domain, Socket, Type};

use super::sockets::{Connection, connect, listen, listen_for_data, listen_for_one, port};
use super::sysctl;
use super::waiting::eventually;

/// Where the listeners of a zoo are, and by which address their clients come.
#[derive(Clone, Copy, Debug)]
pub struct Habitat {
    listen: &'static str,
    connect: &'static str,
}

/// IPv4 sockets; IPv6 ones; IPv4 clients of IPv6 sockets; IPv6 sockets at both ends of an IPv4
/// connection.
pub const HABITATS: [Habitat; 4] = [
    Habitat { listen: "127.0.0.1", connect: "127.0.0.1" },
    Habitat { listen: "::1", connect: "::1" },
    Habitat { listen: "::", connect: "127.0.0.1" },
    Habitat { listen: "::", connect: "::ffff:127.0.0.1" },
];

/// What one zoo has in `netkit states`.
const POPULATION: [(&str, u64); 11] = [
    ("LISTEN", 3),
    // Both ends of the idle connection and of the one that fills an accept queue; the peer of the
    // one in SYN_RECV, and of both in FIN_WAIT1.
    ("ESTABLISHED", 7),
    ("SYN_SENT", 1),
    ("SYN_RECV", 1),
    ("FIN_WAIT1", 2),
    // The one that its program holds; and the peers of LAST_ACK and CLOSING.
    ("FIN_WAIT2", 3),
    ("FIN_WAIT2_MINI", 1),
    ("CLOSE_WAIT", 2),
    ("LAST_ACK", 1),
    ("CLOSING", 1),
    ("TIME_WAIT", 1),
];

/// The sockets, closed when this is dropped.
pub struct Zoo {
    listener: TcpListener,
    address: &'static str,
    sockets: Vec<Socket>,
    streams: Vec<TcpStream>,
}

/// How many sockets in each state `zoos` have together.
pub fn population(zoos: u64) -> BTreeMap<String, u64> {
    let counts = POPULATION.iter();
    counts.map(|(state, sockets)| ((*state).to_owned(), sockets * zoos)).collect()
}

impl Zoo {
    /// All states at `habitat`. Buffers are made small, so that a window is soon full.
    pub fn new(habitat: Habitat) -> Self {
        sysctl::set("tcp_rmem", "4096 16384 16384");
        sysctl::set("tcp_wmem", "4096 16384 16384");
        let mut zoo = Self {
            listener: listen(habitat.listen),
            address: habitat.connect,
            sockets: Vec::new(),
            streams: Vec::new(),
        };
        zoo.half_open(habitat);
        zoo.closed_here();
        zoo.closed_on_both_sides();
        let idle = zoo.connection();
        zoo.hold(idle);
        zoo.connection().client_closes_first();
        zoo
    }

    fn connection(&self) -> Connection {
        connect(&self.listener, self.address)
    }

    fn hold(&mut self, connection: Connection) {
        self.streams.extend([connection.client, connection.server]);
    }

    /// SYN_SENT by a listener that is full, SYN_RECV by one that waits for data.
    fn half_open(&mut self, habitat: Habitat) {
        let full = listen_for_one(habitat.listen);
        let to_full = SocketAddr::new(self.address.parse().unwrap(), port(&full));
        self.streams.push(TcpStream::connect(to_full).unwrap());
        let refused_to_answer =
            Socket::new(Domain::for_address(to_full), Type::STREAM, None).unwrap();
        refused_to_answer.set_nonblocking(true).unwrap();
        refused_to_answer.connect(&to_full.into()).unwrap_err();
        let patient = listen_for_data(habitat.listen);
        let address: IpAddr = self.address.parse().unwrap();
        self.streams.push(TcpStream::connect((address, port(&patient))).unwrap());
        self.sockets.extend([full, refused_to_answer, patient]);
    }

    /// FIN_WAIT1 and FIN_WAIT2, each held by the program and left to the kernel.
    fn closed_here(&mut self) {
        let held = self.connection();
        fill(&held.client);
        held.client.shutdown(Shutdown::Write).unwrap();
        self.hold(held);
        let orphan = self.connection();
        fill(&orphan.client);
        self.streams.push(orphan.server);
        drop(orphan.client);
        let held = self.connection();
        held.client.shutdown(Shutdown::Write).unwrap();
        self.hold(held);
        let mini = self.connection();
        mini.client.shutdown(Shutdown::Write).unwrap();
        // An acknowledgement that meets a socket amid its close leaves it a full one
        // (`tcp_rcv_state_process`, net/ipv4/tcp_input.c: "Bad case").
        eventually(|| is_acknowledged(&mini.client).then_some(()).ok_or("no ACK".to_owned()));
        self.streams.push(mini.server);
        drop(mini.client);
    }

    /// LAST_ACK and CLOSING: our FIN waits behind data that the peer does not read.
    fn closed_on_both_sides(&mut self) {
        let last_ack = self.connection();
        fill(&last_ack.client);
        last_ack.server.shutdown(Shutdown::Write).unwrap();
        last_ack.client.shutdown(Shutdown::Write).unwrap();
        self.hold(last_ack);
        let closing = self.connection();
        fill(&closing.client);
        closing.client.shutdown(Shutdown::Write).unwrap();
        closing.server.shutdown(Shutdown::Write).unwrap();
        self.hold(closing);
    }
}

/// Whether the FIN of `client` has come, and its acknowledgement too.
fn is_acknowledged(client: &TcpStream) -> bool {
    let wanted = Wanted::all(vec![Protocol::Tcp], StateSet::only(TcpState::FIN_WAIT2));
    let port = client.local_addr().unwrap().port();
    let mut is_there = false;
    scan(None, &ProcRoot::live(), &wanted, &mut |socket| {
        is_there |= socket.local.port == port;
        ControlFlow::Continue(())
    })
    .unwrap();
    is_there
}

/// Writes until neither the peer's window nor the own buffer takes more.
pub fn fill(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    loop {
        match stream.write(&[0; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}
