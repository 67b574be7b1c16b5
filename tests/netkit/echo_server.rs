//! `netkit echo server` on every kind of socket: what comes goes back, and who wants to know where it
//! serves is told.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixStream};
use std::process::Command;
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::harness::command::PROGRAM;
use crate::harness::echoing::{Serving, asked, patient, rest, round_trip};
use crate::harness::{Need, eventually, live};

/// Bytes of every value, more than a read takes.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

#[test]
fn tcp_gives_back_every_byte() {
    let server = Serving::start("127.0.0.1:0");
    for length in [1, 64, 65_536, 65_537] {
        let sent = bytes(length);
        let stream = server.connect();
        assert!(round_trip(&stream, &sent) == sent, "{length} bytes came back changed");
        // What it sends after the client's end is nothing but its own.
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&stream), b"");
    }
    server.stop().exits(0);
}

#[test]
fn a_stream_goes_round_whatever_its_pieces() {
    let server = Serving::start("127.0.0.1:0");
    let sent = bytes(20 << 20);
    let stream = server.connect();
    let received = thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            for piece in (1..).map(|number: usize| number * 7919 % 100_000 + 1) {
                let end = (at + piece).min(sent.len());
                (&stream).write_all(&sent[at..end]).unwrap();
                at = end;
                if at == sent.len() {
                    return stream.shutdown(Shutdown::Write).unwrap();
                }
            }
        });
        rest(&stream)
    });
    assert!(received == sent, "{} of {} bytes, or changed", received.len(), sent.len());
}

#[test]
fn a_thousand_connections_at_once_are_served() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0 --json");
        let streams: Vec<_> = (0..1000).map(|_| server.connect()).collect();
        for (number, mut stream) in streams.iter().enumerate() {
            stream.write_all(format!("{number:08}").as_bytes()).unwrap();
        }
        for (number, mut stream) in streams.iter().enumerate() {
            let mut reply = [0; 8];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, format!("{number:08}").as_bytes());
        }
        drop(streams);
        let statistics = server.stop().exits(0).statistics();
        assert_eq!(statistics["connections"]["accepted"], 1000);
        assert_eq!(statistics["connections"]["received_bytes"], 8000);
        assert_eq!(statistics["connections"]["sent_bytes"], 8000);
    });
}

#[test]
fn threads_share_the_work_and_the_counts() {
    live(&[], || {
        let server = Serving::start("127.0.0.1:0 --threads 4 --json");
        let streams: Vec<_> = (0..40).map(|_| server.connect()).collect();
        for stream in &streams {
            assert_eq!(round_trip(stream, b"hello"), b"hello");
        }
        drop(streams);
        let statistics = server.stop().exits(0).statistics();
        assert_eq!(statistics["connections"]["accepted"], 40);
        assert_eq!(statistics["connections"]["received_bytes"], 200);
        assert_eq!(statistics["connections"]["ended"][0]["connections"], 40);
    });
}

#[test]
fn ipv6_and_both_on_one_socket() {
    live(&[Need::Ipv6], || {
        let six = Serving::start("[::1]:0");
        assert_eq!(round_trip(six.connect(), b"six"), b"six");
        let both = Serving::start("[::]:0 --log json --json");
        let port = both.address("tcp").port();
        for address in ["127.0.0.1", "::1"] {
            let stream = patient(TcpStream::connect((address, port)).unwrap());
            assert_eq!(round_trip(stream, b"hello"), b"hello", "{address}");
        }
        let log = both.stop().exits(0).log();
        // IPv4 is shown as what it is.
        assert!(log[0]["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{log:?}");
        let only = Serving::start("[::]:0 --v6only");
        TcpStream::connect(("127.0.0.1", only.address("tcp").port())).unwrap_err();
    });
}

#[test]
fn unix_sockets_of_all_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let name = format!("netkit-test-{}", std::process::id());
    let line = format!(
        "{} @{name} unix-seqpacket:{} unix-dgram:{}",
        path("stream").display(),
        path("seqpacket").display(),
        path("dgram").display()
    );
    let server = Serving::at(4, &line);
    assert_eq!(round_trip(UnixStream::connect(path("stream")).unwrap(), b"stream"), b"stream");
    let abstract_name = UnixAddress::from_abstract_name(&name).unwrap();
    let stream = UnixStream::connect_addr(&abstract_name).unwrap();
    assert_eq!(round_trip(stream, b"abstract"), b"abstract");

    let packets = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    packets.connect(&SockAddr::unix(path("seqpacket")).unwrap()).unwrap();
    let mut packets = UnixStream::from(OwnedFd::from(packets));
    packets.write_all(b"one").unwrap();
    packets.write_all(b"three").unwrap();
    let mut reply = [0; 100];
    // Two messages stay two.
    assert_eq!(packets.read(&mut reply).unwrap(), 3);
    assert_eq!(packets.read(&mut reply).unwrap(), 5);

    let datagrams = UnixDatagram::bind(path("client")).unwrap();
    datagrams.send_to(b"datagram", path("dgram")).unwrap();
    assert_eq!(datagrams.recv(&mut reply).unwrap(), 8);
    assert_eq!(&reply[..8], b"datagram");
    assert!(path("dgram").exists());
    drop(packets);
    server.stop().exits(0);
    for name in ["stream", "seqpacket", "dgram"] {
        assert!(!path(name).exists(), "{name} was left");
    }
}

