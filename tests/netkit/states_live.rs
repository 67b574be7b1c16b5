//! `netkit states` on sockets in every TCP state: both sources, and ss(8), show the same.

use std::collections::BTreeMap;
use std::net::UdpSocket;

use serde_json::{Value, json};

use crate::harness::sockets::{bound, port};
use crate::harness::zoo::{HABITATS, Zoo, population};
use crate::harness::{Need, eventually, live, netkit, ss};

/// The counts of a bare answer.
fn counts(line: &str) -> BTreeMap<String, u64> {
    let answer = netkit(line).run().exits(0).json();
    let states = answer["states"].as_array().unwrap();
    let sum: u64 = states.iter().map(|it| it["sockets"].as_u64().unwrap()).sum();
    assert_eq!(answer["total"], sum, "{answer}");
    let count =
        |it: &Value| (it["state"].as_str().unwrap().to_owned(), it["sockets"].as_u64().unwrap());
    states.iter().map(count).collect()
}

/// All states in all habitats, settled.
fn zoos() -> Vec<Zoo> {
    let zoos: Vec<Zoo> = HABITATS.into_iter().map(Zoo::new).collect();
    let expected = population(4);
    eventually(|| {
        let seen = counts("states --json");
        (seen == expected).then_some(()).ok_or(format!("{seen:?}"))
    });
    zoos
}

/// A row without what /proc cannot tell, and how long its timer has left.
///
/// A listener's send queue is the limit of its accept queue, which /proc does not show. Of a
/// half-open connection `sock_diag` counts the SYN-ACKs sent again (`num_retrans`,
/// net/ipv4/inet_diag.c, `inet_req_diag_fill`), and /proc the timeouts (`num_timeout`,
/// net/ipv4/tcp_ipv4.c, `get_openreq4`).
fn comparable(mut row: Value) -> (String, Option<i64>) {
    for name in ["cookie", "interface"] {
        row[name] = Value::Null;
    }
    if row["state"] == "LISTEN" {
        row["send_queue"] = Value::Null;
    }
    let left = row["timer"]["expires_ms"].as_i64();
    if let Some(timer) = row["timer"].as_object_mut() {
        timer.remove("expires_ms");
    }
    if row["state"] == "SYN_RECV" {
        row["timer"]["retransmits"] = Value::Null;
    }
    (row.to_string(), left)
}

fn rows(line: &str) -> Vec<(String, Option<i64>)> {
    let answer = netkit(line).run().exits(0).quietly();
    let mut rows: Vec<_> = answer.rows().into_iter().map(comparable).collect();
    rows.sort();
    rows
}

/// Demands that the sources agree. Timers run while they are read, so that one that fires between
/// the two readings is no difference: what agrees once does agree.
fn sources_agree(line: &str) {
    eventually(|| {
        let [by_netlink, by_proc] = ["sock_diag", "proc"]
            .map(|source| rows(&format!("{line} --format ndjson --source {source}")));
        let differences = differences(&by_netlink, &by_proc) + &differences(&by_proc, &by_netlink);
        if differences.is_empty() && by_netlink.len() == by_proc.len() {
            Ok(())
        } else {
            Err(format!("sock_diag first, then proc:\n{differences}"))
        }
    });
}

/// The rows of `some` that `others` have not; timers may be a second apart.
fn differences(some: &[(String, Option<i64>)], others: &[(String, Option<i64>)]) -> String {
    let is_same = |a: &(String, Option<i64>), b: &(String, Option<i64>)| {
        a.0 == b.0
            && a.1.is_some() == b.1.is_some()
            && (a.1.unwrap_or(0) - b.1.unwrap_or(0)).abs() <= 1000
    };
    let missing = some.iter().filter(|row| !others.iter().any(|other| is_same(row, other)));
    missing.fold(String::new(), |text, (row, left)| text + &format!("  {row} {left:?}\n"))
}

