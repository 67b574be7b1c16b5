//! IPv6 is switched off by sysctl: `::1` is no address any more. A client that resolves `localhost`
//! to `::1` first is told EADDRNOTAVAIL, though it asked for no address of its own.

use std::net::{Ipv6Addr, SocketAddr};

use super::connecting::{fails, fails_as};
use super::loopback::PORT;
use crate::kernel::Errno;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `ipv6-off`.
pub static SCENARIO: Scenario = Scenario {
    name: "ipv6-off",
    about: "IPv6 is switched off, ::1 is gone",
    sockets: None,
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let end = SocketAddr::from((Ipv6Addr::LOCALHOST, PORT));
    // `all` reaches the interfaces that are there, `lo` among them.
    stage.set("net.ipv6.conf.all.disable_ipv6", "1")?;
    fails(stage, end, Errno::EADDRNOTAVAIL)?;
    let claims = fails_as("local_error", Errno::EADDRNOTAVAIL);
    let mut scene = Scene::default();
    scene.ask(format!("connect {end}"), claims);
    Ok(scene)
}
