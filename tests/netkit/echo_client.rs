//! `netkit echo client`: messages, standard input as a stream, the prompt; against netkit's server and
//! against servers that misbehave.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use socket2::SockRef;

use crate::harness::command::PROGRAM;
use crate::harness::echoing::Serving;
use crate::harness::{Schema, eventually, live, netkit};

/// A listener, and what serves its connections.
fn serve(each: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().for_each(|stream| each(stream.unwrap())));
    address
}

fn shouting(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let reply = String::from_utf8_lossy(&buffer[..length]).to_uppercase();
        stream.write_all(reply.as_bytes()).unwrap();
    }
}

/// A server at an address of each kind, its files in `directory`.
fn over_every_carrier(directory: &Path) -> Serving {
    let path = |name: &str| directory.join(name).display().to_string();
    let line = format!(
        "127.0.0.1:0 udp://127.0.0.1:0 unix:{} unix-dgram:{} unix-seqpacket:{}",
        path("a"),
        path("b"),
        path("c")
    );
    Serving::at(5, &line)
}

#[test]
fn messages_come_back_over_every_carrier() {
    let directory = tempfile::tempdir().unwrap();
    let server = over_every_carrier(directory.path());
    for address in &server.addresses {
        let answer = netkit("echo client --verify").arg(address).arg("hello").arg("wörld").run();
        answer.is(0, "hello\nwörld\n", "");
    }
}

#[test]
fn a_wrong_reply_is_seen_and_a_transformed_one_expected() {
    let address = serve(shouting);
    netkit("echo client").arg(&address).arg("straße").run().is(0, "STRASSE\n", "");
    let wrong = netkit("echo client --verify").arg(&address).arg("hello").run().exits(1);
    wrong.complains("`hello`: the reply is `HELLO`, not `hello`").complains("--transform upper");
    let right = netkit("echo client --transform upper").arg(&address).arg("hello").arg("straße");
    right.run().is(0, "HELLO\nSTRASSE\n", "");
}

#[test]
fn a_missing_reply_is_said_with_its_reason() {
    let silent = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let answer = netkit("echo client --timeout 200ms").arg(&silent).arg("hello").run();
    answer.exits(1).complains("nothing came before the timeout");
    let closing = serve(|mut stream| drop(stream.read(&mut [0; 64])));
    let answer = netkit("echo client").arg(&closing).arg("hello").arg("again").run();
    let answer = answer.exits(1).complains("closed the connection (FIN)");
    answer.complains("1 message after it not sent");
    let resetting = serve(|mut stream| {
        drop(stream.read(&mut [0; 1]));
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let answer = netkit("echo client").arg(&resetting).arg("hello").run();
    answer.exits(1).complains("ECONNRESET (104)").complains("RST");
}

#[test]
fn nobody_there_is_said_with_what_helps() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = netkit(&format!("echo client 127.0.0.1:{port} hello")).run().exits(1);
    answer.complains("ECONNREFUSED (111)").complains("hint: `netkit echo server");
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = netkit(&format!("echo client udp://127.0.0.1:{gone} hello")).run().exits(1);
    let answer = answer.complains("ECONNREFUSED (111)");
    let answer = answer.complains("127.0.0.1 answered: nobody receives at this port\n");
    assert!(!answer.stderr.contains("TCP"), "{answer}");
    netkit("echo client unix:/nonexistent/socket hello").run().exits(1).complains("ENOENT (2)");
}

#[test]
fn a_source_that_is_not_ours_is_told_from_a_port_that_is_not_free() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for carrier in ["tcp", "udp"] {
        let target = format!("{carrier}://127.0.0.1:{port}");
        let absent = netkit(&format!("echo client --source 192.0.2.1 {target} hello")).run();
        let absent = absent.exits(1).complains(&format!("{target} from 192.0.2.1: EADDRNOTAVAIL"));
        let absent = absent.complains("no interface of this network namespace has that address");
        assert!(!absent.stderr.contains("port left"), "{absent}");
    }
    let refused = netkit(&format!("echo client --source 127.0.0.9 127.0.0.1:{port} hello")).run();
    let hint = format!("`netkit connect --source 127.0.0.9 tcp://127.0.0.1:{port}`");
    refused.exits(1).complains("ECONNREFUSED").complains(&hint);
}

