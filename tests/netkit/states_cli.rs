//! Wrong command lines, and outputs that cannot be written: exit codes and words.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::harness::command::PROGRAM;
use crate::harness::{Answer, Capture, netkit};

/// Exit code 2, nothing on standard output, and a first line of standard error that begins so.
#[track_caller]
fn refused(line: &str, beginning: &str) -> Answer {
    let answer = netkit(line).run().exits(2);
    assert_eq!(answer.stdout, "", "{answer}");
    let expected = format!("netkit: {beginning}");
    assert!(answer.stderr.starts_with(&expected), "expected {expected:?}\n{answer}");
    answer
}

#[test]
fn an_unknown_state_is_answered_with_the_near_one_and_the_list() {
    let answer =
        refused("states --state TIMEWIAT", "invalid value 'TIMEWIAT' for '--state <STATE>'");
    answer
        .complains("unknown state `TIMEWIAT`, did you mean `TIME_WAIT`?")
        .complains("ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1")
        .complains("all, connected, synchronized, bucket, big");
    let answer = refused("states --state xyzzy", "invalid value 'xyzzy'");
    assert!(!answer.stderr.contains("did you mean"), "{answer}");
    refused("states --state listen,clsoe-wait", "invalid value 'clsoe-wait'")
        .complains("did you mean `CLOSE_WAIT`?");
}

#[test]
fn an_unknown_key_is_answered_with_the_near_one_and_the_list() {
    refused("states --by remot", "invalid value 'remot' for '--by <KEY>'")
        .complains("'remote'")
        .complains("state, local, local-port, remote, remote-address, remote-port, family, uid");
}

#[test]
fn ports_are_checked() {
    for wrong in ["http", "65536", "-1", "5-", "-5", "1-2-3", ""] {
        let line = "states".to_owned();
        let answer = netkit(&line).arg(format!("--port={wrong}")).run().exits(2);
        assert!(answer.stderr.starts_with("netkit: "), "{answer}");
        assert!(answer.stderr.contains("--port"), "{answer}");
        assert_eq!(answer.stdout, "", "{answer}");
    }
    refused("states --local-port 90-80", "invalid value '90-80' for '--local-port <PORT>'");
    refused("states --remote-port 70000", "invalid value '70000'");
}

#[test]
fn networks_are_checked() {
    for wrong in ["10.0.0.0/33", "fd00::/129", "example.org", "10.0.0", "10.0.0.1:80"] {
        let line = format!("states --remote {wrong}");
        refused(&line, &format!("invalid value '{wrong}' for '--remote <CIDR>'"))
            .complains("neither an address nor a network such as 10.0.0.0/8 or fd00::/8");
    }
}

#[test]
fn percentages_and_times_are_checked() {
    for wrong in ["101", "half", "nan", "-1"] {
        let answer =
            netkit("states --time-wait").arg(format!("--warn-used={wrong}")).run().exits(2);
        answer.complains("is not a percentage from 0 to 100");
    }
    for wrong in ["5", "0s", "soon", "2h", "-5s"] {
        let answer = netkit("states --time-wait").arg(format!("--sample={wrong}")).run().exits(2);
        answer.complains("is not a time such as 5s, 500ms or 1m, of at most an hour");
    }
}

#[test]
fn options_that_exclude_or_need_one_another_are_checked() {
    refused("states -4 -6", "the argument '--ipv4' cannot be used with '--ipv6'");
    refused("states --udp --time-wait", "the argument '--udp' cannot be used with '--time-wait'");
    refused("states --list --by state", "the argument '--list' cannot be used with '--by <KEY>");
    refused("states --sample 1s", "the following required arguments were not provided:");
    refused("states --json --format csv", "the argument '--json' cannot be used with '--format");
}

#[test]
fn unknown_options_and_commands_are_answered_with_the_near_one() {
    refused("states --time-wiat", "unexpected argument '--time-wiat' found")
        .complains("'--time-wait'");
    refused("stats", "unrecognized subcommand 'stats'").complains("'states'");
    refused("states extra", "unexpected argument 'extra' found");
    assert_eq!(netkit("").run().exits(2).stdout, "");
    refused("states --format yaml", "invalid value 'yaml' for '--format <FORMAT>'")
        .complains("table, json, ndjson, csv");
}

#[test]
fn a_namespace_that_is_not_there_is_no_answer() {
    let error = "netkit: cannot enter the network namespace /run/netns/no-such: ENOENT (No such \
                 file or directory)\n\
                 hint: give a name of `ip netns list`, a process id, or a file such as /proc/1/ns/net\n";
    netkit("states --netns no-such").run().is(3, "", error);
}

/// A tree whose answers are larger than a pipe takes.
fn large() -> Capture {
    Capture::new().time_waits("10.0.0.1", 33_000..39_000, "10.0.0.2:80")
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let capture = large();
    for options in ["--list", "--list --json", "--format ndjson", "--list --format csv"] {
        let mut child = Command::new(PROGRAM)
            .arg("states")
            .args(options.split(' '))
            .arg("--procfs")
            .arg(capture.root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{options}");
        assert_eq!(output.status.code(), Some(0), "{options}: {:?}", output.status);
    }
}

#[test]
fn a_reader_that_was_never_there_is_no_failure() {
    let capture = large();
    for options in ["", "--list", "--json", "--by remote", "--time-wait", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let line = format!("states {options}");
        netkit(&line).procfs(capture.root()).run_into(writer).is(0, "", "");
    }
}

#[test]
fn an_output_that_is_full_is_a_failure_with_the_reason() {
    let capture = large();
    let error = "netkit: cannot write the answer: No space left on device (os error 28)\n";
    for options in [
        "states",
        "states --json",
        "states --list",
        "states --list --json",
        "states --list --format csv",
        "states --format csv",
        "states --format ndjson",
        "states --by remote",
        "states --time-wait",
        "states --time-wait --format csv",
        "states --help",
        "--help",
        "--version",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let answer = netkit(options).procfs(capture.root()).run_into(full);
        answer.is(3, "", error);
    }
}

#[test]
fn quiet_says_nothing_and_the_exit_code_tells() {
    let calm = Capture::new().time_waits("10.0.0.1", 40_000..40_003, "10.0.0.2:80");
    netkit("states --time-wait -q").procfs(calm.root()).run().is(0, "", "");
    netkit("states -q --list").procfs(calm.root()).run().is(0, "", "");
    let line = "states --time-wait -q --max-total 2";
    netkit(line).procfs(calm.root()).run().is(1, "", "");
}

#[test]
fn colour_comes_only_where_it_is_wanted() {
    let capture = large();
    let run = |options: &str| {
        let line = format!("states --time-wait {options}");
        netkit(&line).procfs(capture.root()).run().exits(0).stdout
    };
    assert!(!run("").contains('\u{1b}'));
    assert!(!run("--color never").contains('\u{1b}'));
    let unwanted = netkit("states --time-wait").procfs(capture.root()).env("NO_COLOR", "1").run();
    assert!(!unwanted.stdout.contains('\u{1b}'), "{unwanted}");
    let painted = run("--color always");
    assert!(painted.contains('\u{1b}'), "{painted}");
}

#[test]
fn verbose_tells_on_standard_error_what_is_done() {
    let capture = Capture::new();
    let answer = netkit("states -vv --json").procfs(capture.root()).run().exits(0);
    assert_eq!(answer.json()["total"], 0);
}
