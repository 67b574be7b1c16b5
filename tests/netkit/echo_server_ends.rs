//! The beginning and the end of an echo server: addresses that it cannot have, signals, files of Unix
//! sockets.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::command::{Netkit, PROGRAM};
use crate::harness::echoing::{Serving, ended, rest, round_trip};
use crate::harness::sockets::{connect, listen, listen_at};
use crate::harness::{Need, Schema, eventually, live, netkit};

#[test]
fn a_signal_lets_connections_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let server = Serving::start("127.0.0.1:0 --json");
        let address = server.address("tcp");
        let stream = server.connect();
        assert_eq!(round_trip(&stream, b"before"), b"before");
        server.signal(signal);
        eventually(|| match TcpStream::connect(address) {
            Ok(_) => Err("it still takes connections".to_owned()),
            Err(_) => Ok(()),
        });
        assert_eq!(round_trip(&stream, b"after"), b"after");
        drop(stream);
        let statistics = server.wait().exits(0).statistics();
        assert_eq!(statistics["stopped"], "signal");
        assert_eq!(ended(&statistics, "cut"), 0, "{statistics:#}");
    }
}

#[test]
fn what_does_not_end_in_time_is_cut() {
    let server = Serving::start("127.0.0.1:0 --drain 200ms --log json --json");
    let stream = server.connect();
    assert_eq!(round_trip(&stream, b"hello"), b"hello");
    let begun = Instant::now();
    server.signal(Signal::SIGTERM);
    let end = server.wait().exits(0);
    // And not the 5 s that are the default.
    assert!((200..4500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(ended(&end.statistics(), "cut"), 1);
    assert_eq!(end.log()[0]["end"], "cut");
    assert_eq!(rest(&stream), b"");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let server = Serving::start("127.0.0.1:0 --drain 1h --json");
        let address = server.address("tcp");
        let stream = server.connect();
        assert_eq!(round_trip(&stream, b"hello"), b"hello");
        server.signal(signal);
        eventually(|| {
            TcpStream::connect(address).map_or(Ok(()), |_| Err("still there".to_owned()))
        });
        server.signal(signal);
        let statistics = server.wait().exits(code).statistics();
        assert_eq!(ended(&statistics, "cut"), 1);
    }
}

#[test]
fn the_file_of_a_socket_is_removed_and_a_stale_one_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("echo.sock");
    let line = format!("unix:{}", path.display());
    let server = Serving::start(&line);
    assert!(path.exists());
    server.stop().exits(0);
    assert!(!path.exists());

    // What a server leaves that was killed.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = Serving::start(&line);
    assert_eq!(round_trip(UnixStream::connect(&path).unwrap(), b"hello"), b"hello");

    // Somebody else's file at the path is not the server's to remove.
    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    server.stop().exits(0);
    assert!(path.exists());
    drop(other);
}

#[test]
fn a_live_socket_is_refused_with_its_owner_and_a_file_stays_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("live.sock");
    let live = UnixListener::bind(&path).unwrap();
    let answer = netkit("echo server").arg(format!("unix:{}", path.display())).run().exits(1);
    let pid = std::process::id().to_string();
    assert!(answer.stdout.contains(&pid), "{answer}");
    answer.complains("EADDRINUSE").complains("netkit bind unix:");
    UnixStream::connect(&path).unwrap();
    drop(live);

    let file = directory.path().join("file");
    fs::write(&file, "precious").unwrap();
    netkit("echo server").arg(format!("unix:{}", file.display())).run().exits(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn an_address_in_use_is_explained() {
    let taken = listen("127.0.0.1");
    let address = taken.local_addr().unwrap();
    let answer = netkit(&format!("echo server {address}")).run().exits(1);
    let pid = std::process::id().to_string();
    assert!(answer.stdout.starts_with("IN USE") && answer.stdout.contains(&pid), "{answer}");
    answer.complains(&format!("cannot serve on tcp://{address}: bind failed: EADDRINUSE"));
    let answer = netkit(&format!("echo server {address} --json")).run().exits(1);
    Schema::of("bind").holds(&answer.json());

    // Where standard output is to have addresses and nothing else.
    let alone = netkit(&format!("echo server {address} --print-address")).run().exits(1);
    assert_eq!(alone.stdout, "");
    assert!(alone.stderr.starts_with("IN USE") && alone.stderr.contains(&pid), "{alone}");
    alone.complains("EADDRINUSE");

    // A server has its socket once, and is listed once.
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp");
    let answer = netkit(&format!("echo server {address} --json")).run().exits(1).json();
    let owners = answer["blockers"][0]["owners"].as_array().unwrap();
    assert_eq!(owners.len(), 1, "{answer:#}");
    assert_eq!(owners[0]["pid"], server.pid(), "{answer:#}");

    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = format!("echo server udp://{}", udp.local_addr().unwrap());
    let answer = netkit(&line).run().exits(1).complains("--udp");
    assert!(answer.stdout.contains(&pid), "{answer}");
    netkit("echo server 192.0.2.1:0").run().exits(1).complains("EADDRNOTAVAIL");
}

#[test]
fn of_several_addresses_all_are_had_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("echo.sock");
    let taken = listen("127.0.0.1");
    let line = format!("echo server unix:{} {}", path.display(), taken.local_addr().unwrap());
    netkit(&line).run().exits(1);
    assert!(!path.exists());
}

