//! The JSON contract: real answers of `netkit sysctl` against docs/schema/sysctl.json and
//! sysctl_explain.json.

use std::fs;

use serde_json::Value;

use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::{Capture, Schema, netkit};

#[test]
fn the_schemas_are_complete() {
    Schema::of("sysctl").is_complete();
    Schema::of("sysctl_explain").is_complete();
    Schema::of("sysctl_apply").is_complete();
}

#[test]
fn every_command_keeps_to_its_schema() {
    let schema = Schema::of("sysctl");
    let ask = |line: &str| {
        let answer = netkit(&format!("sysctl {line} --json")).run().quietly();
        assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
        let value = answer.json();
        schema.holds(&value);
        is_rfc_3339_utc(&value["captured_at"]);
        value
    };
    let image = tempfile::tempdir().unwrap();
    let below = |command: &str| format!("{command} --root {}", image.path().display());
    for line in [below("check"), below("diff --kernel 6.1")] {
        ask(&line);
    }
    for line in ["check", "", "diff", "show", "check --profile container"] {
        ask(line);
    }
    let every = ask("show");
    let explained = Schema::of("sysctl_explain");
    for setting in every["settings"].as_array().unwrap() {
        let key = setting["key"].as_str().unwrap();
        let page = netkit("sysctl explain --json").arg(key).run().exits(0).json();
        explained.holds(&page);
        for member in ["running", "default", "scope", "since", "until", "unit", "accepts"] {
            // What moves by itself may have moved.
            if key != "net.netfilter.nf_conntrack_count" {
                assert_eq!(page[member], setting[member], "{key}: {member}");
            }
        }
    }
}

#[test]
fn findings_of_every_kind_keep_to_the_schema() {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put(
        "etc/sysctl.conf",
        "net.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_fin_timeout = 30\n\
             net.ipv4.tcp_keepalive_time = 600\nwhat\n",
    );
    put(
        "etc/sysctl.d/1.conf",
        "net.ipv4.tcp_fin_timeout = 40\nnet.ipv4.tcp_tw_reuse = 1\nnet.no.key = 1\n\
             net.ipv4.tcp_syncookies = 0 # off\n",
    );
    put("etc/sysctl.d/tuning", "");
    // A machine that was booted: in a namespace, nothing drifts.
    let machine = Capture::new()
        .sysctl("tcp_mem", "183843 245127 367686")
        .sysctl("tcp_fin_timeout", "60")
        .sysctl("tcp_keepalive_time", "7200")
        .sysctl("tcp_syncookies", "1")
        .sysctl("tcp_timestamps", "0");
    let line = "sysctl check --json --profile server --expect net.core.somaxconn=1 --root";
    let run = netkit(line).arg(root.path()).procfs(machine.root());
    let value = run.run().exits(1).json();
    Schema::of("sysctl").holds(&value);
    let found = value["findings"].as_array().unwrap();
    for id in Schema::of("sysctl").words("/$defs/finding/properties/id") {
        // A file says a thing twice: that is for lint alone.
        let is_made = found.iter().any(|it| it["id"] == id);
        assert!(is_made || id == "SYSCTL_DUPLICATE", "no {id}");
    }
    let severities: Vec<_> = found.iter().map(|it| it["severity"].as_str().unwrap()).collect();
    let rank = |word: &str| ["critical", "warning", "info"].iter().position(|it| *it == word);
    assert!(severities.windows(2).all(|pair| rank(pair[0]) <= rank(pair[1])));
    let row = |key: &str| {
        let rows = value["settings"].as_array().unwrap();
        rows.iter().find(|it| it["key"] == key).unwrap().clone()
    };
    let fin = row("net.ipv4.tcp_fin_timeout");
    assert_eq!([&fin["procps"], &fin["systemd"], &fin["running"]], ["30", "40", "60"]);
    assert_eq!(fin["procps_source"]["file"], "/etc/sysctl.conf");
    assert_eq!(row("net.no.key")["scope"], Value::Null);
}
