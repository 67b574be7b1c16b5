//! The socket file of a server that is gone: bind(2) does not ask whether anybody listens.

use std::os::unix::net::{UnixListener, UnixStream};

use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `address-in-use-unix-stale`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-unix-stale",
    about: "the socket file of a server that is gone",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let path = stage.directory()?.join("server.sock");
    let end = path.display();
    let server = UnixListener::bind(&path);
    let server = stage.does("server", format_args!("bind and listen({end})"), server)?;
    drop(server);
    stage.say("server", "close(): the file stays", 0)?;
    let again = UnixListener::bind(&path);
    stage.is_refused("restart", format_args!("bind({end})"), again, Errno::EADDRINUSE)?;
    let answer = UnixStream::connect(&path);
    stage.is_refused("client", format_args!("connect({end})"), answer, Errno::ECONNREFUSED)?;
    let mut scene = Scene::default();
    scene.ask(
        format!("bind unix:{end}"),
        vec![
            Claim::exits(1),
            Claim::is("the code is that of the restart", "/code", 98),
            Claim::is("a stale file is in the way", "/blockers/*/role", vec!["unix_stale"]),
            Claim::is("it does not go away by itself", "/frees_itself", false),
            Claim::is("to remove it helps", "/remedies/[id=unlink]/helps", true),
        ],
    );
    Ok(scene)
}
