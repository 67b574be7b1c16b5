//! The command of `netkit wait`: run only if the wait was not in vain, in netkit's own place; and
//! signals, before and after.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use nix::sys::signal::Signal;

use crate::harness::command::PROGRAM;
use crate::harness::conditions::fresh;
use crate::harness::sockets::listen;
use crate::harness::{Netkit, live, netkit};

/// A target that is up, while the test holds its listener, and one that nobody has.
struct Targets {
    up: String,
    gone: String,
    _listener: std::net::TcpListener,
}

fn targets() -> Targets {
    let listener = listen("127.0.0.1");
    Targets {
        up: listener.local_addr().unwrap().to_string(),
        gone: fresh().to_string(),
        _listener: listener,
    }
}

fn died_of(status: ExitStatus) -> Option<Signal> {
    status.signal().map(|number| Signal::try_from(number).unwrap())
}

#[test]
fn the_command_has_the_process_id_the_streams_and_the_exit_code() {
    live(&[], || {
        let targets = targets();
        let running = netkit(&format!("wait {} -- sh -c", targets.up))
            .arg("echo $$; echo aside >&2; exit 7")
            .start();
        let pid = running.pid().to_string();
        let (answer, _) = running.ends();
        let answer = answer.exits(7).complains("aside\n");
        assert_eq!(answer.stdout, format!("{pid}\n"));
        // What it says of the wait is not in the way of the command's own words.
        let silent = netkit(&format!("wait -q {} -- echo hi", targets.up)).run();
        silent.is(0, "hi\n", "");
    });
}

#[test]
fn without_success_the_command_is_not_run_and_standard_output_stays_empty() {
    live(&[], || {
        let targets = targets();
        let line = format!("wait {} {} -t 100ms -- echo hi", targets.up, targets.gone);
        let answer = netkit(&line).run().exits(1);
        assert_eq!(answer.stdout, "", "{answer}");
        answer.complains("TIMEOUT  1 of 2 targets");
        let any = format!("wait --any {} {} -t 5s -- echo hi", targets.up, targets.gone);
        assert_eq!(netkit(&any).run().exits(0).stdout, "hi\n");
        netkit(&format!("wait -q {} -t 50ms --timeout-exit 124", targets.gone))
            .run()
            .is(124, "", "");
    });
}

#[test]
fn a_command_that_cannot_be_run_has_the_exit_code_of_shells() {
    live(&[], || {
        let up = targets();
        let line = format!("wait {} -- /nonexistent/program", up.up);
        netkit(&line)
            .run()
            .exits(127)
            .complains(
                "netkit: cannot run `/nonexistent/program`: ENOENT (No such file or directory)",
            )
            .complains("\nhint: ");
        netkit(&format!("wait {} -- no-such-program", up.up)).run().exits(127);
        let line = format!("wait {} -- /etc/passwd", up.up);
        netkit(&line).run().exits(126).complains("cannot run `/etc/passwd`: EACCES");
    });
}

#[test]
fn signals_reach_the_command_which_has_no_signal_blocked() {
    live(&[], || {
        let up = targets();
        let line = format!("wait {} -- sh -c", up.up);
        let blocked = netkit(&line).arg("grep SigBlk /proc/self/status").run().exits(0);
        assert_eq!(blocked.stdout, "SigBlk:\t0000000000000000\n");
        let running = netkit(&line).arg("echo ready >&2; exec sleep 60").start().says("ready");
        let (_, status) = running.signal(Signal::SIGTERM).ends();
        assert_eq!(died_of(status), Some(Signal::SIGTERM));
    });
}

#[test]
fn a_signal_while_it_waits_ends_it_by_that_signal_with_the_last_reason() {
    live(&[], || {
        let targets = targets();
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let line = format!("wait {} -t 0 -- echo hi", targets.gone);
            let running = netkit(&line).start().says("ECONNREFUSED");
            let (answer, status) = running.signal(signal).ends();
            assert_eq!((answer.code, died_of(status)), (None, Some(signal)));
            assert_eq!(answer.stdout, "", "{answer}");
            answer
                .complains(&format!("INTERRUPTED  by {signal}: {} is not up", targets.gone))
                .complains("ECONNREFUSED (111) refused by 127.0.0.1");
        }
    });
}

#[test]
fn an_ignored_signal_stays_ignored() {
    live(&[], || {
        let gone = targets().gone;
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' INT; exec \"$@\"", "sh", PROGRAM]);
        let running = Netkit::by(command, &format!("wait {gone} -t 500ms")).start();
        let (answer, _) = running.says("ECONNREFUSED").signal(Signal::SIGINT).ends();
        answer.exits(1);
    });
}
