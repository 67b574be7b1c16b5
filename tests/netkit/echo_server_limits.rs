//! What keeps an echo server alive: limits on connections, bytes, time and memory, and accept(2) that
//! fails.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::harness::command::PROGRAM;
use crate::harness::echoing::{Serving, ended, patient, refused, rest, round_trip};
use crate::harness::seccomp::without_accept;
use crate::harness::waiting::DEADLINE;
use crate::harness::zoo::fill;
use crate::harness::{Schema, eventually, live};

/// What a moment is: much longer than a round trip takes, and short for a test.
const MOMENT: Duration = Duration::from_millis(200);

/// Whether the stream has nothing to read for a moment.
fn is_silent(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(MOMENT)).unwrap();
    let read = stream.read(&mut [0; 1]);
    stream.set_read_timeout(Some(crate::harness::waiting::DEADLINE)).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn clients_that_never_read_cost_one_read_each() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0 --idle-timeout 0");
        let one = server.connect();
        assert_eq!(round_trip(&one, b"hello"), b"hello");
        let before = server.rss_kib();
        let deaf: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for _ in 0..20 {
            // The kernel's windows grow while the server reads; sooner or later it does not any more.
            deaf.iter().for_each(fill);
            assert_eq!(round_trip(&one, b"hello"), b"hello");
        }
        let grown = server.rss_kib().saturating_sub(before);
        // 64 KiB each, and a quarter for what an allocator does.
        assert!(grown <= 20 * 80 + 512, "{grown} KiB for 20 clients");
        // Nothing is lost: what was sent comes as soon as it is read.
        let mut stream = &deaf[0];
        stream.shutdown(Shutdown::Write).unwrap();
        stream.set_nonblocking(false).unwrap();
        let reply = rest(&mut stream);
        assert!(reply.len() > 65_536 && reply.iter().all(|byte| *byte == 0), "{}", reply.len());
        // With their memory given back.
        for mut stream in &deaf[1..] {
            stream.shutdown(Shutdown::Write).unwrap();
            stream.set_nonblocking(false).unwrap();
            rest(&mut stream);
        }
    });
}

#[test]
fn clients_that_never_read_do_not_grow_what_waits_for_its_time_either() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0 --idle-timeout 0 --delay 1ms --transform upper");
        assert_eq!(round_trip(server.connect(), b"hello"), b"HELLO");
        let before = server.rss_kib();
        let deaf: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for _ in 0..20 {
            deaf.iter().for_each(fill);
            std::thread::sleep(Duration::from_millis(5));
        }
        let grown = server.rss_kib().saturating_sub(before);
        assert!(grown <= 20 * 300 + 512, "{grown} KiB for 20 clients");
    });
}

#[test]
fn at_the_limit_the_others_wait_in_the_queue() {
    let server = Serving::start("127.0.0.1:0 --max-connections 2 --json");
    let streams: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &streams[..2] {
        assert_eq!(round_trip(stream, b"hello"), b"hello");
    }
    (&streams[2]).write_all(b"hello").unwrap();
    assert!(is_silent(&streams[2]));
    let mut streams = streams.into_iter();
    drop(streams.next());
    let (second, mut third) = (streams.next().unwrap(), streams.next().unwrap());
    let mut reply = [0; 5];
    third.read_exact(&mut reply).unwrap();
    assert_eq!(round_trip(&second, b"hello"), b"hello");
    drop((second, third));
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(statistics["connections"]["accepted"], 3);
    assert!(statistics["connections"]["at_limit"].as_u64().unwrap() >= 1, "{statistics:#}");
}

