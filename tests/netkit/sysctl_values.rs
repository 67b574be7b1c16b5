//! Values of sysctls, judged by netkit and by the running kernel.
//!
//! Each text is written to /proc/sys in a namespace of the test's own, by one write(2) with a newline
//! after it, and read back. Whether it was taken, with which error not, and what is there afterwards
//! has to be what `SysctlKind` says. Defaults and ranges of the catalogue are held against a new
//! namespace.

use std::fs;
use std::io::Write as _;

use netkit::catalogue::sysctls::{self, Scope, SysctlEntry};
use netkit::kernel::tcp_settings::TcpSettings;
use netkit::kernel::{ProcRoot, sysctl_tree};
use netkit::model::{KernelRelease, SysctlKey, SysctlKind, SysctlValue, TargetKernel};

use crate::harness::sysctl::file;
use crate::harness::{Need, live};

const EINVAL: i32 = 22;

/// What the kernel answers to `text`: its error, and the value that is there afterwards.
fn kernel(key: &str, text: &str) -> (Option<i32>, String) {
    let mut file = fs::OpenOptions::new().write(true).open(file(key)).unwrap();
    let error = file.write(format!("{text}\n").as_bytes()).err();
    (error.map(|error| error.raw_os_error().unwrap()), value(key))
}

fn value(key: &str) -> String {
    fs::read_to_string(file(key)).unwrap().trim_end_matches('\n').to_owned()
}

/// What netkit expects where `before` is there: the error, and the value afterwards.
fn expected(kind: SysctlKind, text: &str, before: &str) -> (Option<i32>, SysctlValue) {
    let old = kind.parse(before).unwrap().value;
    match kind.parse(text) {
        Ok(parsed) => (None, laid_over(&old, &parsed.value, usize::MAX)),
        Err(bad) => (Some(EINVAL), laid_over(&old, &numbers(kind, text), bad.set_before())),
    }
}

/// `old` with the first `count` numbers of `new` in place of its own; ports and text are replaced.
fn laid_over(old: &SysctlValue, new: &SysctlValue, count: usize) -> SysctlValue {
    let (SysctlValue::Numbers(old), SysctlValue::Numbers(new)) = (old, new) else {
        return if count > 0 { new.clone() } else { old.clone() };
    };
    let rest = old.iter().skip(new.len().min(count));
    SysctlValue::Numbers(new.iter().take(count).chain(rest).copied().collect())
}

/// The numbers at the front of a text that is wrong further on.
fn numbers(kind: SysctlKind, text: &str) -> SysctlValue {
    let words: Vec<_> = text.split_whitespace().collect();
    let mut fronts = (1..=words.len()).rev().map(|count| words[..count].join(" "));
    let parsed = fronts.find_map(|front| kind.parse(&front).ok());
    parsed.map_or(SysctlValue::Numbers(Vec::new()), |parsed| parsed.value)
}

/// The running kernel.
fn kernel_here() -> TargetKernel {
    let here = sysctl_tree::target(&ProcRoot::live());
    assert!(here.release.is_some() && here.tick_hz.is_some(), "{here:?}");
    here
}

fn kind_of(key: &str) -> SysctlKind {
    sysctls::find(&SysctlKey::parse(key).unwrap()).unwrap().kind_in(kernel_here())
}

/// Writes each text where the default is, and compares.
fn compare(key: &str, texts: &[&str]) {
    let kind = kind_of(key);
    let default = value(key);
    let mut wrong = Vec::new();
    for text in texts {
        fs::write(file(key), format!("{default}\n")).unwrap();
        let (errno, after) = kernel(key, text);
        let (expected_errno, expected_value) = expected(kind, text, &default);
        let is_value_right = kind.parse(&after).unwrap().value == expected_value;
        if errno != expected_errno || !is_value_right {
            wrong.push(format!(
                "{text:?}: the kernel says {errno:?} and has {after:?}, netkit said \
                 {expected_errno:?} and {expected_value}"
            ));
        }
    }
    fs::write(file(key), format!("{default}\n")).unwrap();
    assert!(wrong.is_empty(), "{key}\n{}", wrong.join("\n"));
}

/// Numbers in every writing, and texts that are none.
const NUMBERS: &[&str] = &[
    "30",
    "0x1e",
    "0X1E",
    "036",
    "08",
    "0x",
    "0xg",
    "x",
    " 30",
    "\t30",
    "\n30",
    "\r30",
    "\u{b}30",
    "30 ",
    "30\t",
    "30 # x",
    "30# x",
    "1 2",
    "1 x",
    "1\n2",
    "30;",
    "30.5",
    "+30",
    "-1",
    "-0",
    "- 1",
    "--1",
    "-",
    "",
    " ",
    "1e3",
    "1_000",
    "1,2",
    "30\r",
    "30\0",
    "\0",
    "\u{a0}30",
    "30\u{a0}",
    "-0x10",
    "0b1",
    "0o7",
    "٣",
    "0",
    "1",
    "2",
    "3",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "65537",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "4294967297",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "00000000000000000005",
    "000000000000000000005",
    "-0000000000000000005",
    "-00000000000000000005",
];

