//! `netkit echo` alone where the network is at fault: what is at fault, told from what is not.

use serde_json::{Value, json};

use crate::harness::needs::run;
use crate::harness::seccomp::without_bind;
use crate::harness::{Need, Schema, live, netkit, sysctl};

/// The rows of the self-test that are of this verdict.
fn rows(verdict: &str) -> Vec<Value> {
    let answer = netkit("echo --json").run().json();
    Schema::of("echo_selftest").holds(&answer);
    let rows = answer["paths"].as_array().unwrap().iter();
    rows.filter(|it| it["verdict"] == verdict).cloned().collect()
}

/// Demands that each of `rows` means something with `words`.
#[track_caller]
fn mean(rows: &[Value], words: &str) {
    for row in rows {
        assert!(row["meaning"].as_str().unwrap().contains(words), "no {words:?} in {row}");
    }
}

/// The places of `rows`, of one protocol.
fn places<'a>(rows: &'a [Value], protocol: &str) -> Vec<&'a str> {
    let of = rows.iter().filter(|it| it["protocol"] == protocol);
    of.map(|it| it["place"].as_str().unwrap()).collect()
}

/// Lets a filter do `rule` to what comes in.
fn filter(rule: &str) {
    run("nft add table inet t");
    run("nft add chain inet t c { type filter hook input priority 0 ; }");
    run(&format!("nft add rule inet t c {rule}"));
}

#[test]
fn a_filter_that_drops_all_is_named() {
    live(&[Need::Nft], || {
        run("nft add table inet t");
        run("nft add chain inet t c { type filter hook input priority 0 ; policy drop ; }");
        let answer = netkit("echo --json").run().exits(1).json();
        let rows = answer["paths"].as_array().unwrap().iter();
        let late: Vec<_> = rows.filter(|it| it["verdict"] == "failed").collect();
        assert_eq!(late.len(), 6, "{answer:#}");
        for row in late {
            assert_eq!((&row["protocol"] == "unix", &row["name"]), (false, &json!("timeout")));
            assert!(row["meaning"].as_str().unwrap().contains("nft list ruleset"), "{row}");
        }
    });
}

#[test]
fn a_filter_of_this_host_that_rejects_is_not_taken_for_the_server() {
    live(&[Need::Nft], || {
        run("nft add table inet t");
        run("nft add chain inet t c { type filter hook output priority 0 ; }");
        run("nft add rule inet t c meta l4proto udp reject");
        let answer = netkit("echo --json").run().exits(1).json();
        let rows = answer["paths"].as_array().unwrap().iter();
        let failed: Vec<_> = rows.filter(|it| it["verdict"] == "failed").collect();
        assert_eq!(failed.len(), 3, "{answer:#}");
        for row in failed {
            assert_eq!((&row["protocol"], &row["name"]), (&json!("udp"), &json!("EPERM")));
            assert!(
                row["meaning"].as_str().unwrap().contains("a packet filter of this host"),
                "{row}"
            );
        }
    });
}

#[test]
fn without_ephemeral_ports_it_says_so() {
    live(&[], || {
        sysctl::write("net.ipv4.ip_local_port_range", "40000 40000");
        let _held = std::net::TcpListener::bind("127.0.0.1:40000").unwrap();
        let answer = netkit("echo --json").run().exits(1).json();
        let row = &answer["paths"][0];
        assert_eq!(
            (&row["step"], &row["name"]),
            (&json!("bind"), &json!("EADDRINUSE")),
            "{answer:#}"
        );
        assert!(row["meaning"].as_str().unwrap().contains("no ephemeral port is left"), "{row}");
    });
}

#[test]
fn a_filter_by_length_is_told_from_one_that_drops_all() {
    live(&[Need::Nft], || {
        filter("meta length > 1000 drop");
        let failed = rows("failed");
        assert_eq!(failed.len(), 6, "{failed:#?}");
        mean(&failed, "small messages come back, and the large transfer does not: ");
        mean(&failed, "a packet filter drops what is long (`nft list ruleset`");
        for row in &failed {
            assert!(row["round_trip_us"].is_u64() && row["mebibyte_us"].is_null(), "{row}");
        }
    });
}

