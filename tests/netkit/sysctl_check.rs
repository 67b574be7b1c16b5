//! `netkit sysctl check` and `lint`: each finding where it is made, and the nearest case where it is
//! not, with files in a tree of their own and running values in a network namespace of their own.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::command::in_repository;
use crate::harness::sysctl::{set, write};
use crate::harness::{Capture, Need, Netkit, Nobody, Schema, live, netkit};

/// A file of the tree: its path and its text, or `-> ` and where a link leads.
type File = (&'static str, &'static str);

fn tree(files: &[File]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, path).unwrap(),
            None => fs::write(path, text).unwrap(),
        }
    }
    root
}

/// Of the files below `root` and what runs here.
fn findings(root: &Path, options: &str) -> Vec<Value> {
    found(netkit(&format!("sysctl check --json {options} --procfs /proc")).arg("--root").arg(root))
}

fn found(run: Netkit) -> Vec<Value> {
    let answer = run.run().quietly();
    assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    answer.json()["findings"].as_array().unwrap().clone()
}

/// `ID severity key file:line` of each finding with this id.
fn said(root: &Path, options: &str, id: &str) -> Vec<String> {
    of_id(&findings(root, options), id)
}

fn of_id(found: &[Value], id: &str) -> Vec<String> {
    let found = found.iter().filter(|it| it["id"] == id);
    found
        .map(|it| {
            let source = it["source"].as_object();
            let source = source.map(|it| {
                let line = it["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
                it["file"].as_str().unwrap().to_owned() + &line
            });
            let source = source.unwrap_or_default();
            let severity = it["severity"].as_str().unwrap();
            let words = format!("{severity} {} {source}", it["key"].as_str().unwrap_or_default());
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// A machine that was booted, where these settings of `net.ipv4` run and are not the default.
fn machine(running: &[(&str, &str)]) -> Capture {
    let defaults = [
        ("tcp_mem", "183843\t245127\t367686"),
        ("tcp_syncookies", "1"),
        ("tcp_fin_timeout", "60"),
        ("tcp_keepalive_time", "7200"),
    ];
    let settings = defaults.iter().chain(running);
    let capture = Capture::new().file("sys/kernel/osrelease", "6.18.44\n");
    settings.fold(capture, |capture, (key, value)| capture.sysctl(key, value))
}

/// The findings where these files are those of `machine`.
#[track_caller]
fn boots(machine: &Capture, files: &[File], id: &str, expected: &[&str]) {
    let root = tree(files);
    let run = netkit("sysctl check --json --root").arg(root.path()).procfs(machine.root());
    assert_eq!(of_id(&found(run), id), expected, "{files:?}");
}

#[track_caller]
fn makes(files: &[File], id: &str, expected: &[&str]) {
    let root = tree(files);
    assert_eq!(said(root.path(), "", id), expected, "{files:?}");
}

const TUTORIAL: &str = "net.ipv4.tcp_syncookies = 1\nnet.ipv4.tcp_tw_reuse = 1\n\
                        net.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_fin_timeout = 30\n";

/// The README's example.
#[test]
fn the_four_lines_of_the_tutorial() {
    let root = tree(&[("etc/sysctl.conf", TUTORIAL)]);
    let machine = machine(&[]);
    let answer = netkit("sysctl --root").arg(root.path()).procfs(machine.root()).run().exits(1);
    let (first, rest) = answer.stdout.split_once("\n\n").unwrap();
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let counts = "CRITICAL 1 critical finding, 3 warnings and 1 note in ";
    assert!(first.starts_with(counts) && first.ends_with("settings (Linux 6.18.44)"), "{answer}");
    let readme = fs::read_to_string(in_repository("README.md")).unwrap();
    assert!(readme.contains(rest.trim_end()), "the README has another text than\n{rest}");
    assert!(answer.stdout.lines().all(|line| line.chars().count() <= 80), "{answer}");
}

#[test]
fn the_four_lines_in_an_image_are_judged_by_themselves() {
    let root = tree(&[("etc/sysctl.conf", TUTORIAL), ("lib/modules/6.12.9-amd64/x", "")]);
    let answer = netkit("sysctl check --root").arg(root.path()).run().exits(1).quietly();
    let text = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("alone (for its Linux 6.12.9-amd64) CRITICAL"), "{answer}");
    for words in [
        "it does not exist since Linux 4.12;",
        "1 is the default, so that the line changes nothing; it has nothing to do with TIME_WAIT",
        "- a boot leaves 2: systemd-sysctl does not read this file",
        "- a boot leaves 60: systemd-sysctl does not read this file",
    ] {
        assert!(text.contains(words), "{words}: {answer}");
    }
    assert!(!text.contains("running") && !text.contains("a boot leaves 0"), "{answer}");
    let json = netkit("sysctl check --json --root").arg(root.path()).run().json();
    assert_eq!((&json["system"], &json["kernel"]), (&"files".into(), &"6.12.9-amd64".into()));
    let settings = json["settings"].as_array().unwrap();
    assert!(settings.iter().all(|it| it["running"].is_null() && it["exists"] != true), "{json:#}");
    let old = netkit("sysctl check --json --kernel 4.4 --root").arg(root.path()).run().json();
    let about = |id: &str, key: &str| {
        old["findings"].as_array().unwrap().iter().any(|it| it["id"] == id && it["key"] == key)
    };
    // There it runs, and drops clients.
    assert!(about("SYSCTL_NONSENSE_VALUE", "net.ipv4.tcp_tw_recycle"), "{old:#}");
    let diff = netkit("sysctl diff --root").arg(root.path()).run().exits(0).quietly();
    assert!(
        diff.stdout.starts_with("2 settings differ from the default in the files below "),
        "{diff}"
    );
    assert!(!diff.stdout.contains("RUNNING") && !diff.stdout.contains("recycle"), "{diff}");
}

#[test]
fn an_image_without_a_kernel_says_for_which_it_is_judged() {
    let root = tree(&[("etc/sysctl.d/1.conf", "net.core.somaxconn = 8192\n")]);
    let check = |options: &str| netkit(&format!("sysctl check {options} --root")).arg(root.path());
    let plain = check("").run().exits(0).complains("no kernel in lib/modules or boot");
    assert!(plain.stdout.starts_with("OK  nothing is wrong in the files below "), "{plain}");
    check("--kernel 6.1").run().exits(0).quietly();
    let apart = "net.ipv4.tcp_tw_reuse = 1\nnet.ipv4.tcp_timestamps = 0\n";
    let apart = tree(&[("etc/sysctl.d/1.conf", apart)]);
    let run = netkit("sysctl check --json --kernel 6.1 --root").arg(apart.path());
    let line = ["warning net.ipv4.tcp_tw_reuse /etc/sysctl.d/1.conf:1"];
    assert_eq!(of_id(&found(run), "SYSCTL_COMBINATION"), line);
    // What is expected of an image is what it will have after a boot.
    check("--kernel 6.1 --expect net.core.somaxconn>=8192").run().exits(0);
    check("--kernel 6.1 --expect net.ipv4.tcp_tw_reuse=2").run().exits(0);
    let less = check("--kernel 6.1 --expect net.core.somaxconn>8192").run().exits(1);
    assert!(less.stdout.contains("after a boot 8192"), "{less}");
    let unknown = check("--kernel 6.1 --expect net.ipv4.tcp_max_orphans>=1").run().exits(1);
    assert!(unknown.stdout.contains("no file sets it"), "{unknown}");
    netkit("sysctl check --kernel 6.1").run().exits(2).complains("--root");
}

#[test]
fn in_a_namespace_the_files_are_said_to_be_the_hosts() {
    live(&[], || {
        set("tcp_fin_timeout", "20");
        let root = tree(&[
            ("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 30\n"),
            ("etc/sysctl.conf", "net.ipv4.tcp_keepalive_time = 600\n"),
        ]);
        for id in ["SYSCTL_DRIFT", "SYSCTL_NOT_PERSISTENT"] {
            assert_eq!(said(root.path(), "", id), [""; 0]);
        }
        let line = "sysctl check --procfs /proc --root";
        let answer = netkit(line).arg(root.path()).run().exits(0);
        let answer = answer.complains("not the machine's first network namespace");
        answer.complains("what the files set at boot does not reach it");
        let json = netkit("sysctl check --json").run().json();
        assert_eq!(json["system"], "namespace");
    });
}

#[test]
fn another_systems_values_are_not_held_against_the_files_here() {
    let tuned = machine(&[("tcp_keepalive_time", "900"), ("tcp_fin_timeout", "61")]);
    let answer = netkit("sysctl check --json").procfs(tuned.root()).run().json();
    assert_eq!(answer["system"], "foreign");
    Schema::of("sysctl").holds(&answer);
    let found = answer["findings"].as_array().unwrap();
    for id in ["SYSCTL_DRIFT", "SYSCTL_NOT_PERSISTENT"] {
        assert_eq!(of_id(found, id), [""; 0]);
    }
    // What runs there is judged by itself.
    assert_eq!(of_id(found, "SYSCTL_NONSENSE_VALUE"), ["warning net.ipv4.tcp_fin_timeout"]);
    let text = netkit("sysctl check").procfs(tuned.root()).run();
    text.complains("of another system than the files").complains("`--root DIR`");
}

#[test]
fn every_finding_about_a_key_has_its_running_value() {
    let machine = machine(&[]);
    let root = tree(&[("etc/sysctl.conf", TUTORIAL), ("etc/sysctl.d/1", "")]);
    let run = netkit("sysctl check --json --root").arg(root.path()).procfs(machine.root());
    for it in found(run) {
        let running = match it["key"].as_str() {
            Some("net.ipv4.tcp_syncookies") => Some("1"),
            Some("net.ipv4.tcp_tw_reuse") => Some("2"),
            Some("net.ipv4.tcp_fin_timeout") => Some("60"),
            _ => None,
        };
        assert_eq!(it["running"].as_str(), running, "{it:#}");
        let is_file = it["key"].is_null();
        assert_eq!(it["source"]["line"].is_null(), is_file, "{it:#}");
    }
}

#[test]
fn a_file_that_cannot_be_read_leaves_no_verdict() {
    live(&[Need::Root, Need::Setpriv], || {
        let secret = "net.ipv4.tcp_max_tw_buckets = 0\n";
        let root = tree(&[("etc/sysctl.d/1.conf", secret), ("etc/sysctl.d/2", "")]);
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let mode = |path: &str, mode| {
            fs::set_permissions(root.path().join(path), Permissions::from_mode(mode)).unwrap();
        };
        mode("etc/sysctl.d/1.conf", 0o600);
        // What is read by nobody may be hidden.
        mode("etc/sysctl.d/2", 0o600);
        let nobody = Nobody::new();
        let ask = |line: &str| nobody.netkit(&format!("sysctl {line} --root")).arg(root.path());
        for line in
            ["check --kernel 6.1", "check --kernel 6.1 --fail-on never", "diff --kernel 6.1"]
        {
            let answer = ask(line).run().exits(3);
            answer.complains("warning: cannot read /etc/sysctl.d/1.conf: EACCES");
        }
        assert_eq!(ask("check --json --kernel 6.1").run().json()["complete"], false);
        ask("check --kernel 6.1 --expect net.core.somaxconn=1").run().exits(1);
        netkit("sysctl check --root").arg(root.path()).run().exits(1);
        mode("etc/sysctl.d", 0o700);
        ask("check --kernel 6.1").run().exits(3).complains("cannot list /etc/sysctl.d: EACCES");
        mode("etc/sysctl.d", 0o744);
        ask("check --kernel 6.1").run().exits(3).complains("cannot read /etc/sysctl.d/1.conf");
        mode("etc/sysctl.d", 0o755);
        mode("etc/sysctl.d/1.conf", 0o644);
        ask("check --kernel 6.1").run().exits(1);
    });
}

#[test]
fn a_dead_key_is_one_that_no_kernel_of_today_has_or_reads() {
    live(&[], || {
        const ID: &str = "SYSCTL_DEAD_KEY";
        let line = ["critical net.ipv4.tcp_tw_recycle /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_recycle = 1\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_reuse = 1\n")], ID, &[]);
        let line = ["warning net.ipv4.tcp_tw_recycle /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "-net.ipv4.tcp_tw_recycle = 1\n")], ID, &line);
        let line = ["warning net.ipv4.tcp_fack /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net/ipv4/tcp_fack = 1\n")], ID, &line);
    });
}

