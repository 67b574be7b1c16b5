//! Arguments, exit codes and formats of `netkit bind`, and the search for free ports.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::harness::binding::{OK, Reuse, User, bind_code};
use crate::harness::command::in_repository;
use crate::harness::conditions::{Condition, Occupant, bound, fresh};
use crate::harness::needs::run;
use crate::harness::sockets::listen_at;
use crate::harness::{Answer, Capture, Need, live, netkit, within};

/// Exit code 2, nothing on standard output, and an error that names what was given.
#[track_caller]
fn refused(target: &str) -> Answer {
    let answer = netkit("bind --json").arg(target).run().exits(2);
    assert_eq!(answer.stdout, "", "{answer}");
    answer.complains("netkit: ").complains(target)
}

#[test]
fn a_target_that_is_none_is_named_with_what_to_give() {
    refused("localhost:80").complains("127.0.0.1");
    refused("127.0.0.1").complains("127.0.0.1:");
    refused("[::1]").complains("[::1]:");
    refused("::1").complains("[::1]:");
    refused("127.0.0.1:99999").complains("65535");
    refused("65536").complains("65535");
    refused("127.0.0.1:").complains("127.0.0.1:");
    refused("127.0.0.256:80");
    refused("[::g]:80");
    refused("http");
    refused("unix:").complains("unix:");
    refused("unix:@").complains("unix:@");
    refused("tcp:127.0.0.1:80");
    netkit("bind").arg("").run().exits(2).complains("netkit: ");
    netkit("bind").run().exits(2).complains("netkit: ");
}

#[test]
fn a_path_that_no_socket_can_have_is_too_long() {
    live(&[], || {
        // `sun_path` has 108 bytes. The kernel would take a path without a 0 at its end; programs
        // do not write one.
        let directory = tempfile::tempdir().unwrap();
        std::env::set_current_dir(directory.path()).unwrap();
        let path = "p".repeat(107);
        netkit("bind").arg(format!("unix:{path}")).run().exits(0);
        refused(&format!("unix:{path}pp")).complains("109");
        // Of an abstract name, the first byte is the 0.
        netkit("bind").arg(format!("unix:@{path}")).run().exits(0);
        refused(&format!("unix:@{path}p"));
    });
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    for line in [
        "bind 80 81",
        "bind 127.0.0.1:80 --type stream",
        "bind unix:/x --udp",
        "bind unix:/x --v6only",
        "bind 127.0.0.1:80 --v6only",
        "bind 127.0.0.1:80 --udp --listen",
        "bind 80 --find-free 1-2",
        "bind 80 --count 2",
        "bind 127.0.0.1 --find-free 9-8",
        "bind 127.0.0.1 --find-free 0-70000",
        "bind 127.0.0.1 --find-free 8000-8010 --count 0",
        "bind unix:/x --find-free 1-2",
        "bind unix:/x --type packet",
        "bind 80 --json --format csv",
    ] {
        let answer = netkit(line).run().exits(2).complains("netkit: ");
        assert_eq!(answer.stdout, "", "{answer}");
    }
}

#[test]
fn the_ways_to_write_any_address() {
    live(&[Need::Ipv6], || {
        let port = fresh().port();
        for target in [format!("{port}"), format!(":{port}"), format!("*:{port}")] {
            let answer = netkit("bind --json").arg(&target).run().exits(0).quietly().json();
            assert_eq!(answer["address"], format!("0.0.0.0:{port}"), "{target}");
        }
        let answer = netkit(&format!("bind --json [::]:{port}")).run().exits(0).json();
        assert_eq!(answer["address"], format!("[::]:{port}"));
        assert_eq!(answer["options"][0]["v6only"], false);
        crate::harness::sysctl::write("net.ipv6.bindv6only", "1");
        let answer = netkit(&format!("bind --json [::]:{port}")).run().exits(0).json();
        assert_eq!(answer["options"][0]["v6only"], true);
    });
}

