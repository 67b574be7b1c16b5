//! The JSON of `netkit echo server`: its log and its statistics keep to docs/schema.

use std::os::unix::net::UnixStream;

use crate::harness::echoing::{Serving, asked, round_trip};
use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::{Schema, netkit};

#[test]
fn the_schemas_are_complete() {
    Schema::of("echo_server").is_complete();
    Schema::of("echo_connection").is_complete();
}

#[test]
fn statistics_and_log_keep_to_their_schemas() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("echo.sock");
    let line = format!("127.0.0.1:0 {} udp://127.0.0.1:0 --log json --json", path.display());
    let server = Serving::at(3, &line);
    let peer = {
        let stream = server.connect();
        assert_eq!(round_trip(&stream, b"hello"), b"hello");
        stream.local_addr().unwrap().to_string()
    };
    assert_eq!(round_trip(UnixStream::connect(&path).unwrap(), b"unix"), b"unix");
    let client = server.udp();
    client.send(b"").unwrap();
    // The first of two is not answered, or its reply came first.
    assert_eq!(asked(&client, b"datagram"), b"datagram");
    let addresses = server.addresses.clone();
    let end = server.stop().exits(0);
    assert_eq!(end.stderr, "");

    let statistics = end.statistics();
    Schema::of("echo_server").holds(&statistics);
    is_rfc_3339_utc(&statistics["captured_at"]);
    assert_eq!(statistics["addresses"].as_array().unwrap().len(), 3);
    assert_eq!(statistics["connections"]["accepted"], 2);
    assert_eq!(statistics["connections"]["open"], 0);
    assert_eq!(statistics["connections"]["received_bytes"], 9);
    assert_eq!(statistics["datagrams"]["received"], 2);
    assert_eq!(statistics["datagrams"]["sent_bytes"], 8);

    let log = end.log();
    assert_eq!(log.len(), 2);
    for line in &log {
        Schema::of("echo_connection").holds(line);
    }
    assert_eq!((&log[0]["id"], &log[0]["address"]), (&1.into(), &addresses[0].clone().into()));
    assert_eq!((&log[0]["peer"], &log[0]["end"]), (&peer.into(), &"peer_closed".into()));
    assert_eq!((&log[0]["received_bytes"], &log[0]["sent_bytes"]), (&5.into(), &5.into()));
    // Whoever had the other end of a Unix socket.
    let who = format!("pid {},", std::process::id());
    assert!(log[1]["peer"].as_str().unwrap().starts_with(&who), "{}", log[1]);
}

#[test]
fn a_reset_is_logged_with_its_error() {
    let server = Serving::start("127.0.0.1:0 --log json");
    let stream = server.connect();
    // What has been answered has been taken, and is not left in the queue when the server stops.
    assert_eq!(round_trip(&stream, b"hello"), b"hello");
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
    let log = server.stop().exits(0).log();
    assert_eq!((&log[0]["end"], &log[0]["errno"]), (&"peer_reset".into(), &"ECONNRESET".into()));
}

#[test]
fn the_other_formats_say_the_same() {
    let line = "echo server 127.0.0.1:0 --for 50ms";
    let rows = netkit(&format!("{line} --format ndjson")).run().exits(0).quietly().rows();
    assert_eq!(rows.len(), 1);
    Schema::of("echo_server").holds(&rows[0]);
    let csv = netkit(&format!("{line} --format csv")).run().exits(0).quietly().stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[0].starts_with("captured_at,elapsed_us,accepted,open,"), "{csv}");
    assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
    let text = netkit(line).run().exits(0).quietly().stdout;
    assert!(text.starts_with("Serving on tcp://127.0.0.1:"), "{text}");
    assert!(text.contains("\nServed on tcp://127.0.0.1:"), "{text}");
    netkit(&format!("{line} --quiet")).run().is(0, "", "");
}

#[test]
fn the_examples_of_the_help_are_accepted() {
    let help = netkit("echo server --help").run().exits(0).quietly().stdout;
    let (_, section) = help.split_once("\nExamples:\n").unwrap();
    let examples = section.lines().take_while(|line| line.starts_with("  netkit "));
    let examples: Vec<_> = examples.map(|line| line.trim().replace('\'', "")).collect();
    assert!(examples.len() >= 4, "{help}");
    for example in examples {
        let words = example.strip_prefix("netkit ").unwrap();
        let words = words.split("  ").next().unwrap().split(" on IPv4").next().unwrap();
        // Whether the port is free here, is not what is asked.
        let answer = netkit(&format!("{words} --for 10ms")).run();
        assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    }
}
