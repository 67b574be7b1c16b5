//! The connection comes about and is killed: a server that accepts and closes with what the client
//! sent unread, or by SO_LINGER of 0, as proxies without a backend do. connect(2) says 0.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::loopback::listen;
use super::server::HERE;
use crate::kernel::Errno;
use crate::kernel::clock::sleep;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-reset`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-reset",
    about: "a server accepts, and resets",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let server = listener.try_clone()?;
    // It ends with the process, which ends with the condition.
    thread::spawn(move || reset_all(&server));
    stage.say("server", "accept, close with SO_LINGER of 0, again and again", "")?;
    let client = stage.does("client", format_args!("connect({HERE})"), TcpStream::connect(HERE))?;
    stage.is_refused("client", "recv()", (&client).read(&mut [0]), Errno::ECONNRESET)?;
    let mut scene = Scene::default();
    scene.ask(
        format!("connect {HERE} --expect-reply"),
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

fn reset_all(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (accepted, _) = listener.accept()?;
        // What a client sees first is then its connect(2), and not the RST.
        sleep(Duration::from_millis(20));
        SockRef::from(&accepted).set_linger(Some(Duration::ZERO))?;
    }
}
