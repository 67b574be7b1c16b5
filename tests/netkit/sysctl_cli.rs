//! The commands of `netkit sysctl`, their errors and exit codes.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::harness::needs::not_run;
use crate::harness::{Need, Nobody, live, netkit};

#[test]
fn show_says_what_a_setting_is() {
    live(&[], || {
        let answer = netkit("sysctl show tcp_tw_reuse").run().exits(0).quietly();
        assert_eq!(
            answer.stdout,
            "net.ipv4.tcp_tw_reuse\n\
             \x20 meaning  whether connect() may take over its own TIME_WAIT: 0 never, 1 always,\n\
             \x20          2 loopback only\n\
             \x20 running  2\n\
             \x20 default  2\n\
             \x20 accepts  0 to 2\n\
             \x20 scope    each network namespace has its own\n"
        );
        for name in
            ["net.ipv4.tcp_tw_reuse", "net/ipv4/tcp_tw_reuse", "/proc/sys/net/ipv4/tcp_tw_reuse"]
        {
            assert_eq!(netkit("sysctl show").arg(name).run().stdout, answer.stdout, "{name}");
        }
        let keys = netkit("sysctl show --json net.ipv4.tcp_keepalive_*").run().exits(0).json();
        let keys = keys["settings"].as_array().unwrap().iter();
        let keys: Vec<_> = keys.map(|it| it["key"].as_str().unwrap()).collect();
        assert_eq!(
            keys,
            ["intvl", "probes", "time"].map(|end| format!("net.ipv4.tcp_keepalive_{end}"))
        );
        let other = netkit("sysctl show --format csv net.ipv4.conf.lo.rp_filter").run().exits(0);
        let lines: Vec<_> = other.stdout.lines().collect();
        assert_eq!(lines[0], "key,running,default,procps,systemd,scope,exists");
        assert!(lines[1].starts_with("net.ipv4.conf.lo.rp_filter,"), "{other}");
        let gone = netkit("sysctl show tcp_tw_recycle").run().exits(0);
        assert!(gone.stdout.contains("since Linux 4.12"), "{gone}");
    });
}

#[test]
fn show_is_as_wide_as_the_terminal() {
    let answer = netkit("sysctl show").run().exits(0);
    let starts = |lead: &str| answer.stdout.lines().filter(|it| it.starts_with(lead)).count();
    let keys = starts("  net.") + starts("  fs.");
    assert_eq!(keys, netkit::catalogue::sysctls::all().count(), "{answer}");
    assert!(answer.stdout.lines().all(|line| line.chars().count() <= 80), "{answer}");
}

#[test]
fn show_has_the_values_of_sysctl() {
    const NAME: &str = "sysctl_cli::show_has_the_values_of_sysctl";
    if let Some(why) = Need::Procps.lacking() {
        return not_run(NAME, &why);
    }
    let output = Command::new("sysctl").arg("-a").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let theirs: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once(" = ")).collect();
    let ours = netkit("sysctl show --json").run().exits(0).json();
    let mut compared = 0;
    for setting in ours["settings"].as_array().unwrap() {
        let key = setting["key"].as_str().unwrap();
        // A secret is shown to those who name it.
        let setting = if key == "net.ipv4.tcp_fastopen_key" {
            assert_eq!(setting["running"], serde_json::Value::Null, "{key}");
            let named = netkit("sysctl show --json").arg(key).run().exits(0).json();
            named["settings"][0].clone()
        } else {
            setting.clone()
        };
        let Some(value) = theirs.get(key) else {
            let is_empty = text.lines().any(|line| line == format!("{key} ="));
            assert!(setting["exists"] == false || is_empty, "sysctl -a has no {key}");
            continue;
        };
        // The one that moves by itself.
        if key != "net.netfilter.nf_conntrack_count" {
            assert_eq!(setting["running"], *value, "{key}");
            compared += 1;
        }
    }
    assert!(compared >= 60, "{compared}");
}

