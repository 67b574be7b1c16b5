//! A TCP port on which there is exactly one socket, in a state and with options of one's choice.

use std::fs;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};

use socket2::{Socket, Type};

use super::binding::{Reuse, socket};
use super::capture::hex;
use super::eventually;
use super::sysctl;
use super::zoo::fill;

/// What is on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// A listener.
    Listener,
    /// A socket that is bound and does nothing.
    Bound,
    /// Children of a listener that is gone. The program has their descriptor, if not said
    /// otherwise.
    Established,
    CloseWait,
    LastAck,
    FinWait2,
    /// Closed by the program, with data that the peer does not take.
    FinWait1Orphan,
    /// Closed by the program, and the peer does not close.
    FinWait2Mini,
    /// Closed by the program first.
    TimeWait,
    /// Of a client that had bound its port.
    TimeWaitOfBoundClient,
    /// Of a client whose port the kernel chose.
    OutgoingEstablished,
    OutgoingSynSent,
    OutgoingTimeWait,
}

impl Occupant {
    /// The kernel's name of its state.
    pub fn state(self) -> &'static str {
        match self {
            Self::Listener => "LISTEN",
            Self::Bound => "BOUND_INACTIVE",
            Self::Established | Self::OutgoingEstablished => "ESTABLISHED",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::FinWait2 | Self::FinWait2Mini => "FIN_WAIT2",
            Self::FinWait1Orphan => "FIN_WAIT1",
            Self::TimeWait | Self::TimeWaitOfBoundClient | Self::OutgoingTimeWait => "TIME_WAIT",
            Self::OutgoingSynSent => "SYN_SENT",
        }
    }

    /// Whether it is one of the kernel's small sockets that only wait for a timer.
    pub fn is_mini(self) -> bool {
        self.state() == "TIME_WAIT" || self == Self::FinWait2Mini
    }

    /// Whether the kernel chose its port for it.
    pub fn is_outgoing(self) -> bool {
        matches!(self, Self::OutgoingEstablished | Self::OutgoingSynSent | Self::OutgoingTimeWait)
    }

    /// What netkit should call it on a port outside `ip_local_port_range`, or, if outgoing, inside.
    pub fn role(self) -> &'static str {
        match self.state() {
            "LISTEN" => "listener",
            "BOUND_INACTIVE" => "bound",
            _ if self == Self::TimeWaitOfBoundClient => "either",
            _ if self.is_outgoing() => "outgoing",
            _ => "accepted",
        }
    }

    /// The number of its state in /proc/net/tcp, which does not show bound sockets.
    fn number(self) -> Option<u8> {
        let names = [
            "ESTABLISHED",
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT1",
            "FIN_WAIT2",
            "TIME_WAIT",
            "CLOSE",
            "CLOSE_WAIT",
            "LAST_ACK",
            "LISTEN",
        ];
        let at = names.iter().position(|name| *name == self.state())?;
        Some(u8::try_from(at + 1).unwrap())
    }
}

/// A port with its occupant, who leaves when this is dropped.
#[derive(Debug)]
pub struct Condition {
    /// The port, on the address where it is occupied.
    pub local: SocketAddr,
    /// The other end of the connection.
    pub remote: Option<SocketAddr>,
    /// The occupant, where a program has it.
    held: Option<Socket>,
    others: Vec<Socket>,
}