#[test]
fn what_is_done_is_told_where_that_is_wanted() {
    let server = Serving::start("127.0.0.1:0");
    let address = &server.addresses[0];
    let told = netkit("echo client -v").arg(address).arg("hello").run().exits(0);
    assert_eq!(told.stdout, "hello\n");
    let told = told.complains("resolved").complains(&format!("connecting peer={address}"));
    let told = told.complains("TCP_NODELAY");
    assert!(!told.stderr.contains("sending"), "{told}");
    let more = netkit("echo client -vv").arg(address).arg("hello").run().exits(0);
    more.complains("sending bytes=6").complains("received bytes=6");
}

#[test]
fn standard_input_that_cannot_be_read_is_no_empty_one() {
    let server = Serving::start("127.0.0.1:0");
    let directory = Stdio::from(std::fs::File::open("/").unwrap());
    let mut child = Command::new(PROGRAM);
    let child = child.args(["echo", "client", &server.addresses[0]]).stdin(directory);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]), "{said}");
    assert!(said.contains("cannot read standard input: Is a directory"), "{said}");
}

#[test]
fn a_stream_takes_nothing_that_is_for_messages_and_says_so() {
    let server = Serving::start("127.0.0.1:0");
    for (option, words) in [
        ("--no-newline", "--no-newline is for messages and loads"),
        ("--format json", "--format is for messages and loads"),
        ("--transform reverse", "a stream has no end of a message"),
    ] {
        let run = netkit(&format!("echo client {option}")).arg(&server.addresses[0]).run();
        run.exits(2).complains(words);
    }
}

#[test]
fn a_stream_is_compared_byte_for_byte() {
    let stream = |options: &str, address: &str, bytes: &[u8]| {
        netkit(&format!("echo client {options}")).arg(address).stdin(bytes).run()
    };
    let directory = tempfile::tempdir().unwrap();
    let server = over_every_carrier(directory.path());
    for address in &server.addresses {
        stream("--verify --timeout 500ms", address, b"hello\n").is(0, "hello\n", "");
    }
    let upper = Serving::start("127.0.0.1:0 --transform upper");
    let upper = &upper.addresses[0];
    let text = "straße, ähnlich ".repeat(6_000);
    let changed = stream("--transform upper", upper, text.as_bytes()).exits(0).quietly();
    assert!(changed.stdout == text.to_uppercase());
    let wrong = stream("--verify", upper, b"Hello\n").exits(1);
    let wrong = wrong.complains("not as expected: the first that differs is byte 2\n");
    wrong.complains("hint: a server that changes");
    stream("--transform upper --no-verify", &server.addresses[0], b"Hello\n").is(0, "Hello\n", "");
    // All of it is read before a byte comes back, and of that one is kept.
    let keeping = serve(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        stream.write_all(&all[1..]).unwrap();
    });
    let cut = stream("--verify", &keeping, &vec![b'.'; 8 << 20]).exits(1);
    cut.complains("8,388,607 of 8,388,608 bytes came back");
    let numbers: String = (0..80_000).map(|it| it.to_string()).collect();
    let moved = stream("--verify", &keeping, numbers.as_bytes()).exits(1);
    moved.complains("is between byte 1 and byte 65,536");
}

#[test]
fn wrong_arguments_are_named() {
    for (line, words) in [
        ("127.0.0.1", "the port is missing"),
        ("8081 hi", "`8081`: a port alone says no host: write 127.0.0.1:8081"),
        ("-c 4 127.0.0.1:1 hello", "leave out `hello`"),
        ("-c 0", "it has to be at least 1"),
        ("-n 10KiB", "unknown suffix `KiB`: k, m and g are thousands"),
        ("-n 1.5", "it is not a whole number"),
        ("-n ten", "it is no number"),
        ("-s 5-1", "write 1-5"),
        ("-c 1g", "more than the 10,000,000 messages that can be under way at once"),
        ("--verify --no-verify 127.0.0.1:1 hello", "cannot be used with"),
        ("hello", "a message comes after the target: netkit echo client 127.0.0.1:8081 'hello'"),
        ("--source ::1 127.0.0.1:1 hello", "of another family than `127.0.0.1:1`"),
        ("-4 --source ::1 localhost:1 hello", "--source ::1: -4 leaves out IPv6 addresses"),
        ("--source 127.0.0.1 @a hello", "--source is not for a Unix socket"),
        (
            "--netns /proc/self/ns/net unix:/tmp/x hello",
            "hint: nsenter -t PID -m -n netkit echo client unix:/tmp/x",
        ),
        ("-u --close rst 127.0.0.1:1", "--close is for connections, of TCP"),
        ("-n 1 --interval 1s", "--interval is for --format ndjson"),
        ("-u -s 8 127.0.0.1:1", "a head of 32 bytes"),
        ("-u -s 100k 127.0.0.1:1", "a datagram has 65,507 bytes at most"),
        ("-u -c 1 --reconnect 127.0.0.1:1", "--reconnect is for connections, of TCP"),
        ("-c 1 --transform reverse", "upper, lower and rot13 can be judged"),
        ("-c 1 --max-p99 5", "write it with its unit: 5s, or 5ms"),
        ("-c 1 --max-loss 101", "it is more than 100 %"),
    ] {
        let answer = netkit(&format!("echo client {line}")).run().exits(2);
        let said = answer.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "no {words:?}: {answer}");
    }
}