#[test]
fn diff_has_the_rows_that_differ() {
    live(&[], || {
        let root = tempfile::tempdir().unwrap();
        let line = "sysctl diff --procfs /proc --root";
        let diff = || netkit(line).arg(root.path()).run().exits(0);
        let same = "running values, files and defaults say the same: ";
        assert!(diff().stdout.starts_with(same), "{}", diff());
        fs::create_dir_all(root.path().join("etc/sysctl.d")).unwrap();
        fs::write(root.path().join("etc/sysctl.conf"), "net.ipv4.tcp_fin_timeout = 40\n").unwrap();
        let drop_in = "net.ipv4.tcp_fin_timeout = 30\nnet.ipv4.tcp_tw_reuse = 2\n";
        fs::write(root.path().join("etc/sysctl.d/1.conf"), drop_in).unwrap();
        let answer = diff();
        let lines: Vec<_> = answer.stdout.lines().collect();
        assert!(lines[0].starts_with("1 of ") && lines[0].ends_with(" differs"), "{answer}");
        assert_eq!(
            lines[1..4],
            [
                "",
                " SETTING                  DEFAULT AT BOOT --system RUNNING",
                " net.ipv4.tcp_fin_timeout 60      30      40       60",
            ],
            "{answer}"
        );
        assert_eq!(lines.len(), 7, "{answer}");
        let image = netkit("sysctl diff --kernel 6.1 --root").arg(root.path()).run().exits(0);
        assert!(image.stdout.contains("\n net.ipv4.tcp_fin_timeout 60      30      40"), "{image}");
        assert!(!image.stdout.contains("RUNNING"), "{image}");
        // What is wider than the screen stands below its key.
        let ports = "net.ipv4.ip_local_reserved_ports = 8080,9000-9100,10000-10010,20000,30000\n";
        fs::write(root.path().join("etc/sysctl.d/1.conf"), ports).unwrap();
        let wide = diff();
        let block = "\nnet.ipv4.ip_local_reserved_ports\n  DEFAULT   (empty)\n\
                     \x20 AT BOOT   8080,9000-9100,10000-10010,20000,30000\n";
        assert!(wide.stdout.contains(block), "{wide}");
        assert!(wide.stdout.lines().all(|line| line.chars().count() <= 80), "{wide}");
    });
}

#[test]
fn explain_is_a_page() {
    let answer = netkit("sysctl explain net.ipv4.tcp_fin_timeout").run().exits(0).quietly();
    for words in
        ["how long FIN_WAIT2 lasts", "\n  now ", "\n  myth ", "\n  danger ", "\n  sources "]
    {
        assert!(answer.stdout.contains(words), "{words}: {answer}");
    }
    let short = netkit("sysctl explain tcp_fin_timeout").run().exits(0);
    assert_eq!(short.stdout, answer.stdout);
    let gone = netkit("sysctl explain tcp_tw_recycle --format csv").run().exits(0);
    assert!(gone.stdout.contains("gone,since Linux 4.12"), "{gone}");
}

#[test]
fn lint_needs_no_system() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tuning.conf");
    let lint = |options: &str, text: &str| {
        fs::write(&path, text).unwrap();
        netkit(&format!("sysctl lint --procfs /nowhere {options}")).arg(&path).run().quietly()
    };
    let fine = lint("", "net.ipv4.tcp_keepalive_time = 600\n").exits(0);
    assert!(fine.stdout.starts_with("OK  nothing is wrong in /"), "{fine}");
    let dead = lint("", "net.ipv4.tcp_tw_recycle = 0\n").exits(1);
    assert!(dead.stdout.contains("tuning.conf:1\n") && dead.stdout.contains("4.12"), "{dead}");
    lint("--kernel 4.11", "net.ipv4.tcp_tw_recycle = 0\n").exits(0);
    lint("--kernel 4.11", "net.ipv4.tcp_tw_recycle = 1\n").exits(1);
    let young = lint("--kernel 4.4 --fail-on warning", "net.ipv4.tcp_tw_reuse_delay = 1000\n");
    assert!(young.clone().exits(1).stdout.contains("before Linux 6.14"), "{young}");
    lint("--kernel 6.14 --fail-on warning", "net.ipv4.tcp_tw_reuse_delay = 1000\n").exits(0);
    let ids = |text: &str| {
        let found = lint("--json", text).json();
        let found = found["findings"].as_array().unwrap().iter();
        found.map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let twice = "net.ipv4.tcp_synack_retries = 4\nnet/ipv4/tcp_synack_retries = 3\n";
    assert_eq!(ids(twice), ["SYSCTL_DUPLICATE"]);
    assert_eq!(ids("net.ipv4.tcp_synack_retries = 4\n"), Vec::<String>::new());
    assert_eq!(ids("somaxconn = 4096\n"), ["SYSCTL_UNKNOWN_KEY"]);
    let later = lint("--kernel 4.11 --json", "net.ipv4.tcp_tw_recycle = 0\n").exits(0).json();
    assert_eq!(later["findings"][0]["id"], "SYSCTL_DEAD_KEY", "{later:#}");
    // The value and what is behind it are two things.
    let both = ["SYSCTL_NONSENSE_VALUE", "SYSCTL_NONSENSE_VALUE"];
    assert_eq!(ids("net.ipv4.tcp_retries2 = 5 # less\n"), both);
    let old = |text: &str| lint("--kernel 4.4 --fail-on warning", text).code;
    // 128 is the default there, 2 is not the loopback alone, and tcp_fack is read.
    assert_eq!(old("net.core.somaxconn = 128\nnet.ipv4.tcp_fack = 1\n"), Some(0));
    assert_eq!(old("net.ipv4.tcp_tw_reuse = 2\n"), Some(1));
    assert_eq!(ids("net.core.somaxconn = 128\n"), ["SYSCTL_NONSENSE_VALUE"]);
    assert_eq!(ids("net.ipv4.tcp_fack = 1\n"), ["SYSCTL_DEAD_KEY"]);
    assert_eq!(ids("net.ipv4.ip_local_port_range = 1000 65535\n"), ["SYSCTL_COMBINATION"]);
    let both =
        "net.ipv4.ip_unprivileged_port_start = 80\nnet.ipv4.ip_local_port_range = 80 65535\n";
    assert!(!ids(both).contains(&"SYSCTL_COMBINATION".to_owned()));
    let apart = "net.ipv4.tcp_tw_reuse = 1\nnet.ipv4.tcp_timestamps = 0\n";
    assert!(ids(apart).contains(&"SYSCTL_COMBINATION".to_owned()));
}

