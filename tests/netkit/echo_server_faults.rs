//! Faults that an echo server makes when it is asked to.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::echoing::{Serving, asked, ended, refused, rest, round_trip, unanswered};
use crate::harness::{Schema, eventually, live, netkit};

#[test]
fn messages_are_dropped_and_doubled() {
    let server = Serving::start("127.0.0.1:0 --drop 100%");
    let mut stream = server.connect();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&stream), b"");

    let server = Serving::start("127.0.0.1:0 --duplicate 100 --by line");
    let mut stream = server.connect();
    stream.write_all(b"a\nb\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&stream), b"a\na\nb\nb\n");

    let server = Serving::start("udp://127.0.0.1:0 --drop 100% --json");
    unanswered(&server.udp(), b"hello");
    assert_eq!(refused(&server.stop().statistics(), "dropped"), 1);

    let server = Serving::start("udp://127.0.0.1:0 --duplicate 100%");
    let client = server.udp();
    assert_eq!(asked(&client, b"hello"), b"hello");
    assert_eq!(client.recv(&mut [0; 9]).unwrap(), 5);
}

#[test]
fn a_seed_repeats_them() {
    let dropped = |seed: u32| {
        let line = format!("127.0.0.1:0 --by line --drop 50% --seed {seed}");
        let server = Serving::start(&line);
        let mut stream = server.connect();
        let lines = (0..64).fold(String::new(), |lines, number| lines + &format!("{number}\n"));
        stream.write_all(lines.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&stream)
    };
    let first = dropped(7);
    assert_eq!(first, dropped(7));
    assert_ne!(first, dropped(8));
    let lines = String::from_utf8(first).unwrap().lines().count();
    assert!((16..48).contains(&lines), "{lines} of 64");
}

#[test]
fn replies_wait_and_keep_their_order() {
    let server = Serving::start("127.0.0.1:0 --delay 100ms --jitter 40ms --by line");
    let mut stream = server.connect();
    let begun = Instant::now();
    stream.write_all(b"one\ntwo\n").unwrap();
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"one\ntwo\n");
    assert!(begun.elapsed() >= Duration::from_millis(60), "{:?}", begun.elapsed());

    let server = Serving::start("udp://127.0.0.1:0 --delay 100ms");
    let client = server.udp();
    let begun = Instant::now();
    assert_eq!(asked(&client, b"hello"), b"hello");
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[test]
fn a_reply_that_waits_is_sent_before_the_end() {
    // However long, the server is not idle, nor has it served its bytes or its one datagram.
    let options = "--delay 1500ms --idle-timeout 500ms";
    let server = Serving::start(&format!("127.0.0.1:0 --max-bytes 5 {options} --json"));
    let mut stream = server.connect();
    stream.write_all(b"hello").unwrap();
    assert_eq!(rest(&stream), b"hello");
    drop(stream);
    assert_eq!(ended(&server.stop().exits(0).statistics(), "max_bytes"), 1);

    let server = Serving::start("udp://127.0.0.1:0 --one-off --delay 300ms");
    assert_eq!(asked(&server.udp(), b"hello"), b"hello");
    server.wait().exits(0);
}

