//! Several addresses of one echo server, which may be in each other's way.

use std::fs;
use std::net::TcpStream;

use crate::harness::echoing::{Serving, asked, patient, round_trip, udp_to};
use crate::harness::{Need, live, netkit};

#[test]
fn both_wildcards_at_one_port_are_served_in_any_order() {
    live(&[Need::Ipv6], || {
        for line in ["0.0.0.0:7000 [::]:7000", "[::]:7000 0.0.0.0:7000", ":7000 [::]:7000 --v6only"]
        {
            let server = Serving::at(4, &format!("{line} --tcp --udp --rfc862"));
            for address in ["127.0.0.1:7000", "[::1]:7000"] {
                let stream = patient(TcpStream::connect(address).unwrap());
                assert_eq!(round_trip(stream, b"hello"), b"hello", "{line}: {address}");
                let reply = asked(&udp_to(address.parse().unwrap()), b"hello");
                assert_eq!(reply, b"hello", "{line}: {address}");
            }
            // That both are served as they are written needs no word.
            let end = server.stop().exits(0);
            assert!(!end.stderr.contains("IPv6 alone"), "{end:?}");
        }
    });
}

#[test]
fn that_a_wildcard_does_without_ipv4_is_said_where_some_of_that_is_not_served() {
    live(&[Need::Ipv6], || {
        let server = Serving::at(2, "127.0.0.1:7000 [::]:7000 --json");
        for address in ["127.0.0.1:7000", "[::1]:7000"] {
            let stream = patient(TcpStream::connect(address).unwrap());
            assert_eq!(round_trip(stream, b"hello"), b"hello", "{address}");
        }
        TcpStream::connect("127.0.0.2:7000").unwrap_err();
        let end = server.stop().exits(0);
        let warning = "tcp://[::]:7000 takes IPv6 alone, since tcp://127.0.0.1:7000 is served too";
        assert!(end.stderr.starts_with(&format!("netkit: warning: {warning}")), "{end:?}");
        assert!(end.statistics()["warnings"][0].as_str().unwrap().starts_with(warning), "{end:?}");
    });
}

#[test]
fn two_that_exclude_each_other_are_both_named() {
    for (line, one, other) in [
        ("0.0.0.0:7000 127.0.0.1:7000", "tcp://0.0.0.0:7000", "tcp://127.0.0.1:7000"),
        ("127.0.0.1:7000 :7000", "tcp://0.0.0.0:7000", "tcp://127.0.0.1:7000"),
        ("[::1]:7000 [::]:7000 -u", "udp://[::]:7000", "udp://[::1]:7000"),
        ("unix:/none/a unix-dgram:/none/a", "unix:/none/a", "unix-dgram:/none/a"),
    ] {
        let answer = netkit(&format!("echo server {line}")).run().exits(2);
        assert_eq!(answer.stdout, "", "{answer}");
        answer.complains(&format!("`{one}` and `{other}` cannot be served together: "));
    }
}

#[test]
fn with_reuse_port_they_do_not() {
    live(&[], || {
        let server = Serving::at(2, "0.0.0.0:7000 127.0.0.1:7000 --reuse-port");
        assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
        server.stop().exits(0);
    });
}

#[test]
fn two_names_of_one_place_are_not_taken_for_a_stranger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    fs::create_dir(directory.path().join("in")).unwrap();
    let line = format!("echo server unix:{}", path.display());
    let other = format!("unix-dgram:{}/in/../socket", directory.path().display());
    let answer = netkit(&line).arg(&other).run().exits(2);
    // Neither is it free, nor has anybody else got it.
    assert_eq!(answer.stdout, "", "{answer}");
    answer.complains(&format!("`{other}` cannot be served together with `unix:"));
    assert!(!path.exists());
}

#[test]
fn what_is_given_twice_is_served_once_and_port_0_is_another_each_time() {
    live(&[], || {
        let mut server = Serving::start("127.0.0.1:7000 127.0.0.2:7000 127.0.0.1:7000 --for 50ms");
        assert_eq!(
            (server.line(), server.line()),
            ("tcp://127.0.0.2:7000".to_owned(), String::new())
        );
        server.wait().exits(0);
        let server = Serving::at(2, "127.0.0.1:0 127.0.0.1:0");
        assert_ne!(server.addresses[0], server.addresses[1]);
        server.stop().exits(0);
    });
}

#[test]
fn tcp_and_udp_mean_the_default_address_where_none_is_without_a_scheme() {
    live(&[], || {
        for (line, expected) in [
            (
                "--tcp --udp --unix @g",
                &["tcp://127.0.0.1:8081", "udp://127.0.0.1:8081", "unix:@g"][..],
            ),
            ("--tcp --unix @g", &["tcp://127.0.0.1:8081", "unix:@g"]),
            ("--udp tcp://127.0.0.1:7000", &["tcp://127.0.0.1:7000", "udp://127.0.0.1:8081"]),
            ("--udp @g 127.0.0.1:7000", &["unix:@g", "udp://127.0.0.1:7000"]),
            ("--unix @g", &["unix:@g"]),
        ] {
            // So that one that does not serve them all ends.
            let server = Serving::at(expected.len(), &format!("{line} --for 10s"));
            assert_eq!(server.addresses, expected, "{line}");
            server.stop().exits(0);
        }
    });
}
