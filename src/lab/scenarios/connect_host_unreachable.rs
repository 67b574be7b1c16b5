//! A host of the own network that is off: nobody answers ARP for its address, and the kernel says
//! so in an ICMP message to itself. That takes three seconds where it may ask three times.

use std::time::Duration;

use super::connecting::{fails, fails_as};
use super::router::{LINK, Way, router};
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-host-unreachable`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-host-unreachable",
    about: "nobody answers ARP: the host is off",
    sockets: None,
    per_destination: None,
    make,
};

/// How long ARP waits for the one answer.
const PATIENCE: Duration = Duration::from_millis(50);

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let way = Way::v4();
    let router = router(stage, &[way])?;
    stage.sandbox().ask_for_neighbours_once(LINK, PATIENCE)?;
    let absent = Way::absent_host();
    fails(stage, absent, Errno::EHOSTUNREACH)?;
    let mut claims = fails_as("unreachable", Errno::EHOSTUNREACH);
    claims.push(Claim::is("host unreachable", "/results/0/icmp/code", 1));
    let own = way.client.addr().to_string();
    claims.push(Claim::is("it is this machine that says so", "/results/0/icmp/from", own));
    let mut scene = Scene::default();
    scene.ask(format!("connect {absent}"), claims);
    scene.hold(router);
    Ok(scene)
}
