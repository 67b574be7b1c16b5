//! `netkit lab` on the running kernel: every scenario holds, and nothing of it stays.

use std::fs;
use std::io::{BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Deserializer, Value};

use crate::harness::command::PROGRAM;
use crate::harness::needs::run;
use crate::harness::seccomp::{without_netlink, without_unshare};
use crate::harness::{Need, Nobody, Schema, eventually, live, netkit};

/// Each scenario ran, and each claim holds.
#[track_caller]
fn all_hold(report: &Value) {
    Schema::of("lab").holds(report);
    let scenarios = report["scenarios"].as_array().unwrap();
    assert!(scenarios.len() >= 34, "{report:#}");
    for scenario in scenarios {
        assert_eq!(scenario["why_not"], Value::Null, "{scenario:#}");
        for diagnosis in scenario["diagnoses"].as_array().unwrap() {
            let claims = diagnosis["claims"].as_array().unwrap();
            assert!(!claims.is_empty(), "{scenario:#}");
            for claim in claims {
                assert_eq!(claim["holds"], true, "{claim:#}\n{scenario:#}");
            }
        }
        assert_eq!(scenario["holds"], true, "{scenario:#}");
    }
}

#[test]
fn netkit_finds_the_truth_in_every_scenario() {
    live(&[Need::Ipv6], || {
        all_hold(&netkit("lab run --all --json").run().quietly().exits(0).json());
    });
}

#[test]
fn an_ordinary_user_can_make_every_scenario() {
    live(&[Need::Ipv6, Need::Root, Need::Setpriv, Need::UserNs], || {
        let answer = Nobody::new().netkit("lab run --all --json").run();
        all_hold(&answer.quietly().exits(0).json());
    });
}

#[test]
fn the_other_formats_say_the_same() {
    live(&[], || {
        let text = netkit("lab run ports-exhausted").run().quietly().exits(0).stdout;
        for line in [
            "ports-exhausted  no port is left, connect() fails",
            "  sysctl  net.ipv4.ip_local_port_range = 40000 40099",
            "  client  connect(127.0.0.1:8080) = EADDRNOTAVAIL (99)",
            "$ netkit states --time-wait",
            "  CRITICAL  127.0.0.1 cannot open another connection to 127.0.0.1:8080:",
            "  yes  the finding TW_PORTS_EXHAUSTED is made",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("HOLDS  10 of 10 claims, after "), "{text}");
        let csv = netkit("lab run fin-wait2 --sockets 3 --format csv").run().quietly().exits(0);
        let header = "scenario,command,claim,at,expected,found,holds";
        assert_eq!(csv.stdout.lines().next(), Some(header), "{csv}");
        assert!(csv.stdout.lines().skip(1).all(|line| line.ends_with(",true")), "{csv}");
        let rows = netkit("lab run syn-backlog --format ndjson").run().quietly().exits(0).rows();
        assert_eq!((rows.len(), &rows[0]["holds"]), (1, &Value::Bool(true)));
        netkit("lab run buckets-overflow --quiet").run().is(0, "", "");
    });
}

#[test]
fn a_pileup_has_the_size_that_was_asked_for() {
    live(&[], || {
        let line = "lab run time-wait-pileup --sockets 1000 --destinations 3 --json";
        let report = netkit(line).run().quietly().exits(0).json();
        let pileup = &report["scenarios"][0]["diagnoses"][0]["report"]["pileup"];
        assert_eq!(pileup["time_wait"], 1000, "{report:#}");
        let each = pileup["destinations"].as_array().unwrap().iter().map(|it| &it["time_wait"]);
        assert_eq!(each.collect::<Vec<_>>(), [334, 333, 333], "{report:#}");
        assert_eq!(report["scenarios"][0]["holds"], true, "{report:#}");
    });
}

#[test]
fn a_command_runs_inside_with_its_own_output_and_exit_code() {
    live(&[], || {
        let shell = netkit("lab shell fin-wait2 --sockets 5 -- sh -c");
        let answer = shell.arg("cat; echo $NETKIT_LAB; pwd; exit 7").stdin(b"in\n").run();
        let here = std::env::current_dir().unwrap();
        answer.is(7, &format!("in\nfin-wait2\n{}\n", here.display()), "");
        let states = netkit("lab shell fin-wait2 --sockets 5 --").arg(PROGRAM).arg("states");
        let states = states.arg("--json").run().exits(0).quietly().json();
        let minis = states["states"].as_array().unwrap().iter();
        let minis = minis.filter(|it| it["state"] == "FIN_WAIT2_MINI").map(|it| &it["sockets"]);
        assert_eq!(minis.collect::<Vec<_>>(), [5], "{states:#}");
        netkit("lab shell fin-wait2 -- netkit-no-such-program")
            .run()
            .exits(127)
            .complains("netkit: cannot run `netkit-no-such-program`: No such file or directory");
    });
}