#[test]
fn a_restart_beside_time_wait_is_what_reuse_addr_is_for() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let port = listener.local_addr().unwrap().port();
        connect(&listener, "127.0.0.1").server_closes_first();
        drop(listener);
        let line = format!("echo server 127.0.0.1:{port} --for 50ms");
        let answer = netkit(&format!("{line} --no-reuse-addr")).run().exits(1);
        assert!(answer.stdout.contains("TIME_WAIT"), "{answer}");
        netkit(&line).run().exits(0).quietly();
    });
}

#[test]
fn two_share_a_port_if_both_ask_for_it() {
    live(&[], || {
        let one = Serving::start("127.0.0.1:0 --reuse-port");
        let port = one.address("tcp").port();
        let other = Serving::start(&format!("127.0.0.1:{port} --reuse-port"));
        for _ in 0..20 {
            assert_eq!(round_trip(one.connect(), b"hello"), b"hello");
        }
        drop(other);
        netkit(&format!("echo server 127.0.0.1:{port} --for 50ms")).run().exits(1);
    });
}

#[test]
fn another_namespace_is_served_in() {
    live(&[Need::Mount], || {
        crate::harness::needs::run("mount -t tmpfs none /run");
        crate::harness::needs::run("ip netns add blue");
        crate::harness::needs::run("ip -n blue link set lo up");
        let server = Serving::start("127.0.0.1:7001 --netns blue");
        let path = std::path::Path::new("/run/netns/blue");
        let stream = crate::harness::within(path, || server.connect());
        assert_eq!(round_trip(stream, b"hello"), b"hello");
        TcpStream::connect("127.0.0.1:7001").unwrap_err();
        drop(listen_at("127.0.0.1", 7001));
    });
}

#[test]
fn a_reader_that_goes_away_does_not_end_it() {
    let mut server = Serving::start("127.0.0.1:0 --log text");
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    assert!(server.line().contains("5 B in, 5 B out"));
    let address = server.address("tcp");
    let pid = server.pid();
    server.close_output();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
        drop(stream);
    }
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.code(Duration::from_secs(8)), Some(0));
}

#[test]
fn a_reader_that_stops_reading_does_not_keep_it_from_its_end() {
    live(&[], || {
        let mut server = Serving::start("127.0.0.1:0 --log text --drain 0");
        // More lines than a pipe holds.
        for _ in 0..1000 {
            assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
        }
        let died_of = eventually(|| {
            server.signal(Signal::SIGTERM);
            server.died_of().ok_or_else(|| "it waits for its reader".to_owned())
        });
        assert_eq!(died_of, Signal::SIGTERM);
    });
}