/// A port of 127.0.0.1 outside the default `ip_local_port_range`, which was not given before.
pub fn fresh() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    (Ipv4Addr::LOCALHOST, NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

impl Condition {
    /// `occupant` on a fresh port, by sockets with the options `reuse`.
    pub fn new(occupant: Occupant, reuse: Reuse) -> Self {
        Self::at(fresh(), occupant, reuse)
    }

    /// `occupant` at `local`, or, if it is outgoing, where the kernel likes.
    pub fn at(local: SocketAddr, occupant: Occupant, reuse: Reuse) -> Self {
        let condition = if matches!(occupant, Occupant::Listener | Occupant::Bound) {
            Self::alone(local, occupant, reuse)
        } else if occupant == Occupant::TimeWaitOfBoundClient {
            Self::bound_client(local, reuse)
        } else if occupant.is_outgoing() {
            Self::outgoing(fresh(), occupant, reuse)
        } else {
            Self::child(local, occupant, reuse)
        };
        condition.settled(occupant)
    }

    /// A client whose port the kernel chose, connected to `service`.
    pub fn outgoing_to(service: SocketAddr, occupant: Occupant) -> Self {
        Self::outgoing(service, occupant, Reuse::No).settled(occupant)
    }

    /// The descriptor of the occupant in this process.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.held.as_ref().map(Socket::as_raw_fd)
    }

    /// Closes all but the occupant: a connection that goes out keeps no listener to go to.
    pub fn without_others(mut self) -> Self {
        self.others.clear();
        self
    }

    fn alone(local: SocketAddr, occupant: Occupant, reuse: Reuse) -> Self {
        let held = bound(local, reuse);
        if occupant == Occupant::Listener {
            held.listen(16).unwrap();
        }
        Self { local, remote: None, held: Some(held), others: Vec::new() }
    }

    fn child(local: SocketAddr, occupant: Occupant, reuse: Reuse) -> Self {
        let listener = bound(local, reuse);
        let client = socket(local, Type::STREAM, Reuse::No);
        // Soon full, and inherited by the children of the listener.
        listener.set_send_buffer_size(4096).unwrap();
        client.set_recv_buffer_size(4096).unwrap();
        listener.listen(1).unwrap();
        client.connect(&local.into()).unwrap();
        let (child, _) = listener.accept().unwrap();
        drop(listener);
        let remote = Some(address(&client));
        let is_last_ack = occupant == Occupant::LastAck;
        let child =
            if occupant == Occupant::FinWait1Orphan || is_last_ack { filled(child) } else { child };
        if is_last_ack {
            client.shutdown(Shutdown::Write).unwrap();
        }
        if occupant == Occupant::FinWait2 || is_last_ack {
            child.shutdown(Shutdown::Write).unwrap();
        }
        let is_held = is_last_ack
            || matches!(occupant, Occupant::Established | Occupant::CloseWait | Occupant::FinWait2);
        let has_peer = !matches!(occupant, Occupant::CloseWait | Occupant::TimeWait);
        // What is not kept is closed here, the child first.
        let held = is_held.then_some(child);
        let others = has_peer.then_some(client).into_iter().collect();
        Self { local, remote, held, others }
    }

    fn bound_client(local: SocketAddr, reuse: Reuse) -> Self {
        let service = bound(fresh(), Reuse::No);
        service.listen(1).unwrap();
        let client = bound(local, reuse);
        client.connect(&service.local_addr().unwrap()).unwrap();
        let (server, _) = service.accept().unwrap();
        drop(client);
        drop(server);
        Self { local, remote: Some(address(&service)), held: None, others: vec![service] }
    }

    fn outgoing(service: SocketAddr, occupant: Occupant, reuse: Reuse) -> Self {
        let listener = bound(service, Reuse::No);
        listener.listen(0).unwrap();
        let mut others = Vec::new();
        if occupant == Occupant::OutgoingSynSent {
            let first = socket(service, Type::STREAM, Reuse::No);
            connect_alone(&first, service).unwrap();
            others.push(first);
        }
        let client = socket(service, Type::STREAM, reuse);
        client.set_nonblocking(occupant == Occupant::OutgoingSynSent).unwrap();
        let connected = connect_alone(&client, service);
        assert_eq!(connected.is_err(), occupant == Occupant::OutgoingSynSent, "{connected:?}");
        let local = address(&client);
        let mut held = Some(client);
        if occupant != Occupant::OutgoingSynSent {
            let (server, _) = listener.accept().unwrap();
            if occupant == Occupant::OutgoingTimeWait {
                held = None;
            }
            others.extend(held.is_some().then_some(server));
        }
        others.push(listener);
        Self { local, remote: Some(service), held, others }
    }

    /// Waits until the kernel shows what was to be made.
    fn settled(self, occupant: Occupant) -> Self {
        let Some(number) = occupant.number() else { return self };
        let listening = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let remote = self.remote.unwrap_or(listening);
        let row = format!(" {} {} {number:02X} ", hex(self.local), hex(remote));
        eventually(|| {
            let table = fs::read_to_string("/proc/net/tcp").unwrap();
            table.contains(&row).then_some(()).ok_or(format!("no{row}in\n{table}"))
        });
        self
    }
}

/// Connects from a port that the kernel chooses, and that no other connection to anywhere has: it
/// would share one among destinations. The range is that of the namespace again afterwards.
fn connect_alone(client: &Socket, service: SocketAddr) -> std::io::Result<()> {
    const DEFAULT: &str = "32768\t60999";
    static NEXT: AtomicU16 = AtomicU16::new(33_000);
    let range = fs::read_to_string(sysctl::file("net.ipv4.ip_local_port_range")).unwrap();
    if range.trim() != DEFAULT {
        return client.connect(&service.into());
    }
    let port = NEXT.fetch_add(1, Ordering::Relaxed);
    sysctl::set("ip_local_port_range", &format!("{port} {port}"));
    let connected = client.connect(&service.into());
    sysctl::set("ip_local_port_range", DEFAULT);
    connected
}

/// A bound TCP socket with these options.
#[track_caller]
pub fn bound(local: SocketAddr, reuse: Reuse) -> Socket {
    let socket = socket(local, Type::STREAM, reuse);
    socket.bind(&local.into()).unwrap();
    socket
}

/// The address that a socket has.
pub fn address(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}

/// A connection with more data than the peer takes.
fn filled(socket: Socket) -> Socket {
    let stream = TcpStream::from(socket);
    fill(&stream);
    stream.into()
}
