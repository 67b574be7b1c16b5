//! A server that does not accept: its queue is full, and new clients get no answer.

use std::net::SocketAddr;

use anyhow::ensure;
use socket2::{Domain, Socket, Type};

use super::loopback::PORT;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `syn-backlog`.
pub static SCENARIO: Scenario = Scenario {
    name: "syn-backlog",
    about: "the accept queue is full, clients wait",
    sockets: None,
    per_destination: None,
    make,
};

const BACKLOG: i32 = 1;
/// The queue takes one more than the backlog (`include/net/sock.h`, `sk_acceptq_is_full`).
const QUEUED: u64 = 2;
const UNANSWERED: u64 = 5;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    let end = SocketAddr::from(([127, 0, 0, 1], PORT));
    let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    stage.does("server", format_args!("bind({end})"), server.bind(&end.into()))?;
    stage.does("server", format_args!("listen({BACKLOG})"), server.listen(BACKLOG))?;
    stage.say("server", "never calls accept()", "")?;
    for _ in 0..QUEUED {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        stage.does("client", format_args!("connect({end})"), client.connect(&end.into()))?;
        scene.hold(client);
    }
    for _ in 0..UNANSWERED {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        client.set_nonblocking(true)?;
        let call = format_args!("connect({end}), without waiting").to_string();
        stage.is_refused("client", call, client.connect(&end.into()), Errno::EINPROGRESS)?;
        ensure!(client.take_error()?.is_none(), "the server answered");
        scene.hold(client);
    }
    scene.ask(
        "states",
        vec![
            Claim::is(
                format!("{UNANSWERED} clients wait for an answer"),
                "/states/[state=SYN_SENT]/sockets",
                UNANSWERED,
            ),
            Claim::is(
                "two are connected, at both ends, without an accept()",
                "/states/[state=ESTABLISHED]/sockets",
                2 * QUEUED,
            ),
        ],
    );
    scene.ask(
        "states --listening --list",
        vec![
            Claim::is("two wait to be accepted", "/sockets/0/recv_queue", QUEUED),
            Claim::is("where one was allowed", "/sockets/0/send_queue", BACKLOG),
        ],
    );
    scene.hold(server);
    Ok(scene)
}