#[test]
fn a_myth_is_a_value_that_is_set_in_vain() {
    live(&[], || {
        const ID: &str = "SYSCTL_MYTH";
        let line = ["warning net.ipv4.tcp_fin_timeout /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 30\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 0x3c\n")], ID, &[]);
        let line = ["info net.ipv4.tcp_syncookies /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_syncookies = 1\n")], ID, &line);
        let line = ["warning net.ipv4.tcp_max_tw_buckets /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_max_tw_buckets = 5000\n")], ID, &line);
        for line in [
            "net.ipv4.tcp_max_tw_buckets = 2000000\n",
            "net.core.somaxconn = 65535\n",
            "net.ipv4.tcp_fin_timeout = 120\n",
            "net.ipv4.tcp_tw_reuse = 2\n",
        ] {
            makes(&[("etc/sysctl.d/1.conf", line)], ID, &[]);
        }
        let root = tree(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 30\n")]);
        let found = findings(root.path(), "");
        let myth = found.iter().find(|it| it["id"] == ID).unwrap();
        assert_eq!((&myth["running"], &myth["configured"]), (&"60".into(), &"30".into()));
    });
}

#[test]
fn drift_is_between_the_boot_and_now() {
    const ID: &str = "SYSCTL_DRIFT";
    let files = [("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 030\n")];
    let line = ["warning net.ipv4.tcp_fin_timeout /etc/sysctl.d/1.conf:1"];
    boots(&machine(&[("tcp_fin_timeout", "30")]), &files, ID, &line);
    let same = machine(&[("tcp_fin_timeout", "24")]);
    boots(&same, &files, ID, &[]);
    let blanks = [("etc/sysctl.d/1.conf", "net.ipv4.ip_local_port_range = 32768   60999\n")];
    boots(&same, &blanks, ID, &[]);
}