#[test]
fn a_connection_is_reset() {
    let server = Serving::start("127.0.0.1:0 --reset-after 5 --json");
    let mut stream = server.connect();
    stream.write_all(b"abc").unwrap();
    let mut reply = [0; 3];
    stream.read_exact(&mut reply).unwrap();
    stream.write_all(b"defg").unwrap();
    // What was sent before may be lost with the reset, but no more than that is sent.
    let mut reply = Vec::new();
    let error = stream.read_to_end(&mut reply).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(b"de".starts_with(&reply[..]), "{reply:?}");
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(ended(&statistics, "fault_reset"), 1);
    assert_eq!(statistics["connections"]["sent_bytes"], 5);

    let server = Serving::start("127.0.0.1:0 --reset-after 100%");
    let mut stream = server.connect();
    stream.write_all(b"a").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn who_closes_first_keeps_the_time_wait() {
    live(&[], || {
        for (option, is_servers) in [("--close-first", true), ("", false)] {
            let server = Serving::start(&format!("127.0.0.1:0 {option}"));
            let port = server.address("tcp").port();
            let mut stream = server.connect();
            assert_eq!(round_trip(&stream, b"hello"), b"hello");
            if is_servers {
                // More than one read takes, and more when the server has closed: nothing is reset.
                stream.write_all(&[0; 100_000]).unwrap();
                assert_eq!(rest(&stream), b"");
                stream.write_all(&[0; 100_000]).unwrap();
            }
            drop(stream);
            let line = format!("states --list --state TIME_WAIT --json --local-port {port}");
            let line = if is_servers { line } else { line.replace("local-port", "remote-port") };
            eventually(|| match netkit(&line).run().json()["sockets"].as_array() {
                Some(sockets) if sockets.len() == 1 => Ok(()),
                sockets => Err(format!("{sockets:?}")),
            });
        }
    });
}

#[test]
fn one_way_is_closed_and_the_other_is_read() {
    let server = Serving::start("127.0.0.1:0 --half-close --json");
    let mut stream = server.connect();
    assert_eq!(round_trip(&stream, b"hello"), b"hello");
    assert_eq!(rest(&stream), b"");
    // The server still reads: this neither fails nor is answered.
    for _ in 0..10 {
        stream.write_all(&[0; 10_000]).unwrap();
    }
    drop(stream);
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(statistics["connections"]["received_bytes"], 100_005);
    assert_eq!(statistics["connections"]["sent_bytes"], 5);
    assert_eq!(ended(&statistics, "peer_closed"), 1);
}

#[test]
fn a_reply_comes_in_pieces() {
    let server = Serving::start("127.0.0.1:0 --slice 3");
    let mut stream = server.connect();
    stream.write_all(b"abcdefgh").unwrap();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut buffer = [0; 100];
    while pieces.concat().len() < 8 {
        let length = stream.read(&mut buffer).unwrap();
        pieces.push(buffer[..length].to_vec());
    }
    assert_eq!(pieces.concat(), b"abcdefgh");
    assert!(pieces.len() >= 2 && pieces[0] == b"abc", "{pieces:?}");
}

#[test]
fn of_several_lines_the_first_alone_is_answered_before_the_close() {
    for option in ["--close-first", "--half-close"] {
        for more in ["", "--delay 50ms", "--slice 1"] {
            let server = Serving::start(&format!("127.0.0.1:0 --by line {option} {more}"));
            let mut stream = server.connect();
            stream.write_all(b"one\ntwo\nthr").unwrap();
            stream.write_all(b"ee\n").unwrap();
            assert_eq!(rest(&stream), b"one\n", "{option} {more}");
        }
    }
}

#[test]
fn a_reply_that_is_held_back_counts_when_it_goes() {
    let datagrams = |statistics: &Value, sent: u64, cut: u64| {
        assert_eq!(statistics["datagrams"]["received"], 1, "{statistics:#}");
        assert_eq!(statistics["datagrams"]["sent"], sent, "{statistics:#}");
        assert_eq!(refused(statistics, "cut"), cut, "{statistics:#}");
        Schema::of("echo_server").holds(statistics);
    };
    let mut server = Serving::start("udp://127.0.0.1:0 --delay 1h --drain 50ms --json");
    let client = server.udp();
    client.send(b"hello").unwrap();
    eventually(|| {
        server.signal(Signal::SIGUSR1);
        let now: Value = serde_json::from_str(&server.line()).unwrap();
        if now["datagrams"]["received"] == 0 {
            return Err(format!("{now:#}"));
        }
        datagrams(&now, 0, 0);
        Ok(())
    });
    datagrams(&server.stop().exits(0).statistics(), 0, 1);

    let mut server = Serving::start("udp://127.0.0.1:0 --delay 200ms --duplicate 100% --json");
    let client = server.udp();
    client.send(b"hello").unwrap();
    // Taken before it is stopped, and sent before it ends.
    eventually(|| {
        server.signal(Signal::SIGUSR1);
        let now: Value = serde_json::from_str(&server.line()).unwrap();
        if now["datagrams"]["received"] == 1 { Ok(()) } else { Err(format!("{now:#}")) }
    });
    datagrams(&server.stop().exits(0).statistics(), 1, 0);
    assert_eq!([(); 2].map(|()| client.recv(&mut [0; 9]).unwrap()), [5, 5]);
}
