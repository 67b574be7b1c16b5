//! Messages of `netkit echo client` whose replies come late, twice, in part or turned round; what they are
//! made of, and what is told of them at a signal.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::mpsc::channel;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::harness::echoing::Serving;
use crate::harness::{Schema, netkit};

/// A server of UDP that sends for each datagram what `answer` makes of it.
fn answering(answer: impl Fn(&str) -> Vec<&str> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            for reply in answer(std::str::from_utf8(&buffer[..length]).unwrap()) {
                socket.send_to(reply.as_bytes(), peer).unwrap();
            }
        }
    });
    address
}

#[test]
fn a_duplicate_is_not_taken_for_the_next_reply() {
    // It is there before the next message, or comes while its reply is waited for.
    let before = answering(|text| vec![text, text]);
    let meanwhile = answering(|text| if text == "a" { vec![text] } else { vec!["a", text] });
    for address in [before, meanwhile] {
        let answer = netkit("echo client --verify").arg(&address).arg("a").arg("b").arg("c").run();
        assert_eq!(answer.stdout, "a\nb\nc\n", "{answer}");
        answer.exits(0).complains("`a` came, a duplicate: it answers a message that had its reply");
        let answer = netkit("echo client --verify --format json").arg(&address).arg("a").arg("b");
        let answer = answer.run().exits(0).json();
        Schema::of("echo_messages").holds(&answer);
        let verdicts = answer["replies"].as_array().unwrap().iter().map(|it| &it["verdict"]);
        assert_eq!(verdicts.collect::<Vec<_>>(), ["ok", "ok"]);
    }
}

#[test]
fn duplicates_without_an_end_are_not_waited_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server");
    let socket = UnixDatagram::bind(&path).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        let (_, peer) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to_addr(b"a", &peer).unwrap();
        socket.recv_from(&mut buffer).unwrap();
        // Each waits for room, so that none is lost; the last ones find nobody.
        (0..100_000).all(|_| socket.send_to_addr(b"a", &peer).is_ok())
    });
    let client = netkit("echo client --verify").arg(format!("unix-dgram:{}", path.display()));
    let answer = client.arg("a").arg("b").run().exits(1);
    assert_eq!(answer.stdout, "a\na\n");
    let answer = answer.complains("the reply is `a`, not `b`");
    assert_eq!(answer.stderr.matches("`a` came, a duplicate").count(), 1024);
}

#[test]
fn a_reply_that_is_late_is_not_taken_for_the_next_one() {
    let address = answering(|text| match text {
        "slow" => vec![],
        "next" => vec!["slow", "next"],
        other => vec![other],
    });
    let answer = netkit("echo client --verify -t 300ms").arg(&address).arg("slow").arg("next");
    let answer = answer.run().exits(1);
    assert_eq!(answer.stdout, "next\n", "{answer}");
    let answer = answer.complains("`slow`: no reply from");
    answer.complains("`slow` came, late: it answers a message whose reply had not come in time");
}

#[test]
fn equal_messages_have_equal_replies() {
    let address = answering(|text| vec![text]);
    let answer = netkit("echo client --verify").arg(&address).arg("a").arg("a").arg("a").run();
    answer.is(0, "a\na\na\n", "");
}

#[test]
fn a_message_may_be_any_bytes() {
    let server = Serving::start("127.0.0.1:0");
    let bytes = OsStr::from_bytes(b"\xff\xfeabc");
    let run = netkit("echo client --verify --format json").arg(&server.addresses[0]).arg(bytes);
    let answer = run.run().exits(0).json();
    Schema::of("echo_messages").holds(&answer);
    let row = &answer["replies"][0];
    let shown = json!("\u{fffd}\u{fffd}abc");
    assert_eq!((&row["message"], &row["reply"], &row["verdict"]), (&shown, &shown, &json!("ok")));
}

#[test]
fn a_line_that_is_turned_round_is_right_by_line_and_by_message() {
    for (options, came) in [("", "\nolleh"), ("--by line", "olleh")] {
        let server = Serving::start(&format!("127.0.0.1:0 --transform reverse {options}"));
        let client = netkit("echo client --transform reverse").arg(&server.addresses[0]);
        client.arg("hello").run().is(0, &format!("{came}\n"), "");
    }
    for (options, came) in [("", "senil\nowt"), ("--by line", "owt\nsenil")] {
        let server = Serving::start(&format!("udp://127.0.0.1:0 --transform reverse {options}"));
        let client = netkit("echo client --transform reverse").arg(&server.addresses[0]);
        client.arg("two\nlines").run().is(0, &format!("{came}\n"), "");
    }
    let plain = Serving::start("127.0.0.1:0");
    let client = netkit("echo client --transform reverse").arg(&plain.addresses[0]).arg("hello");
    client.run().exits(1).complains("the reply is `hello`, not `olleh`");
}

/// A listener that sends `reply` to the first line of each connection, and then calls `then`.
fn replying(reply: &'static str, then: impl Fn(BufReader<TcpStream>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            stream.read_line(&mut String::new()).unwrap();
            stream.get_mut().write_all(reply.as_bytes()).unwrap();
            then(stream);
        }
    });
    address
}

#[test]
fn what_came_of_a_reply_that_breaks_off_is_said() {
    let address = replying("abc", drop);
    let answer = netkit("echo client").arg(address).arg("abcdef").run().exits(1);
    assert_eq!(answer.stdout, "abc\n");
    assert!(!answer.stderr.contains("no reply"), "{answer}");
    answer.complains("`abcdef`: only `abc` came from tcp://").complains("(FIN)");
}

#[test]
fn what_had_come_is_told_at_a_signal() {
    for format in ["json", "csv"] {
        let (reads, has_read) = channel();
        let address = replying("one\n", move |mut stream| {
            stream.read_line(&mut String::new()).unwrap();
            reads.send(()).unwrap();
            stream.read_line(&mut String::new()).unwrap();
        });
        let client =
            netkit(&format!("echo client -t 60s --format {format} {address} one two three"));
        let client = client.start();
        has_read.recv().unwrap();
        let (answer, status) = client.signal(Signal::SIGINT).ends();
        assert_eq!((status.signal(), answer.stderr.as_str()), (Some(2), ""), "{answer}");
        if format == "csv" {
            assert!(answer.stdout.contains("\none,one,"), "{answer}");
            assert!(answer.stdout.ends_with("\ntwo,,,missing\nthree,,,unsent\n"), "{answer}");
            continue;
        }
        let answer = answer.json();
        Schema::of("echo_messages").holds(&answer);
        assert_eq!(answer["error"]["name"], json!("interrupted"));
        let rows = answer["replies"].as_array().unwrap();
        assert_eq!((rows.len(), &rows[0]["reply"]), (3, &json!("one")));
    }
}
