//! A datagram to a port that nobody has: connect(2) and send(2) say 0, and the host's "port
//! unreachable" comes with the next call.

use std::net::{Ipv4Addr, UdpSocket};

use super::connecting::fails_as;
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::claim::Claim;
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `udp-no-listener`.
pub static SCENARIO: Scenario = Scenario {
    name: "udp-no-listener",
    about: "a datagram to a port that nobody has",
    sockets: None,
    per_destination: None,
    make,
};

const QUESTION: &[u8] = b"anybody?";

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    stage.does("client", format_args!("connect({HERE}) of UDP"), client.connect(HERE))?;
    let sent = client.send(QUESTION)?;
    stage.say("client", "send(\"anybody?\")", sent)?;
    let next = client.send(QUESTION);
    stage.is_refused("client", "send(\"anybody?\") again", next, Errno::ECONNREFUSED)?;
    let mut claims = fails_as("refused", Errno::ECONNREFUSED);
    let host = HERE.ip().to_string();
    claims.push(Claim::is("the host said so", "/results/0/icmp/from", host));
    claims.push(Claim::is("destination unreachable", "/results/0/icmp/type", 3));
    claims.push(Claim::is("its port", "/results/0/icmp/code", 3));
    let mut scene = Scene::default();
    scene.ask(format!("connect udp://{HERE}"), claims);
    Ok(scene)
}
