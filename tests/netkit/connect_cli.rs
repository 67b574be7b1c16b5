//! The command line of `netkit connect`: targets, expectations, lists, what is wrong with each.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::command::PROGRAM;
use crate::harness::netkit;
use crate::harness::sockets::listen;

/// A port of loopback that nobody has.
fn closed() -> String {
    listen("127.0.0.1").local_addr().unwrap().to_string()
}

#[test]
fn what_is_wrong_with_a_target_is_said() {
    for (target, words) in [
        ("127.0.0.1:0", "nothing can listen on port 0"),
        ("127.0.0.1:65536", "`65536` is not a port"),
        ("[::1", "the `]` of the IPv6 address is missing"),
        (":80", "the host is missing"),
        ("localhost", "write localhost:PORT"),
        ("unix:", "the name is missing"),
        ("http://localhost:80", "netkit does not speak http"),
        ("https://localhost/x a:1", "hint: netkit connect localhost:443 a:1\n"),
        ("localhost 8080", "hint: netkit connect localhost:8080\n"),
    ] {
        netkit(&format!("connect {target}")).run().exits(2).complains(words);
    }
    let long = format!("unix:/{}", "a".repeat(107));
    netkit("connect").arg(long).run().exits(2).complains("108 bytes");
    let answer = netkit("connect").arg("evil\u{1b}[31m:80").run().exits(2).complains("\\u{1b}");
    assert!(!answer.stderr.contains('\u{1b}'), "{answer}");
    netkit("connect").arg("unix:/a\nb").run().exits(2).complains("control character");
}

#[test]
fn options_that_do_not_go_together_are_said() {
    for (line, words) in [
        ("", "TARGET"),
        ("-4 [::1]:80", "-4 leaves out IPv6"),
        ("-6 127.0.0.1:80", "-6 leaves out IPv4"),
        ("--source ::1 127.0.0.1:80", "other family"),
        ("--source eth0 127.0.0.1:80", "`eth0` is not an address"),
        ("--ttl 0 127.0.0.1:80", "--ttl"),
        ("--ttl 3 unix:/run/x", "not for a Unix socket"),
        ("--layers unix:/run/x", "no layers"),
        ("--type dgram 127.0.0.1:80", "--type is for Unix"),
        ("--block --nonblock 127.0.0.1:80", "--nonblock"),
        ("--count 0 127.0.0.1:80", "'--count <N>': it has to be at least 1"),
        ("--count -3 127.0.0.1:80", "`-3` is not a number of times"),
        ("unix-dgram:/run/x", "write unix:/run/x --type dgram"),
        ("-t 0 127.0.0.1:80", "--block"),
        ("--udp 127.0.0.1:80", "netkit connect udp://HOST:PORT --send TEXT"),
        ("-t -1 127.0.0.1:80", "`-1` is not a time"),
        ("-t 99999999999 127.0.0.1:80", "more than a year"),
        ("--interface no-such0 127.0.0.1:80", "`no-such0`"),
        ("--send hex:0 127.0.0.1:80", "hex:0d0a"),
        ("--netns 1 unix:/run/x", "nsenter"),
        ("--procfs /tmp 127.0.0.1:80", "running system"),
    ] {
        let answer = netkit(&format!("connect {line}")).run().complains(words);
        assert!(matches!(answer.code, Some(2 | 3)) && answer.stdout.is_empty(), "{answer}");
    }
}

#[test]
fn what_is_done_is_told_with_v_alone() {
    let target = closed();
    netkit(&format!("connect {target}")).run().exits(1).quietly();
    let answer = netkit(&format!("connect -v {target}")).run().exits(1);
    for words in ["INFO tried", "outcome=\"refused\" code=111", "way route=Ok", "other sockets"] {
        assert!(answer.stderr.contains(words), "{words}: {answer}");
    }
    let answer = netkit("connect -v [fe80::1%no-such0]:9").run().exits(1);
    assert!(answer.stderr.contains("INFO not resolved target=[fe80::1%no-such0]:9"), "{answer}");
    let answer = netkit("connect -v localhost:0x --expect 5").run().exits(2);
    assert!(!answer.stderr.contains("INFO"), "{answer}");
}

