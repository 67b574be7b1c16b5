//! The JSON contract: real answers against docs/schema/states.json.

use serde_json::json;

use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::zoo::{HABITATS, Zoo};
use crate::harness::{Capture, Need, Schema, live, netkit};

fn schema() -> Schema {
    Schema::of("states")
}

fn capture() -> Capture {
    Capture::new()
        .listen("[::]:443")
        .socket("ESTABLISHED", "10.0.0.1:22", "10.0.0.9:51000")
        .socket("STATE_77", "10.0.0.1:1", "10.0.0.2:2")
        .time_waits("10.0.0.1", 40_000..40_200, "10.0.0.2:80")
        .time_wait("[::ffff:10.0.0.1]:443", "[::ffff:192.168.7.1]:52002", 0)
        .line("no socket")
        .overflows(3)
}

const OPTIONS: [&str; 9] = [
    "",
    "--time-wait",
    "--time-wait --max-total 1 --crit-used 0",
    "--time-wait --sample 1ms",
    "--time-wait --list",
    "--time-wait --by remote",
    "--list",
    "--by state,local,local-port,remote,remote-address,remote-port,family,uid",
    "--udp --list",
];

#[test]
fn the_schema_is_complete() {
    schema().is_complete();
}

#[test]
fn answers_on_a_capture_conform() {
    let (schema, capture) = (schema(), capture());
    for options in OPTIONS {
        let line = format!("states --json {options}");
        schema.holds(&netkit(&line).procfs(capture.root()).run().json());
    }
}

#[test]
fn answers_without_sysctls_and_counters_conform() {
    let (schema, capture) = (schema(), capture());
    let root = capture.without(&["sys", "net/sockstat", "net/netstat"]);
    for options in OPTIONS {
        let line = format!("states --json {options}");
        schema.holds(&netkit(&line).procfs(&root).run().json());
    }
}

#[test]
fn answers_of_the_running_kernel_conform() {
    live(&[Need::Ipv6, Need::Python3], || {
        let schema = schema();
        let _zoos = HABITATS.map(Zoo::new);
        for source in ["sock_diag", "proc"] {
            for options in OPTIONS {
                let line = format!("states --json --source {source} {options}");
                schema.holds(&netkit(&line).run().json());
            }
        }
        schema.holds(&netkit("states --json --bound --list").run().json());
    });
}

#[test]
fn a_line_of_ndjson_is_a_socket() {
    let (socket, capture) = (schema().definition("socket"), capture());
    let rows = netkit("states --format ndjson").procfs(capture.root()).run().rows();
    assert!(rows.len() > 200);
    for row in rows {
        socket.holds(&row);
    }
}

#[test]
fn an_answer_that_is_not_one_does_not_conform() {
    let schema = schema();
    let good = netkit("states --json").procfs(capture().root()).run().json();
    for (name, wrong) in
        [("schema", json!("netkit.states/2")), ("total", json!(-1)), ("source", json!("ss"))]
    {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert!(!schema.takes(&bad), "{name}");
    }
}

#[test]
fn the_promised_members_are_there_and_no_others_come_and_go() {
    let capture = capture();
    let names = |options: &str| {
        let line = format!("states --json {options}");
        let answer = netkit(&line).procfs(capture.root()).run().json();
        let mut names: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let always = [
        "captured_at",
        "counters",
        "elapsed_us",
        "findings",
        "schema",
        "source",
        "states",
        "total",
        "warnings",
    ];
    let with = |more: &[&str]| {
        let mut names: Vec<_> = always.iter().chain(more).map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(""), with(&[]));
    assert_eq!(names("--list"), with(&["sockets"]));
    assert_eq!(names("--by state"), with(&["groups", "groups_cut"]));
    assert_eq!(names("--time-wait"), with(&["pileup"]));
    assert_eq!(names("--time-wait --list"), with(&["pileup", "sockets"]));
}

#[test]
fn the_time_is_rfc_3339() {
    let answer = netkit("states --json").procfs(Capture::new().root()).run().exits(0).json();
    is_rfc_3339_utc(&answer["captured_at"]);
}
