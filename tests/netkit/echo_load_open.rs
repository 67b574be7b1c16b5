//! The open loop of `netkit echo client`: what is due, and when, whatever the server does.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::echoing::Serving;
use crate::harness::loading::json_of;
use crate::harness::netkit;

/// One connection, and 10 ms for each message: 50 of the thousand can be begun in half a second.
#[test]
fn what_cannot_be_begun_by_the_end_is_not_begun_behind_it() {
    let server = Serving::start("127.0.0.1:0 --delay 10ms");
    let address = &server.addresses[0];
    let answer = json_of("-r 2k -d 500ms -t 2s", address, 1);
    let number = |name: &str| answer[name].as_u64().unwrap();
    assert!((1..=55).contains(&number("sent")), "{answer:#}");
    // What is under way has its time.
    assert_eq!(answer["received"], answer["sent"], "{answer:#}");
    assert_eq!(number("sent") + number("unsent"), 1000, "{answer:#}");
    assert_eq!((&answer["lost"], &answer["timed_out"]), (&answer["unsent"], &json!(0)));
    assert_eq!((&answer["errors"], &answer["end"]), (&json!([]), &json!("planned")));
    let text = netkit("echo client -r 2k -d 200ms").arg(address).run().exits(1).stdout;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "could not be begun in time: more was asked for than could be offered",
        "hint: the server or the connections are too slow for this rate: more --connections",
    ] {
        assert!(words.contains(part), "no {part:?} in {text}");
    }
    // More connections have room for it; and a count has no end but its own.
    let answer = json_of("-r 100 -d 500ms -c 20", address, 0);
    assert_eq!((&answer["received"], &answer["unsent"]), (&json!(50), &json!(0)), "{answer:#}");
    let answer = json_of("-r 2k -n 60", address, 0);
    assert_eq!((&answer["received"], &answer["unsent"]), (&json!(60), &json!(0)), "{answer:#}");
}

#[test]
fn the_time_that_is_told_is_the_time_that_it_took() {
    let server = Serving::at(2, "127.0.0.1:0 udp://127.0.0.1:0");
    for address in &server.addresses {
        let start = Instant::now();
        // The last is due at half a second.
        let answer = json_of("-r 2 -d 900ms", address, 0);
        let measured = Duration::from_millis(answer["measured_ms"].as_u64().unwrap());
        assert_eq!(answer["received"], 2, "{answer:#}");
        assert!(measured >= Duration::from_millis(900), "{answer:#}");
        assert!(start.elapsed() >= measured, "{:?}: {answer:#}", start.elapsed());
    }
}
