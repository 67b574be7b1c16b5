//! A client of UDP that is started before its server: what it sends until then is lost, and
//! nothing sends it again. The refusal comes to the next call, when the server may be there.

use std::net::{Ipv4Addr, UdpSocket};

use anyhow::ensure;

use super::connecting::{SOON, fails_as};
use super::server::HERE;
use crate::kernel::Errno;
use crate::lab::claim::{Claim, Expected};
use crate::lab::scenario::{Scenario, Scene, Size};
use crate::lab::stage::Stage;

/// `udp-client-first`.
pub static SCENARIO: Scenario = Scenario {
    name: "udp-client-first",
    about: "a datagram was sent before the server came",
    sockets: None,
    per_destination: None,
    make,
};

const SECOND: &[u8; 6] = b"second";

fn make(stage: &mut Stage<'_>, _: Size) -> anyhow::Result<Scene> {
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    stage.does("client", format_args!("connect({HERE}) of UDP"), client.connect(HERE))?;
    let sent = client.send(b"first")?;
    stage.say("client", "send(\"first\")", sent)?;
    let server = UdpSocket::bind(HERE);
    let server = stage.does("server", format_args!("bind({HERE}) of UDP"), server)?;
    let late = client.send(SECOND);
    stage.is_refused("client", "send(\"second\")", late, Errno::ECONNREFUSED)?;
    let sent = client.send(SECOND)?;
    stage.say("client", "send(\"second\") again", sent)?;
    let mut heard = [0; SECOND.len()];
    // As recv(2), and the datagram stays in the queue.
    let length = server.peek(&mut heard)?;
    ensure!(length == SECOND.len() && heard == *SECOND, "the first datagram was not lost");
    stage.say("server", "the first datagram in its queue", "\"second\"")?;
    let mut scene = Scene::default();
    scene.ask(
        format!("states --udp --list --local-port {}", HERE.port()),
        vec![
            Claim::is("one socket has the port", "/sockets/*/local/port", vec![HERE.port()]),
            // What is counted is memory, the kernel's own for each datagram included.
            Claim::new("a datagram waits", "/sockets/0/recv_queue", Expected::Within(1, 4096)),
        ],
    );
    let mut claims = fails_as("timed_out", Errno::EAGAIN);
    claims.push(Claim::is("it was sent, and not answered", "/results/0/stage", "reply"));
    claims.push(Claim::is("nobody refused it", "/results/0/icmp", ()));
    scene.ask(format!("connect udp://{HERE} {SOON}"), claims);
    scene.hold(client);
    scene.hold(server);
    Ok(scene)
}
