//! What `netkit bind` says would help does, what it says would not does not, and a port is free
//! when it says so.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::Type;

use crate::harness::binding::{IN_USE, OK, Reuse, User, bind_code, bind_codes, code, socket};
use crate::harness::conditions::{Condition, Occupant, bound, fresh};
use crate::harness::judgement::{blocker, codes, find_remedy, judge, remedies, remedy};
use crate::harness::{Need, live, sysctl};

/// Whether a remedy that was tried helps.
#[track_caller]
fn helps(answer: &Value, id: &str) -> bool {
    let remedy = remedy(answer, id);
    assert_eq!(remedy["verified"], true, "{remedy}");
    remedy["helps"].as_bool().unwrap()
}

/// Where a remedy is there, whether it was tried and helps.
fn is_promised(answer: &Value, id: &str) -> bool {
    find_remedy(answer, id).is_some_and(|it| it["helps"] == true)
}

/// Whether the two options are said to help, and do on a port where it is the same.
#[track_caller]
fn reuse_helps(make: impl Fn() -> Condition, expected: (bool, bool)) -> Value {
    let condition = make();
    let answer = judge(&condition.local.to_string());
    let said = (helps(&answer, "reuse_addr"), helps(&answer, "reuse_port"));
    let twin = make();
    let tried = [Reuse::Addr, Reuse::Port].map(|it| bind_code(twin.local, it, User::Owner) == OK);
    assert_eq!((said, tried.into()), (expected, expected), "{answer:#}");
    answer
}

#[test]
fn the_time_wait_of_a_server() {
    live(&[Need::Root], || {
        for (reuse, expected) in [
            (Reuse::Addr, (true, false)),
            (Reuse::No, (false, false)),
            (Reuse::Port, (false, true)),
            (Reuse::Both, (true, true)),
        ] {
            let answer = reuse_helps(|| Condition::new(Occupant::TimeWait, reuse), expected);
            let left = answer["frees_in_ms"].as_i64().unwrap();
            assert!((45_000..=60_000).contains(&left), "{answer:#}");
            assert!(is_promised(&answer, "wait"), "{answer:#}");
            // There is no process to stop.
            assert!(find_remedy(&answer, "stop_owner").is_none(), "{answer:#}");
            for id in ["tcp_tw_reuse", "tcp_fin_timeout"] {
                assert!(!is_promised(&answer, id), "{answer:#}");
            }
            if reuse == Reuse::No {
                // The program sets it before its next start, and the leftover keeps what it had.
                assert!(remedies(&answer).contains(&"reuse_addr_in_server"), "{answer:#}");
            }
            if reuse.addr() {
                assert_eq!(remedies(&answer)[0], "reuse_addr", "{answer:#}");
            }
        }
    });
}

#[test]
fn a_listener() {
    live(&[Need::Root], || {
        for (reuse, expected) in [(Reuse::Port, (false, true)), (Reuse::Addr, (false, false))] {
            let answer = reuse_helps(|| Condition::new(Occupant::Listener, reuse), expected);
            assert_eq!(answer["frees_itself"], false, "{answer:#}");
            assert_eq!(answer["frees_in_ms"], Value::Null, "{answer:#}");
            remedy(&answer, "stop_owner");
            assert!(!is_promised(&answer, "wait"), "{answer:#}");
        }
    });
}

#[test]
fn a_connection_out() {
    live(&[Need::Root], || {
        for occupant in [Occupant::OutgoingEstablished, Occupant::OutgoingTimeWait] {
            let answer = reuse_helps(|| Condition::new(occupant, Reuse::No), (false, false));
            remedy(&answer, "reserve_port");
            // An option of the server's does not help against what is not its own.
            assert!(!is_promised(&answer, "reuse_addr_in_server"), "{answer:#}");
            // The peer is not a part of it: the port is inside the range and its port is not.
            let alone = Condition::new(occupant, Reuse::No).without_others();
            let answer = judge(&alone.local.to_string());
            if occupant == Occupant::OutgoingTimeWait {
                assert_eq!(blocker(&answer)["role"], "outgoing", "{answer:#}");
            }
        }
    });
}

#[test]
fn a_leftover_that_may_be_of_either_side() {
    live(&[Need::Root], || {
        sysctl::set("ip_local_port_range", "10000 60999");
        let service = Condition::new(Occupant::TimeWait, Reuse::No);
        let client = Condition::outgoing_to(fresh(), Occupant::OutgoingTimeWait).without_others();
        for condition in [service, client] {
            let answer = judge(&condition.local.to_string());
            let it = blocker(&answer);
            assert_eq!((&it["role"], &it["state"]), (&json!("either"), &json!("TIME_WAIT")));
            assert!(it["why"].as_str().is_some_and(|why| !why.is_empty()), "{answer:#}");
        }
    });
}

#[test]
fn beside_its_listener_a_leftover_is_of_the_server_also_inside_the_range() {
    live(&[Need::Root], || {
        sysctl::set("ip_local_port_range", "10000 60999");
        let left = Condition::new(Occupant::TimeWait, Reuse::Addr);
        let listener = bound(left.local, Reuse::Addr);
        listener.listen(1).unwrap();
        let roles = |options: &str| {
            let answer = judge(&format!("{} {options}", left.local));
            assert_eq!(answer["frees_in_ms"], Value::Null, "{answer:#}");
            let blockers = answer["blockers"].as_array().unwrap().iter();
            let mut roles: Vec<_> =
                blockers.map(|it| it["role"].as_str().unwrap().to_owned()).collect();
            roles.sort();
            roles
        };
        assert_eq!(roles(""), ["accepted", "listener"]);
        // Beside the listener, no answer of the kernel tells which options the leftover has.
        assert!(roles("--reuse-addr").contains(&"listener".to_owned()));
    });
}

