//! The load of `netkit echo client` over streams: counts, limits, formats, failures.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use socket2::SockRef;

use crate::harness::command::PROGRAM;
use crate::harness::echoing::{Serving, ended};
use crate::harness::loading::{Loading, json_of};
use crate::harness::{Answer, Schema, live, netkit};

fn load(options: &str, address: &str) -> Answer {
    netkit(&format!("echo client {options}")).arg(address).run()
}

/// A server that is not an echo server: `each` is called with every connection.
fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let each = std::sync::Arc::new(each);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let each = std::sync::Arc::clone(&each);
            thread::spawn(move || each(stream.unwrap()));
        }
    });
    address
}

#[test]
fn every_message_is_counted_once() {
    let server = Serving::start("127.0.0.1:0 --json");
    let answer = json_of("-n 1k -c 8 -s 1-300 --pipeline 3", &server.addresses[0], 0);
    assert_eq!((&answer["sent"], &answer["received"]), (&json!(1000), &json!(1000)));
    assert_eq!((&answer["lost"], &answer["corrupted"]), (&json!(0), &json!(0)));
    assert_eq!(answer["bytes_sent"], answer["bytes_received"]);
    assert_eq!((&answer["loop"], &answer["latency_from_send"]), (&json!("closed"), &json!(null)));
    assert_eq!(answer["latency"]["count"], 1000);
    let bars = answer["latency"]["histogram"].as_array().unwrap();
    assert_eq!(bars.iter().map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), 1000);
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(statistics["connections"]["received_bytes"], answer["bytes_sent"]);
    assert_eq!(statistics["connections"]["accepted"], 8);
}

#[test]
fn large_messages_go_both_ways_at_once() {
    let server = Serving::start("127.0.0.1:0");
    let answer = json_of("-n 12 -c 3 -s 4m", &server.addresses[0], 0);
    assert_eq!(answer["bytes_received"], 12 * (4 << 20));
}

#[test]
fn unix_streams_are_loaded_too() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", directory.path().join("socket").display());
    let _server = Serving::start(&address);
    for options in ["-n 500 -c 4", "-n 50 -c 2 -s 1m", "-n 100 -c 2 --reconnect"] {
        let answer = json_of(options, &address, 0);
        assert_eq!(answer["sent"], answer["received"], "{options}");
    }
}

#[test]
fn a_wrong_byte_is_found() {
    let address = serve(|mut stream| {
        let mut seen = 0;
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let before = seen;
            seen += length;
            // One bit of byte 1,000.
            if (before..seen).contains(&1000) {
                buffer[1000 - before] ^= 4;
            }
            stream.write_all(&buffer[..length]).unwrap();
        }
    });
    let answer = json_of("-n 100", &address, 1);
    assert_eq!((&answer["corrupted"], &answer["received"]), (&json!(1), &json!(100)));
    let text = load("-n 100", &address).exits(1).stdout;
    assert!(
        text.starts_with("CORRUPTED") && text.contains("1 reply was not what had been sent"),
        "{text}"
    );
    load("-n 100 --no-verify", &address).exits(0);
}

#[test]
fn a_server_that_transforms_is_judged_by_that() {
    let server = Serving::start("127.0.0.1:0 --transform upper");
    json_of("-n 200 --transform upper", &server.addresses[0], 0);
    // Bytes that are no text may be held back as the beginning of a character.
    let wrong = json_of("-n 10 --timeout 200ms", &server.addresses[0], 1);
    let lost = wrong["lost"].as_u64().unwrap();
    assert!(wrong["corrupted"].as_u64().unwrap() + lost > 0, "{wrong:#}");
}

