//! A program has bound the address and does not listen: neither /proc/net/tcp nor `ss -a` shows it.

use super::server::{HERE, Sharing, bind, in_use, is_held_as};
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
    let mut claims = is_held_as("bound");
    claims.push(Claim::is("it does not listen", "/blockers/0/state", "BOUND_INACTIVE"));
    let mut scene = Scene::default();
    scene.ask(format!("bind {HERE}"), claims);
    scene.hold(holder);
    Ok(scene)
}
