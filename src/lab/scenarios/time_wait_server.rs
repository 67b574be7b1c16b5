//! A server that closes first: the TIME_WAITs are its own, and cost nobody a port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use super::loopback::{Connection, keep_time_waits, listen, repeatedly};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::wait_for_all_closed;
use crate::lab::stage::Stage;
use crate::output::numbers::count;

/// `time-wait-server`.
pub static SCENARIO: Scenario = Scenario {
    name: "time-wait-server",
    about: "a server closes first, and nobody suffers",
    sockets: Some(2_000),
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    stage.set("net.ipv4.tcp_max_tw_buckets", &(size.sockets * 2).max(131_072).to_string())?;
    keep_time_waits(stage)?;
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let mut clients = client_addresses();
    repeatedly(stage, size.sockets, "connect, accept, server closes", || {
        connect_from(clients.next(), &listener)?.server_closes_first()
    })?;
    wait_for_all_closed(size.sockets)?;
    let mut scene = Scene::default();
    let sockets = count(size.sockets, "socket");
    scene.ask(
        "states --time-wait",
        vec![
            Claim::exits(0),
            Claim::is("all is well", "/pileup/severity", "ok"),
            Claim::is(format!("{sockets} in TIME_WAIT"), "/pileup/time_wait", size.sockets),
            Claim::is("no destination suffers", "/pileup/destinations", Vec::<u8>::new()),
            Claim::is("the server has them all", "/pileup/services/0/time_wait", size.sockets),
        ],
    );
    scene.hold(listener);
    Ok(scene)
}

/// Addresses for clients, each once. A client that comes a second time from the same port takes the
/// server's TIME_WAIT over (`net/ipv4/tcp_minisocks.c`, `tcp_timewait_state_process`).
fn client_addresses() -> impl Iterator<Item = SocketAddr> {
    let hosts = (1..=u16::MAX).map(|host| {
        let [high, low] = host.to_be_bytes();
        Ipv4Addr::new(127, 2, high, low)
    });
    hosts.flat_map(|host| (32_768..=60_999).map(move |port| SocketAddr::from((host, port))))
}

/// Connects from one of them, and accepts.
fn connect_from(client: Option<SocketAddr>, listener: &TcpListener) -> io::Result<Connection> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&client.ok_or(io::ErrorKind::AddrNotAvailable)?.into())?;
    socket.connect(&listener.local_addr()?.into())?;
    let (server, _) = listener.accept()?;
    Ok(Connection { client: socket.into(), server })
}
