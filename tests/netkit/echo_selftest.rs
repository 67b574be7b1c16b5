//! `netkit echo` alone: which paths of this machine echo, and why the others do not.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::command::{Netkit, PROGRAM};
use crate::harness::needs::run;
use crate::harness::{Need, Schema, eventually, live, netkit};

fn paths(answer: &Value) -> Vec<String> {
    let rows = answer["paths"].as_array().unwrap().iter();
    rows.map(|it| {
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("protocol"), text("place"), text("verdict"))
    })
    .collect()
}

#[test]
fn every_path_echoes_where_there_is_a_network() {
    live(&[], || {
        let schema = Schema::of("echo_selftest");
        schema.is_complete();
        let answer = netkit("echo --json").run().exits(0).quietly().json();
        schema.holds(&answer);
        let paths = paths(&answer);
        assert_eq!(paths.len(), 12);
        assert!(paths.iter().all(|it| it.ends_with(" ok")), "{paths:#?}");
        for row in answer["paths"].as_array().unwrap() {
            assert!(row["round_trip_us"].is_u64() && row["mebibyte_us"].is_u64(), "{row}");
        }
        assert_eq!(netkit("echo --format ndjson").run().exits(0).rows().len(), 12);
        let csv = netkit("echo --format csv").run().exits(0).stdout;
        assert_eq!(csv.lines().count(), 13, "{csv}");
        let text = netkit("echo").run().exits(0).quietly().stdout;
        assert!(text.starts_with("All 12 paths echo ("), "{text}");
    });
}

#[test]
fn an_answer_that_cannot_be_written_is_none() {
    for format in ["table", "json", "csv", "ndjson"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let answer = netkit(&format!("echo --format {format}")).run_into(full).exits(3);
        answer.complains("cannot write the answer: No space left on device");
    }
}

#[test]
fn ipv6_that_is_off_is_a_note_unless_it_is_required() {
    live(&[], || {
        run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1");
        let answer = netkit("echo --json").run().exits(0).json();
        Schema::of("echo_selftest").holds(&answer);
        let paths = paths(&answer);
        assert!(paths.contains(&"tcp [::1] off".to_owned()), "{paths:#?}");
        assert!(paths.contains(&"tcp [::ffff:127.0.0.1] ok".to_owned()), "{paths:#?}");
        let text = netkit("echo").run().exits(0).stdout;
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("IPv6 is switched off"), "{text}");
        let required = netkit("echo --require v6 --json").run().exits(1).json();
        assert_eq!(required["ok"], json!(false));
    });
}

#[test]
fn a_network_that_is_down_is_found_and_named() {
    live(&[], || {
        run("ip link set lo down");
        run("ip address flush dev lo");
        let answer = netkit("echo --json").run().exits(1).json();
        Schema::of("echo_selftest").holds(&answer);
        let warnings = answer["warnings"].to_string();
        assert!(warnings.contains("ip link set lo up"), "{warnings}");
        let paths = paths(&answer);
        assert!(paths.contains(&"tcp 127.0.0.1 failed".to_owned()), "{paths:#?}");
        assert!(paths.contains(&"unix stream ok".to_owned()), "{paths:#?}");
    });
}

#[test]
fn a_loopback_that_was_switched_off_is_found_and_ipv6_is_not_called_off() {
    live(&[], || {
        run("ip link set lo down");
        let answer = netkit("echo --json").run().exits(1).json();
        let reasons = answer["paths"].as_array().unwrap().iter();
        let reasons: Vec<_> =
            reasons.filter(|it| it["protocol"] != "unix").map(|it| &it["meaning"]).collect();
        assert_eq!(reasons, [&json!("lo is down"); 6]);
        let verdicts: Vec<_> = answer["paths"].as_array().unwrap().iter().collect();
        assert!(verdicts.iter().all(|it| it["verdict"] != "off"), "{answer:#}");
    });
}

#[test]
fn without_descriptors_it_is_no_answer_that_could_not_be_written() {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n 12; exec {PROGRAM} \"$@\""), "sh"]);
    let answer = Netkit::by(command, "echo").run().exits(3);
    let answer = answer.complains("cannot start the servers of the self-test: EMFILE");
    answer.complains("hint: `ulimit -n` shows and raises the limit");
}

#[test]
fn however_few_descriptors_there_are_it_is_no_finding_and_nothing_stays() {
    let place = tempfile::tempdir().unwrap();
    let mut ends = std::collections::BTreeSet::new();
    for limit in 4..64 {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec {PROGRAM} \"$@\""), "sh"]);
        command.env("TMPDIR", place.path());
        let answer = Netkit::by(command, "echo").run();
        match answer.code {
            Some(0) => assert!(answer.stdout.starts_with("All "), "{answer}"),
            _ if limit < 8 => drop(answer.clone().exits(3)),
            _ => drop(answer.clone().exits(3).complains("hint: `ulimit -n` shows and raises")),
        }
        ends.insert(answer.code);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{limit}");
    }
    assert_eq!(ends, [Some(0), Some(3)].into());
}

