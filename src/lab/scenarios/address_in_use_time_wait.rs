//! The tutorial's: a server without SO_REUSEADDR is stopped, and cannot be started again for a
//! minute. Setting the option at the restart comes too late: the sockets that it left do not have
//! it (`net/ipv4/inet_connection_sock.c`, `inet_bind_conflict`).

use std::net::TcpStream;

use super::loopback::{Connection, PORT};
use super::server::{HERE, Sharing, in_use, listen};
use crate::lab::claim::{Claim, Expected};
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::wait_for_all_closed;
use crate::lab::stage::Stage;

/// `address-in-use-time-wait`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-time-wait",
    about: "a server is restarted without SO_REUSEADDR",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let server = listen(stage, HERE)?;
    let client = stage.does("client", format_args!("connect({HERE})"), TcpStream::connect(HERE))?;
    let remote = client.local_addr()?;
    let (accepted, _) =
        stage.does("server", format_args!("accept() from {remote}"), server.accept())?;
    Connection { client, server: accepted.into() }.server_closes_first()?;
    stage.say("server", "close() of the connection, before the client does", 0)?;
    drop(server);
    stage.say("server", "close() of the listener: it has stopped", 0)?;
    wait_for_all_closed(1)?;
    in_use(stage, "restart", HERE, Sharing::None)?;
    in_use(stage, "restart", HERE, Sharing::ReuseAddr)?;
    let mut scene = Scene::default();
    scene.ask(format!("bind 127.0.0.1:{PORT}"), claims(&remote.to_string()));
    Ok(scene)
}

fn claims(remote: &str) -> Vec<Claim> {
    vec![
        Claim::exits(1),
        Claim::is("the code is that of the restart", "/code", 98),
        Claim::is("one connection is in the way", "/blockers/*/remote", vec![remote]),
        Claim::is("it is in TIME_WAIT", "/blockers/0/state", "TIME_WAIT"),
        Claim::is("the server had accepted it", "/blockers/0/role", "accepted"),
        Claim::is("nobody needs to do anything", "/frees_itself", true),
        Claim::new("it ends within 60 s", "/frees_in_ms", Expected::Within(1, 60_000)),
        Claim::is("SO_REUSEADDR does not help now", "/remedies/[id=reuse_addr]/helps", false),
        Claim::is("which was tried", "/remedies/[id=reuse_addr]/verified", true),
    ]
}
