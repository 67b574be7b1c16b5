//! scripts/ci-health: three commands folded into one verdict.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::command::{PROGRAM, in_repository};
use crate::harness::needs::run;
use crate::harness::sockets::{connect, listen_at};
use crate::harness::{Schema, live, sysctl};

/// The exit code, what is on standard output, and what is on standard error.
fn health(netkit: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(in_repository("scripts/ci-health"));
    let output = command.args(arguments).env("NETKIT", netkit).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn artifact(directory: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(directory.join(name)).unwrap()).unwrap()
}

#[test]
fn a_healthy_namespace_is_healthy_and_its_artifacts_keep_to_their_schemas() {
    live(&[], || {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("made/for it");
        let (code, out, err) = health(PROGRAM, &["--artifacts", place.to_str().unwrap()]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines.len(), 4, "{out}");
        assert!(lines[0].starts_with("ok        netkit echo: All "), "{out}");
        assert!(lines[1].starts_with("ok        netkit states --time-wait: OK"), "{out}");
        assert!(lines[2].starts_with("ok        netkit sysctl check: OK"), "{out}");
        assert_eq!(lines[3], "ci-health: all is as it should be");
        Schema::of("echo_selftest").holds(&artifact(&place, "echo.json"));
        Schema::of("states").holds(&artifact(&place, "states.json"));
        Schema::of("sysctl").holds(&artifact(&place, "sysctl.json"));
        let health = artifact(&place, "health.json");
        Schema::of("ci_health").is_complete();
        Schema::of("ci_health").holds(&health);
        assert_eq!(health["exit"], 0);
        assert_eq!(health["commands"][1], json!({"name": "states", "exit": 0, "json_exit": 0}));
    });
}

/// Leaves every port there is in TIME_WAIT, to one service.
fn exhaust(ports: u16) {
    sysctl::set("ip_local_port_range", &format!("40000 {}", 39_999 + ports));
    sysctl::set("tcp_tw_reuse", "0");
    let service = listen_at("127.0.0.1", 7000);
    (0..ports).for_each(|_| connect(&service, "127.0.0.1").client_closes_first());
}

#[test]
fn a_pileup_is_found_and_shown() {
    live(&[], || {
        exhaust(100);
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        let (code, out, err) = health(PROGRAM, &[&format!("--artifacts={place}")]);
        assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
        assert!(out.contains("\nFOUND     netkit states --time-wait: CRITICAL"), "{out}");
        // All of what states says, and of the others their headlines alone.
        assert!(out.contains("\n          ") && out.contains("ok        netkit sysctl"), "{out}");
        assert!(out.ends_with("something is wrong here (exit code 1)\n"), "{out}");
        let pileup = &artifact(directory.path(), "states.json")["pileup"];
        assert_eq!(pileup["severity"], "critical");
        assert_eq!(artifact(directory.path(), "health.json")["exit"], 1);
    });
}

#[test]
fn what_cannot_be_looked_at_is_no_health() {
    // Not there, and something else.
    for program in ["/nonexistent/netkit", "false", "echo"] {
        let (code, out, err) = health(program, &[]);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{program}");
        assert!(err.contains(&format!("there is no netkit at `{program}`")), "{err}");
        assert!(err.contains("hint: put netkit on PATH"), "{err}");
    }
    let (code, _, err) = health(PROGRAM, &["--artifacts", "/proc/nothing/can/be/here"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("no artifacts can be written to `/proc/nothing/can/be/here`: "), "{err}");
    assert!(err.contains("hint: give --artifacts a directory"), "{err}");
}

#[test]
fn wrong_arguments_are_named_and_others_passed_on() {
    for (arguments, words) in [
        (&["--artifact"][..], "`--artifact`: there is no such argument"),
        (&["--artifacts"], "--artifacts: the value is missing"),
        (&["--fail-on", "note"], "--fail-on `note`: write warning or critical"),
        (&["--require=v5"], "v5"),
    ] {
        let (code, out, err) = health(PROGRAM, arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(words), "{err}");
    }
    live(&[], || {
        run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1");
        assert_eq!(health(PROGRAM, &[]).0, Some(0));
        let (code, out, _) = health(PROGRAM, &["--require", "v6", "--fail-on", "warning"]);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.starts_with("FOUND     netkit echo --require v6: "), "{out}");
        let (code, out, _) = health(PROGRAM, &["--require", "v6", "--require=v4"]);
        assert_eq!(code, Some(1), "{out}");
        assert!(out.starts_with("FOUND     netkit echo --require v6,v4: "), "{out}");
    });
}