#[test]
fn numbers_are_what_the_kernel_makes_of_them() {
    live(&[], || {
        for key in [
            "net.ipv4.tcp_max_tw_buckets",
            "net.ipv4.tcp_fastopen",
            "net.ipv4.tcp_timestamps",
            "net.ipv4.tcp_tw_reuse",
            "net.ipv4.tcp_syn_retries",
            "net.ipv4.tcp_notsent_lowat",
            "net.core.somaxconn",
        ] {
            compare(key, NUMBERS);
        }
    });
}

#[test]
fn seconds_are_taken_as_far_as_the_tick_goes() {
    live(&[], || {
        let key = "net.ipv4.tcp_fin_timeout";
        compare(key, NUMBERS);
        let (low, high) = kind_of(key).range();
        let ends = [low - 1, low, high, high + 1].map(|end| end.to_string());
        compare(key, &ends.each_ref().map(String::as_str));
    });
}

#[test]
fn an_unsigned_size_has_a_range() {
    let key = "net.ipv4.tcp_child_ehash_entries";
    live(&[Need::Sysctl("net.ipv4.tcp_child_ehash_entries")], || {
        compare(key, NUMBERS);
        compare(key, &["16777216", "16777217"]);
    });
}

#[test]
fn triples_are_stored_one_by_one() {
    live(&[], || {
        compare(
            "net.ipv4.tcp_rmem",
            &[
                "5000 6000 7000",
                "5000\t6000\t7000",
                "5000\n6000\n7000",
                "5000 6000",
                "5000",
                " 5000",
                "5000 6000 7000 8000",
                "5000 6000 7000 # x",
                "5000 6000 # x",
                "5000 x 7000",
                "x",
                "5000 0 7000",
                "5000 6000 -1",
                "0 1 1",
                "-1 1 1",
                "5000,6000,7000",
                "9000 5000 1",
                "5000 2147483648 7000",
                "5000 6000;",
                "5000 6000 7000x",
                "0x1000 0x2000 0x3000",
                "",
                "5000 0 x",
                "5000 6000 7000\0",
            ],
        );
    });
}

#[test]
fn port_ranges_are_taken_whole_or_not_at_all() {
    live(&[], || {
        // Else the kernel refuses low ports for a reason that is not the setting's own.
        fs::write(file("net.ipv4.ip_unprivileged_port_start"), "0\n").unwrap();
        compare(
            "net.ipv4.ip_local_port_range",
            &[
                "20000 30000",
                "20000\t30000",
                "0x4000 0x5000",
                "20000",
                "60999",
                "20000 x",
                "x 30000",
                "30000 20000",
                "40000 40000",
                "0 100",
                "1 100",
                "1024 65535",
                "1024 65536",
                "65535 65535",
                "20000-30000",
                "20000,30000",
                "20000 30000 40000",
                "20000 30000 # x",
                "20000 30000x",
                "-1 50000",
                "50000 0",
                "",
                "+1 5",
            ],
        );
    });
}

#[test]
fn lists_of_ports_are_sets() {
    live(&[], || {
        compare(
            "net.ipv4.ip_local_reserved_ports",
            &[
                "",
                "\n",
                " ",
                "8080",
                "8080,9000",
                "8080,9000-9100",
                "9000-9100,8080",
                "8080 9000",
                "8080, 9000",
                "8080 ,9000",
                " 8080",
                "8080\n9000",
                "9100-9000",
                "9000-9000",
                "9000-",
                "-9000",
                "8080,",
                "8080,,9000",
                ",8080",
                "0",
                "65535",
                "65536",
                "0-65535",
                "8080;",
                "8080 # x",
                "0x50",
                "010",
                "08",
                "+80",
                "80-90-100",
                "80 - 90",
                "80- 90",
                "80 -90",
                "1,2,3,4,5",
                "8080,x",
                "8080,8080",
                "8080-8082,8081-8085",
                "x",
                "8080\t9000",
                "-",
                "8080\r",
                "8080\0",
                "80-90\0",
                "8080,65536",
                "9000,8080-8079",
                "\n80",
                "80\n\n90",
                "80,\n",
                "80\n,90",
                "99999999999999999999999",
                "00000000000000000080",
                "000000000000000000080",
            ],
        );
    });
}

#[test]
fn a_long_list_of_ports_is_written_and_read_whole() {
    live(&[], || {
        let ports: Vec<_> = (1..4000).map(|port| (port * 2).to_string()).collect();
        let (list, key) = (ports.join(","), "net.ipv4.ip_local_reserved_ports");
        let key = SysctlKey::parse(key).unwrap();
        sysctl_tree::write(&ProcRoot::live(), &key, &list).unwrap();
        // Not `assert_eq`, whose words would be 36 kB.
        let is_whole = sysctl_tree::read(&ProcRoot::live(), &key).unwrap().value() == Some(&list);
        assert!(is_whole);
        let settings = TcpSettings::read(&ProcRoot::live());
        assert_eq!(settings.reserved_ports.len(), 3999);
    });
}

