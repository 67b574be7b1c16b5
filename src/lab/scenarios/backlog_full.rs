//! A server that does not accept any more: connect(2) says 0 until its queue is full, and from then
//! on nobody is answered, not even by a refusal. Seen from a client, it is a firewall that drops.

use super::connecting::{SOON, is_silent, is_unanswered, try_connect};
use super::server::{HERE, bind};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `backlog-full`.
pub static SCENARIO: Scenario = Scenario {
    name: "backlog-full",
    about: "accepted by the kernel alone, then silence",
    sockets: None,
    per_destination: None,
    make,
};

const BACKLOG: i32 = 1;
/// The queue takes one more than the backlog (`include/net/sock.h`, `sk_acceptq_is_full`).
const QUEUED: u64 = 2;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let mut scene = Scene::default();
    let server = bind(stage, HERE)?;
    stage.does("server", format_args!("listen({BACKLOG})"), server.listen(BACKLOG))?;
    stage.say("server", "never calls accept()", "")?;
    for _ in 0..QUEUED {
        let call = format_args!("connect({HERE})").to_string();
        scene.hold(stage.does("client", call, try_connect(HERE))?);
    }
    is_unanswered(stage, HERE)?;
    let claims = is_silent();
    scene.ask(format!("connect {HERE} {SOON}"), claims);
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