#[test]
fn a_conflict_is_between_those_who_read_the_files() {
    live(&[], || {
        const ID: &str = "SYSCTL_PRECEDENCE_CONFLICT";
        let drop_in = ("etc/sysctl.d/99-z.conf", "net.ipv4.tcp_fin_timeout = 30\n");
        let files = [drop_in, ("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 40\n")];
        makes(&files, ID, &["warning net.ipv4.tcp_fin_timeout /etc/sysctl.d/99-z.conf:1"]);
        makes(&[drop_in, ("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 0x1e\n")], ID, &[]);
    });
}

#[test]
fn what_a_reboot_loses_is_said() {
    const ID: &str = "SYSCTL_NOT_PERSISTENT";
    let conf = ("etc/sysctl.conf", "net.ipv4.tcp_keepalive_time = 600\n");
    let fresh = machine(&[]);
    let makes = |files: &[File], expected: &[&str]| boots(&fresh, files, ID, expected);
    makes(&[conf], &["warning net.ipv4.tcp_keepalive_time /etc/sysctl.conf:1"]);
    makes(&[conf, ("etc/sysctl.d/1.conf", conf.1)], &[]);
    makes(&[conf, ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf")], &[]);
    makes(&[("etc/sysctl.conf", "net.ipv4.tcp_keepalive_time = 7200\n")], &[]);
    makes(&[], &[]);
    let tuned = machine(&[("tcp_keepalive_time", "900")]);
    boots(&tuned, &[], ID, &["info net.ipv4.tcp_keepalive_time"]);
    let file = [("etc/sysctl.d/1.conf", "net.ipv4.tcp_keepalive_time = 900\n")];
    boots(&tuned, &file, ID, &[]);
}

#[test]
fn nonsense_is_what_the_kernel_refuses_reads_in_part_or_regrets() {
    live(&[], || {
        const ID: &str = "SYSCTL_NONSENSE_VALUE";
        for (line, key) in [
            ("net.ipv4.tcp_tw_reuse = 3", "net.ipv4.tcp_tw_reuse"),
            ("net.ipv4.tcp_fin_timeout = 60s", "net.ipv4.tcp_fin_timeout"),
            ("net.ipv4.tcp_fin_timeout = 60 # as ever", "net.ipv4.tcp_fin_timeout"),
            ("net.ipv4.tcp_fin_timeout = 61", "net.ipv4.tcp_fin_timeout"),
            ("net.ipv4.tcp_fin_timeout = 119", "net.ipv4.tcp_fin_timeout"),
            ("net.ipv4.tcp_max_tw_buckets = -1", "net.ipv4.tcp_max_tw_buckets"),
            ("net.ipv4.tcp_max_tw_buckets = 5000", "net.ipv4.tcp_max_tw_buckets"),
            ("net.core.somaxconn = 128", "net.core.somaxconn"),
            ("net.ipv4.tcp_ehash_entries = 1", "net.ipv4.tcp_ehash_entries"),
        ] {
            let root = tree(&[("etc/sysctl.d/1.conf", line)]);
            let expected = [format!("warning {key} /etc/sysctl.d/1.conf:1")];
            assert_eq!(said(root.path(), "", ID), expected, "{line}");
        }
        for line in [
            "net.ipv4.tcp_tw_reuse = 2",
            "net.ipv4.tcp_fin_timeout = 60",
            "net.ipv4.tcp_fin_timeout = 120",
            "net.ipv4.tcp_max_tw_buckets = 1000000",
            "net.core.somaxconn = 129",
        ] {
            let root = tree(&[("etc/sysctl.d/1.conf", line)]);
            assert!(said(root.path(), "", ID).is_empty(), "{line}");
        }
        let zero = [("etc/sysctl.d/1.conf", "net.ipv4.tcp_max_tw_buckets = 0\n")];
        makes(&zero, ID, &["critical net.ipv4.tcp_max_tw_buckets /etc/sysctl.d/1.conf:1"]);
        // What runs is judged too, once.
        write("net.core.somaxconn", "128");
        makes(&[], ID, &["warning net.core.somaxconn"]);
        let same = [("etc/sysctl.d/1.conf", "net.core.somaxconn = 128\n")];
        makes(&same, ID, &["warning net.core.somaxconn /etc/sysctl.d/1.conf:1"]);
    });
}

#[test]
fn combinations_are_judged_together() {
    live(&[], || {
        const ID: &str = "SYSCTL_COMBINATION";
        set("tcp_tw_reuse", "1");
        makes(&[], ID, &[]);
        set("tcp_timestamps", "0");
        makes(&[], ID, &["warning net.ipv4.tcp_tw_reuse"]);
        set("tcp_tw_reuse", "0");
        makes(&[], ID, &[]);
        set("ip_local_port_range", "32768 60998");
        makes(&[], ID, &["info net.ipv4.ip_local_port_range"]);
        set("ip_local_port_range", "32767 60998");
        makes(&[], ID, &[]);
        let listener = std::net::TcpListener::bind("127.0.0.1:40000").unwrap();
        makes(&[], ID, &["warning net.ipv4.ip_local_reserved_ports"]);
        set("ip_local_reserved_ports", "40000");
        makes(&[], ID, &[]);
        drop(listener);
    });
}

#[test]
fn a_table_of_conntrack_that_fills_is_said() {
    let root = tree(&[]);
    for (count, expected) in [("79", None), ("80", Some("warning")), ("95", Some("critical"))] {
        let capture = Capture::new()
            .file("sys/net/netfilter/nf_conntrack_count", count)
            .file("sys/net/netfilter/nf_conntrack_max", "100\n");
        let line = "sysctl check --json --root";
        let answer = netkit(line).arg(root.path()).procfs(capture.root()).run().json();
        let found = answer["findings"].as_array().unwrap();
        let found = found.iter().find(|it| it["key"] == "net.netfilter.nf_conntrack_max");
        let severity = found.map(|it| it["severity"].as_str().unwrap());
        assert_eq!(severity, expected, "{count}: {answer:#}");
    }
}

#[test]
fn keys_that_are_not_there_are_said() {
    const ID: &str = "SYSCTL_UNKNOWN_KEY";
    let machine = machine(&[]);
    let makes = |files: &[File], expected: &[&str]| boots(&machine, files, ID, expected);
    let line = ["warning net.ipv4.tcp_tw_reused /etc/sysctl.d/1.conf:2"];
    makes(&[("etc/sysctl.d/1.conf", "# x\nnet.ipv4.tcp_tw_reused = 1\n")], &line);
    let line = ["info net.ipv4.tcp_tw_reused /etc/sysctl.d/1.conf:1"];
    makes(&[("etc/sysctl.d/1.conf", "-net.ipv4.tcp_tw_reused = 1\n")], &line);
    makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_reuse = 1\n")], &[]);
    let line = ["warning net.core.somaxconn /etc/sysctl.d/1.conf:1"];
    makes(&[("etc/sysctl.d/1.conf", "net.core.somaxconn = 4096\n")], &line);
}

#[test]
fn a_namespace_may_not_show_what_there_is() {
    live(&[], || {
        const ID: &str = "SYSCTL_UNKNOWN_KEY";
        let line = ["info net.ipv4.tcp_tw_reused /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_reused = 1\n")], ID, &line);
        let line = ["warning kernel.tcp_tw_reuse /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "kernel.tcp_tw_reuse = 1\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.conf.lo.rp_filter = 1\n")], ID, &[]);
    });
}

#[test]
fn files_that_nobody_reads_are_said() {
    live(&[], || {
        const ID: &str = "SYSCTL_FILE_IGNORED";
        let text = "net.ipv4.tcp_keepalive_time = 600\n";
        makes(&[("etc/sysctl.d/tuning", text)], ID, &["warning /etc/sysctl.d/tuning"]);
        makes(&[("etc/sysctl.d/tuning.conf", text)], ID, &[]);
        makes(&[("etc/sysctl.d/README", text)], ID, &[]);
        makes(&[("etc/sysctl.d/60-netkit.conf.saved", "{}")], ID, &[]);
        makes(&[("etc/sysctl.conf", text)], ID, &["warning /etc/sysctl.conf"]);
        makes(&[("etc/sysctl.conf", "# nothing but comments\n")], ID, &[]);
        let link = ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf");
        makes(&[("etc/sysctl.conf", text), link], ID, &[]);
        let masked = [("etc/sysctl.d/1.conf", "-> /dev/null"), ("usr/lib/sysctl.d/1.conf", text)];
        makes(&masked, ID, &["info /usr/lib/sysctl.d/1.conf"]);
        let dangling = [("etc/sysctl.d/1.conf", "-> ../nothing.conf")];
        makes(&dangling, ID, &["warning /etc/sysctl.d/1.conf"]);
    });
}

#[test]
fn lines_without_effect_are_said() {
    live(&[], || {
        const ID: &str = "SYSCTL_BAD_LINE";
        let line = ["warning /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_reuse 1\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "-net.ipv4.conf.e*.rp_filter\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "-net.ipv4.conf.lo.rp_filter\n")], ID, &[]);
        makes(&[("etc/sysctl.d/1.conf", "; a comment\n")], ID, &[]);
    });
}