#[test]
fn bytes_that_nobody_asked_for_are_found() {
    let address = serve(|mut stream| {
        let mut buffer = [0; 64];
        while stream.read_exact(&mut buffer).is_ok() {
            drop(stream.write_all(&buffer).and_then(|()| stream.write_all(b"!")));
        }
    });
    let answer = json_of("-n 20", &address, 1);
    let unexpected = answer["unexpected_bytes"].as_u64().unwrap();
    assert!(unexpected + answer["corrupted"].as_u64().unwrap() > 0, "{answer:#}");
    let greeting = serve(|mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let text = load("-n 1 -t 200ms --no-verify -s 1", &greeting).exits(1).stdout;
    assert!(text.contains("hint: an echo server sends no more"), "{text}");
}

#[test]
fn a_stall_is_shown_by_the_open_loop_and_hidden_by_the_closed() {
    // One stall of 300 ms; ten milliseconds after the start of the connection.
    let stalling = || {
        serve(|mut stream| {
            let start = Instant::now();
            let mut has_stalled = false;
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                if !has_stalled && start.elapsed() > Duration::from_millis(10) {
                    has_stalled = true;
                    thread::sleep(Duration::from_millis(300));
                }
                drop(stream.write_all(&buffer[..length]));
            }
        })
    };
    let open = json_of("-r 500 -d 1s", &stalling(), 0);
    assert_eq!((&open["loop"], &open["rate_asked"]), (&json!("open"), &json!(500.0)));
    let p90 = |of: &Value| of["percentiles"][2]["us"].as_f64().unwrap();
    // 150 of the 500 messages were due during the stall.
    assert!(p90(&open["latency"]) > 100_000.0, "{open:#}");
    assert!(p90(&open["latency_from_send"]) < p90(&open["latency"]) / 2.0, "{open:#}");
    assert_eq!((&open["sent"], &open["received"]), (&json!(500), &json!(500)));
}

#[test]
fn limits_are_judged_and_the_one_that_was_missed_is_named() {
    let server = Serving::start("127.0.0.1:0");
    let address = &server.addresses[0];
    load("-n 200 --max-p99 60s --max-loss 0% --min-rate 1", address).exits(0).quietly();
    // The text has it in its head, once; with a format for programs it is said beside it.
    let missed = load("-n 200 --max-p99 100ns --min-rate 1", address).exits(1).quietly();
    assert!(missed.stdout.starts_with("MISSED  "), "{missed}");
    assert_eq!(missed.stdout.matches("--max-p99").count(), 1, "{missed}");
    let missed = load("-n 200 --max-p99 100ns --min-rate 1 --json", address).exits(1);
    let missed = missed.complains("missed --max-p99");
    assert!(!missed.stderr.contains("min-rate"), "{missed}");
    load("-n 200 --min-rate 500m --json", address).exits(1).complains("missed --min-rate");
    let answer = json_of("-n 10 --max-p99 60s --min-rate 500m", address, 1);
    let verdicts = answer["thresholds"].as_array().unwrap();
    let met: Vec<_> = verdicts.iter().map(|it| (&it["name"], &it["is_met"])).collect();
    assert_eq!(met, [(&json!("max-p99"), &json!(true)), (&json!("min-rate"), &json!(false))]);
}

#[test]
fn nobody_there_is_no_reply_and_ends_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    for options in ["-n 1k -c 3", "-d 60s -c 3", "-n 50 --reconnect", "-r 100 -d 60s"] {
        let answer = json_of(options, &address, 1);
        assert_eq!(answer["received"], 0, "{options}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(
            (&errors[0]["name"], &errors[0]["step"]),
            (&json!("ECONNREFUSED"), &json!("connect"))
        );
    }
}

