//! Which sockets are shown, and how they are counted: on a capture, so that each answer is known.

use serde_json::{Value, json};

use crate::harness::{Answer, Capture, netkit};

/// One of each state, of both families, and IPv4 of an IPv6 socket.
fn mixed() -> Capture {
    Capture::new()
        .listen("0.0.0.0:22")
        .listen("[::]:443")
        .socket("ESTABLISHED", "10.0.0.1:22", "10.0.0.9:51000")
        .socket("ESTABLISHED", "10.0.0.1:40001", "10.0.0.2:5432")
        .socket("ESTABLISHED", "[::ffff:10.0.0.1]:443", "[::ffff:192.168.7.1]:52000")
        .socket("ESTABLISHED", "[fd00::1]:443", "[fd00::9]:52001")
        .socket("SYN_SENT", "10.0.0.1:40002", "10.0.0.3:80")
        .socket("SYN_RECV", "10.0.0.1:22", "10.0.0.9:51001")
        .socket("FIN_WAIT1", "10.0.0.1:40003", "10.0.0.2:5432")
        .socket("FIN_WAIT2", "10.0.0.1:40004", "10.0.0.2:5432")
        .fin_wait2_mini("10.0.0.1:40005", "10.0.0.2:5432")
        .time_wait("10.0.0.1:40006", "10.0.0.2:5432", 30_000)
        .time_wait("[::ffff:10.0.0.1]:443", "[::ffff:192.168.7.1]:52002", 30_000)
        .socket("CLOSE_WAIT", "10.0.0.1:40007", "10.0.0.2:5433")
        .socket("LAST_ACK", "10.0.0.1:40008", "10.0.0.2:5433")
        .socket("CLOSING", "[fd00::1]:40009", "[fd00::2]:80")
}

fn ask(options: &str) -> Answer {
    let capture = mixed();
    netkit(&format!("states {options}")).procfs(capture.root()).run().exits(0).quietly()
}

/// The local ends that `options` leave, in the order of the tables.
fn local(options: &str) -> Vec<String> {
    let rows = ask(&format!("--format ndjson {options}")).rows();
    rows.iter()
        .map(|row| {
            format!("{}:{}", row["local"]["address"].as_str().unwrap(), row["local"]["port"])
        })
        .collect()
}

fn total(options: &str) -> Value {
    ask(&format!("--json {options}")).json()["total"].clone()
}

#[test]
fn each_state_is_chosen_by_any_spelling() {
    for spelling in ["TIME_WAIT", "time-wait", "timewait", "Time-Wait", "TIMEWAIT"] {
        let chosen = local(&format!("--state {spelling}"));
        assert_eq!(chosen, ["10.0.0.1:40006", "10.0.0.1:443"], "{spelling}");
    }
    assert_eq!(local("--state estab"), local("--established"));
    assert_eq!(local("--state listening"), local("--listening"));
    assert_eq!(local("-l"), ["0.0.0.0:22", ":::443"]);
    assert_eq!(local("--time-wait --list"), local("--state time-wait"));
}

#[test]
fn states_are_joined_by_or() {
    assert_eq!(total("--state close-wait,last-ack"), 2);
    assert_eq!(total("--state close-wait --state last-ack --listening"), 4);
    assert_eq!(total("--state fin-wait1,fin-wait-1"), 1);
}

#[test]
fn the_groups_of_ss_are_known() {
    assert_eq!(total("--state all"), 16);
    assert_eq!(total("--state connected"), 14);
    assert_eq!(total("--state synchronized"), 13);
    assert_eq!(total("--state bucket"), 3);
    assert_eq!(total("--state big"), 13);
}

#[test]
fn fin_wait2_is_both_kinds_and_the_mini_only_one() {
    assert_eq!(local("--state fin-wait-2"), ["10.0.0.1:40004", "10.0.0.1:40005"]);
    assert_eq!(local("--state fin-wait2-mini"), ["10.0.0.1:40005"]);
    let states = ask("--json --state fin-wait-2").json()["states"].clone();
    let expected = json!([
        {"state": "FIN_WAIT2", "sockets": 1},
        {"state": "FIN_WAIT2_MINI", "sockets": 1},
    ]);
    assert_eq!(states, expected);
}

#[test]
fn the_families_are_those_on_the_wire() {
    assert_eq!(local("-6"), [":::443", "fd00::1:443", "fd00::1:40009"]);
    assert_eq!(total("-4"), 13);
    assert_eq!(local("-4 --port 443"), ["10.0.0.1:443", "10.0.0.1:443"]);
    assert_eq!(local("--ipv4 --listening"), ["0.0.0.0:22"]);
}