#[test]
fn an_empty_target_is_a_wrong_argument() {
    let answer = netkit("echo client").arg("").arg("hi").run().exits(2);
    let answer = answer.complains("the target is empty: write HOST:PORT");
    assert!(!answer.stderr.contains("hint"), "{answer}");
}

#[test]
fn an_empty_message_is_not_waited_for() {
    let server = Serving::start("127.0.0.1:0");
    let answer = netkit("echo client -N").arg(&server.addresses[0]).arg("").arg("hello").run();
    answer.is(
        0,
        "hello\n",
        "netkit: an empty message is nothing that could come back: it was not sent\n",
    );
}

#[test]
fn replies_in_json_keep_to_the_schema() {
    let schema = Schema::of("echo_messages");
    schema.is_complete();
    let address = serve(shouting);
    let run = |format: &str| {
        netkit(&format!("echo client --verify --format {format}"))
            .arg(&address)
            .arg("a")
            .arg("B")
            .run()
    };
    let answer = run("json").exits(1).json();
    schema.holds(&answer);
    let verdicts = answer["replies"].as_array().unwrap().iter().map(|it| &it["verdict"]);
    assert_eq!(verdicts.collect::<Vec<_>>(), [&json!("wrong"), &json!("ok")]);
    let rows = run("ndjson").exits(1).rows();
    assert_eq!((&rows[0]["reply"], &rows[1]["reply"]), (&json!("A"), &json!("B")));
    let csv = run("csv").exits(1).stdout;
    assert!(csv.starts_with("message,reply,elapsed_us,verdict\na,A,"), "{csv}");
}

/// Bytes that do not repeat within a buffer.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 8191) % 256).unwrap()).collect()
}

#[test]
fn a_stream_goes_through_byte_for_byte() {
    let server = Serving::start("127.0.0.1:0");
    let sent = bytes(64 << 20);
    let mut child = Command::new(PROGRAM)
        .args(["echo", "client", &server.addresses[0]])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            stdin.write_all(&sent).unwrap();
            drop(stdin);
        });
        let mut came = Vec::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let length = stdout.read(&mut buffer).unwrap();
            if length == 0 {
                break;
            }
            came.extend_from_slice(&buffer[..length]);
        }
        assert!(came == sent, "{} of {} bytes, or changed", came.len(), sent.len());
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A server that reads nothing before all that it has to say is taken, and a client whose standard
/// input is as large: each direction has to go on by itself.
#[test]
fn neither_direction_waits_for_the_other() {
    const LENGTH: usize = 24 << 20;
    let address = serve(|mut stream| {
        stream.write_all(&bytes(LENGTH)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut came = Vec::new();
        stream.read_to_end(&mut came).unwrap();
        assert_eq!(came.len(), LENGTH);
    });
    let answer = Command::new("sh")
        .arg("-c")
        .arg(format!("head -c {LENGTH} /dev/zero | {PROGRAM} echo client {address} | wc -c"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), LENGTH.to_string());
}

#[test]
fn a_server_that_says_its_last_word_first_is_sent_the_rest() {
    const LENGTH: usize = 24 << 20;
    let name = format!("unix:@netkit-last-word-{}", std::process::id());
    let server = Serving::at(2, &format!("127.0.0.1:0 {name} --half-close --json"));
    for address in &server.addresses {
        let answer = netkit("echo client").arg(address).stdin(&vec![b'.'; LENGTH]).run().exits(0);
        answer.complains(" of 25,165,824 bytes came back from ");
    }
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(statistics["connections"]["received_bytes"], 2 * LENGTH);
    // Of one that is gone, what is sent next tells that.
    let gone = serve(|mut stream| drop(stream.read_exact(&mut [0; 5])));
    let answer = netkit(&format!("echo client {gone}")).stdin(&vec![b'.'; LENGTH]).run().exits(1);
    let said = ["cut the connection", "closed the connection (FIN) before standard input ended"];
    assert!(said.iter().any(|it| answer.stderr.contains(it)), "{answer}");
}

#[test]
fn a_server_that_ends_first_ends_the_stream_though_input_has_no_end() {
    let address = serve(|mut stream| {
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).unwrap();
        stream.write_all(&buffer).unwrap();
    });
    let mut child = Command::new(PROGRAM)
        .args(["echo", "client", "--timeout", "200ms", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Standard input stays open.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"hello").unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), child.wait().unwrap().code()), ("hello", Some(1)));
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    let said =
        "closed the connection (FIN) before standard input ended, which has given nothing for 200";
    assert!(complaint.contains(said) && !complaint.contains("no reply"), "{complaint}");
    drop(stdin);
}