#[test]
fn without_a_command_it_is_a_shell_that_reads_standard_input() {
    live(&[], || {
        let shell = netkit("lab shell close-wait-leak").env("SHELL", "/bin/sh");
        let answer = shell.stdin(b"echo in $NETKIT_LAB; exit 3\n").run().exits(3).quietly();
        assert!(answer.stdout.starts_with("close-wait-leak  a program does not"), "{answer}");
        assert!(
            answer.stdout.ends_with("start it anew for more\nin close-wait-leak\n"),
            "{answer}"
        );
    });
}

#[test]
fn an_interrupt_of_the_command_is_netkits() {
    live(&[], || {
        let answer = netkit("lab shell fin-wait2 -- sh -c").arg("kill -INT $$").run();
        assert_eq!(answer.code, None, "{answer}");
        netkit("lab shell fin-wait2 -- sh -c").arg("kill -TERM $$").run().exits(128 + 15);
    });
}

/// `netkit lab run close-wait-leak --keep`, when the condition is there.
struct Kept {
    netkit: Child,
    /// The namespace, as /proc/PID/ns/net names it.
    namespace: PathBuf,
}

impl Kept {
    fn new() -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["lab", "run", "close-wait-leak", "--keep", "--json"]);
        let mut netkit = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(netkit.stdout.as_mut().unwrap());
        let report =
            Deserializer::from_reader(stdout).into_iter::<Value>().next().unwrap().unwrap();
        let holder = &report["scenarios"][0]["held_by_pid"];
        let namespace = fs::read_link(format!("/proc/{holder}/ns/net")).unwrap();
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(namespace, own, "{report:#}");
        // Anybody can look into it, by the process.
        let states = super::harness::netkit(&format!("states --json --netns {holder}")).run();
        assert_eq!(states.exits(0).json()["close_wait_owners"]["owners"][0]["pid"], *holder);
        Self { netkit, namespace }
    }

    /// Waits for netkit's end, and for that of the last process in the namespace; gives the signal
    /// that ended netkit.
    fn end(mut self) -> Option<i32> {
        let status = self.netkit.wait().unwrap();
        eventually(|| match processes_in(&self.namespace) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("still in the namespace: {left:?}")),
        });
        status.signal()
    }
}

fn processes_in(namespace: &PathBuf) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let is_in =
        |path: &PathBuf| fs::read_link(path.join("ns/net")).is_ok_and(|it| it == *namespace);
    processes.filter(is_in).collect()
}

#[test]
fn enter_ends_a_kept_condition() {
    live(&[], || {
        let mut kept = Kept::new();
        kept.netkit.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        assert_eq!(kept.end(), None);
    });
}

#[test]
fn nothing_stays_after_a_signal() {
    live(&[], || {
        for (name, number) in [("INT", 2), ("TERM", 15), ("KILL", 9)] {
            let kept = Kept::new();
            run(&format!("kill -{name} {}", kept.netkit.id()));
            assert_eq!(kept.end(), Some(number), "{name}");
        }
    });
}

#[test]
fn a_command_does_not_outlive_netkit() {
    live(&[], || {
        let mut command = Command::new(PROGRAM);
        command.args(["lab", "shell", "fin-wait2", "--", "sh", "-c"]);
        command.arg("readlink /proc/self/ns/net; exec cat").stdin(Stdio::piped());
        let mut netkit = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(netkit.stdout.as_mut().unwrap());
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let kept = Kept { namespace: line.trim().into(), netkit };
        assert!(!processes_in(&kept.namespace).is_empty(), "{line}");
        run(&format!("kill -KILL {}", kept.netkit.id()));
        assert_eq!(kept.end(), Some(9));
    });
}

#[test]
fn where_namespaces_are_refused_it_says_so_and_exits_3() {
    without_unshare(|| {
        let answer = netkit("lab run fin-wait2").run().exits(3);
        let words = "netkit: `fin-wait2` cannot be made here: unshare(CLONE_NEWUSER) failed: EPERM";
        assert!(answer.stderr.starts_with(words), "{answer}");
        answer.clone().complains("\nhint: it takes root, or user namespaces for all");
        assert!(answer.stdout.ends_with("\nNOT RUN\n"), "{answer}");
        let shell = netkit("lab shell fin-wait2 -- echo never").run().exits(3).complains(words);
        assert_eq!(shell.stdout, "", "{shell}");
        let all = netkit("lab run --all --json").run().exits(3).quietly().json();
        Schema::of("lab").holds(&all);
        for scenario in all["scenarios"].as_array().unwrap() {
            assert_eq!((&scenario["ran"], &scenario["holds"]), (&Value::Bool(false), &Value::Null));
            assert!(scenario["why_not"].as_str().unwrap().contains("EPERM"), "{scenario:#}");
        }
    });
}

#[test]
fn a_namespace_that_is_worth_nothing_is_said_too() {
    live(&[], || {
        without_netlink(|| {
            netkit("lab run fin-wait2")
                .run()
                .exits(3)
                .complains("`fin-wait2` cannot be made here: bringing up `lo` failed: EPERM");
        });
    });
}
