//! Arguments and exit codes of `netkit bind`.

use std::path::Path;

use crate::harness::binding::Reuse;
use crate::harness::conditions::{Condition, Occupant, fresh};
use crate::harness::needs::run;
use crate::harness::sockets::listen_at;
use crate::harness::{Answer, Capture, Need, live, netkit, sysctl, within};

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
    let lines = [
        "bind 80 81",
        "bind 127.0.0.1:80 --type dgram",
        "bind unix:/x --udp",
        "bind unix:/x --v6only",
        "bind 127.0.0.1:80 --v6only",
        "bind 127.0.0.1:80 --udp --listen",
        // It would take connections from the others.
        "bind 127.0.0.1:80 --listen --reuse-port",
        "bind 80 --find-free 1-2",
        "bind 80 --count 2",
        "bind 127.0.0.1 --find-free 9-8",
        "bind 127.0.0.1 --find-free 0-70000",
        "bind 127.0.0.1 --find-free 8000-8010 --count 0",
        "bind unix:/x --find-free 1-2",
        "bind unix:/x --type packet",
        "bind 80 --json --format csv",
    ];
    let accepted = |line: &&str| {
        let answer = netkit(line).run();
        answer.code != Some(2)
            || !answer.stdout.is_empty()
            || !answer.stderr.starts_with("netkit: ")
    };
    let accepted: Vec<_> = lines.into_iter().filter(accepted).collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
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
        sysctl::write("net.ipv6.bindv6only", "1");
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
        let path = Path::new("/run/netns/blue");
        let _there = within(path, || listen_at("127.0.0.1", port));
        netkit(&format!("bind -q 127.0.0.1:{port}")).run().exits(0);
        netkit(&format!("bind -q 127.0.0.1:{port} --netns blue")).run().exits(1);
        let line = format!("bind 127.0.0.1 --find-free {port}-{} --netns blue", port + 1);
        netkit(&line).run().is(0, &format!("{}\n", port + 1), "");
        netkit("bind 80 --netns no-such").run().exits(3).complains("no-such");
    });
}
