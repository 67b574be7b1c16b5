//! `--procfs DIR`: captured and damaged trees.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Capture, netkit};

fn busy() -> Capture {
    Capture::new()
        .listen("0.0.0.0:22")
        .socket("ESTABLISHED", "10.0.0.1:22", "10.0.0.9:51000")
        .time_wait("10.0.0.1:40000", "10.0.0.2:80", 30_000)
}

#[test]
fn a_malformed_line_costs_itself_and_is_counted() {
    let capture = busy().line("   4: this is no socket");
    let answer = netkit("states --json").procfs(capture.root()).run().exits(0).quietly().json();
    assert_eq!(answer["total"], 3);
    assert_eq!(answer["warnings"], json!(["1 malformed line was left out"]));
    let capture = capture.line("5: 0100007F:0016").line("\u{fffd}\u{1b}[31m");
    let answer = netkit("states").procfs(capture.root()).run().exits(0);
    assert_eq!(answer.stderr, "netkit: warning: 3 malformed lines were left out\n");
    assert!(answer.stdout.starts_with("3 TCP sockets"), "{answer}");
    let rows = netkit("states --format ndjson").procfs(capture.root()).run().exits(0).rows();
    assert_eq!(rows.len(), 3);
}

#[test]
fn a_machine_without_ipv6_has_no_tcp6() {
    let capture = busy();
    let root = capture.without(&["net/tcp6", "net/sockstat6"]);
    let answer = netkit("states --json").procfs(root).run().exits(0).quietly().json();
    assert_eq!((&answer["total"], &answer["warnings"]), (&3.into(), &json!([])));
}

#[test]
fn without_tcp_there_is_no_answer() {
    let capture = busy();
    let root = capture.without(&["net/tcp"]);
    let error = format!(
        "netkit: cannot read {}/net/tcp: ENOENT (No such file or directory)\n\
         hint: is /proc mounted, and readable? `--procfs DIR` reads another one\n",
        root.display()
    );
    netkit("states").procfs(&root).run().is(3, "", &error);
}

#[test]
fn without_sysctls_the_verdict_is_unknown() {
    let capture = Capture::new().time_waits("10.0.0.1", 40_000..40_003, "10.0.0.2:80");
    let root = capture.without(&["sys"]);
    let answer = netkit("states --time-wait").procfs(&root).run().exits(3);
    assert!(answer.stdout.starts_with("UNKNOWN  "), "{answer}");
    for key in [
        "ip_local_port_range",
        "ip_local_reserved_ports",
        "tcp_tw_reuse",
        "tcp_timestamps",
        "tcp_max_tw_buckets",
    ] {
        assert!(answer.stderr.contains(key), "no word of {key}\n{answer}");
    }
    let answer = netkit("states --time-wait --json").procfs(&root).run().exits(3).quietly().json();
    let pileup = &answer["pileup"];
    assert_eq!(pileup["severity"], Value::Null);
    assert_eq!(pileup["bucket_limit"], Value::Null);
    for name in ["low", "high", "available", "bound"] {
        assert_eq!(pileup["ephemeral"][name], Value::Null, "{name}");
    }
    for name in ["headroom", "used_percent", "ceiling_per_s", "severity"] {
        assert_eq!(pileup["destinations"][0][name], Value::Null, "{name}");
    }
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 5, "{answer:#}");
}

#[test]
fn without_the_port_range_a_time_wait_of_unknown_side_is_not_called_harmless() {
    let capture = Capture::new().time_wait("10.0.0.1:40000", "10.0.0.2:80", 30_000);
    let root = capture.without(&["sys/net/ipv4/ip_local_port_range"]);
    let answer = netkit("states --time-wait").procfs(&root).run().exits(3);
    assert!(answer.stdout.starts_with("UNKNOWN  "), "{answer}");
}

#[test]
fn nonsense_in_a_sysctl_is_unknown_and_said() {
    let capture = Capture::new()
        .time_waits("10.0.0.1", 40_000..40_003, "10.0.0.2:80")
        .sysctl("ip_local_port_range", "60999 32768")
        .sysctl("tcp_tw_reuse", "7");
    let answer = netkit("states --time-wait --json").procfs(capture.root()).run().exits(3).json();
    let expected = [
        "net.ipv4.ip_local_port_range has the unknown value `60999 32768`",
        "net.ipv4.tcp_tw_reuse has the unknown value `7`",
    ];
    assert_eq!(answer["warnings"], json!(expected));
}

#[test]
fn counters_that_are_missing_are_null_and_not_zero() {
    let capture = busy();
    let root = capture.without(&["net/netstat", "net/sockstat"]);
    let answer = netkit("states --time-wait --json").procfs(&root).run().exits(0).json();
    assert_eq!(answer["pileup"]["overflows_since_boot"], Value::Null);
    assert_eq!(answer["counters"]["sockstat"]["time_wait"], Value::Null);
}

#[test]
fn a_state_without_a_name_keeps_its_number() {
    let capture = busy().socket("STATE_77", "10.0.0.1:1", "10.0.0.2:2");
    let answer = netkit("states --json").procfs(capture.root()).run().exits(0).json();
    let states = answer["states"].as_array().unwrap();
    assert!(states.contains(&json!({"state": "STATE_77", "sockets": 1})), "{states:?}");
}

#[test]
fn a_row_that_comes_twice_is_counted_once() {
    let capture = Capture::new().time_wait("10.0.0.1:40000", "10.0.0.2:80", 30_000).time_wait(
        "10.0.0.1:40000",
        "10.0.0.2:80",
        20_000,
    );
    let answer = netkit("states --json").procfs(capture.root()).run().exits(0).json();
    assert_eq!(answer["total"], 1);
}

#[test]
fn a_table_that_only_repeats_itself_is_left_and_said_to_be_incomplete() {
    let mut capture = busy();
    for _ in 0..300 {
        capture = capture.time_wait("10.0.0.1:40000", "10.0.0.2:80", 30_000);
    }
    let answer = netkit("states --json").procfs(capture.root()).run().exits(0).json();
    assert_eq!(answer["total"], 3);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("may be incomplete"), "{warning}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// In-process, for speed: whatever the tree holds, a run ends with an exit code.
    #[test]
    fn no_bytes_in_a_capture_make_a_run_panic(
        table in proptest::collection::vec(any::<u8>(), 0..400),
        words in "[ :0-9A-F\\n]{0,300}",
        sysctl in ".{0,20}",
    ) {
        let capture = busy().line(&words).sysctl("ip_local_port_range", &sysctl);
        let root = capture.root();
        fs::write(root.join("net/tcp6"), &table).unwrap();
        fs::write(root.join("net/netstat"), &table).unwrap();
        for options in ["--list", "--time-wait", "--by=remote"] {
            let line = ["netkit", "states", options, "--procfs"].map(Into::into);
            let arguments = line.into_iter().chain([root.as_os_str().to_owned()]);
            let sink = || Box::new(std::io::sink());
            netkit::run(arguments, &mut netkit::Streams::new(sink(), sink()));
        }
    }
}