#[test]
fn one_more_of_an_address_is_reset_and_others_are_not() {
    live(&[], || {
        // With room for two, which those that are refused do not take up.
        let line = "0.0.0.0:0 --max-per-address 1 --max-connections 2 --log json --json";
        let server = Serving::start(line);
        let port = server.address("tcp").port();
        let from = |address: &str| {
            let socket = crate::harness::sockets::bound(address, 0);
            let to: std::net::SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
            socket.connect(&to.into()).unwrap();
            patient(socket.into())
        };
        let first = from("127.0.0.1");
        assert_eq!(round_trip(&first, b"hello"), b"hello");
        for _ in 0..3 {
            let read = from("127.0.0.1").read(&mut [0; 1]);
            assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
        let other = from("127.0.0.2");
        assert_eq!(round_trip(&other, b"hello"), b"hello");
        // One that has ended does not count any more.
        drop(first);
        eventually(|| {
            let again = from("127.0.0.1");
            // What is refused is reset, perhaps before it is written to.
            let sent = (&again).write_all(b"hello");
            let mut reply = [0; 5];
            sent.and_then(|()| (&again).read_exact(&mut reply)).map_err(|error| error.to_string())
        });
        drop(other);
        let end = server.stop().exits(0);
        assert_eq!(end.statistics()["connections"]["open"], 0, "{end:#?}");
        assert!(ended(&end.statistics(), "max_per_address") >= 3);
        let refused = end.log().into_iter().find(|it| it["end"] == "max_per_address").unwrap();
        assert_eq!(refused["received_bytes"], 0);
    });
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let server = Serving::start("127.0.0.1:0 --idle-timeout 1s --log json --json");
    let busy = server.connect();
    // More than once as long as either may be idle.
    for _ in 0..2 {
        let idle = server.connect();
        while is_silent(&idle) {
            assert_eq!(round_trip(&busy, b"hello"), b"hello");
        }
        assert_eq!(rest(&idle), b"");
    }
    assert_eq!(round_trip(&busy, b"hello"), b"hello");
    drop(busy);
    let end = server.stop().exits(0);
    assert_eq!(ended(&end.statistics(), "idle"), 2);
    let log = end.log();
    for idle in log.iter().filter(|it| it["end"] == "idle") {
        assert!(idle["elapsed_us"].as_u64().unwrap() >= 1_000_000, "{idle}");
    }
}

#[test]
fn after_so_many_bytes_a_connection_ends_with_its_replies() {
    let server = Serving::start("127.0.0.1:0 --max-bytes 10 --json");
    let mut stream = server.connect();
    stream.write_all(b"0123456789abcdef").unwrap();
    assert_eq!(rest(&stream), b"0123456789");
    drop(stream);
    let statistics = server.stop().exits(0).statistics();
    assert_eq!(ended(&statistics, "max_bytes"), 1);
    assert_eq!(statistics["connections"]["sent_bytes"], 10);

    // Also what is not a whole line, since no more of it is read.
    let server = Serving::start("127.0.0.1:0 --max-bytes 5 --by line --transform upper");
    let mut stream = server.connect();
    stream.write_all(b"ab\ncdef\n").unwrap();
    assert_eq!(rest(&stream), b"AB\nCD");
}

#[test]
fn without_descriptors_it_neither_ends_nor_spins() {
    live(&[], || {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n 32; exec {PROGRAM} \"$@\""), "sh"]);
        let server = Serving::by(command, "127.0.0.1:0 --json --drain 0", 1);
        let mut streams: Vec<_> = (0..40).map(|_| server.connect()).collect();
        assert_eq!(round_trip(&streams[0], b"x"), b"x");
        (&streams[39]).write_all(b"x").unwrap();
        assert!(is_silent(&streams[39]));
        let before = server.cpu();
        std::thread::sleep(Duration::from_millis(500));
        let spent = server.cpu().saturating_sub(before);
        assert!(spent < Duration::from_millis(50), "{spent:?} of 500 ms");
        // As descriptors come free, the others are served.
        let last = streams.split_off(30);
        drop(streams);
        let mut reply = [0; 1];
        for mut stream in &last {
            stream.write_all(b"x").unwrap();
        }
        for mut stream in &last {
            stream.read_exact(&mut reply).unwrap();
        }
        let statistics = server.stop().exits(0).statistics();
        let errors = &statistics["connections"]["accept_errors"];
        assert_eq!(errors[0]["errno"], "EMFILE", "{statistics:#}");
        // Ten times a second, and for each that has ended.
        assert!(errors[0]["times"].as_u64().unwrap() < 100, "{errors}");
    });
}

/// On Linux, accept(2) passes on errors of the connection that it takes; here a filter answers for the
/// kernel, at every call.
#[test]
fn an_accept_that_always_fails_does_not_spin_either() {
    live(&[], || {
        for (errno, name) in [(103, "ECONNABORTED"), (105, "ENOBUFS"), (1, "EPERM")] {
            let line = "127.0.0.1:0 --json --drain 0";
            let server = without_accept(errno, || Serving::start(line));
            let _waiting = server.connect();
            std::thread::sleep(Duration::from_millis(500));
            assert!(server.cpu() < Duration::from_millis(150), "{name}: {:?}", server.cpu());
            let statistics = server.stop().exits(0).statistics();
            let errors = &statistics["connections"]["accept_errors"];
            assert_eq!(errors[0]["errno"], name, "{statistics:#}");
        }
    });
}