#[test]
fn the_last_datagram_has_all_of_the_timeout_for_its_reply() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", server.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 64];
        for delay in [0, 400] {
            let (length, from) = server.recv_from(&mut buffer).unwrap();
            thread::sleep(Duration::from_millis(delay));
            server.send_to(&buffer[..length], from).unwrap();
        }
    });
    let mut child = Command::new(PROGRAM)
        .args(["echo", "client", "--timeout", "1s", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut came = [0; 3];
    stdin.write_all(b"one").unwrap();
    stdout.read_exact(&mut came).unwrap();
    // Most of the wait that began with the reply is over when the last one is sent.
    thread::sleep(Duration::from_millis(800));
    stdin.write_all(b"two").unwrap();
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("two", Some(0)));
}

#[test]
fn memory_stays_bounded_where_nobody_reads() {
    let server = Serving::start("127.0.0.1:0");
    let mut child = Command::new(PROGRAM)
        .args(["echo", "client", &server.addresses[0]])
        .stdin(Stdio::from(std::fs::File::open("/dev/zero").unwrap()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Until all buffers are full and nothing moves any more.
    let written = || {
        let io = std::fs::read_to_string(format!("/proc/{}/io", child.id())).unwrap();
        io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().to_owned()
    };
    let mut before = String::new();
    eventually(|| {
        let now = written();
        thread::sleep(Duration::from_millis(300));
        let is_still = now == before;
        before = now;
        if is_still { Ok(()) } else { Err("it goes on reading".to_owned()) }
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(kib < 64 << 10, "{kib} KiB");
}

#[test]
fn another_namespace_is_reached_from_here() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0");
        let target = server.addresses[0].clone();
        let answer = netkit(&format!("echo client --netns {}", server.pid())).arg(target).arg("hi");
        answer.run().is(0, "hi\n", "");
    });
}

#[test]
fn an_address_of_the_family_that_is_left_out_is_a_wrong_argument() {
    for (options, problem) in
        [("-4 [::1]:80", "-4 leaves out IPv6"), ("-6 127.0.0.1:80", "-6 leaves out IPv4")]
    {
        let answer = netkit(&format!("echo client {options} hi")).run().exits(2);
        assert!(answer.stderr.contains(problem), "{answer}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error_in_every_format() {
    let server = Serving::start("127.0.0.1:0");
    for format in ["table", "json", "ndjson", "csv"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = netkit(&format!("echo client --format {format}")).arg(&server.addresses[0]);
        let answer = run.arg("hi").run_into(full).exits(3);
        answer.complains("cannot write the answer: No space left on device");
    }
}

#[test]
fn messages_that_were_not_sent_have_a_row_and_a_true_reason() {
    let schema = Schema::of("echo_messages");
    let silent = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let run = |format: &str| {
        let options = format!("echo client -t 100ms --format {format} {silent} a b c");
        netkit(&options).run().exits(1)
    };
    let answer = run("json");
    let reason = "2 messages after it not sent: a reply that is still to come";
    assert!(answer.stderr.contains(reason), "{answer}");
    let answer = answer.json();
    schema.holds(&answer);
    assert_eq!(
        (&answer["error"]["step"], &answer["error"]["name"]),
        (&json!("receive"), &json!("timeout"))
    );
    let verdicts = answer["replies"].as_array().unwrap().iter().map(|it| &it["verdict"]);
    assert_eq!(verdicts.collect::<Vec<_>>(), ["missing", "unsent", "unsent"]);
    assert_eq!(run("ndjson").rows().len(), 3);
    let csv = run("csv").stdout;
    assert!(csv.ends_with("a,,,missing\nb,,,unsent\nc,,,unsent\n"), "{csv}");
}

#[test]
fn without_a_connection_there_is_an_answer_too() {
    let schema = Schema::of("echo_messages");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = |format: &str, target: &str| {
        netkit(&format!("echo client --format {format} {target} a b")).run().exits(1)
    };
    let refused = run("json", &format!("127.0.0.1:{port}")).json();
    schema.holds(&refused);
    let error = &refused["error"];
    assert_eq!((&error["name"], &error["code"]), (&json!("ECONNREFUSED"), &json!(111)));
    assert_eq!(refused["replies"][1]["verdict"], json!("unsent"));
    assert_eq!(refused["local"], json!(null));
    let unknown = run("json", "nonexistent.invalid:1").json();
    schema.holds(&unknown);
    assert_eq!(unknown["error"]["step"], json!("resolve"));
    let csv = run("csv", &format!("127.0.0.1:{port}")).stdout;
    assert!(csv.ends_with("\na,,,unsent\nb,,,unsent\n"), "{csv}");
}

#[test]
fn a_reply_goes_into_a_pipe_as_it_came_and_a_long_one_is_not_quoted_whole() {
    let server = Serving::start("127.0.0.1:0");
    let address = &server.addresses[0];
    netkit("echo client").arg(address).arg("a\tb\x1b[m").run().is(0, "a\tb\x1b[m\n", "");
    let long = "x".repeat(70_000);
    let answer = netkit("echo client").arg(address.replace("tcp", "udp")).arg(&long).run().exits(1);
    let answer = answer.complains("xxx…` (70,000 bytes): ").complains("hint: a shorter message");
    assert!(answer.stderr.len() < 1000, "{answer}");
}

#[test]
fn a_stream_that_is_not_answered_to_its_end_ends_at_the_timeout_that_was_given() {
    let half = serve(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(b"h").unwrap();
        thread::sleep(Duration::from_secs(60));
    });
    let answer = netkit(&format!("echo client -t 200ms {half}")).stdin(b"hi\n").run().exits(1);
    assert_eq!(answer.stdout, "h");
    answer.complains("nothing came from tcp://").complains("hint: a longer --timeout");
}

#[test]
fn a_server_that_does_not_read_is_given_up_at_the_timeout_that_was_given() {
    // More than the buffers of both sides hold.
    let bytes = vec![0; 32 << 20];
    let deaf = serve(|_stream| thread::sleep(Duration::from_secs(60)));
    let answer = netkit(&format!("echo client -t 200ms {deaf}")).stdin(&bytes).run().exits(1);
    answer.complains("nothing could be sent to tcp://").complains("hint: a longer --timeout");
    // Where standard output takes nothing for longer than that, the server can do nothing for it.
    let server = Serving::start("127.0.0.1:0");
    let mut child = Command::new(PROGRAM)
        .args(["echo", "client", "-t", "200ms", &server.addresses[0]])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let expected = bytes.len();
    let writing = thread::spawn(move || stdin.write_all(&bytes));
    thread::sleep(Duration::from_secs(1));
    let mut came = Vec::new();
    stdout.read_to_end(&mut came).unwrap();
    writing.join().unwrap().unwrap();
    assert_eq!((came.len(), child.wait().unwrap().code()), (expected, Some(0)));
}

#[test]
fn what_of_a_stream_did_not_come_back_is_noted() {
    let mute = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let answer = netkit(&format!("echo client {mute}")).stdin(b"hi\n").run().exits(0);
    answer.complains("nothing of 3 bytes came back from tcp://");
    let short = serve(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(b"h").unwrap();
    });
    let answer = netkit(&format!("echo client {short}")).stdin(b"hi\n").run().exits(0);
    answer.complains("1 of 3 bytes came back from tcp://");
}
