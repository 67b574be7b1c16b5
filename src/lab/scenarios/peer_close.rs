//! A server closes its connections: recv(2) of the client gives 0 bytes, which is no error and has
//! to be looked at. The client that closes leaves the server a TIME_WAIT; the one that does not is
//! in CLOSE_WAIT, and for as long the server's end is in FIN_WAIT2.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};

use anyhow::ensure;

use super::loopback::{Connection, PORT, connect, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::{wait_for_all_closed, wait_for_state};
use crate::lab::stage::Stage;
use crate::model::TcpState;

/// `peer-close`.
pub static SCENARIO: Scenario = Scenario {
    name: "peer-close",
    about: "the server closes; recv() gives 0 bytes",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let Connection { client: polite, server } = connect(&listener)?;
    closes(stage, server, "first")?;
    sees_the_end(stage, &polite, "first")?;
    drop(polite);
    stage.say("client", "close() of the first connection", 0)?;
    wait_for_all_closed(1)?;
    let Connection { client: careless, server } = connect(&listener)?;
    closes(stage, server, "second")?;
    sees_the_end(stage, &careless, "second")?;
    stage.say("client", "does not close the second connection", "")?;
    wait_for_state(TcpState::CLOSE_WAIT, 1)?;
    let mut scene = Scene::default();
    scene.ask(
        "states",
        vec![
            Claim::is("one is in CLOSE_WAIT", "/states/[state=CLOSE_WAIT]/sockets", 1),
            Claim::is("its other end has no program", "/states/[state=FIN_WAIT2_MINI]/sockets", 1),
            Claim::is("one is in TIME_WAIT", "/states/[state=TIME_WAIT]/sockets", 1),
        ],
    );
    scene.ask(
        "states --state close-wait --list",
        vec![Claim::is("it is the client's, which does not close", "/sockets/0/remote/port", PORT)],
    );
    scene.ask(
        "states --state time-wait --list",
        vec![Claim::is("it is the server's, which closed first", "/sockets/0/local/port", PORT)],
    );
    scene.hold(careless);
    scene.hold(listener);
    Ok(scene)
}

fn closes(stage: &mut Stage<'_>, server: TcpStream, which: &str) -> anyhow::Result<()> {
    drop(server);
    stage.say("server", format_args!("close() of the {which} connection"), 0)
}

/// The client reads, and gets the end.
fn sees_the_end(stage: &mut Stage<'_>, mut client: &TcpStream, which: &str) -> anyhow::Result<()> {
    let length = client.read(&mut [0; 16])?;
    ensure!(length == 0, "recv() gave {length} bytes: there is no condition");
    stage.say("client", format_args!("recv() of the {which} connection"), "0 bytes")
}
