//! The connection comes about and is killed: a server that closes before it has read all that was
//! sent, as one does that is overrun, or a proxy without a backend. The kernel then sends an RST in
//! place of a FIN (`net/ipv4/tcp.c`, `__tcp_close`; RFC 2525, 2.17). connect(2) has said 0.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::loopback::listen;
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-reset`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-reset",
    about: "a server closes with data unread: an RST",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let server = listener.try_clone()?;
    // It ends with the process, and so with the condition.
    thread::spawn(move || serve(&server));
    stage.say("server", "of each connection, recv() of 1 byte, close()", "")?;
    let client = TcpStream::connect(HERE);
    let mut client = stage.does("client", format_args!("connect({HERE})"), client)?;
    let sent = client.write(b"hello")?;
    stage.say("client", "send(\"hello\")", sent)?;
    stage.is_refused("client", "recv()", client.read(&mut [0]), Errno::ECONNRESET)?;
    let mut scene = Scene::default();
    scene.ask(
        format!("connect {HERE} --send hello --expect-reply"),
        vec![
            Claim::exits(1),
            Claim::is("the outcome is refused", "/results/0/outcome", "refused"),
            Claim::is("the code is that of the client", "/results/0/code", 104),
            Claim::is("after the handshake", "/results/0/stage", "reply"),
        ],
    );
    scene.hold(listener);
    Ok(scene)
}

/// Serves one client after another; one that sends nothing and closes gets a FIN.
fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (mut accepted, _) = listener.accept()?;
        // A client that resets first is no reason to stop.
        drop(accepted.read(&mut [0]));
    }
}
