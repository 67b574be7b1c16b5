//! The JSON contract: real answers of `netkit wait` against docs/schema/wait.json.

use serde_json::Value;

use crate::harness::binding::Reuse;
use crate::harness::conditions::{Condition, Occupant, fresh};
use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::sockets::listen;
use crate::harness::{Schema, live, netkit};

#[test]
fn the_schema_is_complete() {
    Schema::of("wait").is_complete();
}

/// The answer of a run that ends with `code`, which keeps to the schema.
#[track_caller]
fn answer(line: &str, code: i32) -> Value {
    let answer = netkit(&format!("{line} --json")).run().exits(code);
    let value = answer.json();
    Schema::of("wait").holds(&value);
    is_rfc_3339_utc(&value["captured_at"]);
    assert_eq!(value["met"], Value::Bool(code == 0), "{answer}");
    value
}

#[test]
fn every_kind_of_target_keeps_to_the_schema() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let up = listener.local_addr().unwrap();
        let gone = fresh();
        let left = Condition::new(Occupant::TimeWait, Reuse::No).local;
        answer(&format!("wait {up} listen:{} time-wait<9", up.port()), 0);
        answer(&format!("wait {up} {gone} nosuch.invalid:80 unix:/nonexistent -t 200ms"), 1);
        answer(&format!("wait {up} {gone} --any -t 5s"), 0);
        answer(&format!("wait {up} udp://{gone} listen:{} --for down -t 200ms", up.port()), 1);
        answer(&format!("wait {up} --for refused -t 100ms"), 1);
        answer(&format!("wait {up} --for echo -t 200ms --attempt-timeout 50ms"), 1);
        let value = answer(&format!("wait {left} {up} {gone} --for free -t 200ms"), 1);
        let found: Vec<_> = value["targets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["last"]["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(found, ["leftover", "in_use", "free"]);
        let value = answer(&format!("wait {up} -t 0"), 0);
        assert_eq!(value["timeout_ms"], Value::Null);
    });
}

#[test]
fn each_change_is_a_line_at_once_and_the_result_the_last() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let up = listener.local_addr().unwrap();
        let gone = fresh();
        let answer =
            netkit(&format!("wait {up} {gone} -t 200ms --format ndjson")).run().exits(1).quietly();
        let mut rows = answer.rows();
        let result = rows.pop().unwrap();
        assert_eq!(result["event"], "result");
        Schema::of("wait").holds(&result);
        assert_eq!(rows.len(), 2, "{answer}");
        for row in &rows {
            Schema::of("wait").definition("change").holds(row);
        }
        let of = |target: String| {
            let target = Value::from(target);
            rows.iter().find(|row| row["target"] == target).unwrap()
        };
        assert_eq!(of(up.to_string())["met"], true);
        assert_eq!(of(gone.to_string())["last"]["name"], "ECONNREFUSED");
    });
}

#[test]
fn csv_has_a_line_for_each_target() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let up = listener.local_addr().unwrap();
        let gone = fresh();
        let answer = netkit(&format!("wait {up} {gone} -t 100ms --format csv")).run().exits(1);
        let lines: Vec<_> = answer.stdout.lines().collect();
        assert_eq!(
            lines[0],
            "target,condition,met,attempts,elapsed_ms,reaction_ms,outcome,code,name"
        );
        assert!(lines[1].starts_with(&format!("{up},up,true,1,")), "{answer}");
        assert!(lines[1].ends_with(",,connected,0,OK"), "{answer}");
        assert!(lines[2].ends_with(",,,refused,111,ECONNREFUSED"), "{answer}");
    });
}