#[test]
fn nobody_there_is_said_with_its_cause_and_what_helps() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    for options in ["-n 10", "-n 10 --warmup 100ms"] {
        let answer = load(options, &address).exits(1).quietly();
        let text = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            &format!(
                "NO REPLY cannot connect to tcp://{address}: ECONNREFUSED (111) Connection refused"
            ),
            "0 of 10 messages answered",
            "nobody listens at this address",
            &format!("hint: `netkit echo server tcp://{address}` starts a server there"),
            &format!("`netkit connect tcp://{address}`"),
        ] {
            assert!(text.contains(words), "{options}: no {words:?} in {answer}");
        }
        let counts = json_of(options, &address, 1);
        assert_eq!((&counts["lost"], &counts["unsent"]), (&json!(10), &json!(10)), "{options}");
        assert!(counts["errors"][0]["hint"].as_str().unwrap().contains("netkit echo server"));
    }
    let text = load("-d 1s", &address).exits(1).stdout;
    assert!(text.contains("no message was sent") && !text.contains("0 of 0"), "{text}");
    let text = load("-n 1 --source 192.0.2.1", &address).exits(1).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("from 192.0.2.1: EADDRNOTAVAIL (99)"), "{text}");
    assert!(text.contains("in bind: no interface of this network namespace"), "{text}");
}

#[test]
fn one_message_has_one_latency() {
    let server = Serving::start("127.0.0.1:0");
    let answer = json_of("-n 1", &server.addresses[0], 0);
    for of in ["latency", "connect"] {
        let percentiles = answer[of]["percentiles"].as_array().unwrap();
        for value in percentiles.iter().map(|it| &it["us"]) {
            assert_eq!(value, &answer[of]["min_us"], "{answer:#}");
        }
        assert_eq!(answer[of]["mean_us"], answer[of]["min_us"]);
        assert_eq!(answer[of]["max_us"], answer[of]["min_us"]);
    }
}

#[test]
fn the_text_has_names_above_their_values_and_no_blanks_at_its_ends() {
    let server = Serving::start("127.0.0.1:0");
    let text = load("-n 200 -r 2k", &server.addresses[0]).exits(0).stdout;
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.iter().all(|line| line.trim_end() == *line && line.chars().count() <= 80),
        "{text}"
    );
    let heads = lines.iter().enumerate().filter(|(_, line)| line.starts_with("      min      p50"));
    let heads: Vec<_> = heads.collect();
    assert_eq!(heads.len(), 2, "{text}");
    for (at, head) in heads {
        let values: Vec<_> = lines[at + 1].split_whitespace().collect();
        assert_eq!(values.len(), 2 * head.split_whitespace().count(), "{text}");
        assert_eq!(lines[at + 1].chars().count(), head.chars().count(), "{text}");
    }
}

#[test]
fn a_server_that_resets_is_an_error_with_its_number_and_the_run_goes_on() {
    let address = serve(|mut stream| {
        let mut buffer = [0; 64];
        for _ in 0..10 {
            if stream.read_exact(&mut buffer).is_err() {
                return;
            }
            drop(stream.write_all(&buffer));
        }
        // With bytes unread, close(2) sends RST.
        drop(stream.read(&mut buffer[..1]));
    });
    let answer = json_of("-n 100 -c 2", &address, 1);
    assert!(answer["cut"].as_u64().unwrap() > 0, "{answer:#}");
    assert!(answer["received"].as_u64().unwrap() > 20, "{answer:#}");
    let names: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"ECONNRESET"), "{names:?}");
}

/// Little is lost where the server is gone for good: what a limit of loss would let pass is no success.
#[test]
fn a_server_that_is_gone_for_good_is_no_success() {
    let leaving = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(listener);
            let mut buffer = [0; 64];
            for _ in 0..100 {
                drop(stream.read_exact(&mut buffer).and_then(|()| stream.write_all(&buffer)));
            }
        });
        address
    };
    // Before the end, and at the end while it is still tried.
    for duration in ["60s", "1s"] {
        let answer = json_of(&format!("-d {duration} --max-loss 50%"), &leaving(), 1);
        assert_eq!((&answer["received"], &answer["end"]), (&json!(100), &json!("given_up")));
        assert_eq!(answer["thresholds"][0]["is_met"], true, "{answer:#}");
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = json_of("-d 60s -r 100", &format!("127.0.0.1:{port}"), 1);
    assert_eq!((&refused["end"], &refused["unsent"]), (&json!("given_up"), &json!(6000)));
}

