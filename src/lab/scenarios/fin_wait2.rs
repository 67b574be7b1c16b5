//! Clients that have closed, and a server that has not: FIN_WAIT2 without an owner, which sockstat
//! and `ss -s` count as "timewait". Lowering `tcp_fin_timeout` shortens these, and so the myth
//! lives that it shortens TIME_WAIT.

use std::net::Ipv4Addr;

use super::loopback::{clients_close, listen};
use crate::catalogue::findings::TW_MOSTLY_FIN_WAIT2;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;
use crate::output::numbers::count;

/// `fin-wait2`.
pub static SCENARIO: Scenario = Scenario {
    name: "fin-wait2",
    about: "clients have closed, the server does not",
    sockets: Some(200),
    per_destination: None,
    make,
};

fn make(stage: &mut Stage<'_>, size: Size) -> anyhow::Result<Scene> {
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    let servers = clients_close(stage, &listener, size.sockets)?;
    let mut scene = Scene::default();
    let sockets = count(size.sockets, "socket");
    scene.ask(
        "states",
        vec![
            Claim::is(
                format!("{sockets} in FIN_WAIT2 that no program has"),
                "/states/[state=FIN_WAIT2_MINI]/sockets",
                size.sockets,
            ),
            Claim::is(
                "which the kernel's own count calls tw",
                "/counters/sockstat/time_wait",
                size.sockets,
            ),
        ],
    );
    scene.ask(
        "states --time-wait",
        vec![
            Claim::exits(0),
            Claim::is("no TIME_WAIT is there", "/pileup/time_wait", 0),
            Claim::is("FIN_WAIT2 is", "/pileup/fin_wait2_mini", size.sockets),
            Claim::finds(TW_MOSTLY_FIN_WAIT2),
        ],
    );
    for server in servers {
        scene.hold(server);
    }
    scene.hold(listener);
    Ok(scene)
}
