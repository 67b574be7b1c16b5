//! A server that never closes what its clients have closed: CLOSE_WAIT for as long as it runs.

use std::net::Ipv4Addr;

use super::loopback::{clients_close, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;
use crate::output::numbers::count;

/// `close-wait-leak`.
pub static SCENARIO: Scenario = Scenario {
    name: "close-wait-leak",
    about: "a program does not close its sockets",
    sockets: Some(30),
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let leaked = clients_close(stage, &listener, size.sockets)?;
    let mut scene = Scene::default();
    let own = std::process::id();
    let sockets = count(size.sockets, "socket");
    scene.ask(
        "states",
        vec![
            Claim::is(
                format!("{sockets} in CLOSE_WAIT"),
                "/states/[state=CLOSE_WAIT]/sockets",
                size.sockets,
            ),
            Claim::is(
                format!("process {own} holds them: it is the server"),
                "/close_wait_owners/owners/0/pid",
                own,
            ),
            Claim::is("all of them", "/close_wait_owners/owners/0/sockets", size.sockets),
        ],
    );
    for server in leaked {
        scene.hold(server);
    }
    scene.hold(listener);
    Ok(scene)
}
