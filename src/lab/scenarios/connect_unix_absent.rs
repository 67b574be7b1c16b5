//! There is no socket file: the server was not started, or its path is another one.

use std::os::unix::net::UnixStream;

use super::connecting::fails_as;
use crate::kernel::Errno;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-unix-absent`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-unix-absent",
    about: "there is no such socket file",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let path = stage.directory()?.join("server.sock");
    let end = path.display();
    let answer = UnixStream::connect(&path);
    stage.is_refused("client", format_args!("connect({end})"), answer, Errno::ENOENT)?;
    let mut scene = Scene::default();
    scene.ask(format!("connect unix:{end}"), fails_as("local_error", Errno::ENOENT));
    Ok(scene)
}