#[test]
fn another_port_is_free() {
    live(&[Need::Root], || {
        for occupant in [Occupant::Listener, Occupant::TimeWait, Occupant::OutgoingEstablished] {
            let condition = Condition::new(occupant, Reuse::No);
            let neighbour = SocketAddr::new(condition.local.ip(), condition.local.port() + 1);
            let _taken = bound(neighbour, Reuse::No);
            let answer = judge(&condition.local.to_string());
            let remedy = remedy(&answer, "another_port");
            assert_eq!((&remedy["verified"], &remedy["helps"]), (&json!(true), &json!(true)));
            let text = remedy["text"].as_str().unwrap();
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            let ports = numbers.filter_map(|it| it.parse::<u16>().ok()).filter(|it| *it > 1023);
            let ports: Vec<_> = ports.filter(|it| *it != condition.local.port()).collect();
            assert!(!ports.is_empty(), "{text}");
            for port in ports {
                let end = SocketAddr::new(condition.local.ip(), port);
                assert_eq!(bind_code(end, Reuse::No, User::Owner), OK, "{text}");
            }
        }
    });
}

#[test]
fn v6only_helps_against_ipv4_and_not_against_ipv6() {
    live(&[Need::Ipv6, Need::Root], || {
        let port = fresh().port();
        for (taken, expected) in [("0.0.0.0", true), ("127.0.0.1", true), ("::1", false)] {
            let at = SocketAddr::new(taken.parse().unwrap(), port);
            let _taken = bound(at, Reuse::Addr);
            let wanted: SocketAddr = format!("[::]:{port}").parse().unwrap();
            let answer = judge(&wanted.to_string());
            assert_eq!(answer["code"], IN_USE, "{answer:#}");
            if expected || find_remedy(&answer, "v6only").is_some() {
                assert_eq!(helps(&answer, "v6only"), expected, "{answer:#}");
            }
            let socket = socket(wanted, Type::STREAM, Reuse::No);
            socket.set_only_v6(true).unwrap();
            assert_eq!(code(socket.bind(&wanted.into())) == OK, expected);
        }
    });
}

#[test]
fn a_port_is_free_when_it_was_said_to_be() {
    live(&[Need::Root], || {
        // A FIN_WAIT2 of some seconds stands for a TIME_WAIT, which cannot be made shorter.
        sysctl::set("tcp_fin_timeout", "3");
        let condition = Condition::new(Occupant::FinWait2Mini, Reuse::No);
        let answer = judge(&condition.local.to_string());
        let asked = Instant::now();
        let ms = |member: &str| Duration::from_millis(answer[member].as_u64().unwrap());
        let (left, at_most) = (ms("frees_in_ms"), ms("frees_in_at_most_ms"));
        assert!(left <= Duration::from_secs(4), "{answer:#}");
        assert!(is_promised(&answer, "wait"), "{answer:#}");
        while bind_code(condition.local, Reuse::No, User::Owner) != OK {
            assert!(asked.elapsed() < at_most + Duration::from_secs(1), "{answer:#}");
            std::thread::sleep(Duration::from_millis(5));
        }
        // What netkit took to end after it had looked is in neither time.
        let waited = asked.elapsed();
        assert!(waited + Duration::from_millis(500) >= left, "{waited:?} {answer:#}");
        assert!(waited <= at_most + Duration::from_millis(50), "{waited:?} {answer:#}");
    });
}

#[test]
fn a_free_port_needs_no_remedy_and_no_time() {
    live(&[], || {
        let answer = judge(&fresh().to_string());
        let members = ["remedies", "blockers", "frees_at", "frees_in_ms", "frees_in_at_most_ms"];
        let got = members.map(|it| answer[it].clone()).to_vec();
        assert_eq!(json!(got), json!([[], [], null, null, null]), "{answer:#}");
    });
}

#[test]
fn where_one_socket_has_one_option_and_one_the_other_only_both_help() {
    live(&[Need::Root], || {
        let make = || {
            let port = fresh().port();
            let at = |last| SocketAddr::from(([127, 0, 0, last], port));
            let held = [bound(at(1), Reuse::Addr), bound(at(2), Reuse::Port)];
            (SocketAddr::from(([0, 0, 0, 0], port)), held)
        };
        let (twin, _held) = make();
        let expected = [IN_USE, IN_USE, IN_USE, OK];
        assert_eq!(bind_codes(twin, User::Owner), expected);
        let (end, _held) = make();
        let answer = judge(&end.to_string());
        assert_eq!(codes(&answer), expected, "{answer:#}");
        assert_eq!(answer["blockers"].as_array().unwrap().len(), 2, "{answer:#}");
        assert!(!helps(&answer, "reuse_addr") && !helps(&answer, "reuse_port"), "{answer:#}");
        // And netkit's own bind with both left no trace.
        assert_eq!(bind_code(end, Reuse::Port, User::Owner), IN_USE);
        assert_eq!(codes(&judge(&end.to_string())), expected);
    });
}
