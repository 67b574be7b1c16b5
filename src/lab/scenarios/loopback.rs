//! A server and its clients on loopback addresses, as most scenarios need them.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};

use crate::kernel::clock::Stopwatch;
use crate::lab::settle::{wait_for_state, wait_for_time_waits};
use crate::lab::stage::Stage;
use crate::model::TcpState;
use crate::output::numbers::{count, duration, float, rate, thousands};

/// The port of servers; below the ephemeral ports, so that none of those is taken by it.
pub const PORT: u16 = 8080;

/// A listening server. The backlog of [`TcpListener`] is 128 or more, enough for one at a time.
pub fn listen(stage: &mut Stage<'_>, address: Ipv4Addr) -> anyhow::Result<TcpListener> {
    let end = SocketAddr::from((address, PORT));
    stage.does("server", format_args!("bind and listen({end})"), TcpListener::bind(end))
}

/// Lets no RST end a TIME_WAIT, so that none is missing from a pile: where softirqs are late, a FIN is
/// sent twice, the second acknowledgement meets nobody, and the RST for it would end the TIME_WAIT that
/// has sent it (RFC 1337, section 2; `net/ipv4/tcp_minisocks.c`, `tcp_timewait_state_process`).
pub fn keep_time_waits(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    stage.set("net.ipv4.tcp_rfc1337", "1")
}

/// Both ends of a connection.
pub struct Connection {
    /// The end that connected.
    pub client: TcpStream,
    /// The end that was accepted.
    pub server: TcpStream,
}

/// Connects to `listener`, and accepts.
pub fn connect(listener: &TcpListener) -> io::Result<Connection> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok(Connection { client, server })
}

impl Connection {
    /// The client closes first, and has the TIME_WAIT.
    pub fn client_closes_first(self) -> io::Result<()> {
        drop(self.client);
        closes_second(self.server)
    }

    /// The server closes first, and has the TIME_WAIT.
    pub fn server_closes_first(self) -> io::Result<()> {
        drop(self.server);
        closes_second(self.client)
    }
}

/// Closes an end when the other's FIN is there. Before that, both would be the first, and have a
/// TIME_WAIT each (RFC 9293, 3.6.1).
fn closes_second(mut end: TcpStream) -> io::Result<()> {
    match end.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// So many `clients` connect and close, and the server does not: gives its ends of the connections.
///
/// They shut down first and close when that is acknowledged: an acknowledgement that meets a socket
/// amid its close leaves a full socket in FIN_WAIT2 (`net/ipv4/tcp_input.c`,
/// `tcp_rcv_state_process`: "Bad case"), not the small one that is wanted.
pub fn clients_close(
    stage: &mut Stage<'_>,
    listener: &TcpListener,
    clients: u64,
) -> anyhow::Result<Vec<TcpStream>> {
    let mut held = Vec::new();
    let mut left = Vec::new();
    repeatedly(stage, clients, "connect, accept", || {
        let Connection { client, server } = connect(listener)?;
        held.push(server);
        left.push(client);
        Ok(())
    })?;
    left.iter().try_for_each(|client| client.shutdown(Shutdown::Write))?;
    wait_for_state(TcpState::FIN_WAIT2, clients)?;
    drop(left);
    stage.say("client", format_args!("{} x shutdown, close", thousands(clients)), 0)?;
    wait_for_time_waits(clients)?;
    stage.say("server", "closes nothing", "")?;
    Ok(held)
}

/// Something that is done many times and told of in one line, with its rate.
pub struct Repeated {
    times: u64,
    what: &'static str,
    since: Stopwatch,
}

impl Repeated {
    /// `what` will be done so many `times`, from now on.
    pub fn start(times: u64, what: &'static str) -> Self {
        Self { times, what, since: Stopwatch::start() }
    }

    /// It was done.
    pub fn tell(self, stage: &mut Stage<'_>) -> anyhow::Result<()> {
        let seconds = self.since.elapsed().as_secs_f64();
        let rate = rate(float(self.times) / seconds);
        let result = format!("0 ({}, {rate}/s)", duration(seconds));
        stage.say("client", format_args!("{} x {}", thousands(self.times), self.what), result)
    }
}

/// Does `each` so many `times`. Fails at the first that fails, and says which.
pub fn repeatedly(
    stage: &mut Stage<'_>,
    times: u64,
    what: &'static str,
    mut each: impl FnMut() -> io::Result<()>,
) -> anyhow::Result<()> {
    let repeated = Repeated::start(times, what);
    for number in 0..times {
        if let Err(error) = each() {
            let call = format!("{what}, after {}", count(number, "connection"));
            return stage.does("client", call, Err(error));
        }
    }
    repeated.tell(stage)
}
