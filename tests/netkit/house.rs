//! The house: what the README and the pages of docs/ promise is so.

use std::fs;

use crate::harness::command::in_repository;
use crate::harness::{live, netkit};

fn page(path: &str) -> String {
    let path = in_repository(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The command lines in the fenced blocks of a page, without prompts and comments.
fn commands(page: &str) -> Vec<String> {
    let fenced = page.split("```").skip(1).step_by(2);
    let lines = fenced.flat_map(|block| block.lines().skip(1));
    let lines = lines.map(|line| line.trim_start_matches("$ ").split(" #").next().unwrap().trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let commands = commands(&page("README.md"));
    let first: Vec<_> = commands.iter().take(2).collect();
    assert_eq!(first, ["cargo run --release -- states --time-wait", "cargo test"]);
}

#[test]
fn every_finding_is_explained() {
    let page = ["states", "bind", "connect", "sysctl"]
        .map(|name| page(&format!("docs/{name}.md")))
        .concat();
    for entry in netkit::catalogue::findings::FINDINGS {
        assert!(page.contains(entry.id), "no page of docs/ speaks of {}", entry.id);
    }
}

/// The commands that `netkit --help` lists.
fn listed() -> Vec<String> {
    let help = netkit("--help").run().exits(0).quietly().stdout;
    let section = help.split_once("Commands:\n").unwrap().1;
    let section = section.split_once("\n\n").unwrap().0;
    let names = section.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_tells_with_v_what_it_does() {
    let lines = [
        ("states", "looked source="),
        ("sysctl check", "settings looked up keys="),
        ("connect 127.0.0.1:1", "tried end="),
        ("bind 127.0.0.1:0", "asked bind(2) target=127.0.0.1:0"),
        ("wait 127.0.0.1:1 -t 10ms", "looked target="),
        ("echo", "listening address="),
        ("explain TIME_WAIT", "looked for word="),
        ("lab run fin-wait2", "call=\"bind and listen("),
    ];
    live(&[], || {
        for command in listed() {
            let of_it = lines.iter().find(|(line, _)| line.split(' ').next() == Some(&command));
            let (line, told) = of_it.unwrap_or_else(|| panic!("{command} has no line here"));
            let said = netkit(&format!("-v {line}")).run().stderr;
            assert!(said.contains(told), "{line}: {said}");
            let plain = netkit(line).run().stderr;
            assert!(!plain.contains(" INFO "), "{line}: {plain}");
        }
    });
}

#[test]
fn what_a_message_quotes_moves_no_cursor() {
    for line in ["connect", "bind", "wait", "echo client", "states --netns", "explain", ""] {
        let answer = netkit(line).arg("unix:/no/\x1b[31m\u{202e}x").run();
        assert_ne!(answer.code, Some(0), "{answer}");
        let told = answer.stderr + &answer.stdout;
        assert!(!told.contains(['\x1b', '\u{202e}']), "{line}: {told:?}");
        // clap leaves out a sequence that changes a colour.
        assert!(told.contains("\\u{202e}x"), "{line}: {told:?}");
    }
}

#[test]
fn the_help_of_every_command_has_examples_that_are_right() {
    assert!(listed().contains(&"states".to_owned()));
    for command in listed() {
        let help = netkit(&format!("{command} --help")).run().exits(0).quietly().stdout;
        let (_, section) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{help}"));
        let lines = section.lines().take_while(|line| line.starts_with("  "));
        for line in lines {
            let example = line.trim().split("   ").next().unwrap();
            let example = example.split("  ").next().unwrap();
            let mut words = example.strip_prefix("netkit ").unwrap().replace('\'', "");
            if words.starts_with("echo server") {
                // It serves until it is told to stop.
                words += " --for 50ms";
            }
            assert!(words.starts_with(&command), "{example}");
            // In a test nobody is there to be waited for.
            let words = &match words.strip_prefix("wait ") {
                Some(rest) => match rest.split_once(" -- ") {
                    Some((targets, command)) => format!("wait {targets} -t 50ms -- {command}"),
                    None => format!("{words} -t 50ms"),
                },
                None => words.clone(),
            };
            // Whatever it finds here, the command line itself is accepted.
            let answer = netkit(words).stdin(b"127.0.0.1:9\n").run();
            assert_ne!(answer.code, Some(2), "{answer}");
        }
    }
}

#[test]
fn options_of_all_commands_stand_before_the_command_and_behind_it() {
    let rows = |line: &str| netkit(line).run().exits(0).quietly().stdout;
    let behind = rows("explain --list --format csv");
    assert_eq!(rows("--format csv explain --list"), behind);
    // Of the same option, what stands nearer to the end is what is meant.
    assert_eq!(rows("--format json explain --list --format csv"), behind);
    let json = rows("--json sysctl show");
    assert!(json.starts_with('{') && json.contains("netkit.sysctl/1"), "{json}");
    assert_eq!(rows("-q explain --list"), "");
    let about = "Linux network diagnostics: ";
    assert!(rows("-h").starts_with(about) && rows("help").starts_with(about));
    let refused = netkit("explain --list --format csv --json").run().exits(2);
    assert!(refused.stderr.contains("cannot be used with"), "{refused}");
}

#[test]
fn the_version_is_the_crates() {
    let version = format!("netkit {}\n", env!("CARGO_PKG_VERSION"));
    netkit("--version").run().is(0, &version, "");
}