#[test]
fn what_is_expected_or_wanted_is_held_against_what_runs() {
    live(&[], || {
        let root = tree(&[]);
        let root = root.path();
        let expect = "SYSCTL_EXPECTATION";
        let unmet = ["critical net.core.somaxconn"];
        assert_eq!(said(root, "--expect net.core.somaxconn>=4097", expect), unmet);
        assert!(said(root, "--expect net/core/somaxconn>=4096", expect).is_empty());
        let unmet = ["critical net.core.nothing"];
        assert_eq!(said(root, "--expect net.core.nothing=1", expect), unmet);
        let profile = "SYSCTL_PROFILE";
        assert!(said(root, "--profile server", profile).is_empty());
        write("net.core.somaxconn", "1024");
        assert_eq!(said(root, "--profile server", profile), ["warning net.core.somaxconn"]);
        assert!(said(root, "", profile).is_empty());
        let run = |line: &str| netkit(line).procfs("/proc").arg("--root").arg(root).run().code;
        assert_eq!(run("sysctl check --profile server -q"), Some(1));
        assert_eq!(run("sysctl check --profile server --fail-on never -q"), Some(0));
        let line = "sysctl check --fail-on never -q --expect net.core.somaxconn>=4096";
        assert_eq!(run(line), Some(1), "an expectation always counts");
        assert_eq!(run("sysctl check --fail-on warning -q"), Some(0));
        write("net.core.somaxconn", "128");
        assert_eq!(run("sysctl check --fail-on warning -q"), Some(1));
        assert_eq!(run("sysctl check -q"), Some(0));
    });
}

#[test]
fn settings_of_the_machine_are_no_error_in_a_namespace() {
    live(&[Need::Root], || {
        let root = tree(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_max_orphans = 65536\n")]);
        let line = ["info net.ipv4.tcp_max_orphans /etc/sysctl.d/1.conf:1"];
        assert_eq!(said(root.path(), "", "SYSCTL_UNKNOWN_KEY"), line);
    });
}