#[test]
fn who_interrupts_it_leaves_nothing_behind() {
    live(&[Need::Nft], || {
        // What is dropped is waited for: time enough for a signal.
        run("nft add table inet t");
        run("nft add chain inet t c { type filter hook input priority 0 ; policy drop ; }");
        let directory = tempfile::tempdir().unwrap();
        let is_empty = || std::fs::read_dir(directory.path()).unwrap().next().is_none();
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let place = directory.path().to_str().unwrap();
            let running = netkit("echo").env("TMPDIR", place).start();
            eventually(|| (!is_empty()).then_some(()).ok_or_else(|| "no directory".to_owned()));
            let (answer, status) = running.signal(signal).ends();
            let died_of = std::os::unix::process::ExitStatusExt::signal(&status).unwrap();
            assert_eq!(Signal::try_from(died_of), Ok(signal));
            assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
            assert!(is_empty(), "{signal}");
        }
    });
}

#[test]
fn nothing_stays() {
    let directory = tempfile::tempdir().unwrap();
    netkit("echo").env("TMPDIR", directory.path().to_str().unwrap()).run().exits(0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Demands that all paths echo with `tmpdir`, with a warning of these words; without any, no warning.
#[track_caller]
fn echoes_with(tmpdir: &str, words: Option<&str>) {
    let answer = netkit("echo --json").env("TMPDIR", tmpdir).run().exits(0).json();
    assert!(paths(&answer).iter().all(|it| it.ends_with(" ok")), "{answer:#}");
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), words.iter().count(), "{answer:#}");
    for (warning, words) in warnings.iter().zip(words) {
        let warning = warning.as_str().unwrap();
        assert!(warning.starts_with(words) && warning.contains("set TMPDIR to"), "{warning}");
    }
}

#[test]
fn a_directory_that_is_of_no_use_is_named_and_another_used() {
    live(&[Need::Mount], || {
        let place = tempfile::tempdir().unwrap();
        let below = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
        let of_no_use = |path: &str, why: &str| {
            echoes_with(path, Some(&format!("TMPDIR={path} is of no use: {why}")));
        };
        of_no_use(&below("missing"), "ENOENT (2) in mkdir: ");
        std::fs::write(below("file"), "").unwrap();
        of_no_use(&below("file"), "ENOTDIR (20) in mkdir: ");
        for (name, options, why) in [
            ("read-only", "ro", "EROFS (30) in mkdir: "),
            // The root, one for our directory and none for a socket.
            ("full", "nr_inodes=2", "ENOSPC (28) in mknod: "),
            ("fuller", "nr_inodes=1", "ENOSPC (28) in mkdir: "),
        ] {
            std::fs::create_dir(below(name)).unwrap();
            run(&format!("mount -t tmpfs -o {options} tmpfs {}", below(name)));
            of_no_use(&below(name), why);
            assert_eq!(std::fs::read_dir(below(name)).unwrap().count(), 0, "{name}");
        }
    });
}

#[test]
fn a_directory_whose_path_is_long_is_no_socket_that_fails() {
    let place = tempfile::tempdir().unwrap();
    for length in [60, 74, 75, 90, 107, 200] {
        let path = place.path().to_str().unwrap();
        let path = format!("{path}/{}", "d".repeat(length - path.len() - 1));
        std::fs::create_dir(&path).unwrap();
        let words = format!("TMPDIR={path} is too long: ");
        // `/netkit-`, 16 digits, and `/` with a name of 8 bytes at most: 107 bytes in all.
        echoes_with(&path, (length > 74).then_some(words.as_str()));
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
    }
}

#[test]
fn an_empty_tmpdir_is_not_the_current_directory() {
    echoes_with("", None);
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o555))
        .unwrap();
    let mut command = Command::new(PROGRAM);
    command.current_dir(place.path()).env("TMPDIR", "");
    let text = Netkit::by(command, "echo -v").run().exits(0).stderr;
    assert!(text.contains("/tmp/netkit-"), "{text}");
}

#[test]
fn without_any_directory_the_others_are_tried_all_the_same() {
    live(&[Need::Mount], || {
        // Either may be below one of the directories.
        let schema = Schema::of("echo_selftest");
        let opened = std::fs::File::open(PROGRAM).unwrap();
        let program = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&opened));
        let echo = |line: &str| {
            let mut command = Command::new(&program);
            command.current_dir("/");
            Netkit::by(command, line).env("TMPDIR", "/nonexistent").run()
        };
        for place in ["/tmp", "/dev/shm"] {
            run(&format!("mount -t tmpfs -o ro tmpfs {place}"));
        }
        let answer = echo("echo --json").exits(0).json();
        schema.holds(&answer);
        let rows = answer["paths"].as_array().unwrap().iter();
        let off: Vec<_> = rows.filter(|it| it["verdict"] == "off").collect();
        assert_eq!(off.len(), 3, "{answer:#}");
        for row in off {
            let meaning = row["meaning"].as_str().unwrap();
            for place in ["TMPDIR=/nonexistent", "/tmp", "/dev/shm"] {
                assert!(meaning.contains(&format!("{place} is of no use: E")), "{row}");
            }
        }
        echo("echo --require unix").exits(1);
    });
}