#[test]
fn it_stops_after_its_time_or_after_one() {
    let answer = Serving::start("127.0.0.1:0 --for 100ms --json").wait().exits(0).statistics();
    assert_eq!(answer["stopped"], "lifetime");

    let server = Serving::start("127.0.0.1:0 --one-off --json");
    let stream = server.connect();
    assert_eq!(round_trip(&stream, b"hello"), b"hello");
    drop(stream);
    let statistics = server.wait().exits(0).statistics();
    assert_eq!(statistics["stopped"], "one_off");
    assert_eq!(statistics["connections"]["accepted"], 1);
    // That it takes no second one is no limit that it has met.
    assert_eq!(statistics["connections"]["at_limit"], 0);

    // While that one is served, others are refused, at each of its addresses.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let line = format!("127.0.0.1:0 127.0.0.2:0 unix:{} --one-off", path.display());
    let server = Serving::at(3, &line);
    let stream = server.connect();
    assert_eq!(round_trip(&stream, b"hello"), b"hello");
    let others = server.addresses.iter().filter_map(|it| it.strip_prefix("tcp://"));
    for address in others {
        eventually(|| match TcpStream::connect(address) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
    eventually(|| if path.exists() { Err("it is there".to_owned()) } else { Ok(()) });
    assert_eq!(round_trip(&stream, b"still"), b"still");
    drop(stream);
    server.wait().exits(0);

    let server = Serving::start("udp://127.0.0.1:0 --one-off --json");
    let client = server.udp();
    // All of them are there when it looks.
    server.signal(Signal::SIGSTOP);
    for _ in 0..8 {
        client.send(b"hello").unwrap();
    }
    server.signal(Signal::SIGCONT);
    let statistics = server.wait().exits(0).statistics();
    assert_eq!(statistics["stopped"], "one_off");
    assert_eq!(statistics["datagrams"]["sent"], 1, "{statistics:#}");
}

#[test]
fn statistics_come_when_asked_for() {
    let mut server = Serving::start("127.0.0.1:0 --json");
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    server.signal(Signal::SIGUSR1);
    let now: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(now["stopped"], serde_json::Value::Null);
    assert_eq!(now["connections"]["received_bytes"], 5);
    server.stop().exits(0);
}

#[test]
fn a_message_that_is_too_long_goes_back_whole_or_not_at_all() {
    const LONGEST: usize = 65_536;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (packets, datagrams) = (path("packets"), path("datagrams"));
    let line = format!("unix-seqpacket:{} unix-dgram:{}", packets.display(), datagrams.display());
    let server = Serving::at(2, &format!("{line} --json --log json"));
    let mut reply = vec![0; 2 * LONGEST];
    let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    socket.connect(&SockAddr::unix(&packets).unwrap()).unwrap();
    let mut socket = UnixStream::from(OwnedFd::from(socket));
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    for length in [1, LONGEST, LONGEST + 1] {
        assert_eq!(socket.write(&vec![b'x'; length]).unwrap(), length);
        let expected = if length > LONGEST { 0 } else { length };
        assert_eq!(socket.read(&mut reply).unwrap(), expected, "{length}");
    }
    drop(socket);

    let client = UnixDatagram::bind(path("client")).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    for length in [LONGEST + 1, LONGEST] {
        client.send_to(&vec![b'x'; length], &datagrams).unwrap();
    }
    assert_eq!(client.recv(&mut reply).unwrap(), LONGEST);
    let end = server.stop().exits(0);
    let statistics = end.statistics();
    assert_eq!(ended(&statistics, "too_long"), 1, "{statistics:#}");
    assert_eq!(end.log()[0]["end"], "too_long");
    assert_eq!(refused(&statistics, "too_long"), 1, "{statistics:#}");
    assert_eq!(statistics["datagrams"]["sent"], 1);
    Schema::of("echo_server").holds(&statistics);
    Schema::of("echo_connection").holds(&end.log()[0]);
}

#[test]
fn what_the_kernel_caps_is_warned_of() {
    let line = "127.0.0.1:0 --receive-buffer 5g --send-buffer 5g --backlog 2000000 --json";
    let end = Serving::start(&format!("{line} --max-connections 20000000000")).stop().exits(0);
    let statistics = end.statistics();
    let warnings = statistics["warnings"].as_array().unwrap();
    let options =
        ["--receive-buffer: of 5.0 GiB", "--send-buffer: of 5.0 GiB", "--backlog: of 2000000"];
    for words in options.into_iter().chain(["--max-connections: 20000000000 cannot"]) {
        assert!(end.stderr.contains(words), "{words}: {end:?}");
        let of_it = |it: &&serde_json::Value| it.as_str().unwrap().starts_with(words);
        assert_eq!(warnings.iter().filter(of_it).count(), 1, "{words}: {statistics:#}");
    }
    // What is had in full is not, and the default is nobody's wish.
    let line = "127.0.0.1:0 --receive-buffer 8k --send-buffer 8k --backlog 1 --max-connections 10";
    assert_eq!(Serving::start(line).stop().exits(0).stderr, "");
}
