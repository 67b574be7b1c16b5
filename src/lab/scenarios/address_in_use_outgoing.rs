//! An outgoing connection was given the server's port, for it is among the ephemeral ones. No
//! option of the server helps against that: `ip_local_reserved_ports` does, beforehand.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use super::loopback::PORT;
use super::server::{Sharing, in_use, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `address-in-use-outgoing`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-outgoing",
    about: "an outgoing connection has the port",
    sockets: None,
    per_destination: None,
    make,
};

const PORT_RANGE: &str = "net.ipv4.ip_local_port_range";

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let database = SocketAddr::from((Ipv4Addr::LOCALHOST, 5432));
    let server = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    let listener = listen(stage, database)?;
    // A single port, so that connect(2) takes it; then a range as people widen it to.
    stage.set(PORT_RANGE, &format!("{PORT} {PORT}"))?;
    let connected = TcpStream::connect(database);
    let client = stage.does("client", format_args!("connect({database})"), connected)?;
    let local = client.local_addr()?;
    stage.say("client", format_args!("is given {local}"), "")?;
    stage.set(PORT_RANGE, "1024 65535")?;
    for sharing in Sharing::ALL {
        in_use(stage, "second", server, sharing)?;
    }
    let mut scene = Scene::default();
    scene.ask(format!("bind 0.0.0.0:{PORT}"), claims(&local.to_string()));
    scene.hold(client);
    scene.hold(listener);
    Ok(scene)
}

fn claims(local: &str) -> Vec<Claim> {
    let own = std::process::id();
    vec![
        Claim::exits(1),
        Claim::is("the code is that of the server", "/code", 98),
        Claim::is("one connection is in the way", "/blockers/*/local", vec![local]),
        Claim::is("this host opened it", "/blockers/0/role", "outgoing"),
        Claim::is("it is open", "/blockers/0/state", "ESTABLISHED"),
        Claim::is(format!("process {own} has it"), "/blockers/0/owners/0/pid", own),
        Claim::is("SO_REUSEADDR does not help", "/remedies/[id=reuse_addr]/helps", false),
        Claim::is("nor does SO_REUSEPORT", "/remedies/[id=reuse_port]/helps", false),
        Claim::is("to reserve the port does", "/remedies/[id=reserve_port]/helps", true),
    ]
}
