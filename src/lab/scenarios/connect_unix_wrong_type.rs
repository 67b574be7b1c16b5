//! A client of streams meets a socket for datagrams, as that of syslog is.

use socket2::{Domain, SockAddr, Socket, Type};

use super::connecting::fails_as;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-unix-wrong-type`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-unix-wrong-type",
    about: "a stream meets a socket for datagrams",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let path = stage.directory()?.join("log.sock");
    let end = path.display();
    let address = SockAddr::unix(&path)?;
    let server = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    let call = format_args!("bind({end}) of SOCK_DGRAM").to_string();
    stage.does("server", call, server.bind(&address))?;
    let client = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let call = format_args!("connect({end}) of SOCK_STREAM").to_string();
    stage.is_refused("client", call, client.connect(&address), Errno::EPROTOTYPE)?;
    let mut scene = Scene::default();
    let claims = fails_as("local_error", Errno::EPROTOTYPE);
    scene.ask(format!("connect unix:{end}"), claims);
    let claims = vec![
        Claim::exits(0),
        Claim::is("as a socket for datagrams it is there", "/results/0/outcome", "connected"),
    ];
    scene.ask(format!("connect unix:{end} --type dgram"), claims);
    scene.hold(server);
    Ok(scene)
}
