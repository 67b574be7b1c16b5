//! UDP: who is answered, and that no two servers can be made to talk to each other without end.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use netkit::echo::datagram::Header;

use crate::harness::echoing::{Serving, asked, refused, udp_to, unanswered};
use crate::harness::needs::run;
use crate::harness::waiting::DEADLINE;
use crate::harness::{Need, eventually, live};

/// A request of netkit's own.
fn request(number: u64) -> Vec<u8> {
    let mut datagram = Vec::new();
    Header { is_request: true, run_id: 1, number, sent_ns: 2 }.write(64, &mut datagram);
    datagram
}

#[test]
fn datagrams_go_round_whole() {
    let server = Serving::start("udp://127.0.0.1:0");
    let client = server.udp();
    for length in [1, 512, 1472, 9000, 65_507] {
        let sent = vec![b'x'; length];
        assert!(asked(&client, &sent) == sent, "{length} bytes came back changed");
    }
    unanswered(&client, b"");
}

#[test]
fn each_line_of_a_datagram_is_transformed() {
    let line = "udp://127.0.0.1:0 unix-dgram:PATH --transform reverse --by line";
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let server = Serving::at(2, &line.replace("PATH", path("echo").to_str().unwrap()));
    assert_eq!(asked(&server.udp(), b"ab\ncd\r\ne"), b"ba\ndc\r\ne");
    let client = UnixDatagram::bind(path("client")).unwrap();
    client.send_to(b"ab\ncd\n", path("echo")).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut reply = [0; 9];
    let length = client.recv(&mut reply).unwrap();
    assert_eq!(&reply[..length], b"ba\ndc\n");
}

#[test]
fn ipv6_and_both_on_one_socket() {
    live(&[Need::Ipv6], || {
        let six = Serving::start("udp://[::1]:0");
        assert_eq!(asked(&six.udp(), b"hello"), b"hello");
        let both = Serving::start("udp://[::]:0 --rfc862");
        for address in ["127.0.0.1", "::1"] {
            let to = SocketAddr::new(address.parse().unwrap(), both.address("udp").port());
            assert_eq!(asked(&udp_to(to), b"hello"), b"hello", "{address}");
        }
    });
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    live(&[Need::Ipv6], || {
        run("ip addr add 10.7.0.1/24 dev lo");
        run("ip addr add 10.7.0.2/24 dev lo");
        run("ip addr add fd07::2/64 dev lo nodad");
        for (bound, addresses) in [
            ("0.0.0.0", &["127.0.0.1", "127.0.0.9", "10.7.0.1", "10.7.0.2"][..]),
            ("[::]", &["::1", "fd07::2", "127.0.0.9", "10.7.0.2"]),
        ] {
            let server = Serving::start(&format!("udp://{bound}:0 --rfc862"));
            for address in addresses {
                // A connected socket takes replies of that address alone.
                let to = SocketAddr::new(address.parse().unwrap(), server.address("udp").port());
                assert_eq!(asked(&udp_to(to), b"hello"), b"hello", "{bound} asked at {address}");
            }
        }
    });
}

#[test]
fn services_and_the_server_itself_are_not_answered() {
    live(&[], || {
        let server = Serving::start("udp://127.0.0.1:0 --json");
        let to = server.address("udp");
        for port in [7, 19, 53, 1023] {
            let service = UdpSocket::bind(("127.0.0.1", port)).unwrap();
            service.connect(to).unwrap();
            unanswered(&service, b"hello");
        }
        let namesake = UdpSocket::bind(("127.0.0.2", to.port())).unwrap();
        namesake.connect(to).unwrap();
        unanswered(&namesake, b"hello");
        let statistics = server.stop().exits(0).statistics();
        assert_eq!(refused(&statistics, "privileged_port"), 4);
        assert_eq!(refused(&statistics, "own_port"), 1);
        assert_eq!(statistics["datagrams"]["sent"], 0);
    });
}