#[test]
fn blanks_are_part_of_a_name() {
    live(&[], || {
        let key = "net.ipv4.tcp_congestion_control";
        for (text, name) in [("reno", "reno"), ("reno\nbbr", "reno"), ("reno\0x", "reno")] {
            assert_eq!(kernel(key, text), (None, name.to_owned()), "{text:?}");
            let value = kind_of(key).parse(text).unwrap().value;
            assert_eq!(value, SysctlValue::Text(name.to_owned()));
        }
        for text in ["reno ", " reno", "RENO", "reno\r", "reno # x", "no_such_one"] {
            let no_such = 2;
            assert_eq!(kernel(key, text), (Some(no_such), "reno".to_owned()), "{text:?}");
            assert_ne!(kind_of(key).parse(text).unwrap().value.to_string(), "reno");
        }
    });
}

#[test]
fn keys_of_fast_open_are_what_the_kernel_makes_of_them() {
    live(&[], || {
        compare(
            "net.ipv4.tcp_fastopen_key",
            &[
                "1-2-3-4",
                "00000001-0000000a-000000ff-12345678",
                "1-A-fF-12345678,5-6-7-8",
                "1-2-3-4,",
                "1-2-3-4,5",
                "1-2-3",
                "1-2-3-",
                "1",
                "",
                " ",
                " 1-2-3-4",
                "1 -2-3-4",
                "1- 2-3-4",
                "-1-2-3-4",
                "0x1-0X2-3-4",
                "0x-2-3-4",
                "123456789-2-3-4",
                "1-2-3-4 # mine",
                "1-2-3-4x",
                "1-2-3-4,5-6-7-8,9",
                "x-2-3-4",
                "1-2-3-4\n5-6-7-8",
                "11111111-22222222-33333333-44444444,55555555-66666666-77777777-88888888",
                "11111111-22222222-33333333-44444444,55555555-66666666-77777777-888888889",
            ],
        );
    });
}

/// The entries that a new namespace has for itself.
fn own() -> impl Iterator<Item = &'static SysctlEntry> {
    sysctls::all().filter(|entry| entry.scope == Scope::Namespace && file(entry.key).exists())
}

#[test]
fn a_new_namespace_has_the_defaults_of_the_catalogue() {
    live(&[], || {
        let mut compared = 0;
        for entry in own() {
            let Some(default) = entry.fixed_default(kernel_here()) else { continue };
            let now = value(entry.key);
            assert!(entry.kind.is_same(default, &now), "{}: {default:?}, {now:?}", entry.key);
            compared += 1;
        }
        assert!(compared >= 40, "{compared}");
    });
}

#[test]
fn every_setting_is_there_in_the_releases_that_have_it() {
    live(&[], || {
        let release = kernel_here().release.unwrap();
        // Distributions carry settings back; the catalogue was measured on this one.
        if release < KernelRelease::new(6, 18) {
            return;
        }
        for entry in sysctls::all().filter(|entry| entry.key.starts_with("net.ipv4.")) {
            let is_there = file(entry.key).exists();
            if entry.scope == Scope::Namespace {
                assert_eq!(is_there, entry.exists_in(release), "{}", entry.key);
            } else {
                assert!(!is_there || !entry.is_writable || is_read_only(entry), "{}", entry.key);
            }
        }
    });
}

/// Whether the setting cannot be written from here.
fn is_read_only(entry: &SysctlEntry) -> bool {
    fs::OpenOptions::new().write(true).open(file(entry.key)).is_err()
}

#[test]
fn the_ends_of_each_range_are_taken_and_what_is_beyond_is_not() {
    live(&[], || {
        fs::write(file("net.ipv4.ip_unprivileged_port_start"), "0\n").unwrap();
        // Each bounds the other.
        fs::write(file("net.ipv4.ip_local_port_range"), "65535 65535\n").unwrap();
        let mut compared = 0;
        for entry in own().filter(|entry| entry.is_writable && entry.kind.count() == 1) {
            let before = value(entry.key);
            let (low, high) = entry.kind_in(kernel_here()).range();
            compared += 1;
            for end in [low, high] {
                let (errno, now) = kernel(entry.key, &end.to_string());
                assert_eq!((errno, now), (None, end.to_string()), "{}", entry.key);
            }
            let now = value(entry.key);
            for beyond in [low - 1, high + 1] {
                let answer = kernel(entry.key, &beyond.to_string());
                assert_eq!(answer, (Some(EINVAL), now.clone()), "{} {beyond}", entry.key);
            }
            fs::write(file(entry.key), format!("{before}\n")).unwrap();
        }
        assert!(compared >= 40, "{compared}");
    });
}
