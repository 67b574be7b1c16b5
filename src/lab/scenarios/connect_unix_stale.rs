//! A client meets the socket file of a server that is gone: the same ECONNREFUSED as from a closed
//! port, though the file is there.

use std::os::unix::net::{UnixListener, UnixStream};

use super::connecting::fails_as;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-unix-stale`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-unix-stale",
    about: "the socket file is there, the server is not",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let path = stage.directory()?.join("server.sock");
    let end = path.display();
    let server = UnixListener::bind(&path);
    drop(stage.does("server", format_args!("bind and listen({end})"), server)?);
    stage.say("server", "close(): the file stays", 0)?;
    let answer = UnixStream::connect(&path);
    stage.is_refused("client", format_args!("connect({end})"), answer, Errno::ECONNREFUSED)?;
    let mut claims = fails_as("refused", Errno::ECONNREFUSED);
    claims.push(Claim::is("it is of that file", "/results/0/address", end.to_string()));
    let mut scene = Scene::default();
    scene.ask(format!("connect unix:{end}"), claims);
    Ok(scene)
}