#[test]
fn what_is_sent_to_many_is_not_answered() {
    live(&[], || {
        run("ip addr add 10.7.0.1/24 brd 10.7.0.255 dev lo");
        run("ip route add 224.0.0.0/4 dev lo");
        let server = Serving::start("udp://0.0.0.0:0 --rfc862 --json");
        let port = server.address("udp").port();
        let client = UdpSocket::bind("10.7.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        client.send_to(b"hello", ("10.7.0.255", port)).unwrap();
        client.send_to(b"hello", ("224.0.0.1", port)).unwrap();
        assert!(client.recv(&mut [0; 9]).is_err());
        let statistics = server.stop().exits(0).statistics();
        let many = refused(&statistics, "not_unicast");
        assert!(many >= 1 && statistics["datagrams"]["received"] == many, "{statistics:#}");
    });
}

#[test]
fn elsewhere_than_on_loopback_it_is_strict_and_says_so() {
    live(&[], || {
        let server = Serving::start("udp://0.0.0.0:0 --json");
        let to = SocketAddr::from(([127, 0, 0, 1], server.address("udp").port()));
        let client = udp_to(to);
        unanswered(&client, b"hello");
        let sent = request(1);
        let reply = asked(&client, &sent);
        // The same but for the flag, and of the same length.
        let changed = reply.iter().zip(&sent).filter(|(one, other)| one != other).count();
        assert_eq!((reply.len(), changed), (sent.len(), 1));
        assert!(!Header::of(&reply).unwrap().is_request);
        unanswered(&client, &reply);
        let end = server.stop().exits(0);
        assert_eq!(refused(&end.statistics(), "foreign"), 1);
        assert_eq!(refused(&end.statistics(), "reply"), 1);
        let warnings = &end.statistics()["warnings"];
        assert!(warnings[0].as_str().unwrap().contains("netkit's own datagrams alone"));

        let server = Serving::start("udp://0.0.0.0:0 --rfc862");
        let to = SocketAddr::from(([127, 0, 0, 1], server.address("udp").port()));
        assert_eq!(asked(&udp_to(to), b"hello"), b"hello");
        let end = server.stop().exits(0);
        assert!(end.stderr.contains("answers any datagram"), "{end:?}");

        // On loopback, where it does so anyhow, too.
        let server = Serving::start("udp://127.0.0.1:0 --rfc862 --json");
        assert_eq!(asked(&server.udp(), b"hello"), b"hello");
        let end = server.stop().exits(0);
        assert!(end.stderr.contains("answers any datagram"), "{end:?}");
        assert_eq!(end.statistics()["warnings"].as_array().unwrap().len(), 1);

        let server = Serving::start("udp://127.0.0.1:0 --strict");
        unanswered(&server.udp(), b"hello");
        assert_eq!(asked(&server.udp(), &request(1)).len(), request(1).len());
    });
}

#[test]
fn one_source_gets_so_many_replies_and_all_together_too() {
    let count = |line: &str, datagram: &dyn Fn(u64) -> Vec<u8>| {
        let server = Serving::start(&format!("udp://127.0.0.1:0 --json {line}"));
        let client = server.udp();
        client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        // One after the other, so that no buffer decides.
        for number in 0..100 {
            client.send(&datagram(number)).unwrap();
        }
        let mut replies = 0;
        while replies < 100 && client.recv(&mut [0; 100]).is_ok() {
            replies += 1;
        }
        (replies, server.stop().exits(0).statistics())
    };
    let plain = |_| b"hello".to_vec();
    let (replies, statistics) = count("--rate-per-source 5", &plain);
    assert!((10..20).contains(&replies), "{replies}");
    assert_eq!(refused(&statistics, "source_rate"), 100 - replies);
    let (replies, statistics) = count("--rate-total 5", &plain);
    assert!((10..20).contains(&replies), "{replies}");
    assert_eq!(refused(&statistics, "global_rate"), 100 - replies);
    assert_eq!(count("--rate-per-source 0 --rate-total 0", &plain).0, 100);
    // Its own client measures on loopback without a limit: what it sends cannot go round.
    assert_eq!(count("--rate-per-source 5", &request).0, 100);
}

/// A datagram to one server that seems to come from the other, as anybody on the way can send it.
const FORGE: &str = "
import socket, struct, sys
source, destination = int(sys.argv[1]), int(sys.argv[2])
data = bytes.fromhex(sys.argv[3])
loopback = socket.inet_aton(sys.argv[4])
udp = struct.pack('!HHHH', source, destination, 8 + len(data), 0) + data
ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, loopback, loopback)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(ip + udp, (sys.argv[4], 0))
";

/// Sends one forged datagram between two servers; how many each has got when it has settled.
fn forged(line: &str, address: &str, datagram: &[u8]) -> (u64, u64) {
    let [one, other] = [(); 2].map(|()| Serving::start(&format!("{line} --json")));
    let ports = [&one, &other].map(|server| server.address("udp").port().to_string());
    let hex = datagram.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let status = Command::new("python3")
        .args(["-c", FORGE, &ports[0], &ports[1], &hex, address])
        .status()
        .unwrap();
    assert!(status.success());
    // A loop makes a hundred thousand in that time, and does not end.
    let spent = || one.cpu() + other.cpu();
    let mut before = spent();
    eventually(|| {
        std::thread::sleep(Duration::from_millis(400));
        let since = std::mem::replace(&mut before, spent());
        if since == before { Ok(()) } else { Err(format!("{before:?} of a processor")) }
    });
    let mut counts = [one, other].map(|server| {
        server.stop().exits(0).statistics()["datagrams"]["received"].as_u64().unwrap()
    });
    counts.reverse();
    (counts[0], counts[1])
}

#[test]
fn no_forged_datagram_makes_two_servers_talk() {
    live(&[Need::Python3, Need::Root], || {
        run("ip addr add 10.7.0.1/24 dev lo");
        let reply = {
            let mut reply = request(1);
            assert!(netkit::echo::datagram::make_reply(&mut reply));
            reply
        };
        // The first server gets the forged one, the second at most its reply, which it knows for one.
        assert_eq!(forged("udp://127.0.0.1:0", "127.0.0.1", b"hello"), (1, 1));
        assert_eq!(forged("udp://127.0.0.1:0", "127.0.0.1", &request(1)), (1, 1));
        assert_eq!(forged("udp://127.0.0.1:0", "127.0.0.1", &reply), (1, 0));
        assert_eq!(forged("udp://127.0.0.1:0 --strict", "127.0.0.1", b"hello"), (1, 0));
        assert_eq!(forged("udp://127.0.0.1:0 --strict", "127.0.0.1", &request(1)), (1, 1));
        assert_eq!(forged("udp://10.7.0.1:0", "10.7.0.1", b"hello"), (1, 0));
        assert_eq!(forged("udp://10.7.0.1:0", "10.7.0.1", &request(1)), (1, 1));
        // Where any datagram is answered from anywhere, each bounce costs a hop, of which there are 64.
        let (first, second) = forged("udp://10.7.0.1:0 --rfc862", "10.7.0.1", b"hello");
        assert!((60..=64).contains(&(first + second)), "{first} and {second}");
    });
}
