//! More closes than `tcp_max_tw_buckets` allows: the rest skip TIME_WAIT, without a word in the log.

use std::net::Ipv4Addr;

use super::loopback::{connect, listen, repeatedly};
use crate::catalogue::findings::{TW_BUCKETS_FULL, TW_OVERFLOWED};
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::settle::wait_for_time_waits;
use crate::lab::stage::Stage;

/// `buckets-overflow`.
pub static SCENARIO: Scenario = Scenario {
    name: "buckets-overflow",
    about: "tcp_max_tw_buckets is too low",
    sockets: None,
    per_destination: None,
    make,
};

const BUCKETS: u64 = 10;
const CLOSES: u64 = 25;

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    stage.set("net.ipv4.tcp_max_tw_buckets", &BUCKETS.to_string())?;
    stage.set("net.ipv4.tcp_tw_reuse", "0")?;
    let listener = listen(stage, Ipv4Addr::LOCALHOST)?;
    repeatedly(stage, CLOSES, "connect, accept, client closes", || {
        connect(&listener)?.client_closes_first()
    })?;
    wait_for_time_waits(BUCKETS)?;
    let mut scene = Scene::default();
    scene.ask(
        "states --time-wait",
        vec![
            Claim::exits(1),
            Claim::is("10 sockets in TIME_WAIT", "/pileup/time_wait", BUCKETS),
            Claim::is("the limit is 10", "/pileup/bucket_limit", BUCKETS),
            Claim::is("15 skipped it", "/pileup/overflows_since_boot", CLOSES - BUCKETS),
            Claim::finds(TW_BUCKETS_FULL),
            Claim::finds(TW_OVERFLOWED),
        ],
    );
    scene.hold(listener);
    Ok(scene)
}