/// The reply and the FIN come in one segment: no message is to follow them on that connection.
#[test]
fn a_server_that_closes_after_each_reply_loses_nothing() {
    let address = serve(|mut stream| {
        let mut buffer = [0; 64];
        drop(stream.read_exact(&mut buffer));
        SockRef::from(&stream).set_tcp_cork(true).unwrap();
        drop(stream.write_all(&buffer));
    });
    let answer = json_of("-n 10 -c 2", &address, 0);
    assert_eq!((&answer["received"], &answer["cut"]), (&json!(10), &json!(0)), "{answer:#}");
    assert_eq!(answer["errors"], json!([]));
    assert!(answer["connect"]["count"].as_u64().unwrap() >= 10, "{answer:#}");
}

#[test]
fn connections_that_cannot_be_opened_are_no_loss_of_messages() {
    let server = Serving::start("127.0.0.1:0");
    let shell = format!("ulimit -n 20; {PROGRAM} echo client -n 50 -c 40 {}", server.addresses[0]);
    let output = Command::new("sh").args(["-c", &shell]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("INCOMPLETE  ") && text.contains("50 of 50 replies"), "{text}");
    assert!(
        text.contains("EMFILE (24) in connect") && text.contains("hint: `ulimit -Hn`"),
        "{text}"
    );
    // What the user may have, and not only what is usual.
    let shell = shell.replace("ulimit -n 20", "ulimit -Sn 20");
    let output = Command::new("sh").args(["-c", &shell]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.starts_with("OK  "), "{text}");
}

#[test]
fn a_silent_server_times_out() {
    let address = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let answer = json_of("-n 2 -c 2 --timeout 100ms", &address, 1);
    assert_eq!((&answer["timed_out"], &answer["lost"]), (&json!(2), &json!(2)));
    assert_eq!(answer["errors"][0]["name"], "timeout");
}

#[test]
fn the_time_that_a_server_does_not_answer_any_more_is_part_of_its_rate() {
    let address = serve(|mut stream| {
        let mut buffer = [0; 64];
        for _ in 0..10 {
            drop(stream.read_exact(&mut buffer).and_then(|()| stream.write_all(&buffer)));
        }
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let answer = json_of("-n 11 --timeout 300ms --min-rate 100", &address, 1);
    assert!(answer["measured_ms"].as_u64().unwrap() >= 300, "{answer:#}");
    assert_eq!(answer["thresholds"][0]["is_met"], false, "{answer:#}");
}

#[test]
fn what_is_lost_has_its_parts() {
    let address = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let answer = load("-r 100 -d 300ms -c 2 --timeout 200ms", &address).exits(1);
    let text = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = text.split_once("lost 30 (100 %): ").unwrap().1;
    let parts = parts.split(" connected").next().unwrap();
    let numbers = parts.split(", ").map(|it| it.split(' ').next().unwrap().parse::<u32>().unwrap());
    assert_eq!(numbers.sum::<u32>(), 30, "{answer}");
}

#[test]
fn a_server_that_changes_all_is_told_with_what_judges_it() {
    let server = Serving::start("127.0.0.1:0 --transform rot13");
    let answer = load("-n 20", &server.addresses[0]).exits(1);
    assert!(answer.stdout.contains("hint: a server that changes what it sends back"), "{answer}");
    load("-n 20 --transform rot13", &server.addresses[0]).exits(0);
}

#[test]
fn a_new_connection_for_each_makes_time_waits_and_rst_makes_none() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0");
        let fin = json_of("-n 200 --reconnect", &server.addresses[0], 0);
        let made = fin["time_wait"]["made"].as_u64().unwrap();
        assert_eq!(made, 200, "{fin:#}");
        assert_eq!(fin["connect"]["count"], 200);
        // Without a port for it, a message is not sent: there is no connection that could break.
        // None of the ports is in TIME_WAIT to this server, nor is one taken again from there in a second.
        let other = Serving::start("127.0.0.1:0");
        std::fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0").unwrap();
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").unwrap();
        let full = json_of("-n 20 --reconnect", &other.addresses[0], 1);
        let counts = ["sent", "received", "unsent", "cut"].map(|name| &full[name]);
        assert_eq!(counts, [4, 4, 16, 0].map(|it| json!(it)).each_ref(), "{full:#}");
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999").unwrap();
        let rst = json_of("-n 200 --reconnect --close rst", &server.addresses[0], 0);
        assert_eq!(rst["time_wait"]["made"], 0, "{rst:#}");
    });
}

