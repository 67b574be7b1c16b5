//! `netkit bind --find-free`: ports that really are free.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use socket2::Socket;

use crate::harness::binding::{OK, Reuse, User, bind_code};
use crate::harness::conditions::{Condition, Occupant, bound};
use crate::harness::{Answer, Need, Nobody, Schema, live, netkit};

/// Ten ports, of which the second, the third and the last are taken.
fn ten_ports() -> (u16, [Socket; 3]) {
    let low = 21_000;
    let taken = [low + 1, low + 2, low + 9];
    (low, taken.map(|port| bound((Ipv4Addr::LOCALHOST, port).into(), Reuse::No)))
}

#[test]
fn free_ports_are_found_and_are_free() {
    live(&[], || {
        let (low, _taken) = ten_ports();
        let range = format!("{low}-{}", low + 9);
        let find =
            |options: &str| netkit(&format!("bind 127.0.0.1 --find-free {range} {options}")).run();
        let ports = |answer: &Answer| {
            answer.stdout.lines().map(|line| line.parse().unwrap()).collect::<Vec<u16>>()
        };
        assert_eq!(ports(&find("").exits(0).quietly()).len(), 1);
        let seven = ports(&find("--count 7").exits(0));
        let each: BTreeSet<_> = seven.iter().copied().collect();
        let expected = [0, 3, 4, 5, 6, 7, 8].map(|it| low + it);
        assert_eq!(each, BTreeSet::from(expected), "{seven:?}");
        for port in seven {
            let end = (Ipv4Addr::LOCALHOST, port).into();
            assert_eq!(bind_code(end, Reuse::No, User::Owner), OK, "{port}");
        }
        let too_many = find("--count 8").exits(1).complains("netkit: 7 free ports");
        assert_eq!(ports(&too_many).len(), 7);
        assert_eq!(ports(&find("--count 10 --udp").exits(0)).len(), 10);
        // None of the ports of this address: the taken ones are in the way of all addresses.
        let line = format!("bind --find-free {}-{}", low + 1, low + 2);
        assert_eq!(netkit(&line).run().exits(1).stdout, "");
        let line = format!("bind 127.0.0.2 --find-free {}-{} --count 2", low + 1, low + 2);
        assert_eq!(ports(&netkit(&line).run().exits(0)).len(), 2);
        find("-q").is(0, "", "");
        find("-q --count 8").is(1, "", "");
    });
}

#[test]
fn free_ports_in_the_formats_of_programs() {
    live(&[], || {
        let (low, _taken) = ten_ports();
        let line = format!("bind 127.0.0.1 --find-free {low}-{} --count 8", low + 9);
        let answer = netkit(&format!("{line} --json")).run().exits(1).json();
        Schema::of("free_ports").holds(&answer);
        assert_eq!(answer["schema"], "netkit.free_ports/1");
        let asked = json!(["127.0.0.1", "tcp", low, low + 9, 8]);
        let get = ["address", "protocol", "low", "high", "wanted"];
        assert_eq!(Value::from(get.map(|it| answer[it].clone()).to_vec()), asked);
        assert_eq!(answer["ports"].as_array().unwrap().len(), 7, "{answer:#}");
        let rows = netkit(&format!("{line} --format ndjson")).run().exits(1).rows();
        assert_eq!(rows.len(), 7, "{rows:?}");
        let csv = netkit(&format!("{line} --format csv")).run().exits(1).stdout;
        assert_eq!(csv.lines().count(), 8, "{csv}");
        assert!(csv.lines().next().unwrap().contains("port"), "{csv}");
    });
}

#[test]
fn a_port_that_a_connection_left_is_not_free() {
    live(&[], || {
        let left = Condition::new(Occupant::TimeWait, Reuse::Addr);
        let port = left.local.port();
        let line = format!("bind 127.0.0.1 --find-free {port}-{port}");
        assert_eq!(netkit(&line).run().exits(1).stdout, "");
        let answer = netkit(&format!("{line} --reuse-addr")).run();
        // An option that is not heeded is not accepted either.
        match answer.code {
            Some(2) => {}
            _ => assert_eq!(answer.stdout, format!("{port}\n"), "{answer}"),
        }
    });
}

#[test]
fn why_no_port_can_be_had_is_said() {
    live(&[Need::Root, Need::Setpriv], || {
        let nowhere = netkit("bind 10.99.99.99 --find-free 8000-8010").run();
        assert_eq!((nowhere.code == Some(0), nowhere.stdout.as_str()), (false, ""));
        let nowhere = nowhere.complains("10.99.99.99").complains("EADDRNOTAVAIL");
        assert!(!nowhere.stderr.contains("larger range"), "{nowhere}");
        let low = Nobody::new().netkit("bind 127.0.0.1 --find-free 80-90").run();
        assert_eq!((low.code == Some(0), low.stdout.as_str()), (false, ""));
        low.complains("EACCES");
    });
}