fn as_ss_shows(line: &str) -> Vec<(String, String, String)> {
    let end = |end: &Value| {
        let address = match end["address"].as_str().unwrap() {
            "::" | "0.0.0.0" => "any",
            other => other,
        };
        format!("{address}:{}", end["port"])
    };
    let row = |row: Value| {
        let state = row["state"].as_str().unwrap().to_owned();
        (state, end(&row["local"]), end(&row["remote"]))
    };
    let mut rows: Vec<_> = netkit(line).run().exits(0).rows().into_iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn every_state_is_counted_and_both_sources_show_the_same_rows() {
    live(&[Need::Ipv6, Need::Python3], || {
        let _zoos = zoos();
        assert_eq!(counts("states --json --source proc"), population(4));
        sources_agree("states --list");
    });
}

#[test]
fn ss_shows_the_same_tcp_sockets() {
    live(&[Need::Ipv6, Need::Python3, Need::Ss], || {
        let _zoos = zoos();
        assert_eq!(as_ss_shows("states --format ndjson"), ss::rows("-t"));
    });
}

#[test]
fn udp_sockets_are_the_same_by_both_sources_and_by_ss() {
    live(&[Need::Ipv6, Need::Ss], || {
        let held = ["127.0.0.1:0", "[::1]:0", "[::]:0", "0.0.0.0:0"]
            .map(|end| UdpSocket::bind(end).unwrap());
        let mapped = UdpSocket::bind("[::]:0").unwrap();
        mapped.connect(("::ffff:127.0.0.1", held[0].local_addr().unwrap().port())).unwrap();
        let connected = UdpSocket::bind("[::1]:0").unwrap();
        connected.connect(held[1].local_addr().unwrap()).unwrap();
        sources_agree("states --udp --list");
        assert_eq!(as_ss_shows("states --udp --format ndjson"), ss::rows("-u"));
        assert_eq!(
            counts("states --udp --json"),
            BTreeMap::from([("UNCONN".to_owned(), 4), ("ESTABLISHED".to_owned(), 2)])
        );
        sources_agree("states --udp --tcp --list");
    });
}

#[test]
fn the_kernels_rows_have_no_owner_and_the_programs_have() {
    live(&[Need::Ipv6, Need::Python3], || {
        let _zoos = zoos();
        for row in netkit("states --format ndjson").run().exits(0).rows() {
            let is_mini = row["timer"]["kind"] == "time_wait";
            let is_kernels = is_mini || row["state"] == "SYN_RECV";
            if is_kernels {
                assert_eq!((&row["uid"], &row["inode"]), (&Value::Null, &Value::Null), "{row}");
            }
            if row["state"] == "LISTEN" || row["state"] == "CLOSE_WAIT" {
                assert_eq!(row["uid"], 0, "{row}");
                assert!(row["inode"].as_u64() > Some(0), "{row}");
            }
            assert!(row["cookie"].as_u64() > Some(0), "{row}");
        }
        for mini in netkit("states --time-wait --list --format ndjson").run().exits(0).rows() {
            assert_eq!(mini["state"], "TIME_WAIT");
            let left = mini["timer"]["expires_ms"].as_u64().unwrap();
            assert!((45_000..=60_000).contains(&left), "{mini}");
        }
    });
}

#[test]
fn a_mapped_connection_is_written_as_ipv4_of_an_ipv6_socket() {
    live(&[Need::Ipv6, Need::Python3], || {
        let _zoo = Zoo::new(HABITATS[3]);
        for source in ["sock_diag", "proc"] {
            let line = format!("states --established --format ndjson --source {source}");
            let rows = netkit(&line).run().exits(0).rows();
            assert!(!rows.is_empty());
            for row in rows {
                assert_eq!(row["family"], "ipv6", "{row}");
                assert_eq!(row["v4_mapped"], true, "{row}");
                assert_eq!(row["local"]["address"], "127.0.0.1", "{row}");
                assert_eq!(row["remote"]["address"], "127.0.0.1", "{row}");
            }
            let mapped =
                |option| counts(&format!("states --established --json {option} --source {source}"));
            assert_eq!(mapped("-4"), BTreeMap::from([("ESTABLISHED".to_owned(), 7)]));
            assert_eq!(mapped("-6"), BTreeMap::new());
        }
    });
}

#[test]
fn the_interface_that_a_socket_is_bound_to_is_named() {
    live(&[], || {
        let socket = bound("127.0.0.1", 0);
        socket.bind_device(Some(b"lo")).unwrap();
        socket.listen(1).unwrap();
        let interface = |source: &str| {
            let line = format!("states --listening --format ndjson --source {source}");
            netkit(&line).run().exits(0).rows()[0]["interface"].clone()
        };
        assert_eq!(interface("sock_diag"), "lo");
        assert_eq!(interface("proc"), Value::Null);
        let list = netkit("states --list").run().exits(0);
        assert!(list.stdout.contains(&format!("127.0.0.1%lo:{}", port(&socket))), "{list}");
    });
}

#[test]
fn bound_sockets_are_shown_where_asked_for_and_netkits_probe_is_not() {
    live(&[Need::Ipv6], || {
        let empty = netkit("states --bound --format ndjson").run();
        empty.is(0, "", "");
        let v4 = bound("127.0.0.1", 0);
        let v6 = bound("::1", 0);
        let rows = netkit("states --bound --format ndjson").run().exits(0).quietly().rows();
        let mut seen: Vec<_> = rows
            .iter()
            .map(|row| (row["local"].clone(), row["state"].clone(), row["uid"].clone()))
            .collect();
        seen.sort_by_key(|(local, ..)| local.to_string());
        let expected = [("127.0.0.1", &v4), ("::1", &v6)].map(|(address, socket)| {
            let local = json!({"address": address, "port": port(socket)});
            (local, json!("BOUND_INACTIVE"), json!(0))
        });
        assert_eq!(seen, expected);
        assert!(rows.iter().all(|row| row["inode"].as_u64() > Some(0)), "{rows:?}");
        assert_eq!(counts("states --json"), BTreeMap::new());
        let ours = BTreeMap::from([("BOUND_INACTIVE".to_owned(), 2)]);
        assert_eq!(counts("states --json --state bound-inactive"), ours);
    });
}

#[test]
fn bound_sockets_are_not_in_proc_and_that_is_said() {
    live(&[], || {
        let error = "netkit: /proc has no bound sockets that do not listen\n\
                     hint: they need sock_diag: leave out `--source proc` and `--procfs`\n";
        netkit("states --bound --source proc").run().is(3, "", error);
    });
}