#[test]
fn the_time_waits_of_connections_that_ended_badly_are_counted() {
    live(&[], || {
        // One that takes connections and neither reads nor closes: its kernel alone acknowledges.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mute = listener.local_addr().unwrap().to_string();
        for _ in 0..3 {
            let late = json_of("-n 5 --reconnect -t 50ms", &mute, 1);
            assert_eq!(late["time_wait"]["made"], 5, "{late:#}");
        }
        // What was under way is read before the connection is closed: bytes unread would be a RST.
        let server = Serving::start("127.0.0.1:0 --delay 20ms");
        let loading = Loading::start("-c 4 -d 60s", &server.addresses[0]);
        loading.signal(Signal::SIGINT);
        let (answer, _) = loading.ends();
        assert_eq!(answer["time_wait"]["made"], 4, "{answer:#}");
        assert_eq!((&answer["under_way"], &answer["lost"]), (&json!(4), &json!(0)), "{answer:#}");
    });
}

/// The FIN comes behind the reply, when the next message may be on its way already.
#[test]
fn a_message_that_meets_a_fin_is_sent_once_more() {
    let server = Serving::start("127.0.0.1:0 --half-close");
    let answer = json_of("-n 40", &server.addresses[0], 0);
    assert_eq!((&answer["received"], &answer["lost"]), (&json!(40), &json!(0)), "{answer:#}");
    // One that reads every second message and answers none of these.
    let address = serve(|mut stream| {
        let mut buffer = [0; 64];
        drop(stream.read_exact(&mut buffer).and_then(|()| stream.write_all(&buffer)));
        drop(stream.read_exact(&mut buffer));
    });
    let answer = json_of("-n 5", &address, 0);
    assert_eq!((&answer["received"], &answer["resent"]), (&json!(5), &json!(4)), "{answer:#}");
    let text = load("-n 5", &address).exits(0).stdout;
    assert!(text.contains("4 messages were sent once more"), "{text}");
    // One that answers nothing is sent nothing again.
    let deaf = serve(|mut stream| drop(stream.read_exact(&mut [0; 64])));
    let answer = json_of("-n 3", &deaf, 1);
    assert_eq!((&answer["resent"], &answer["cut"]), (&json!(0), &json!(3)), "{answer:#}");
}

#[test]
fn a_server_that_closes_first_loses_nothing_and_keeps_every_time_wait() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0 --close-first --json");
        for (options, per_connection) in [("-c 8 -n 2000", 1), ("-c 4 -n 2000 --pipeline 4", 4)] {
            let answer = json_of(options, &server.addresses[0], 0);
            assert_eq!(answer["received"], 2000, "{answer:#}");
            assert_eq!(answer["errors"], json!([]), "{answer:#}");
            let connected = answer["connect"]["count"].as_u64().unwrap();
            assert!(connected >= 2000 / per_connection, "{answer:#}");
            assert_eq!(answer["time_wait"]["made"], connected, "{answer:#}");
        }
        // The last of each load may have been opened for nothing.
        let statistics = server.stop().exits(0).statistics();
        assert!(ended(&statistics, "fault_closed") >= 2500, "{statistics:#}");
        assert!(ended(&statistics, "peer_closed") <= 8 + 4, "{statistics:#}");
        assert_eq!(ended(&statistics, "peer_reset"), 0, "{statistics:#}");
    });
}

