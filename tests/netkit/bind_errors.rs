//! What else than a port in use a bind can fail with, and what looks as if it would and does not.

use std::net::UdpSocket;

use serde_json::{Value, json};
use socket2::{Socket, Type};

use crate::harness::binding::{IN_USE, OK, Reuse};
use crate::harness::conditions::{Condition, Occupant, bound, fresh};
use crate::harness::judgement::{blocker, codes, judge, judged, remedies, remedy};
use crate::harness::needs::run;
use crate::harness::sockets::{listen_at, port};
use crate::harness::{Need, Nobody, Other, live, netkit, sysctl, within};

const EACCES: i32 = 13;
const EINVAL: i32 = 22;
const EADDRNOTAVAIL: i32 = 99;

/// The answer, where its code is this one.
#[track_caller]
fn gives(code: i32, line: &str) -> Value {
    let answer = judge(line);
    assert_eq!(answer["code"], code, "{answer:#}");
    answer
}

/// A refusal for which no socket is to blame, with this remedy.
#[track_caller]
fn nobodys_fault(code: i32, line: &str, id: &str) -> Value {
    let answer = gives(code, line);
    assert_eq!((&answer["blockers"], &answer["stage"]), (&json!([]), &json!("bind")), "{answer:#}");
    assert!(answer["meaning"].as_str().is_some_and(|it| !it.is_empty()), "{answer:#}");
    remedy(&answer, id);
    answer
}

/// Two interfaces at both ends of a wire.
fn wire() {
    run("ip link add v0 type veth peer name v1");
    run("ip link set v0 up");
    run("ip link set v1 up");
}

#[test]
fn a_low_port_needs_a_privilege_and_the_holder_is_named_all_the_same() {
    live(&[Need::Root, Need::Setpriv], || {
        let nobody = Nobody::new();
        let ask = |line: &str| judged(nobody.netkit(&format!("bind --json {line}")));
        for line in ["127.0.0.1:80", "80", "127.0.0.1:80 --udp"] {
            let free = ask(line);
            assert_eq!((&free["code"], &free["blockers"]), (&json!(EACCES), &json!([])), "{free}");
            assert!(codes(&free).iter().all(|code| *code == EACCES), "{free:#}");
            remedy(&free, "grant_privilege");
        }
        let _listener = listen_at("127.0.0.1", 80);
        let taken = ask("127.0.0.1:80");
        assert_eq!(taken["code"], EACCES, "{taken:#}");
        let holder = blocker(&taken);
        assert_eq!((&holder["role"], &holder["state"]), (&json!("listener"), &json!("LISTEN")));
        assert_eq!((&holder["local"], &holder["uid"]), (&json!("127.0.0.1:80"), &json!(0)));
        assert!(taken["blockers_hidden_processes"].as_u64() > Some(0), "{taken:#}");
        gives(IN_USE, "127.0.0.1:80");
        // That the address is not there is found before the port is looked at.
        assert_eq!(ask("10.99.99.99:80")["code"], EADDRNOTAVAIL);
        sysctl::set("ip_unprivileged_port_start", "80");
        assert_eq!(ask("127.0.0.1:81")["code"], OK);
    });
}

#[test]
fn an_address_that_is_not_here() {
    live(&[Need::Ipv6], || {
        for target in ["10.99.99.99:8080", "[fd00:99::1]:8080"] {
            let answer = nobodys_fault(EADDRNOTAVAIL, target, "freebind");
            let freebind = remedy(&answer, "freebind");
            let is_so = (&freebind["verified"], &freebind["helps"]);
            assert_eq!(is_so, (&json!(true), &json!(true)), "{freebind}");
            assert!(remedies(&answer).contains(&"add_address"), "{answer:#}");
            let udp = gives(EADDRNOTAVAIL, &format!("{target} --udp"));
            assert_eq!(udp["protocol"], "udp");
        }
        sysctl::set("ip_nonlocal_bind", "1");
        gives(OK, "10.99.99.99:8080");
        gives(EADDRNOTAVAIL, "[fd00:99::1]:8080");
    });
}