#[test]
fn a_format_that_a_command_lacks_is_not_offered() {
    for command in ["connect", "wait", "bind"] {
        let help = netkit(&format!("{command} --help")).run().exits(0).stdout;
        assert!(!help.contains("arkdown"), "{help}");
    }
    assert!(netkit("explain --help").run().exits(0).stdout.contains("also `markdown`"));
}

#[test]
fn a_refusal_is_told_with_its_cause_and_what_to_do() {
    let target = closed();
    let answer = netkit(&format!("connect {target}")).run().exits(1).quietly();
    let (head, rest) = answer.stdout.split_once(", after ").unwrap();
    assert_eq!(head, format!("REFUSED  {target}  ECONNREFUSED (111) Connection refused"));
    let rest = rest.split_once('\n').unwrap().1;
    assert_eq!(
        rest,
        "  nobody on this machine listens on that port\nWhat to do\n  start the service, or correct \
         the port: `netkit states --listening` lists them\n"
    );
}

#[test]
fn the_exit_code_is_what_was_expected_or_the_errno() {
    let server = listen("127.0.0.1");
    let open = server.local_addr().unwrap();
    let closed = closed();
    netkit(&format!("connect -q {open}")).run().is(0, "", "");
    netkit(&format!("connect -q {closed}")).run().is(1, "", "");
    netkit(&format!("connect -q --expect refused {closed}")).run().is(0, "", "");
    netkit(&format!("connect -q --expect refused {open}")).run().is(1, "", "");
    netkit(&format!("connect -q --exit-errno {closed}")).run().is(111, "", "");
    netkit(&format!("connect -q --exit-errno {open}")).run().is(0, "", "");
}

#[test]
fn a_list_without_a_target_is_no_success() {
    for list in ["", "\n# nothing\n"] {
        let answer = netkit("connect --targets -").stdin(list.as_bytes()).run().exits(2);
        assert_eq!(answer.stdout, "");
        assert!(answer.stderr.contains("standard input has no targets"), "{answer}");
    }
}

#[test]
fn a_bad_line_of_a_list_costs_that_line_alone() {
    let server = listen("127.0.0.1");
    let open = server.local_addr().unwrap();
    let list = format!("# all\n{open}\n\nlocalhost:0\n  {open}   # again\n");
    let answer = netkit("connect --targets - --format csv").stdin(list.as_bytes()).run().exits(2);
    let warning = "netkit: warning: standard input, line 4: `localhost:0`: nothing can listen on port \
                   0: give a number from 1 to 65535\n";
    assert_eq!(answer.stderr, warning);
    assert_eq!(answer.stdout.lines().count(), 3, "{answer}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("targets");
    fs::write(&path, &list).unwrap();
    let answer = netkit("connect --json --targets").arg(&path).run().exits(2).quietly();
    let json = answer.json();
    assert_eq!(json["results"].as_array().unwrap().len(), 2, "{answer}");
    assert!(json["warnings"][0].as_str().unwrap().contains("line 4"), "{answer}");
    netkit("connect --targets /nowhere").run().exits(2).complains("cannot read /nowhere: ENOENT");
}

#[test]
fn rows_of_many_targets_are_in_their_order() {
    let server = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || server.incoming().for_each(drop));
    let list: Vec<_> =
        (0..2000).map(|n| format!("127.0.{}.{}:{port}", n / 250, n % 250 + 1)).collect();
    let text = list.join("\n");
    let answer =
        netkit("connect --targets - --format csv").stdin(text.as_bytes()).run().exits(0).quietly();
    let targets: Vec<_> =
        answer.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(targets, list);
}

