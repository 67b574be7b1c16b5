//! A program has bound the address and does not listen: neither /proc/net/tcp nor `ss -a` shows it.

use super::loopback::PORT;
use super::server::{HERE, Sharing, bind, in_use};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `address-in-use-bound`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-bound",
    about: "a program has bound it and does not listen",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let holder = bind(stage, HERE)?;
    stage.say("server", "does not call listen()", "")?;
    in_use(stage, "second", HERE, Sharing::None)?;
    in_use(stage, "second", HERE, Sharing::ReuseAddr)?;
    let mut scene = Scene::default();
    let own = std::process::id();
    scene.ask(
        format!("bind 127.0.0.1:{PORT}"),
        vec![
            Claim::exits(1),
            Claim::is("the code is that of the second", "/code", 98),
            Claim::is("a bound socket is in the way", "/blockers/*/role", vec!["bound"]),
            Claim::is("it does not listen", "/blockers/0/state", "BOUND_INACTIVE"),
            Claim::is(format!("process {own} has it"), "/blockers/0/owners/0/pid", own),
            Claim::is("it does not go away by itself", "/frees_itself", false),
        ],
    );
    scene.hold(holder);
    Ok(scene)
}