#[test]
fn a_link_local_address_needs_its_interface() {
    live(&[Need::Ipv6], || {
        wire();
        run("ip -6 addr add fe80::99/64 dev v0 nodad");
        nobodys_fault(EINVAL, "[fe80::99]:8080", "scope");
        gives(OK, "[fe80::99%v0]:8080");
        gives(EADDRNOTAVAIL, "[fe80::99%v1]:8080");
        gives(EADDRNOTAVAIL, "[fe80::99%lo]:8080");
        netkit("bind [fe80::99%nowhere]:8080").run().exits(2).complains("nowhere");
    });
}

#[test]
fn an_address_is_not_there_until_it_is_known_to_be_unique() {
    live(&[Need::Ipv6, Need::Sysctl("net.ipv6.conf.all.dad_transmits")], || {
        wire();
        sysctl::write("net.ipv6.conf.v0.dad_transmits", "100");
        sysctl::write("net.ipv6.conf.v0.accept_dad", "1");
        run("ip -6 addr add fd00:5::1/64 dev v0");
        run("ip -6 addr add fd00:5::2/64 dev v0 nodad");
        let answer = nobodys_fault(EADDRNOTAVAIL, "[fd00:5::1]:8080", "wait_for_dad");
        assert!(!remedies(&answer).contains(&"add_address"), "{answer:#}");
        gives(OK, "[fd00:5::2]:8080");
    });
}

#[test]
fn ipv6_that_is_switched_off() {
    live(&[Need::Ipv6], || {
        sysctl::write("net.ipv6.conf.all.disable_ipv6", "1");
        nobodys_fault(EADDRNOTAVAIL, "[::1]:8080", "enable_ipv6");
        gives(OK, "[::]:8080");
    });
}

#[test]
fn what_is_odd_and_allowed() {
    live(&[], || {
        wire();
        run("ip addr add 10.9.9.9/24 dev v0");
        run("ip link set v0 down");
        gives(OK, "10.9.9.9:8080");
        sysctl::set("ip_local_reserved_ports", "45000");
        gives(OK, "127.0.0.1:45000");
        gives(OK, "224.0.0.1:8080");
        gives(OK, "127.1.2.3:8080");
        run("ip link set lo down");
        gives(OK, "127.0.0.1:8080");
    });
}

#[test]
fn port_0_is_refused_when_the_range_is_used_up() {
    live(&[], || {
        sysctl::set("ip_local_port_range", "40000 40001");
        assert_eq!(gives(OK, "127.0.0.1:0")["address"], "127.0.0.1:0");
        let _held = [40_000, 40_001].map(|port| bound(([127, 0, 0, 1], port).into(), Reuse::No));
        gives(IN_USE, "127.0.0.1:0");
        gives(OK, "127.0.0.2:40000");
    });
}

#[test]
fn a_socket_of_one_interface_is_in_the_way_of_one_for_all() {
    live(&[Need::Root], || {
        wire();
        for device in ["lo", "v0"] {
            let end = fresh();
            let socket = Socket::new(socket2::Domain::IPV4, Type::STREAM, None).unwrap();
            socket.bind_device(Some(device.as_bytes())).unwrap();
            socket.bind(&end.into()).unwrap();
            for target in [end.to_string(), end.port().to_string()] {
                let answer = gives(IN_USE, &target);
                let blocker = blocker(&answer);
                assert_eq!(blocker["role"], "bound", "{device} {answer:#}");
                assert_eq!(blocker["owners"][0]["pid"], std::process::id(), "{answer:#}");
            }
        }
    });
}

#[test]
fn other_protocols_and_other_namespaces_are_no_conflict() {
    live(&[Need::Ipv6], || {
        let tcp = Condition::new(Occupant::Listener, Reuse::No);
        gives(OK, &format!("{} --udp", tcp.local));
        gives(IN_USE, &tcp.local.to_string());
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        gives(OK, &udp.local_addr().unwrap().to_string());
        let other = Other::new();
        let there = within(&other.path(), || bound(fresh(), Reuse::No));
        gives(OK, &format!("127.0.0.1:{}", port(&there)));
        let line = format!("127.0.0.1:{} --netns {}", port(&there), other.pid());
        let answer = gives(IN_USE, &line);
        assert_eq!(blocker(&answer)["owners"][0]["pid"], std::process::id(), "{answer:#}");
    });
}
