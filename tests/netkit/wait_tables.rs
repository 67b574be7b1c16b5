//! `listen:…` and `time-wait<N`: what the kernel's tables show, without a packet.

use std::io;
use std::net::TcpListener;

use serde_json::Value;

use crate::harness::binding::Reuse;
use crate::harness::conditions::{Condition, Occupant, fresh};
use crate::harness::sockets::{listen, listen_at};
use crate::harness::{Answer, Need, live, netkit};

fn target(answer: &Answer) -> Value {
    answer.json()["targets"][0].clone()
}

#[test]
fn a_listener_is_found_in_the_table_and_no_packet_is_sent_to_it() {
    live(&[], || {
        let port = fresh().port();
        let running = netkit(&format!("wait listen:{port} -t 20s")).start();
        let running = running.says(&format!("no listener on port {port}"));
        let listener = listen_at("127.0.0.1", port);
        let (answer, _) = running.ends();
        answer.exits(0).complains(&format!("up (a listener at 127.0.0.1:{port})"));
        listener.set_nonblocking(true).unwrap();
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock);
        drop(listener);
        netkit(&format!("wait listen:{port} --for down -t 5s")).run().exits(0);
    });
}

#[test]
fn with_an_address_it_is_the_listener_that_takes_connections_to_it() {
    live(&[Need::Ipv6], || {
        let looked = |target: &str| netkit(&format!("wait {target} -t 100ms")).run();
        let loopback = listen("127.0.0.1");
        let port = loopback.local_addr().unwrap().port();
        looked(&format!("listen:127.0.0.1:{port}")).exits(0);
        let answer = looked(&format!("listen:0.0.0.0:{port}")).exits(1);
        answer.complains(&format!("no listener there, but one at 127.0.0.1:{port}"));
        let dual = TcpListener::bind("[::]:0").unwrap();
        let port = dual.local_addr().unwrap().port();
        looked(&format!("listen:127.0.0.1:{port}")).exits(0);
        looked(&format!("listen:[::1]:{port}")).exits(0);
        let v4 = listen("0.0.0.0");
        let port = v4.local_addr().unwrap().port();
        looked(&format!("listen:10.1.2.3:{port}")).exits(0);
        looked(&format!("listen:[::1]:{port}")).exits(1);
    });
}

#[test]
fn time_waits_are_counted_and_the_timer_told_that_decides() {
    live(&[], || {
        let here = [Occupant::TimeWait, Occupant::OutgoingTimeWait];
        let conditions = here.map(|occupant| Condition::new(occupant, Reuse::No));
        let looked = |target: &str| netkit("wait --json -t 100ms").arg(target).run();
        let answer = looked("time-wait<3").exits(0);
        assert_eq!(
            (&target(&answer)["condition"], &target(&answer)["met"]),
            (&"below".into(), &true.into())
        );
        let answer = looked("time-wait<2").exits(1);
        let left = target(&answer)["free_in_ms"].as_u64().unwrap();
        assert!((50_000..=60_000).contains(&left), "{left}");
        // That of one service alone.
        let service = conditions[1].remote.unwrap();
        looked(&format!("time-wait:{service}<1")).exits(1);
        looked(&format!("time-wait::{}<2", service.port())).exits(0);
        looked("time-wait:127.0.0.9<1").exits(0);
        looked("time-wait:127.0.0.1<=1").exits(1);
    });
}

#[test]
fn they_are_mixed_with_targets_of_a_condition() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let address = listener.local_addr().unwrap();
        let line = format!("wait {address} listen:{} time-wait<1 --json", address.port());
        let answer = netkit(&line).run().exits(0).json();
        let conditions: Vec<_> = answer["targets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["condition"].as_str().unwrap())
            .collect();
        assert_eq!(conditions, ["up", "up", "below"]);
    });
}
