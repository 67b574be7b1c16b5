//! Nobody answers: on the way, packets are dropped without a word, as by most firewalls.

use super::connecting::{SOON, is_silent, is_unanswered};
use super::router::{Way, router, routes};
use crate::kernel::new_route::NewRoute;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `connect-timeout`.
pub static SCENARIO: Scenario = Scenario {
    name: "connect-timeout",
    about: "a router drops packets without a word",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let way = Way::v4();
    let router = router(stage, &[way])?;
    routes(stage, &router, &way, NewRoute::Blackhole)?;
    is_unanswered(stage, way.server)?;
    let mut scene = Scene::default();
    scene.ask(format!("connect {} {SOON}", way.server), is_silent());
    scene.hold(router);
    Ok(scene)
}