#[test]
fn a_loss_is_told_from_a_filter_that_drops_all() {
    live(&[Need::Nft], || {
        // The second message of a path that is alone. Of three at once, two are stopped by a loss each
        // before the third has lost its fourth at the latest.
        filter("meta l4proto udp numgen inc mod 3 == 2 drop");
        let failed = rows("failed");
        assert_eq!(places(&failed, "udp").len(), failed.len(), "{failed:#?}");
        mean(&failed, " of 5 small messages came back, and then no more: packets are lost on lo");
        for row in &failed {
            assert!(row["round_trip_us"].is_u64(), "{row}");
        }
    });
}

#[test]
fn a_filter_that_rejects_what_comes_in_is_no_missing_server() {
    live(&[Need::Nft], || {
        filter("meta l4proto udp reject");
        let failed = rows("failed");
        assert_eq!(places(&failed, "udp").len(), 3, "{failed:#?}");
        mean(&failed, "netkit itself serves there: a packet filter rejects it");
        run("nft flush chain inet t c");
        run("nft add rule inet t c tcp flags syn reject with tcp reset");
        let failed = rows("failed");
        assert_eq!(places(&failed, "tcp").len(), 3, "{failed:#?}");
        mean(&failed, "netkit itself serves there: a packet filter rejects it");
    });
}

#[test]
fn clients_without_ports_are_no_missing_ipv6() {
    live(&[], || {
        sysctl::write("net.ipv4.ip_local_port_range", "40000 40001");
        assert_eq!(rows("off"), [Value::Null; 0]);
        let failed = rows("failed");
        assert_eq!(failed.len(), 6, "{failed:#?}");
        mean(&failed, "no ephemeral port is left (net.ipv4.ip_local_port_range)");
        let is_of_connect = |it: &Value| it["step"] == "connect" && it["name"] == "EAGAIN";
        assert!(failed.iter().any(is_of_connect), "{failed:#?}");
    });
}

#[test]
fn a_socket_that_leaves_ipv4_alone_by_default_speaks_it_all_the_same() {
    live(&[], || {
        sysctl::write("net.ipv6.bindv6only", "1");
        assert_eq!(rows("ok").len(), 12);
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        netkit(&format!("connect [::ffff:127.0.0.1]:{port}")).run().exits(0);
    });
}

#[test]
fn an_address_that_is_missing_is_named() {
    live(&[], || {
        run("ip address del 127.0.0.1/8 dev lo");
        let failed = rows("failed");
        for protocol in ["tcp", "udp"] {
            assert_eq!(places(&failed, protocol), ["127.0.0.1", "[::ffff:127.0.0.1]"]);
        }
        mean(&failed, "lo has no 127.0.0.1: `ip address add 127.0.0.1/8 dev lo`");
        run("ip address add 127.0.0.1/8 dev lo");
        run("ip address del ::1/128 dev lo");
        let off = rows("off");
        assert_eq!((places(&off, "tcp"), off.len()), (vec!["[::1]"], 2));
        mean(&off, "lo has no ::1, though IPv6 is not switched off");
        netkit("echo --require v6").run().exits(1);
    });
}

#[test]
fn an_mtu_that_is_too_small_for_ipv6_is_named() {
    live(&[], || {
        run("ip link set lo mtu 1279");
        let off = rows("off");
        assert_eq!((places(&off, "tcp"), off.len()), (vec!["[::1]"], 2));
        mean(&off, "IPv6 takes an MTU of 1280 at least, and that of lo is 1279");
    });
}

#[test]
fn what_a_sandbox_forbids_is_called_so() {
    without_bind(|| {
        let failed = rows("failed");
        assert_eq!(failed.len(), 12, "{failed:#?}");
        mean(&failed, "a sandbox forbids it: seccomp, Landlock or another security module");
    });
}