#[test]
fn lint_reads_standard_input() {
    let lint = |text: &str| netkit("sysctl lint - --json").stdin(text.as_bytes()).run().quietly();
    let dead = lint("net.ipv4.tcp_tw_recycle = 1\n").exits(1).json();
    assert_eq!(dead["findings"][0]["source"], serde_json::json!({ "file": "<stdin>", "line": 1 }));
    lint("net.ipv4.tcp_keepalive_time = 600\n").exits(0);
    lint("").exits(0);
}

#[test]
fn lint_says_of_the_four_lines_what_is_right_dead_a_myth_and_lost() {
    let directory = tempfile::tempdir().unwrap();
    let etc = directory.path().join("etc");
    fs::create_dir(&etc).unwrap();
    let lines = "net.ipv4.tcp_syncookies=1\nnet.ipv4.tcp_tw_reuse=1\n\
                 net.ipv4.tcp_tw_recycle=1\nnet.ipv4.tcp_fin_timeout=30\n";
    fs::write(etc.join("sysctl.conf"), lines).unwrap();
    let found = netkit("sysctl lint --json").arg(etc.join("sysctl.conf")).run().exits(1).json();
    let found = found["findings"].as_array().unwrap().iter();
    let found: Vec<_> = found
        .map(|it| {
            let words = |name: &str| it[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {}",
                words("severity"),
                words("id"),
                words("key"),
                it["source"]["line"]
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "critical SYSCTL_DEAD_KEY net.ipv4.tcp_tw_recycle 3",
            "warning SYSCTL_MYTH net.ipv4.tcp_fin_timeout 4",
            "info SYSCTL_FILE_IGNORED - null",
            "info SYSCTL_MYTH net.ipv4.tcp_syncookies 1",
            "info SYSCTL_MYTH net.ipv4.tcp_tw_reuse 2",
        ]
    );
}

#[test]
fn a_line_that_leaves_proc_sys_is_no_key() {
    let climbs = "net/../../etc/passwd = 1\n/etc/passwd/.. = 1\nnet.ipv4.conf.//.x = 1\n";
    let found = netkit("sysctl lint - --json").stdin(climbs.as_bytes()).run().json();
    let lines: Vec<_> = found["findings"].as_array().unwrap().iter().collect();
    assert!(lines.len() == 3 && lines.iter().all(|it| it["id"] == "SYSCTL_BAD_LINE"), "{found:#}");
}

#[test]
fn wrong_arguments_are_named_with_what_to_write() {
    for (line, words) in [
        ("show net.ipv4.tcp_tw_resue", "did you mean `net.ipv4.tcp_tw_reuse`?"),
        ("show qqqq", "there is no key `qqqq`"),
        ("explain net.ipv4.tcp_tw_resue", "did you mean `net.ipv4.tcp_tw_reuse`?"),
        ("explain ip_nonlocal_bind", "is net.ipv4.ip_nonlocal_bind, net.ipv6.ip_nonlocal_bind:"),
        ("explain tcp_keepalive_*", "netkit sysctl show 'tcp_keepalive_*'"),
        ("show net/../../x", "`net/../../x` is not a key"),
        ("show ../../etc/passwd", "`../../etc/passwd` is not a key"),
        ("explain /etc/passwd", "`/etc/passwd` is not a key"),
        ("explain net..x", "`net..x` is not a key"),
        ("show net.ipv4.conf.//.x", "`net.ipv4.conf.//.x` is not a key"),
        ("show ..", "`..` is not a key"),
        ("check --expect /etc/passwd=1", "`/etc/passwd` is not a key"),
        ("apply --set net/../../x=1", "`net/../../x` is not a key"),
        ("check --expect net/../../x=1", "net/../../x"),
        ("check --expect net.core.somaxconn", "net.core.somaxconn"),
        ("check --expect net.ipv4.tcp_tw_reuse=3", "3 is not from 0 to 2"),
        ("check --profile sevrer", "`sevrer`"),
        ("lint", "<FILE>"),
        ("lint --kernel four /etc/sysctl.conf", "four"),
        ("check --fail-on bad", "bad"),
    ] {
        let answer = netkit(&format!("sysctl {line}")).run().exits(2);
        assert!(answer.stderr.contains(words) && answer.stdout.is_empty(), "{answer}");
    }
    for key in ["net.core.a\nb", "net.core.a\u{1b}[31m"] {
        let answer = netkit("sysctl explain").arg(key).run().exits(2);
        assert!(!answer.stderr.trim_end().contains(['\n', '\u{1b}']), "{answer}");
    }
}

#[test]
fn a_profile_file_says_where_it_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.toml");
    let check = |text: &str| {
        fs::write(&path, text).unwrap();
        netkit("sysctl check --root").arg(directory.path()).arg("--profile").arg(&path).run()
    };
    let climbs = "name = \"a\"\n[[setting]]\nkey = \"net/ipv4/../../../x\"\nwant = \"1\"\n";
    check(climbs).exits(2).complains("web.toml:3: key: ").complains("leaves /proc/sys");
    let nul = "name = \"a\"\n[[setting]]\nkey = \"net.ipv4\\u0000.x\"\nwant = \"1\"\n";
    check(nul).exits(2).complains("web.toml:3: key: ").complains("control characters");
    let wrong = check("nmae = \"web\"\n").exits(2);
    assert!(wrong.stderr.contains("web.toml") && wrong.stderr.contains("nmae"), "{wrong}");
}