#[test]
fn ports_are_numbers_and_ranges_of_either_end_or_one() {
    assert_eq!(total("--port 443"), 4);
    assert_eq!(total("--port 5432"), 5);
    assert_eq!(total("--local-port 5432"), 0);
    assert_eq!(total("--remote-port 5432-5433"), 7);
    assert_eq!(total("--local-port 22,443"), 7);
    assert_eq!(local("--local-port 40001-40002"), ["10.0.0.1:40001", "10.0.0.1:40002"]);
    assert_eq!(total("--port 22 --remote-port 51000"), 1);
}

#[test]
fn addresses_are_one_or_a_network_and_mapped_ones_are_ipv4() {
    assert_eq!(total("--remote 10.0.0.2"), 7);
    assert_eq!(total("--remote 192.168.0.0/16"), 2);
    assert_eq!(total("--remote ::ffff:192.168.7.1"), 2);
    assert_eq!(total("--remote ::ffff:192.168.0.0/112"), 2);
    assert_eq!(total("--remote fd00::/16"), 2);
    assert_eq!(total("--local fd00::1 --established"), 1);
    assert_eq!(total("--local 10.0.0.0/8,fd00::/8"), 14);
    assert_eq!(total("--remote 0.0.0.0/0"), 13);
}

#[test]
fn counts_by_several_keys_are_the_largest_first() {
    let answer = ask("--json --by remote-address,state --remote 10.0.0.0/24 --top 2").json();
    let expected = json!([
        {"key": {"remote_address": "10.0.0.2", "state": "ESTABLISHED"}, "sockets": 1},
        {"key": {"remote_address": "10.0.0.2", "state": "FIN_WAIT1"}, "sockets": 1},
    ]);
    assert_eq!(answer["groups"], expected, "{answer:#}");
    assert_eq!(answer["groups_cut"], json!({"groups": 8, "sockets": 8}));
    let answer = ask("--json --by remote --top 1").json();
    let expected = json!([
        {"key": {"remote": {"address": "10.0.0.2", "port": 5432}}, "sockets": 5},
    ]);
    assert_eq!(answer["groups"], expected);
}

#[test]
fn a_cut_is_said_in_words_and_top_0_cuts_nothing() {
    let answer = ask("--by remote-port --top 1");
    assert!(
        answer.stdout.contains("more groups with 11 sockets not shown; `--top 0` shows all"),
        "{answer}"
    );
    let all = ask("--json --by remote-port --top 0").json();
    assert_eq!(all["groups_cut"], json!({"groups": 0, "sockets": 0}));
    let sum: u64 =
        all["groups"].as_array().unwrap().iter().map(|it| it["sockets"].as_u64().unwrap()).sum();
    assert_eq!(all["total"], sum);
}

#[test]
fn every_key_groups_by_what_it_names() {
    let keys = |key: &str| ask(&format!("--json --by {key} --top 0")).json()["groups"].clone();
    assert_eq!(keys("family")[0], json!({"key": {"family": "ipv4"}, "sockets": 11}));
    assert_eq!(keys("uid")[0], json!({"key": {"uid": 1000}, "sockets": 13}));
    assert_eq!(keys("uid")[1], json!({"key": {"uid": null}, "sockets": 3}));
    assert_eq!(keys("local-port")[0], json!({"key": {"local_port": 443}, "sockets": 4}));
    assert_eq!(keys("state")[0], json!({"key": {"state": "ESTABLISHED"}, "sockets": 4}));
    let local = json!({"key": {"local": {"address": "10.0.0.1", "port": 22}}, "sockets": 2});
    assert_eq!(keys("local")[0], local);
}

#[test]
fn the_columns_of_a_list_never_depend_on_the_filter() {
    let heading = |options: &str| ask(options).stdout.lines().next().unwrap().to_owned();
    for option in ["--state time-wait", "-l", "-6", "--state closing"] {
        assert_eq!(heading(&format!("--list {option}")), heading("--list"));
        let csv = heading(&format!("--list --format csv {option}"));
        assert_eq!(csv, heading("--list --format csv"));
    }
}

#[test]
fn all_formats_of_a_list_have_the_same_rows() {
    let json = ask("--list --json").json();
    let rows = ask("--list --format ndjson").rows();
    assert_eq!(json["sockets"], Value::from(rows.clone()));
    assert_eq!(json["total"], rows.len());
    assert_eq!(ask("--list").stdout.lines().count(), rows.len() + 1);
    assert_eq!(ask("--list --format csv").stdout.lines().count(), rows.len() + 1);
}
