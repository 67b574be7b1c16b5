//! A fresh network namespace, as `ip netns add` and `unshare -n` make it: its loopback interface is
//! down, and not even 127.0.0.1 can be reached.

use super::connecting::{fails, fails_as};
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `lo-down`.
pub static SCENARIO: Scenario = Scenario {
    name: "lo-down",
    about: "the loopback interface is down",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    stage.sandbox().leave_for_a_fresh_one()?;
    stage.say("client", "unshare(CLONE_NEWNET): `lo` is down there", 0)?;
    fails(stage, HERE, Errno::ENETUNREACH)?;
    let claims = fails_as("unreachable", Errno::ENETUNREACH);
    let mut scene = Scene::default();
    scene.ask(format!("connect {HERE}"), claims);
    Ok(scene)
}
