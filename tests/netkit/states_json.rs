//! The JSON contract: real answers against docs/schema/states.json.

use std::fs;

use serde_json::{Value, json};

use crate::harness::command::in_repository;
use crate::harness::zoo::{HABITATS, Zoo};
use crate::harness::{Capture, Need, live, netkit};

fn schema() -> Value {
    let path = in_repository("docs/schema/states.json");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The schema of one of the definitions in `docs/schema/states.json`.
fn definition(name: &str) -> Value {
    let mut schema = schema();
    json!({
        "$schema": schema["$schema"].take(),
        "$defs": schema["$defs"].take(),
        "$ref": format!("#/$defs/{name}"),
    })
}

#[track_caller]
fn conforms(schema: &Value, answer: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{answer:#}");
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
fn the_schema_is_one_of_draft_2020_12() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema));
}

#[test]
fn answers_on_a_capture_conform() {
    let (schema, capture) = (schema(), capture());
    for options in OPTIONS {
        let line = format!("states --json {options}");
        conforms(&schema, &netkit(&line).procfs(capture.root()).run().json());
    }
}

#[test]
fn answers_without_sysctls_and_counters_conform() {
    let (schema, capture) = (schema(), capture());
    let root = capture.without(&["sys", "net/sockstat", "net/netstat"]);
    for options in OPTIONS {
        let line = format!("states --json {options}");
        conforms(&schema, &netkit(&line).procfs(&root).run().json());
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
                conforms(&schema, &netkit(&line).run().json());
            }
        }
        conforms(&schema, &netkit("states --json --bound --list").run().json());
    });
}

#[test]
fn a_line_of_ndjson_is_a_socket() {
    let (socket, capture) = (definition("socket"), capture());
    let rows = netkit("states --format ndjson").procfs(capture.root()).run().rows();
    assert!(rows.len() > 200);
    for row in rows {
        conforms(&socket, &row);
    }
}

#[test]
fn an_answer_that_is_not_one_does_not_conform() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = netkit("states --json").procfs(capture().root()).run().json();
    for (name, wrong) in
        [("schema", json!("netkit.states/2")), ("total", json!(-1)), ("source", json!("ss"))]
    {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert!(!validator.is_valid(&bad), "{name}");
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
    let time = answer["captured_at"].as_str().unwrap();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert!(shape.starts_with("0000-00-00T00:00:00"), "{time}");
    assert!(shape.ends_with('Z'), "{time}");
}