#[test]
fn a_terminal_that_is_closed_stops_it_in_order_unless_that_is_to_be_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let place = format!("unix:{}", path.display());
    let server = Serving::start(&format!("{place} --json"));
    server.signal(Signal::SIGHUP);
    assert_eq!(server.wait().exits(0).statistics()["stopped"], "signal");
    assert!(!path.exists());
    let mut command = Command::new("nohup");
    command.arg(PROGRAM);
    let server = Serving::by(command, &format!("{place} --json"), 1);
    server.signal(Signal::SIGHUP);
    let stream = UnixStream::connect(&path).unwrap();
    assert_eq!(round_trip(&stream, b"still there"), b"still there");
    drop(stream);
    server.stop().exits(0);
}

#[test]
fn too_few_descriptors_are_an_error_and_no_panic() {
    let mut is_served = false;
    for most in 5..40 {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec {PROGRAM} \"$@\"");
        command.args(["-c", &script, "sh"]);
        let answer = Netkit::by(command, "echo server 127.0.0.1:0 --for 10ms").run();
        if answer.code == Some(0) {
            is_served = true;
            break;
        }
        answer.exits(3).complains("EMFILE").complains("ulimit -n");
    }
    assert!(is_served);
}

#[test]
fn an_address_line_that_cannot_be_written_is_warned_of() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let line = "echo server 127.0.0.1:0 --print-address --for 100ms";
    let answer = netkit(line).run_into(full).exits(0);
    answer.complains("standard output cannot be written to");
}

#[test]
fn wrong_arguments_are_named() {
    for (line, words) in [
        ("localhost:80", "localhost is 127.0.0.1 or [::1]"),
        ("127.0.0.1", "the port is missing"),
        ("127.0.0.1:x", "`x` is not a port"),
        ("unix:", "name is missing"),
        ("--strict", "--strict is for UDP"),
        ("--rfc862 127.0.0.1:0", "--rfc862 is for UDP"),
        ("udp://127.0.0.1:0 --half-close", "--half-close is for connections"),
        ("udp://127.0.0.1:0 --strict --rfc862", "cannot be used with"),
        ("--close-first --half-close", "cannot be used with"),
        ("--drop 101", "it is more than 100 %"),
        ("--delay 5", "with its unit"),
        ("--for 0s", "a time above 0"),
        ("--max-connections 0", "--max-connections 0: give a number above 0"),
        ("--threads 0", "it has to be from 1 to 256"),
        ("--threads x", "it is no number"),
        ("--slice 0", "--slice 0: give a number above 0"),
        ("--reset-after x", "it is no number; of messages, a share is in percent"),
        ("--transform shout", "invalid value 'shout'"),
        ("--ready-fd 1", "--print-address writes to standard output"),
        ("--backlog=-1", "cannot be negative"),
        ("--seed x", "it is no number"),
        ("--keepalive 10h", "--keepalive: the kernel takes at most 32767s"),
        ("udp://127.0.0.1:0 --max-connections 5", "--max-connections is for connections"),
        ("tcp://unix:/x", "netkit: `tcp://unix:/x`: it has a scheme before"),
        ("x", "netkit: `x` is not an IP address"),
        ("--netns /proc/self/ns/net unix:/tmp/x", "hint: nsenter -t PID -m -n netkit echo server"),
        ("--linger 500ms", "--linger: the kernel counts whole seconds"),
        ("--keepalive 1500ms", "--keepalive: the kernel counts whole seconds"),
        ("--drop -1", "it cannot be negative"),
        ("--delay -1s", "negative"),
        ("--idle-timeout -1", "negative"),
        ("--max-bytes -1", "negative"),
        ("--ready-fd -1", "negative"),
        ("--reset-after -1", "negative"),
        ("127.0.0.1:0 --v6only", "--v6only is for IPv6: give an address such as [::]:8081"),
        ("[::ffff:127.0.0.1]:0 --v6only", "is an IPv4 address, on an IPv6 socket"),
    ] {
        let answer = netkit(&format!("echo server {line}")).run().exits(2).complains(words);
        assert_eq!(answer.stdout, "", "{answer}");
    }
    netkit("echo server [fe80::1%nosuch]:80 --json").run().is(
        2,
        "",
        "netkit: cannot serve on tcp://[fe80::1%nosuch]:80: there is no interface `nosuch` in this \
         network namespace\nhint: `ip -brief link` lists them\n",
    );
    netkit("echo server 127.0.0.1:0 --procfs /tmp").run().exits(3).complains("--procfs");
}
