//! scripts/ci-health: three commands folded into one verdict.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::harness::command::{PROGRAM, in_repository};
use crate::harness::needs::{not_run, run};
use crate::harness::sockets::{connect, listen_at};
use crate::harness::{Need, Schema, eventually, live, sysctl};

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

/// A program in `directory` in netkit's place: it tells netkit's version, or does `rest`.
fn in_its_place(directory: &Path, rest: &str) -> String {
    let program = directory.join("netkit");
    let version = format!("[ \"$1\" = --version ] && exec {PROGRAM} --version");
    let text = format!("#!/bin/sh\n{version}\n{rest}\n");
    // By another process: of a file that this one writes, a test beside it that forks has a copy of the
    // descriptor, and then it cannot be run (ETXTBSY).
    let mut write = Command::new("sh");
    write.args(["-c", "printf %s \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh"]);
    assert!(write.arg(&program).arg(text).status().unwrap().success());
    program.to_str().unwrap().to_owned()
}

/// The names of the files in `directory`.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_of_an_earlier_run_stays() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    for name in ["echo.json", "health.json", "states.json.part", "sysctl.json", "another.json"] {
        fs::write(directory.path().join(name), r#"{"exit": 0}"#).unwrap();
    }
    let (code, _, err) = health("/nonexistent/netkit", &["--artifacts", place]);
    assert_eq!(code, Some(3), "{err}");
    assert_eq!(names(directory.path()), ["another.json"]);
}

#[test]
fn a_directory_that_only_looks_writable_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    fs::create_dir_all(directory.path().join("echo.json/in the way")).unwrap();
    let (code, out, err) = health(PROGRAM, &["--artifacts", place]);
    assert_eq!((code, out.as_str()), (Some(3), ""), "{err}");
    assert!(err.contains(&format!("no artifacts can be written to `{place}`: Is a")), "{err}");
    if let Some(why) = Need::Root.lacking().or_else(|| Need::Setpriv.lacking()) {
        return not_run("a_directory_that_only_looks_writable_is_named", &why);
    }
    // To others it may be written, but not entered.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o722)).unwrap();
    let script = fs::read_to_string(in_repository("scripts/ci-health")).unwrap();
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid", "65534", "--clear-groups", "sh", "-c", &script, "ci-health"]);
    let output = nobody.args(["--artifacts", place]).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains(&format!("written to `{place}`: Permission denied\nhint: ")), "{err}");
}

#[test]
fn a_netkit_that_is_mute_or_old_has_not_looked() {
    let (directory, artifacts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = artifacts.path().to_str().unwrap();
    let mute = in_its_place(directory.path(), "exit 0");
    let (code, out, _) = health(&mute, &["--artifacts", place]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.starts_with("NOT SEEN  netkit echo: exit code 0, and not a word\n"), "{out}");
    let killed = in_its_place(directory.path(), "kill -9 $$");
    let (code, out, _) = health(&killed, &[]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.starts_with("NOT SEEN  netkit echo: exit code 137, and not a word\n"), "{out}");
    assert_eq!(names(artifacts.path()), ["health.json"]);
    let warnings = &artifact(artifacts.path(), "health.json")["warnings"];
    assert_eq!(warnings[0], "netkit echo could not look: exit code 0");
    let old = in_its_place(directory.path(), "echo 'error: unrecognized subcommand' >&2; exit 2");
    let (code, out, _) = health(&old, &[]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("does not take this: an older one than this script"), "{out}");
    assert!(out.contains("\n          error: unrecognized subcommand\n"), "{out}");
}

#[test]
fn what_could_not_look_is_a_warning_also_where_it_wrote_json() {
    let (directory, artifacts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let blind = in_its_place(directory.path(), "echo '{}'; [ \"$1\" != states ] || exit 3");
    let (code, out, _) = health(&blind, &["--artifacts", artifacts.path().to_str().unwrap()]);
    assert_eq!(code, Some(3), "{out}");
    assert_eq!(artifact(artifacts.path(), "states.json"), json!({}));
    let health = artifact(artifacts.path(), "health.json");
    assert_eq!(health["warnings"], json!(["netkit states could not look: exit code 3"]));
}

#[test]
fn a_full_disk_leaves_whole_files_alone() {
    live(&[Need::Mount], || {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        for options in ["size=4k", "nr_inodes=3"] {
            run(&format!("mount -t tmpfs -o {options} tmpfs {place}"));
            let (code, out, err) = health(PROGRAM, &["--artifacts", place]);
            assert_eq!(code, Some(3), "{out}{err}");
            assert!(!err.contains("printf") && !err.contains("cannot create"), "{err}");
            assert!(err.contains(".json cannot be written\nhint: is there room: `df /"), "{err}");
            for name in names(directory.path()) {
                artifact(directory.path(), &name);
            }
            run(&format!("umount {place}"));
        }
    });
}

#[test]
fn who_reads_no_more_is_no_error_and_a_full_disk_is() {
    let script = in_repository("scripts/ci-health");
    let run = |command: &mut Command, argument: &str, stdout: Stdio| {
        let output = command.arg(argument).env("NETKIT", PROGRAM).stdout(stdout).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let start = |argument: &str, stdout| run(&mut Command::new(&script), argument, stdout);
    // As a service of systemd starts it (IgnoreSIGPIPE=).
    let start_without_sigpipe = |argument: &str, stdout| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' PIPE; exec \"$@\"", "sh"]).arg(&script);
        run(&mut shell, argument, stdout)
    };
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    for argument in ["--help", "--require=unix"] {
        let (code, err) = start(argument, full());
        assert_eq!(code, Some(3), "{argument}: {err}");
        assert!(err.starts_with("ci-health: the answer cannot be written\nhint: "), "{err}");
    }
    live(&[], || {
        for argument in ["--help", "--require=unix"] {
            let fine = (Some(0), String::new());
            assert_eq!(start(argument, closed()), fine, "{argument}");
            assert_eq!(start_without_sigpipe(argument, closed()), fine, "{argument}");
        }
    });
}

#[test]
fn a_run_that_is_interrupted_leaves_no_half_of_a_file() {
    let (directory, artifacts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let gate = directory.path().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let half = format!("printf '{{'; [ \"$2\" = --color ] || read _ <{}", gate.display());
    let mut command = Command::new(in_repository("scripts/ci-health"));
    command.arg("--artifacts").arg(artifacts.path()).stdout(Stdio::null());
    let mut running = command.env("NETKIT", in_its_place(directory.path(), &half)).spawn().unwrap();
    let part = artifacts.path().join("echo.json.part");
    eventually(|| match fs::metadata(&part) {
        Ok(found) if found.len() > 0 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), Signal::SIGTERM).unwrap();
    // Nobody writes: its reader comes to the end.
    drop(fs::OpenOptions::new().write(true).open(&gate).unwrap());
    assert_eq!(running.wait().unwrap().code(), Some(143));
    assert_eq!(names(artifacts.path()), [""; 0]);
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
