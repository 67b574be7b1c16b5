//! A server on a Unix socket that does not accept: a client that may not wait is told EAGAIN at
//! once, the number that elsewhere says "our deadline passed". poll(2) does not tell when there is
//! room, so that a client has to try again (`net/unix/af_unix.c`, `unix_stream_connect`).

use socket2::{Domain, SockAddr, Socket, Type};

use super::connecting::{SOON, is_silent};
use crate::kernel::Errno;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-unix-full`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-unix-full",
    about: "a Unix socket whose server does not accept",
    sockets: None,
    per_destination: None,
    make,
};

/// The queue takes one more (`unix_recvq_full`).
const BACKLOG: i32 = 1;
const QUEUED: u64 = 2;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    let path = stage.directory()?.join("server.sock");
    let end = path.display().to_string();
    let address = SockAddr::unix(&path)?;
    let server = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    stage.does("server", format_args!("bind({end})"), server.bind(&address))?;
    stage.does("server", format_args!("listen({BACKLOG})"), server.listen(BACKLOG))?;
    for _ in 0..QUEUED {
        let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        stage.does("client", format_args!("connect({end})"), client.connect(&address))?;
        scene.hold(client);
    }
    let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    let call = format!("connect({end}), without waiting");
    stage.is_refused("client", call, client.connect(&address), Errno::EAGAIN)?;
    scene.ask(format!("connect unix:{end} {SOON}"), is_silent());
    scene.hold(server);
    Ok(scene)
}
