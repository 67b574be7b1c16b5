//! A peer that does not read: send(2) without blocking takes as much as there is room for, and says
//! how much that was. Whoever does not look loses the rest; `sendall` of Python, `write_all` of
//! Rust and their like call it again until all is sent.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::ensure;

use super::loopback::{Connection, PORT, connect, listen};
use crate::lab::claim::{Claim, Expected};
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;
use crate::output::numbers::{count, thousands};

/// `partial-send`.
pub static SCENARIO: Scenario = Scenario {
    name: "partial-send",
    about: "the peer does not read: send() is partial",
    sockets: None,
    per_destination: None,
    make,
};

/// More than the buffers of both ends are let grow to (`tcp_wmem`, `tcp_rmem`: 4 MiB and 6 MiB by
/// default, and 32 MiB since Linux 6.16).
const MESSAGE: usize = 64 << 20;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    whole(stage, connect(&listener)?)?;
    let Connection { client, server } = connect(&listener)?;
    stage.say("server", "does not read from the second connection", "")?;
    let (sent, calls) = send_what_fits(&client, &vec![0; MESSAGE])?;
    ensure!(sent < MESSAGE, "the buffers took all of it: there is no condition");
    let call = format!("send({}), {}", thousands_of(MESSAGE), of_send(calls));
    stage.say("client", call, thousands_of(sent))?;
    // What the server would read, which stays where it is.
    server.set_nonblocking(true)?;
    let arrived = server.peek(&mut vec![0; MESSAGE])?;
    stage.say("server", "bytes in its queue", thousands_of(arrived))?;
    let mut scene = Scene::default();
    // What has arrived may not be acknowledged yet.
    let unsent = u64::try_from(sent - arrived)?;
    let unacknowledged = Expected::Within(unsent, u64::try_from(sent)?);
    scene.ask(
        format!("states --established --list --remote-port {PORT}"),
        vec![Claim::new(
            "the client cannot get rid of it",
            "/sockets/0/send_queue",
            unacknowledged,
        )],
    );
    scene.ask(
        format!("states --established --list --local-port {PORT}"),
        vec![Claim::is("the server does not read it", "/sockets/0/recv_queue", arrived)],
    );
    scene.hold(client);
    scene.hold(server);
    scene.hold(listener);
    Ok(scene)
}

/// Sends a message whole, as `sendall` does, to a server that reads.
fn whole(stage: &mut Stage<'_>, mut connection: Connection) -> anyhow::Result<()> {
    connection.server.set_nonblocking(true)?;
    let message = vec![0; MESSAGE];
    let (mut sent, mut calls, mut read) = (0, 0, 0);
    let mut buffer = vec![0; 1 << 20];
    while read < MESSAGE {
        let (more, needed) =
            send_what_fits(&connection.client, message.get(sent..).unwrap_or_default())?;
        (sent, calls) = (sent + more, calls + needed);
        read += read_what_is_there(&mut connection.server, &mut buffer)?;
    }
    let call = format!("sendall({}), {}", thousands_of(MESSAGE), of_send(calls));
    stage.say("client", call, thousands_of(sent))
}

/// Calls send(2) until it would block; gives how much went, and in how many calls.
fn send_what_fits(mut client: &TcpStream, message: &[u8]) -> io::Result<(usize, u64)> {
    client.set_nonblocking(true)?;
    let (mut sent, mut calls) = (0, 0);
    while let Some(rest) = message.get(sent..).filter(|rest| !rest.is_empty()) {
        match client.write(rest) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        calls += 1;
    }
    Ok((sent, calls))
}

fn read_what_is_there(server: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    loop {
        match server.read(buffer) {
            Ok(length) => read += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(read),
            Err(error) => return Err(error),
        }
    }
}

/// `3 calls of send()`
fn of_send(calls: u64) -> String {
    format!("{} of send()", count(calls, "call"))
}

fn thousands_of(bytes: usize) -> String {
    thousands(u64::try_from(bytes).unwrap_or(u64::MAX))
}
