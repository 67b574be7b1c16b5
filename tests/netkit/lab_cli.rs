//! `netkit lab` where nothing is made: the list, and wrong command lines.

use std::fs;

use crate::harness::command::in_repository;
use crate::harness::{Answer, Schema, netkit};

/// Exit code 2, nothing on standard output, and a first line of standard error that begins so.
#[track_caller]
fn refused(line: &str, beginning: &str) -> Answer {
    let answer = netkit(line).run().exits(2);
    assert_eq!(answer.stdout, "", "{answer}");
    let expected = format!("netkit: {beginning}");
    assert!(answer.stderr.starts_with(&expected), "expected {expected:?}\n{answer}");
    answer
}

#[test]
fn the_list_fits_a_terminal_in_every_format() {
    let table = netkit("lab list").run().exits(0).quietly().stdout;
    assert!(table.starts_with(" SCENARIO                  SOCKETS WHAT IT MAKES\n"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json = netkit("lab list --json").run().exits(0).quietly().json();
    Schema::of("lab_list").holds(&json);
    let scenarios = json["scenarios"].as_array().unwrap();
    for scenario in scenarios {
        assert!(table.contains(scenario["name"].as_str().unwrap()), "{scenario}\n{table}");
    }
    let rows = netkit("lab list --format ndjson").run().exits(0).quietly().rows();
    assert_eq!(&rows, scenarios);
    let csv = netkit("lab list --format csv").run().exits(0).quietly().stdout;
    assert_eq!(csv.lines().next(), Some("name,about,sockets,takes_destinations"));
    assert_eq!(csv.lines().count(), scenarios.len() + 1);
    netkit("lab list --quiet").run().is(0, "", "");
}

#[test]
fn every_scenario_is_explained() {
    let page = fs::read_to_string(in_repository("docs/lab.md")).unwrap();
    let list = netkit("lab list --json").run().exits(0).json();
    for scenario in list["scenarios"].as_array().unwrap() {
        let name = scenario["name"].as_str().unwrap();
        assert!(page.contains(&format!("`{name}`")), "docs/lab.md does not speak of {name}");
    }
}

#[test]
fn a_misspelt_scenario_is_answered_with_the_near_one_and_the_list() {
    for verb in ["run", "shell"] {
        refused(&format!("lab {verb} port-exhausted"), "invalid value 'port-exhausted'")
            .complains("a similar value exists: 'ports-exhausted'")
            .complains("address-in-use-time-wait, ");
    }
}

#[test]
fn the_lab_takes_no_other_place() {
    for place in ["--netns 1", "--procfs /proc"] {
        for verb in ["list", "run --all", "run fin-wait2", "shell fin-wait2 -- true"] {
            let (verb, rest) = verb.split_once(' ').unwrap_or((verb, ""));
            let problem = "the lab makes a namespace of its own: it takes no --netns and no";
            refused(&format!("lab {verb} {place} {rest}"), problem);
        }
    }
}

#[test]
fn sizes_that_make_no_sense_are_refused_before_anything_is_made() {
    for verb in ["run", "shell"] {
        let refused = |options: &str, problem| refused(&format!("lab {verb} {options}"), problem);
        refused("ports-exhausted --sockets 5", "`ports-exhausted` takes no --sockets");
        refused("fin-wait2 --destinations 5", "`fin-wait2` takes no --destinations");
        refused(
            "time-wait-pileup --sockets 30000 --destinations 1",
            "30,000 sockets need 2 destinations: each has 28,232 ports",
        );
        refused("time-wait-pileup --sockets 0", "invalid value '0' for '--sockets <N>'");
    }
}

#[test]
fn something_has_to_be_run() {
    refused("lab", "");
    refused("lab run", "the following required arguments were not provided");
    refused("lab run --all fin-wait2", "the argument '--all' cannot be used with");
    refused("lab run --all --keep", "the argument '--all' cannot be used with");
    refused("lab run --all --sockets 5", "the argument '--all' cannot be used with");
}

#[test]
fn what_netkit_says_to_itself_is_not_in_the_help() {
    let help = netkit("lab --help").run().exits(0).quietly().stdout;
    assert!(!help.contains("inside  ") && !help.contains("enter  "), "{help}");
}