#[test]
fn a_load_that_is_interrupted_before_it_measures_accuses_nobody() {
    let server = Serving::start("127.0.0.1:0");
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_address = mute.local_addr().unwrap().to_string();
    for (options, address, words) in [
        ("--warmup 60s", &server.addresses[0], "before measuring began"),
        ("-t 30s -c 2", &mute_address, "2 messages were under way"),
    ] {
        let mut command = Command::new("timeout");
        command.args(["-s", "INT", "0.7", PROGRAM, "echo", "client", address]);
        let output = command.args(options.split_whitespace()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("INTERRUPTED") && text.contains(words), "{text}");
        assert!(!text.contains("NO REPLY") && !text.contains("  lost"), "{text}");
    }
}

#[test]
fn an_open_loop_has_no_more_than_was_asked_for() {
    let server = Serving::start("127.0.0.1:0");
    for options in ["-r 10 -d 500ms", "-r 10 -n 5", "-r 10 -n 5 -d 60s"] {
        let answer = json_of(options, &server.addresses[0], 0);
        assert_eq!(answer["received"], 5, "{options}");
        assert!(answer["rate_per_s"].as_f64().unwrap() <= 10.0, "{options}: {answer:#}");
    }
}

#[test]
fn what_a_load_would_ignore_is_a_wrong_argument() {
    for (options, words) in [
        ("-n 5 --reconnect --connect-rate 10", "--rate paces"),
        ("-n 5 -N", "--no-newline is for messages"),
        ("-n 5 --udp --reconnect", "--reconnect is for connections"),
        ("-c 1 --pipeline 2g", "--pipeline 2,000,000,000"),
        ("-n 5 --udp -s 70k", "71,680"),
        ("-n -3", "--count <N>"),
        ("-r -1", "--rate <N>"),
        ("-d -1s", "--duration <TIME>"),
    ] {
        let answer = load(options, "127.0.0.1:9").exits(2);
        assert!(answer.stderr.contains(words), "{options}: {answer}");
        assert!(!answer.stderr.contains("'-- -"), "{options}: {answer}");
    }
    let answer = load("-c -n 5", "127.0.0.1:9").exits(2);
    assert!(answer.stderr.contains("'--connections <N>': a value is missing"), "{answer}");
}

#[test]
fn an_interval_in_which_nothing_was_sent_is_no_row() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let rows = load("-n 10 --format ndjson", &format!("127.0.0.1:{port}")).exits(1).rows();
    assert_eq!(rows.len(), 1, "{rows:#?}");
}

#[test]
fn the_time_waits_of_connections_that_were_kept_are_counted_too() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0");
        let fin = json_of("-n 200 -c 50", &server.addresses[0], 0);
        let made = fin["time_wait"]["made"].as_u64().unwrap();
        assert_eq!(made, 50, "{fin:#}");
        assert_eq!(fin["time_wait"]["now"], made, "{fin:#}");
        let rst = json_of("-n 200 -c 50 --close rst", &server.addresses[0], 0);
        assert_eq!(rst["time_wait"]["made"], 0, "{rst:#}");
    });
}

