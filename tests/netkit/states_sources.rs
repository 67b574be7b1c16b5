//! `--source`, and what happens where the first way of reading is refused.

use std::fs::File;
use std::process::Command;

use serde_json::Value;

use crate::harness::command::PROGRAM;
use crate::harness::seccomp::without_netlink;
use crate::harness::sockets::{bound, connect, listen};
use crate::harness::{Capture, Need, Netkit, live, netkit};

const REFUSAL: &str = "sock_diag is not available: socket(AF_NETLINK, NETLINK_SOCK_DIAG) failed: \
                       EPERM (Operation not permitted)";

/// Rows without the cookie, which /proc has not.
fn rows(netkit: Netkit) -> Vec<String> {
    let rows = netkit.run().exits(0).rows().into_iter();
    let mut rows: Vec<_> = rows
        .map(|mut row| {
            row["cookie"] = Value::Null;
            if row["state"] == "LISTEN" {
                row["send_queue"] = Value::Null;
            }
            row.to_string()
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn where_netlink_is_refused_proc_is_read_and_that_is_said() {
    live(&[Need::Ipv6], || {
        let listener = listen("127.0.0.1");
        let _open = connect(&listener, "127.0.0.1");
        let _v6 = listen("::1");
        let line = "states --list --format ndjson";
        let usual = rows(netkit(line));
        assert_eq!(usual.len(), 4);
        without_netlink(|| {
            assert_eq!(rows(netkit(line)), usual);
            let answer = netkit("states --json").run().exits(0).quietly().json();
            assert_eq!(answer["source"], "proc");
            let warning = format!("{REFUSAL}; read from /proc instead");
            assert_eq!(answer["warnings"], serde_json::json!([warning]));
            let answer = netkit("states").run().exits(0);
            assert_eq!(answer.stderr, format!("netkit: warning: {warning}\n"));
            netkit("states --quiet").run().is(0, "", "");
        });
    });
}

#[test]
fn the_verdict_is_the_same_without_netlink() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        (0..9).for_each(|_| connect(&listener, "127.0.0.1").client_closes_first());
        let verdict = || {
            let mut verdict = netkit("states --time-wait --json").run().exits(0).json();
            // Rates are of the moment, and /proc does not show bound sockets.
            let mut pileup = verdict["pileup"].take();
            for there in pileup["destinations"].as_array_mut().unwrap() {
                there["rate_per_s"] = Value::Null;
                there["exhaustion_s"] = Value::Null;
            }
            pileup["ages"] = Value::Null;
            pileup["ephemeral"]["unseen_bound_at_most"] = Value::Null;
            pileup
        };
        let usual = verdict();
        assert_eq!(without_netlink(verdict), usual);
    });
}

#[test]
fn sock_diag_refused_is_a_failure_where_it_was_asked_for() {
    let error = format!("netkit: {REFUSAL}\nhint: `--source proc` reads /proc/net instead\n");
    without_netlink(|| {
        netkit("states --source sock_diag").run().is(3, "", &error);
        netkit("states --source sock_diag --format csv").run().is(3, "", &error);
        netkit("states --source sock_diag --quiet").run().exits(3);
    });
}

#[test]
fn bound_sockets_without_netlink_cannot_be_told() {
    live(&[], || {
        let _bound = bound("127.0.0.1", 0);
        let error = without_netlink(|| netkit("states --bound").run().exits(3));
        assert_eq!(error.stdout, "");
        assert_eq!(error.stderr.lines().count(), 2, "{error}");
    });
}

#[test]
fn without_netlink_and_proc_there_is_no_answer() {
    live(&[Need::Mount], || {
        let script = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
        let answer = without_netlink(|| {
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", script, PROGRAM]);
            Netkit::by(command, "states").run()
        });
        let error = "netkit: cannot read /proc/net/tcp: ENOENT (No such file or directory)\n\
                     hint: is /proc mounted, and readable? `--procfs DIR` reads another one\n";
        answer.is(3, "", error);
    });
}

#[test]
fn a_tree_without_tables_is_no_answer() {
    let empty = tempfile::tempdir().unwrap();
    let error = format!(
        "netkit: cannot read {}/net/tcp: ENOENT (No such file or directory)\n\
         hint: is /proc mounted, and readable? `--procfs DIR` reads another one\n",
        empty.path().display()
    );
    netkit("states").procfs(empty.path()).run().is(3, "", &error);
    for options in
        ["--json", "--list", "--list --json", "--format csv", "--time-wait", "--by state"]
    {
        let answer = netkit(&format!("states {options}")).procfs(empty.path()).run().exits(3);
        assert_eq!(answer.stderr, error, "{answer}");
    }
}

#[test]
fn a_failure_leaves_no_half_answer() {
    let empty = tempfile::tempdir().unwrap();
    for options in ["--list", "--list --json", "--list --format csv", "--format ndjson"] {
        let answer = netkit(&format!("states {options}")).procfs(empty.path()).run().exits(3);
        assert_eq!(answer.stdout, "", "{answer}");
    }
}

#[test]
fn a_capture_is_read_from_proc_whatever_the_source_would_be() {
    let capture = Capture::new().socket("ESTABLISHED", "10.0.0.1:40000", "10.0.0.2:80");
    for source in ["auto", "proc"] {
        let line = format!("states --json --source {source}");
        let answer = netkit(&line).procfs(capture.root()).run().exits(0).json();
        assert_eq!((&answer["source"], &answer["total"]), (&"proc".into(), &1.into()));
    }
}

#[test]
fn a_table_that_is_a_directory_is_no_answer() {
    let capture = Capture::new().file("net/tcp6", "");
    let root = capture.without(&["net/tcp"]);
    std::fs::create_dir(root.join("net/tcp")).unwrap();
    let answer = netkit("states").procfs(&root).run().exits(3);
    assert!(answer.stderr.contains("EISDIR"), "{answer}");
}

#[test]
fn standard_input_is_not_read() {
    let capture = Capture::new();
    let with = netkit("states --json").procfs(capture.root()).stdin(b"anything").run().exits(0);
    assert_eq!(with.json()["total"], 0);
    let full = File::options().write(true).open("/dev/null").unwrap();
    netkit("states").procfs(capture.root()).run_into(full).is(0, "", "");
}
