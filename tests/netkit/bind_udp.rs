//! `netkit bind --udp`: one plain bind and no other, since a second socket with an option of reuse
//! takes the datagrams of the first.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Socket, Type};

use crate::harness::binding::{IN_USE, OK, REUSE, Reuse, code, socket};
use crate::harness::conditions::fresh;
use crate::harness::judgement::{blocker, codes, could_not_look, judge, judged, remedies};
use crate::harness::{Need, Nobody, live, netkit};

/// A UDP socket on a fresh port.
fn udp(reuse: Reuse) -> (SocketAddr, Socket) {
    let end = fresh();
    let socket = socket(end, Type::DGRAM, reuse);
    socket.bind(&end.into()).unwrap();
    (end, socket)
}

/// What the kernel says to a second socket.
fn by_kernel(end: SocketAddr, reuse: Reuse) -> i32 {
    code(socket(end, Type::DGRAM, reuse).bind(&end.into()))
}

fn holder(answer: &Value) -> Value {
    let it = blocker(answer);
    json!([it["role"], it["local"], it["reuse_addr"], it["reuse_port"], it["owners"][0]["pid"]])
}

#[test]
fn a_plain_bind_is_refused_whatever_the_other_socket_has() {
    live(&[Need::Root], || {
        for reuse in REUSE {
            let (end, socket) = udp(reuse);
            let answer = judge(&format!("{end} --udp"));
            assert_eq!((by_kernel(end, Reuse::No), codes(&answer)), (IN_USE, vec![IN_USE]));
            let pid = std::process::id();
            let expected = json!(["udp", end.to_string(), reuse.addr(), reuse.port(), pid]);
            assert_eq!(holder(&answer), expected, "{answer:#}");
            assert_eq!(answer["frees_itself"], false, "{answer:#}");
            drop(socket);
            assert_eq!(codes(&judge(&format!("{end} --udp"))), [OK]);
        }
    });
}

#[test]
fn a_connected_socket_keeps_its_port() {
    live(&[Need::Root], || {
        let (peer, _peer) = udp(Reuse::No);
        let (end, socket) = udp(Reuse::No);
        socket.connect(&peer.into()).unwrap();
        let answer = judge(&format!("{end} --udp"));
        assert_eq!((by_kernel(end, Reuse::No), codes(&answer)), (IN_USE, vec![IN_USE]));
        let it = blocker(&answer);
        assert_eq!(
            (&it["state"], &it["remote"]),
            (&json!("ESTABLISHED"), &json!(peer.to_string()))
        );
    });
}

#[test]
fn with_options_of_reuse_the_answer_is_foretold_from_the_owners() {
    live(&[Need::Root], || {
        for owner in REUSE {
            for wanted in REUSE {
                let (end, _socket) = udp(owner);
                let answer = judge(&format!("{end} --udp {}", wanted.words()));
                // On a port of its own, which netkit is not asked about.
                let (twin, _twin) = udp(owner);
                let expected = by_kernel(twin, wanted);
                assert_eq!(answer["code"], expected, "{owner:?}, {wanted:?}: {answer:#}");
                assert_eq!(answer["free"], expected == OK, "{owner:?}, {wanted:?}: {answer:#}");
            }
        }
    });
}

#[test]
fn with_options_of_an_owner_that_cannot_be_asked_there_is_no_answer() {
    live(&[Need::Root, Need::Setpriv], || {
        let nobody = Nobody::new();
        let (end, _socket) = udp(Reuse::Addr);
        let answer = judged(nobody.netkit(&format!("bind --json --udp {end}")));
        assert_eq!(codes(&answer), [IN_USE]);
        let line = format!("bind --json --udp --reuse-addr {end}");
        could_not_look(nobody.netkit(&line)).complains("netkit: ");
        let free = fresh();
        let line = format!("bind --json --udp --reuse-addr {free}");
        assert_eq!(judged(nobody.netkit(&line))["code"], OK);
    });
}

#[test]
fn no_datagram_goes_astray_while_netkit_looks() {
    live(&[Need::Root], || {
        for reuse in [Reuse::Addr, Reuse::Port] {
            let (end, socket) = udp(reuse);
            let receiver = UdpSocket::from(socket);
            receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let is_done = AtomicBool::new(false);
            let sent = thread::scope(|scope| {
                let sender = scope.spawn(|| exchange(&receiver, end, &is_done));
                let looks = ["--udp", "--udp --reuse-addr", "--udp --reuse-port"].repeat(5);
                let looks = looks.iter().map(|it| netkit(&format!("bind --json {end} {it}")).run());
                let wrong = looks.filter(|it| !matches!(it.code, Some(0 | 1))).collect::<Vec<_>>();
                is_done.store(true, Ordering::Relaxed);
                assert!(wrong.is_empty(), "{wrong:#?}");
                sender.join().unwrap()
            });
            assert!(sent > 100, "{sent}");
        }
    });
}

/// Sends to `end` and receives there, one datagram after the other, and gives their number. One
/// that went elsewhere is missed, and the wait for it fails.
fn exchange(receiver: &UdpSocket, end: SocketAddr, is_done: &AtomicBool) -> u32 {
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut number = 0_u32;
    while !is_done.load(Ordering::Relaxed) {
        sender.send_to(&number.to_ne_bytes(), end).unwrap();
        let mut bytes = [0; 4];
        assert_eq!(receiver.recv(&mut bytes).unwrap(), 4);
        assert_eq!(u32::from_ne_bytes(bytes), number);
        number += 1;
    }
    number
}

#[test]
fn what_would_steal_is_no_remedy() {
    live(&[Need::Root], || {
        let (end, _socket) = udp(Reuse::Addr);
        let answer = judge(&format!("{end} --udp"));
        let offered = remedies(&answer);
        for id in ["wait", "reuse_addr_in_server", "tcp_tw_reuse", "kill_socket"] {
            assert!(!offered.contains(&id), "{offered:?}");
        }
        assert!(offered.contains(&"stop_owner"), "{offered:?}");
    });
}
