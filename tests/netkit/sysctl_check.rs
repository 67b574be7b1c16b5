//! `netkit sysctl check` and `lint`: each finding where it is made, and the nearest case where it is
//! not, with files in a tree of their own and running values in a network namespace of their own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::sysctl::{set, write};
use crate::harness::{Capture, Need, live, netkit};

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

fn findings(root: &Path, options: &str) -> Vec<Value> {
    let line = format!("sysctl check --json {options}");
    let answer = netkit(&line).arg("--root").arg(root).run().quietly();
    assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    answer.json()["findings"].as_array().unwrap().clone()
}

/// `ID severity key file:line` of each finding with this id.
fn said(root: &Path, options: &str, id: &str) -> Vec<String> {
    let found = findings(root, options);
    let found = found.iter().filter(|it| it["id"] == id);
    found
        .map(|it| {
            let source = it["source"].as_object();
            let source =
                source.map(|it| format!("{}:{}", it["file"].as_str().unwrap(), it["line"]));
            let source = source.unwrap_or_default();
            let severity = it["severity"].as_str().unwrap();
            let words = format!("{severity} {} {source}", it["key"].as_str().unwrap_or_default());
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[track_caller]
fn makes(files: &[File], id: &str, expected: &[&str]) {
    let root = tree(files);
    assert_eq!(said(root.path(), "", id), expected, "{files:?}");
}

#[test]
fn the_four_lines_of_the_tutorial() {
    live(&[], || {
        let root = tree(&[(
            "etc/sysctl.conf",
            "net.ipv4.tcp_syncookies = 1\nnet.ipv4.tcp_tw_reuse = 1\n\
             net.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_fin_timeout = 30\n",
        )]);
        let answer = netkit("sysctl --root").arg(root.path()).run().exits(1);
        let (first, rest) = answer.stdout.split_once("\n\n").unwrap();
        let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
        let counts = "CRITICAL 1 critical finding, 3 warnings and 1 note in ";
        assert!(first.starts_with(counts), "{answer}");
        let expected = "\
CRITICAL  net.ipv4.tcp_tw_recycle = 1  /etc/sysctl.conf:3
  it does not exist since Linux 4.12; it never was a cure: it dropped the SYNs
  of clients behind one NAT, and since Linux 4.10, with random timestamp
  offsets, those of everybody
  → remove the line: `sysctl -p` fails on it

WARNING  /etc/sysctl.conf
  systemd-sysctl does not read it, so a reboot does not apply it
  → move its lines to a file in /etc/sysctl.d whose name ends in .conf

WARNING  net.ipv4.tcp_fin_timeout = 30  /etc/sysctl.conf:4
  it does not shorten TIME_WAIT, which is a fixed 60 s: it is the life of a
  FIN_WAIT2 that no program holds. The counters add the two, hence the tale
  running 60, and 60 after a reboot: systemd-sysctl does not read this file
  → netkit states --time-wait says whether TIME_WAIT is a problem; TCP_LINGER2
    sets this for one socket
  → if it is to stay, set it in a file in /etc/sysctl.d whose name ends in .conf

WARNING  net.ipv4.tcp_tw_reuse = 1  /etc/sysctl.conf:2
  running 2, and 2 after a reboot: systemd-sysctl does not read this file
  it does nothing for a server: only connect() looks at it, and the number of
  TIME_WAITs stays
  → if it is to stay, set it in a file in /etc/sysctl.d whose name ends in .conf
  → netkit states --time-wait says whether connect() runs out of ports

NOTE  net.ipv4.tcp_syncookies = 1  /etc/sysctl.conf:1
  1 is the default, so that the line changes nothing; it has nothing to do with
  TIME_WAIT, and does not help a loaded server: a queue that is too short has to
  be lengthened
  → lengthen a short queue by net.core.somaxconn and the program's listen()

`netkit sysctl explain KEY` says more of a key, `… diff` what a reboot changes
";
        assert_eq!(rest, expected, "{answer}");
        assert!(answer.stdout.lines().all(|line| line.chars().count() <= 80), "{answer}");
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
    live(&[], || {
        const ID: &str = "SYSCTL_DRIFT";
        let files = [("etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 030\n")];
        set("tcp_fin_timeout", "30");
        makes(&files, ID, &["warning net.ipv4.tcp_fin_timeout /etc/sysctl.d/1.conf:1"]);
        set("tcp_fin_timeout", "24");
        makes(&files, ID, &[]);
        let blanks = [("etc/sysctl.d/1.conf", "net.ipv4.ip_local_port_range = 32768   60999\n")];
        makes(&blanks, ID, &[]);
    });
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
    live(&[], || {
        const ID: &str = "SYSCTL_NOT_PERSISTENT";
        let conf = ("etc/sysctl.conf", "net.ipv4.tcp_keepalive_time = 600\n");
        makes(&[conf], ID, &["warning net.ipv4.tcp_keepalive_time /etc/sysctl.conf:1"]);
        makes(&[conf, ("etc/sysctl.d/1.conf", conf.1)], ID, &[]);
        makes(&[conf, ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf")], ID, &[]);
        makes(&[("etc/sysctl.conf", "net.ipv4.tcp_keepalive_time = 7200\n")], ID, &[]);
        makes(&[], ID, &[]);
        set("tcp_keepalive_time", "900");
        makes(&[], ID, &["info net.ipv4.tcp_keepalive_time"]);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_keepalive_time = 900\n")], ID, &[]);
    });
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
    live(&[], || {
        const ID: &str = "SYSCTL_UNKNOWN_KEY";
        let line = ["warning net.ipv4.tcp_tw_reused /etc/sysctl.d/1.conf:2"];
        makes(&[("etc/sysctl.d/1.conf", "# x\nnet.ipv4.tcp_tw_reused = 1\n")], ID, &line);
        let line = ["info net.ipv4.tcp_tw_reused /etc/sysctl.d/1.conf:1"];
        makes(&[("etc/sysctl.d/1.conf", "-net.ipv4.tcp_tw_reused = 1\n")], ID, &line);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.tcp_tw_reuse = 1\n")], ID, &[]);
        makes(&[("etc/sysctl.d/1.conf", "net.ipv4.conf.lo.rp_filter = 1\n")], ID, &[]);
    });
}

#[test]
fn files_that_nobody_reads_are_said() {
    live(&[], || {
        const ID: &str = "SYSCTL_FILE_IGNORED";
        let text = "net.ipv4.tcp_keepalive_time = 600\n";
        makes(&[("etc/sysctl.d/tuning", text)], ID, &["warning /etc/sysctl.d/tuning:0"]);
        makes(&[("etc/sysctl.d/tuning.conf", text)], ID, &[]);
        makes(&[("etc/sysctl.d/README", text)], ID, &[]);
        makes(&[("etc/sysctl.d/60-netkit.conf.saved", "{}")], ID, &[]);
        makes(&[("etc/sysctl.conf", text)], ID, &["warning /etc/sysctl.conf:0"]);
        makes(&[("etc/sysctl.conf", "# nothing but comments\n")], ID, &[]);
        let link = ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf");
        makes(&[("etc/sysctl.conf", text), link], ID, &[]);
        let masked = [("etc/sysctl.d/1.conf", "-> /dev/null"), ("usr/lib/sysctl.d/1.conf", text)];
        makes(&masked, ID, &["info /usr/lib/sysctl.d/1.conf:0"]);
        let dangling = [("etc/sysctl.d/1.conf", "-> ../nothing.conf")];
        makes(&dangling, ID, &["warning /etc/sysctl.d/1.conf:0"]);
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
        let run = |line: &str| netkit(line).arg("--root").arg(root).run().code;
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
        let answer = netkit("sysctl check --root").arg(root.path()).run().exits(0);
        assert!(answer.stderr.contains("not the machine's first network namespace"), "{answer}");
    });
}
