//! The verdict as JSON, and what is asked of it.

use serde_json::Value;

use super::Netkit;
use super::netkit;

/// `netkit states --time-wait` with `options`, as JSON.
#[track_caller]
pub fn verdict(options: &str) -> Value {
    verdict_of(netkit(&format!("states --time-wait --json {options}")))
}

/// The JSON of a run that may end with or without a finding.
#[track_caller]
pub fn verdict_of(netkit: Netkit) -> Value {
    let answer = netkit.run().quietly();
    assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    answer.json()
}

/// What the verdict says of connections to `address` and `port`.
#[track_caller]
pub fn destination<'a>(verdict: &'a Value, address: &str, port: u16) -> &'a Value {
    let all = verdict["pileup"]["destinations"].as_array().unwrap();
    all.iter()
        .find(|it| it["destination_address"] == address && it["destination_port"] == port)
        .unwrap_or_else(|| panic!("no destination {address} {port} in {verdict:#}"))
}

/// The names of the findings, sorted, each once.
pub fn findings(verdict: &Value) -> Vec<String> {
    let ids = verdict["findings"].as_array().unwrap().iter();
    let mut ids: Vec<_> = ids.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The finding of this name.
#[track_caller]
pub fn finding<'a>(verdict: &'a Value, id: &str) -> &'a Value {
    let all = verdict["findings"].as_array().unwrap();
    all.iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("no {id} in {verdict:#}"))
}
