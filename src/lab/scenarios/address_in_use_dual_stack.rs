//! A listener on `[::]` takes IPv4 too, unless it has set IPV6_V6ONLY: `0.0.0.0` is in use, and
//! /proc/net/tcp has no row that says why.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::loopback::PORT;
use super::server::{Sharing, in_use, listen};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `address-in-use-dual-stack`.
pub static SCENARIO: Scenario = Scenario {
    name: "address-in-use-dual-stack",
    about: "a listener on [::] has 0.0.0.0 too",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
    let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    stage.set("net.ipv6.bindv6only", "0")?;
    let listener = listen(stage, six)?;
    in_use(stage, "second", four, Sharing::None)?;
    in_use(stage, "second", four, Sharing::ReuseAddr)?;
    let mut scene = Scene::default();
    let own = std::process::id();
    scene.ask(
        format!("bind 0.0.0.0:{PORT}"),
        vec![
            Claim::exits(1),
            Claim::is("the code is that of the second", "/code", 98),
            Claim::is(
                "the IPv6 listener is in the way",
                "/blockers/*/local",
                vec![six.to_string()],
            ),
            Claim::is("it listens", "/blockers/0/role", "listener"),
            Claim::is("for IPv4 too", "/blockers/0/v6only", false),
            Claim::is(format!("it is process {own}"), "/blockers/0/owners/0/pid", own),
        ],
    );
    scene.hold(listener);
    Ok(scene)
}
