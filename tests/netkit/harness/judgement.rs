//! `netkit bind --json`, and what every answer of it must be true to.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::binding::{IN_USE, OK, name};
use super::{Answer, Netkit, netkit};

/// `netkit bind` with the words of `line`, as JSON.
#[track_caller]
pub fn judge(line: &str) -> Value {
    judged(netkit(&format!("bind --json {line}")))
}

/// The JSON of a run that could look.
#[track_caller]
pub fn judged(netkit: Netkit) -> Value {
    let answer = netkit.run().quietly();
    let code = answer.json()["code"].as_i64();
    let expected = i32::from(code != Some(0));
    let answer = answer.exits(expected);
    let wrong = contradictions(&answer.json());
    assert!(wrong.is_empty(), "{wrong}{answer}");
    answer.json()
}

/// The codes of the options tried, in the order of the answer.
pub fn codes(answer: &Value) -> Vec<i32> {
    let options = answer["options"].as_array().unwrap();
    options.iter().map(|option| number(&option["code"])).collect()
}

/// The remedy of this name.
#[track_caller]
pub fn remedy<'a>(answer: &'a Value, id: &str) -> &'a Value {
    find_remedy(answer, id).unwrap_or_else(|| panic!("no remedy {id} in {answer:#}"))
}

/// The remedy of this name, if it is there.
pub fn find_remedy<'a>(answer: &'a Value, id: &str) -> Option<&'a Value> {
    answer["remedies"].as_array().unwrap().iter().find(|remedy| remedy["id"] == id)
}

/// The names of the remedies, in their order.
pub fn remedies(answer: &Value) -> Vec<&str> {
    let remedies = answer["remedies"].as_array().unwrap();
    remedies.iter().map(|remedy| remedy["id"].as_str().unwrap()).collect()
}

/// The blocker, where there is one.
#[track_caller]
pub fn blocker(answer: &Value) -> &Value {
    let blockers = answer["blockers"].as_array().unwrap();
    assert_eq!(blockers.len(), 1, "one blocker\n{answer:#}");
    &blockers[0]
}

fn number(code: &Value) -> i32 {
    i32::try_from(code.as_i64().unwrap()).unwrap()
}

/// What in an answer does not go with the rest of it, a line each.
fn contradictions(answer: &Value) -> String {
    let code = number(&answer["code"]);
    let mut wrong = String::new();
    let mut demand = |path: &str, got: &Value, expected: Value| {
        if *got != expected {
            writeln!(wrong, "{path} is {got}, and should be {expected}").unwrap();
        }
    };
    demand("schema", &answer["schema"], json!("netkit.bind/1"));
    demand("free", &answer["free"], json!(code == OK));
    demand("name", &answer["name"], json!(name(code)));
    for option in answer["options"].as_array().unwrap() {
        demand("an option's name", &option["name"], json!(name(number(&option["code"]))));
    }
    if code == OK {
        demand("blockers", &answer["blockers"], json!([]));
    }
    if answer["protocol"] == "tcp" {
        let flags: Vec<_> = answer["options"].as_array().unwrap().iter().collect();
        let order = flags.iter().map(|it| json!([it["reuse_addr"], it["reuse_port"]])).collect();
        let expected = json!([[false, false], [true, false], [false, true], [true, true]]);
        demand("the options", &Value::Array(order), expected);
        let tried: Vec<_> = flags.iter().map(|it| it["verified"] == true).collect();
        demand("verified", &json!(tried), json!(must_be_tried(&codes(answer))));
    } else {
        demand("the number of options", &json!(codes(answer).len()), json!(1));
    }
    // Port 0 is no port to share.
    let is_shareable = answer["protocol"] == "tcp"
        && answer["stage"] == "bind"
        && !answer["address"].as_str().unwrap().ends_with(":0");
    if is_shareable && code == IN_USE {
        for (id, at) in [("reuse_addr", 1), ("reuse_port", 2)] {
            let expected = json!([true, codes(answer)[at] == OK]);
            let found = find_remedy(answer, id).unwrap_or(&Value::Null);
            demand(id, &json!([found["verified"], found["helps"]]), expected);
        }
    }
    demand_times(answer, &mut demand);
    wrong
}

/// Which of the four must have been tried: all are accepted where a plain bind is, and of another
/// error than a conflict no option of reuse is a cure. The last follows where one before it is
/// accepted.
fn must_be_tried(codes: &[i32]) -> [bool; 4] {
    let is_conflict = codes[0] == IN_USE;
    [true, is_conflict, is_conflict, is_conflict && codes[1] != OK && codes[2] != OK]
}

fn demand_times(answer: &Value, demand: &mut impl FnMut(&str, &Value, Value)) {
    let blockers = answer["blockers"].as_array().unwrap();
    let timers: Vec<_> = blockers.iter().filter_map(|it| it["expires_ms"].as_i64()).collect();
    let all_wait = !blockers.is_empty() && timers.len() == blockers.len();
    let longest = timers.iter().max().filter(|_| all_wait);
    demand("frees_in_ms", &answer["frees_in_ms"], json!(longest));
    let Some(left) = longest else { return demand("frees_at", &answer["frees_at"], Value::Null) };
    demand("frees_itself", &answer["frees_itself"], json!(true));
    let time = |member: &str| answer[member].as_str().unwrap().parse::<Timestamp>().unwrap();
    let between = time("frees_at").duration_since(time("captured_at"));
    let is_same = (between - SignedDuration::from_millis(*left)).abs().as_millis() <= 1;
    demand("frees_at - captured_at is frees_in_ms", &json!(is_same), json!(true));
    let at_most = answer["frees_in_at_most_ms"].as_i64();
    demand("at most is no less", &json!(at_most >= Some(*left)), json!(true));
}

/// The JSON of a run that could not look: there is none.
#[track_caller]
pub fn could_not_look(netkit: Netkit) -> Answer {
    let answer = netkit.run().exits(3);
    assert_eq!(answer.stdout, "", "{answer}");
    answer
}
