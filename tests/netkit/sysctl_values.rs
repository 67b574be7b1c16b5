//! The catalogue against the running kernel: defaults of a new network namespace, the ends of ranges,
//! and texts in every writing.

use std::fs;

use netkit::catalogue::sysctls::{self, Scope, SysctlEntry};
use netkit::model::{SysctlKey, SysctlKind, SysctlValue};

use crate::harness::live;
use crate::harness::sysctl::file;

fn value(key: &str) -> Option<String> {
    let text = fs::read_to_string(file(key)).ok()?;
    Some(text.trim_end_matches('\n').to_owned())
}

/// Whether the kernel takes `text`; the value is then put back.
fn takes(key: &str, text: &str) -> bool {
    let before = value(key).unwrap();
    let is_taken = fs::write(file(key), format!("{text}\n")).is_ok();
    fs::write(file(key), format!("{before}\n")).unwrap();
    is_taken
}

/// Those that this namespace has and lets be written.
fn own() -> impl Iterator<Item = &'static SysctlEntry> {
    let is_own = |it: &&SysctlEntry| it.is_writable && it.scope == Scope::Namespace;
    let is_open = |key| fs::OpenOptions::new().write(true).open(file(key)).is_ok();
    sysctls::all().filter(is_own).filter(move |it| is_open(it.key))
}

#[test]
fn a_new_namespace_begins_with_the_defaults() {
    live(&[], || {
        let mut compared = 0;
        for entry in own() {
            let Some(default) = entry.fixed_default() else { continue };
            let running = value(entry.key).unwrap();
            assert!(entry.kind.is_same(&running, default), "{}: {running}", entry.key);
            compared += 1;
        }
        assert!(compared >= 25, "{compared}");
    });
}

#[test]
fn the_ends_of_ranges_are_taken_and_one_beyond_is_not() {
    live(&[], || {
        let mut wrong = Vec::new();
        for entry in own() {
            let (SysctlKind::Integer { low, high } | SysctlKind::Bitmask { low, high }) =
                entry.kind
            else {
                continue;
            };
            let numbers = [(low, true), (high, true), (low - 1, false), (high + 1, false)];
            for (number, expected) in numbers {
                // What its end is depends on how the kernel was built, or on another setting.
                let is_known = high != 21_474_836 || !expected;
                if entry.key == "net.ipv4.ip_unprivileged_port_start" || !is_known {
                    continue;
                }
                if takes(entry.key, &number.to_string()) != expected {
                    wrong.push(format!("{} = {number}: expected {expected}", entry.key));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

#[test]
fn texts_are_read_as_the_kernel_reads_them() {
    live(&[], || {
        let texts = [
            "30", "0x1e", "0X1E", "036", "08", "0x", "x", " 30", "\t30", "30 ", "30\t", "30 # x",
            "30# x", "1 2", "30;", "30.5", "+30", "-", "", " ", "1e3", "1,2", "12 x", "00", "0x0",
        ];
        for key in ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_retries2", "net.core.somaxconn"] {
            let kind = sysctls::find(&SysctlKey::parse(key).unwrap()).unwrap().kind;
            for text in texts {
                let before = value(key).unwrap();
                let is_taken = fs::write(file(key), format!("{text}\n")).is_ok();
                let after = value(key).unwrap();
                fs::write(file(key), format!("{before}\n")).unwrap();
                let ours = kind.parse(text);
                assert_eq!(ours.is_ok(), is_taken, "{key} = {text:?}: {ours:?}");
                if let Ok(ours) = ours {
                    let number = SysctlValue::Numbers(vec![after.parse().unwrap()]);
                    assert_eq!(ours.value, number, "{key} = {text:?}");
                }
            }
        }
    });
}