#[test]
fn what_cannot_be_read_is_exit_code_3() {
    let missing = netkit("sysctl lint /nowhere/a.conf").run().exits(3);
    missing.complains("cannot read /nowhere/a.conf: ENOENT");
    netkit("sysctl --root /nowhere").run().exits(3).complains("/nowhere");
    netkit("sysctl --procfs /nowhere").run().exits(3);
}

#[test]
fn without_rights_it_reads_the_same() {
    live(&[Need::Root, Need::Setpriv], || {
        let line = "sysctl show net.ipv4.* --format csv";
        let root = netkit(line).run().exits(0).stdout;
        let nobody = Nobody::new().netkit(line).run().exits(0).stdout;
        // The one that is root's alone to read.
        let secret = "net.ipv4.tcp_fastopen_key";
        let others = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with(secret));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(others(&root), others(&nobody));
        assert!(nobody.contains(&format!("{secret},,")), "{nobody}");
        let shown = Nobody::new().netkit("sysctl show").arg(secret).run().exits(0);
        assert!(shown.stdout.contains("EACCES"), "{shown}");
        let check = Nobody::new().netkit("sysctl check --json").run();
        assert!(matches!(check.code, Some(0 | 1)), "{check}");
    });
}

#[test]
fn quiet_and_formats_are_those_of_every_command() {
    netkit("sysctl -q --fail-on never").run().is(0, "", "");
    let rows = netkit("sysctl show --format ndjson net.ipv4.tcp_tw_reuse").run().exits(0).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["key"], "net.ipv4.tcp_tw_reuse");
    let csv = netkit("sysctl check --format csv --fail-on never").run().exits(0);
    assert!(csv.stdout.starts_with("id,severity,key,message,"), "{csv}");
    let color = netkit("sysctl show --color always tcp_tw_reuse").run().exits(0);
    assert!(color.stdout.contains("\u{1b}["), "{color}");
}
