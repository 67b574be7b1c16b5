//! `netkit echo` alone: which paths of this machine echo, and why the others do not.

use serde_json::{Value, json};

use crate::harness::needs::run;
use crate::harness::{Schema, live, netkit};

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
fn nothing_stays() {
    let directory = tempfile::tempdir().unwrap();
    netkit("echo").env("TMPDIR", directory.path().to_str().unwrap()).run().exits(0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_missing_fails_its_paths_alone() {
    let answer = netkit("echo --json").env("TMPDIR", "/nonexistent").run().exits(1).json();
    let failed: Vec<_> = paths(&answer).into_iter().filter(|it| it.ends_with(" failed")).collect();
    assert_eq!(
        failed,
        ["unix stream failed", "unix datagram failed", "unix seqpacket failed"],
        "{answer:#}"
    );
}