#[test]
fn several_at_once_by_tcp_and_udp() {
    let server = Serving::at(4, "127.0.0.1:0 127.0.0.2:0 --tcp --udp");
    let kinds: Vec<_> = server.addresses.iter().map(|it| it.split(':').next().unwrap()).collect();
    assert_eq!(kinds, ["tcp", "udp", "tcp", "udp"]);
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    assert_eq!(asked(&server.udp(), b"hello"), b"hello");
}

#[test]
fn without_an_address_it_is_8081_on_loopback() {
    live(&[], || {
        let server = Serving::start("");
        assert_eq!(server.addresses, ["tcp://127.0.0.1:8081"]);
        assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    });
}

#[test]
fn whoever_waits_for_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let notify = directory.path().join("notify");
    let manager = UnixDatagram::bind(&notify).unwrap();
    manager.set_read_timeout(Some(crate::harness::waiting::DEADLINE)).unwrap();
    let mut command = Command::new("sh");
    let script = format!("exec {PROGRAM} \"$@\" 3>{}", ready.display());
    command.args(["-c", &script, "sh"]).env("NOTIFY_SOCKET", &notify);
    let server = Serving::by(command, "127.0.0.1:0 --ready-fd 3", 1);
    let address = server.addresses[0].clone();
    let told = eventually(|| {
        let told = fs::read_to_string(&ready).unwrap();
        if told.is_empty() { Err("nothing told".to_owned()) } else { Ok(told) }
    });
    assert_eq!(told, format!("{address}\n"));
    let mut message = [0; 200];
    let length = manager.recv(&mut message).unwrap();
    let message = String::from_utf8_lossy(&message[..length]).into_owned();
    assert_eq!(message, format!("READY=1\nSTATUS=serving on {address}"));
    // By then the descriptor is closed, for a reader that waits for the end.
    let third = fs::read_link(format!("/proc/{}/fd/3", server.pid()));
    assert!(third.as_ref().map_or(true, |now| *now != ready), "{third:?}");
    server.stop().exits(0);
    let mut message = [0; 200];
    let length = manager.recv(&mut message).unwrap();
    assert_eq!(&message[..length], b"STOPPING=1");
}

#[test]
fn text_is_transformed_also_where_a_read_cuts_a_character() {
    let server = Serving::start("127.0.0.1:0 --transform upper");
    let mut stream = server.connect();
    let text = "straße\u{1f980}ñ";
    let cut = text.find('\u{1f980}').unwrap() + 2;
    stream.write_all(&text.as_bytes()[..cut]).unwrap();
    let mut reply = [0; 7];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"STRASSE");
    stream.write_all(&text.as_bytes()[cut..]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(String::from_utf8(rest(&stream)).unwrap(), "\u{1f980}Ñ");
    for (transform, reply) in [("lower", "aé"), ("reverse", "ÉA"), ("rot13", "NÉ")] {
        let server = Serving::start(&format!("127.0.0.1:0 --transform {transform}"));
        assert_eq!(round_trip(server.connect(), "AÉ".as_bytes()), reply.as_bytes());
    }
}

#[test]
fn a_message_that_ends_in_no_character_is_answered_whole() {
    let server = Serving::start("127.0.0.1:0 --transform upper");
    assert_eq!(round_trip(&server.connect(), b"a\xff\xe2\x82"), b"A\xff\xe2\x82");
    let mut stream = server.connect();
    stream.write_all(b"b\xf0\x9f").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&stream), b"B\xf0\x9f");
}

#[test]
fn lines_are_answered_when_they_are_whole() {
    let server = Serving::start("127.0.0.1:0 --transform reverse --by line");
    let mut stream = server.connect();
    stream.write_all(b"ab").unwrap();
    stream.write_all(b"c\nde").unwrap();
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"cba\n");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&stream), b"ed");
}

#[test]
fn nobody_special_can_serve() {
    live(&[Need::Setpriv, Need::Root], || {
        let nobody = crate::harness::Nobody::new();
        let answer = nobody.netkit("echo server 127.0.0.1:0 --for 50ms").run().exits(0).quietly();
        assert!(answer.stdout.starts_with("Serving on tcp://127.0.0.1:"), "{answer}");
        let answer = nobody.netkit("echo server 127.0.0.1:80 --for 50ms").run().exits(1);
        assert!(answer.stdout.contains("EACCES"), "{answer}");
    });
}