#[test]
fn the_exit_code_tells_and_quiet_says_nothing() {
    live(&[], || {
        let free = fresh();
        let taken = Condition::new(Occupant::Listener, Reuse::No);
        for options in ["", "--json", "--color always", "--format ndjson"] {
            netkit(&format!("bind {free} {options}")).run().exits(0).quietly();
            netkit(&format!("bind {} {options}", taken.local)).run().exits(1).quietly();
        }
        netkit(&format!("bind -q {free}")).run().is(0, "", "");
        netkit(&format!("bind -q {}", taken.local)).run().is(1, "", "");
        // The code is of the bind that was asked for.
        let left = Condition::new(Occupant::TimeWait, Reuse::Addr);
        netkit(&format!("bind -q {}", left.local)).run().exits(1);
        netkit(&format!("bind -q --reuse-addr {}", left.local)).run().exits(0);
        netkit(&format!("bind -q --reuse-port {}", left.local)).run().exits(1);
        netkit(&format!("bind -q --reuse-addr --reuse-port {}", left.local)).run().exits(0);
    });
}

#[test]
fn the_text_names_the_port_the_holder_and_no_colour() {
    live(&[Need::Root], || {
        let taken = Condition::new(Occupant::Listener, Reuse::No);
        let text = netkit(&format!("bind {}", taken.local)).run().exits(1).quietly().stdout;
        let pid = std::process::id().to_string();
        for words in [&taken.local.to_string(), "EADDRINUSE", "LISTEN", &pid] {
            assert!(text.contains(words), "no {words} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    });
}

#[test]
fn a_capture_cannot_be_bound_to() {
    let capture = Capture::new();
    let answer = netkit("bind 127.0.0.1:80 --json").procfs(capture.root()).run();
    assert!(matches!(answer.code, Some(2 | 3)), "{answer}");
    assert_eq!(answer.stdout, "", "{answer}");
    answer.complains("--procfs");
}

#[test]
fn a_namespace_is_gone_to() {
    live(&[Need::Mount], || {
        run("mount -t tmpfs none /run");
        run("ip netns add blue");
        run("ip -n blue link set lo up");
        let port = fresh().port();
        let path = std::path::Path::new("/run/netns/blue");
        let _there = within(path, || listen_at("127.0.0.1", port));
        netkit(&format!("bind -q 127.0.0.1:{port}")).run().exits(0);
        netkit(&format!("bind -q 127.0.0.1:{port} --netns blue")).run().exits(1);
        let line = format!("bind 127.0.0.1 --find-free {port}-{} --netns blue", port + 1);
        netkit(&line).run().is(0, &format!("{}\n", port + 1), "");
        netkit("bind 80 --netns no-such").run().exits(3).complains("no-such");
    });
}

/// Ten ports, of which the second, the third and the last are taken.
fn ten_ports() -> (u16, [socket2::Socket; 3]) {
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
        conforms(&answer);
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
fn answers_conform_to_the_schema() {
    live(&[Need::Ipv6, Need::Root], || {
        let stale = tempfile::tempdir().unwrap().keep().join("stale");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let listener = Condition::new(Occupant::Listener, Reuse::Port);
        let time_wait = Condition::new(Occupant::TimeWait, Reuse::Addr);
        let orphan = Condition::new(Occupant::FinWait1Orphan, Reuse::No);
        let outgoing = Condition::new(Occupant::OutgoingTimeWait, Reuse::No);
        for condition in [&listener, &time_wait, &orphan, &outgoing] {
            for options in ["", "--reuse-addr", "--reuse-port --listen", "--udp"] {
                let line = format!("bind --json {} {options}", condition.local);
                conforms(&netkit(&line).run().quietly().json());
            }
        }
        for target in ["10.99.99.99:80", "[fe80::1]:80", "[::1]:0", "unix:@free", "unix:/no/x"] {
            conforms(&netkit(&format!("bind --json {target}")).run().quietly().json());
        }
        conforms(&netkit("bind --json").arg(format!("unix:{}", stale.display())).run().json());
        fs::remove_dir_all(stale.parent().unwrap()).unwrap();
    });
}

/// Demands that an answer is as docs/schema/bind.json says.
#[track_caller]
fn conforms(answer: &Value) {
    let text = fs::read_to_string(in_repository("docs/schema/bind.json")).unwrap();
    let schema = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(answer);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{answer:#}");
}