#[test]
fn a_signal_ends_with_the_statistics_and_is_died_of() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (said, status) = repeat_until(signal, "--default-signal");
        let died_of = status.signal().map(|number| Signal::try_from(number).unwrap());
        assert_eq!(died_of, Some(signal), "{status}");
        assert!(said.ends_with("\n  1 attempt, 1 refused, 100 % not as expected\n"), "{said}");
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let (said, status) = repeat_until(Signal::SIGTERM, "--ignore-signal");
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(said.ends_with("\n  2 attempts, 2 refused, 100 % not as expected\n"), "{said}");
}

/// Sends `signal` between the first attempt and the second, which is far off unless the signal is
/// ignored.
fn repeat_until(signal: Signal, disposition: &str) -> (String, ExitStatus) {
    let pause = if disposition == "--ignore-signal" { "300ms" } else { "1h" };
    let mut child = Command::new("env")
        // A shell ignores SIGINT for what it runs in the background, and that is inherited.
        .arg(format!("{disposition}={}", signal.as_str().trim_start_matches("SIG")))
        .args([PROGRAM, "connect", "--count", "2", "--interval", pause, &closed()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // The first row says that it waits for the second attempt.
    let mut said = vec![0; 1];
    stdout.read_exact(&mut said).unwrap();
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    stdout.read_to_end(&mut said).unwrap();
    (String::from_utf8(said).unwrap(), child.wait().unwrap())
}

#[test]
fn a_closed_pipe_is_no_error() {
    let list = format!("{}\n", closed()).repeat(3000);
    let mut child = Command::new(PROGRAM)
        .args(["connect", "--targets", "-", "--format", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // It may have ended before all of it was read.
    drop(child.stdin.take().unwrap().write_all(list.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_banner_is_shown_and_its_escapes_are_not_passed_on() {
    let server = listen("127.0.0.1");
    let target = server.local_addr().unwrap();
    let greeting = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"220 \x1b[31mhello\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap_or_default();
    });
    let answer = netkit(&format!("connect --banner {target}")).run().exits(0).quietly();
    assert!(answer.stdout.contains("it said: 220 \\u{1b}[31mhello"), "{answer}");
    greeting.join().unwrap();
}

/// `netkit connect` that reads targets from a pipe which stays open.
fn fed(line: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(line.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn sigint_while_a_list_is_typed_closes_the_answer_and_loses_no_warning() {
    let target = closed();
    for (format, is_said) in [("json", false), ("csv", true)] {
        let mut child = fed(&format!("connect --format {format} --targets -"));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("localhost:0\n{target}\n").as_bytes()).unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // A row of JSON has no end of line before the next one comes.
        while !text.contains(&target) {
            let piece = stdout.fill_buf().unwrap();
            assert!(!piece.is_empty(), "{text}");
            text.push_str(std::str::from_utf8(piece).unwrap());
            let length = piece.len();
            stdout.consume(length);
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        stdout.read_to_string(&mut text).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.signal(), Some(2), "{text}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(said.contains("line 1: `localhost:0`"), is_said, "{said}");
        if format == "json" {
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["results"].as_array().unwrap().len(), 1, "{text}");
            assert!(json["warnings"][0].as_str().unwrap().contains("line 1"), "{text}");
        }
        drop(stdin);
    }
}

#[test]
fn a_closed_pipe_ends_it_while_the_list_is_still_open() {
    let target = closed();
    let mut child = fed("connect --format csv --targets -");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{target}").unwrap();
    let mut text = String::new();
    while !text.contains(&target) {
        assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "{text}");
    }
    drop(stdout);
    writeln!(stdin, "{target}").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn a_port_of_udp_is_not_taken_for_one_of_tcp() {
    let server = listen("127.0.0.1");
    let open = server.local_addr().unwrap();
    let answer = netkit(&format!("connect udp://{open}")).run().exits(1).quietly();
    assert!(answer.stdout.contains(&format!("is it meant to be tcp://{open}")), "{answer}");
    assert!(!answer.stdout.contains("but at"), "{answer}");
}

#[test]
fn an_interface_that_is_none_is_named() {
    let answer = netkit("connect [::1%no-such0]:80").run().exits(1).quietly();
    assert!(answer.stdout.contains("there is no interface `no-such0`"), "{answer}");
}