#[test]
fn connections_are_opened_at_their_rate() {
    let server = Serving::start("127.0.0.1:0");
    let start = Instant::now();
    json_of("-n 20 -c 11 --connect-rate 50", &server.addresses[0], 0);
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[test]
fn the_time_of_connecting_is_in_no_interval() {
    let server = Serving::start("127.0.0.1:0");
    let options = "-c 11 --connect-rate 10 -d 300ms -r 100 --interval 200ms --format ndjson";
    let rows = load(options, &server.addresses[0]).exits(0).rows();
    let (whole, intervals) = rows.split_last().unwrap();
    assert_eq!(intervals[0]["from_ms"], 0, "{rows:#?}");
    let received: u64 = intervals.iter().map(|it| it["received"].as_u64().unwrap()).sum();
    assert_eq!((received, &whole["received"]), (30, &json!(30)), "{rows:#?}");
}

/// What a server says unasked is no reason to send: the load begins when all are connected.
#[test]
fn no_message_is_sent_before_all_are_connected() {
    let has_greeted = AtomicBool::new(false);
    let address = serve(move |mut stream| {
        let is_first = !has_greeted.swap(true, Ordering::SeqCst);
        if is_first {
            stream.write_all(b"220 ready\r\n").unwrap();
        }
        let start = Instant::now();
        let mut buffer = [0; 64];
        while stream.read_exact(&mut buffer).is_ok() {
            // The second connection is opened half a second after the first.
            if is_first && start.elapsed() < Duration::from_millis(250) {
                buffer = [0; 64];
            }
            drop(stream.write_all(&buffer));
        }
    });
    let answer = json_of("-n 20 -c 2 --connect-rate 2", &address, 1);
    assert_eq!((&answer["unexpected_bytes"], &answer["corrupted"]), (&json!(11), &json!(0)));
}

#[test]
fn the_warm_up_is_not_counted() {
    let server = Serving::start("127.0.0.1:0 --json");
    let answer = json_of("-n 50 --warmup 200ms", &server.addresses[0], 0);
    assert_eq!((&answer["sent"], &answer["received"]), (&json!(50), &json!(50)));
    let statistics = server.stop().exits(0).statistics();
    let bytes = statistics["connections"]["received_bytes"].as_u64().unwrap();
    assert!(bytes > 50 * 64, "{bytes}");
}

#[test]
fn formats_have_rows_for_intervals_and_one_line_for_all() {
    let server = Serving::start("127.0.0.1:0");
    let address = &server.addresses[0];
    let rows = load("-d 1s -r 100 --interval 200ms --format ndjson", address).exits(0).rows();
    let (whole, intervals) = rows.split_last().unwrap();
    Schema::of("echo").holds(whole);
    assert!(intervals.len() >= 3, "{rows:#?}");
    let interval = Schema::of("echo").definition("interval");
    for row in intervals {
        interval.holds(row);
    }
    let of_intervals: u64 = intervals.iter().map(|it| it["received"].as_u64().unwrap()).sum();
    assert_eq!(of_intervals, whole["received"].as_u64().unwrap());
    let csv = load("-n 10 --format csv", address).exits(0).stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert_eq!(lines[0].split(',').count(), lines[1].split(',').count(), "{csv}");
    Schema::of("echo").is_complete();
}

#[test]
fn ctrl_c_prints_what_was_measured() {
    let server = Serving::start("127.0.0.1:0");
    let loading = Loading::start("-d 60s -r 200", &server.addresses[0]);
    loading.signal(Signal::SIGINT);
    let (answer, status) = loading.ends();
    Schema::of("echo").holds(&answer);
    assert_eq!(answer["interrupted"], true);
    assert!(answer["received"].as_u64().unwrap() > 0, "{answer:#}");
    assert_eq!(status.signal(), Some(2), "{status:?}");
}

#[test]
fn the_examples_of_the_help_run() {
    live(&[], || {
        let _server = Serving::at(2, "127.0.0.1:8081 udp://127.0.0.1:8081");
        let _upper = Serving::start("127.0.0.1:8082 --transform upper");
        let help = netkit("echo client --help").run().exits(0).stdout;
        let examples = help.split("Examples:").nth(1).unwrap().split("Exit codes").next().unwrap();
        let mut ran = 0;
        for line in examples.lines().map(str::trim).filter(|it| it.starts_with("netkit ")) {
            let command = line.split("   ").next().unwrap().trim();
            let command = if command.contains("upper") {
                command.replace("8081", "8082")
            } else {
                command.to_owned()
            };
            let shell = command.replacen("netkit", PROGRAM, 1).replace("< file", "< /etc/passwd");
            // How fast it is, is not for a test to say.
            let shell = shell.replace("--max-p99 50ms", "--max-p99 1m");
            let output =
                Command::new("sh").args(["-c", &shell]).stdin(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{command}: {output:?}");
            ran += 1;
        }
        assert_eq!(ran, 8, "{examples}");
    });
}
