//! What `netkit connect` knows beyond the code: who rejected, how many SYNs were sent, whose
//! deadline it was, what it leaves behind.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use socket2::Type;

use crate::harness::command::PROGRAM;
use crate::harness::connecting::code::{EAGAIN, ECONNREFUSED, ETIMEDOUT};
use crate::harness::connecting::street::{
    self, CLIENT_REJECTS, CLOSED, DROP, OPEN, ROUTER, ROUTER_REJECTS, ROUTER6, SERVER,
    SERVER_REJECTS,
};
use crate::harness::connecting::{Street, unix};
use crate::harness::needs::run;
use crate::harness::sockets::{bound, listen, listen_for_one, port};
use crate::harness::{Need, Netkit, Nobody, eventually, live, netkit};

const STREET: [Need; 4] = [Need::Python3, Need::Veth, Need::Nft, Need::Ipv6];

/// The one result of a run.
#[track_caller]
fn result(netkit: Netkit) -> Value {
    let answer = netkit.run();
    let mut json = answer.json();
    assert_eq!(json["results"].as_array().map(Vec::len), Some(1), "{answer}");
    json["results"][0].take()
}

/// All that a result says of causes and remedies, as one text.
fn words(result: &Value) -> String {
    format!("{} {} {}", result["meaning"], result["causes"], result["advice"])
}

#[test]
fn a_user_without_rights_learns_who_rejected_him() {
    live(&[&STREET[..], &[Need::Root, Need::Setpriv]].concat(), || {
        let _street = Street::new();
        let nobody = Nobody::new();
        let (four, six) = (ROUTER_REJECTS + 13, ROUTER_REJECTS + 1);
        for (target, kind, code, from) in [
            (format!("10.77.2.2:{four}"), 3, 13, ROUTER),
            (format!("[fd77:2::2]:{six}"), 1, 1, ROUTER6),
        ] {
            let result = result(nobody.netkit(&format!("connect --json {target}")));
            let icmp = &result["icmp"];
            assert_eq!((&icmp["type"], &icmp["code"]), (&json!(kind), &json!(code)), "{result}");
            assert_eq!((&icmp["from"], &result["outcome"]), (&json!(from), &json!("rejected")));
            let answer = nobody.netkit(&format!("connect {target}")).run().exits(1).quietly();
            assert!(answer.stdout.contains(from), "the hop is not named\n{answer}");
        }
    });
}

#[test]
fn a_rejection_ends_it_before_a_syn_is_sent_again() {
    live(&STREET, || {
        let _street = Street::new();
        for (target, port) in [(SERVER, ROUTER_REJECTS + 13), ("[fd77:2::2]", ROUTER_REJECTS + 1)] {
            let syns = street::Syns::count(port);
            // The kernel alone would note the ICMP error and wait for its timer.
            let result = result(netkit(&format!("connect --json {target}:{port}")));
            assert_eq!(result["outcome"], "rejected", "{result}");
            assert_eq!(result["syn_retransmits"], 0, "{result}");
            assert_eq!(syns.seen(), 1, "{target} was asked again: {result}");
        }
    });
}

#[test]
fn the_syns_that_were_sent_again_are_counted() {
    live(&STREET, || {
        let _street = Street::new();
        let port = SERVER_REJECTS + DROP;
        let syns = street::Syns::count(port);
        let result = result(netkit(&format!("connect --json --block {SERVER}:{port}")));
        assert_eq!((&result["code"], &result["deadline"]), (&json!(ETIMEDOUT), &json!(false)));
        // net.ipv4.tcp_syn_retries of the street, and one more by tcp_syn_linear_timeouts.
        assert_eq!((&result["syn_retransmits"], syns.seen()), (&json!(2), 3), "{result}");
    });
}

#[test]
fn a_deadline_is_not_the_kernels_own_patience() {
    live(&STREET, || {
        let _street = Street::new();
        let target = format!("{SERVER}:{}", ROUTER_REJECTS + DROP);
        let late = result(netkit(&format!("connect --json --timeout 100ms {target}")));
        let given_up = result(netkit(&format!("connect --json --block {target}")));
        for (result, code, name, is_deadline) in
            [(&late, EAGAIN, "EAGAIN", true), (&given_up, ETIMEDOUT, "ETIMEDOUT", false)]
        {
            assert_eq!((&result["connect_ex"], &result["name"]), (&json!(code), &json!(name)));
            assert_eq!(
                (&result["outcome"], &result["deadline"]),
                (&json!("timed_out"), &json!(is_deadline))
            );
        }
        let elapsed = |result: &Value| result["elapsed_us"].as_u64().unwrap();
        assert!(elapsed(&late) < elapsed(&given_up), "{late} {given_up}");
        let texts = ["--timeout 100ms", "--block"]
            .map(|mode| netkit(&format!("connect {mode} {target}")).run().exits(1).stdout);
        assert!(
            texts[0].contains("our deadline") && texts[0].contains("EAGAIN (11)"),
            "{}",
            texts[0]
        );
        assert!(!texts[1].contains("our deadline"), "{}", texts[1]);
        assert!(texts[1].contains("ETIMEDOUT (110)"), "{}", texts[1]);
    });
}

/// TIME_WAIT sockets of this namespace.
fn time_waits() -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().filter(|line| line.split_whitespace().nth(3) == Some("06")).count()
}

#[test]
fn probes_leave_a_time_wait_only_where_they_are_asked_to() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let target = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            // Each is closed as soon as the client has: it is the client who closes first.
            for stream in listener.incoming().take(13) {
                let mut stream = stream.unwrap();
                drop(std::io::copy(&mut stream, &mut std::io::sink()));
            }
        });
        let mut before = 0;
        for (options, left) in [
            ("--count 5 --interval 1ms", 0),
            ("--count 3 --interval 1ms --close rst", 0),
            ("--count 5 --interval 1ms --close fin", 5),
        ] {
            netkit(&format!("connect {options} {target}")).run().exits(0);
            before += left;
            // Who closes first is in FIN_WAIT2 until the server has closed too.
            eventually(|| match time_waits() {
                number if number == before => Ok(()),
                number => Err(format!("{options}: {number} TIME_WAITs, not {before}")),
            });
        }
        server.join().unwrap();
        assert_eq!(time_waits(), before);
    });
}

#[test]
fn what_is_expected_decides_the_exit_code() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let open = listener.local_addr().unwrap().to_string();
        let closed = format!("127.0.0.1:{CLOSED}");
        for (expected, of_open, of_closed) in [
            ("ok", 0, 1),
            ("0", 0, 1),
            ("ECONNREFUSED", 1, 0),
            ("econnrefused", 1, 0),
            ("111", 1, 0),
            ("refused", 1, 0),
            ("timeout", 1, 1),
            ("ok,refused", 0, 0),
            ("EHOSTUNREACH,110", 1, 1),
        ] {
            for (target, exit_code) in [(&open, of_open), (&closed, of_closed)] {
                let line = format!("connect --json --expect {expected} {target}");
                let answer = netkit(&line).run().exits(exit_code);
                assert_eq!(answer.json()["results"][0]["met"], exit_code == 0, "{answer}");
            }
        }
        for expected in ["nonsense", "ECONNREFUSE", "", "4711"] {
            let line = format!("connect {closed} --expect={expected}");
            netkit(&line).run().exits(2).complains("--expect");
        }
    });
}

#[test]
fn the_exit_code_is_the_errno_where_that_is_asked_for() {
    live(&STREET, || {
        let _street = Street::new();
        let dropped = format!("{SERVER}:{}", ROUTER_REJECTS + DROP);
        for (line, code) in [
            (format!("{SERVER}:{OPEN}"), 0),
            (format!("{SERVER}:{CLOSED}"), ECONNREFUSED),
            (format!("--timeout 100ms {dropped}"), EAGAIN),
            (format!("--block {dropped}"), ETIMEDOUT),
            ("10.99.0.1:80".to_owned(), 101),
            ("10.79.2.1:80".to_owned(), 13),
            ("unix:/nonexistent".to_owned(), 2),
        ] {
            netkit(&format!("connect --exit-errno {line}")).run().exits(code);
        }
    });
}

#[test]
fn a_full_accept_queue_of_this_machine_is_named() {
    live(&[], || {
        let listener = listen_for_one("127.0.0.1");
        let target = format!("127.0.0.1:{}", port(&listener));
        let _waiting = TcpStream::connect(&target).unwrap();
        let result = result(netkit(&format!("connect --json --timeout 200ms {target}")));
        assert_eq!(result["outcome"], "timed_out", "{result}");
        assert!(words(&result).contains("accept queue"), "{result}");
    });
}

#[test]
fn a_handshake_that_nobody_accepts_is_named() {
    live(&[], || {
        let socket = bound("127.0.0.1", 0);
        socket.listen(1).unwrap();
        let target = format!("127.0.0.1:{}", port(&socket));
        let _waiting = TcpStream::connect(&target).unwrap();
        // The second takes the last place.
        let result = result(netkit(&format!("connect --json {target}")));
        assert_eq!(result["outcome"], "connected", "{result}");
        assert!(words(&result).contains("accept queue"), "{result}");
    });
}

#[test]
fn a_full_backlog_of_a_unix_socket_is_waited_for_until_the_deadline() {
    live(&[], || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("full");
        let listener = unix::bound(&path, Type::STREAM);
        listener.listen(0).unwrap();
        let waiting = unix::connect(&path);
        let target = format!("unix:{}", path.display());
        let full = result(netkit(&format!("connect --json --timeout 100ms {target}")));
        assert_eq!((&full["outcome"], &full["deadline"]), (&json!("timed_out"), &json!(true)));
        assert_eq!((&full["connect_ex"], &full["code"]), (&json!(EAGAIN), &json!(EAGAIN)));
        assert!(words(&full).contains("backlog") || words(&full).contains("queue"), "{full}");
        assert!(full["elapsed_us"].as_u64().unwrap() >= 100_000, "{full}");
        let freed = std::thread::scope(|scope| {
            let line = format!("connect --json --timeout 20s {target}");
            let asking = scope.spawn(move || result(netkit(&line)));
            // A place becomes free after another's whole life of waiting for it.
            netkit(&format!("connect --timeout 200ms {target}")).run().exits(1);
            listener.accept().unwrap();
            asking.join().unwrap()
        });
        assert_eq!(
            (&freed["outcome"], &freed["code"]),
            (&json!("connected"), &json!(0)),
            "{freed}"
        );
        drop(waiting);
    });
}

#[test]
fn an_interface_that_is_down_is_named_where_its_routes_are_missed() {
    live(&[Need::Ip, Need::Veth], || {
        run("ip link add a0 type veth peer name b0");
        run("ip addr add 192.0.2.1/24 dev a0");
        run("ip link set b0 up");
        let text = netkit("connect --layers 192.0.2.2:80").run().exits(1).stdout;
        assert!(text.contains("a0 is down, and no route goes by"), "{text}");
        assert!(text.contains("no interface was chosen; a0"), "{text}");
    });
}

#[test]
fn a_dead_resolver_does_not_hold_up_the_deadline() {
    live(&[Need::Mount], || {
        let directory = tempfile::tempdir().unwrap();
        over("/etc/resolv.conf", directory.path(), "nameserver 127.0.0.1\n");
        over("/etc/nsswitch.conf", directory.path(), "hosts: files dns\n");
        let resolver = UdpSocket::bind("127.0.0.1:53").unwrap();
        let line = "connect --json --timeout 200ms db.example.test:5432";
        let answer = netkit(line).run().exits(1);
        // The C library asks for each family at once, and again after five seconds.
        resolver.set_nonblocking(true).unwrap();
        let questions = (0..100).take_while(|_| resolver.recv(&mut [0; 512]).is_ok()).count();
        assert!((1..=2).contains(&questions), "{questions} questions\n{answer}");
        let result = &answer.json()["results"][0];
        assert_eq!((&result["stage"], &result["deadline"]), (&json!("resolve"), &json!(true)));
        // Nothing was connected to, so that it is no timeout, and Python raises gaierror.
        assert_eq!(
            (&result["outcome"], &result["name"]),
            (&json!("resolve_failed"), &json!("EAI_AGAIN"))
        );
        assert_eq!((&result["address"], &result["connect_ex"]), (&Value::Null, &Value::Null));
        let line = "connect --timeout 200ms --expect timeout,EAGAIN db.example.test:5432";
        let text = netkit(line).run().exits(1).stdout;
        assert!(text.starts_with("NO ADDRESS  db.example.test:5432"), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("not resolved by our deadline of 200 ms"), "{text}");
    });
}

#[test]
fn names_that_are_given_up_do_not_use_up_the_descriptors() {
    live(&[Need::Mount], || {
        let directory = tempfile::tempdir().unwrap();
        over("/etc/resolv.conf", directory.path(), "nameserver 127.0.0.1\n");
        over("/etc/nsswitch.conf", directory.path(), "hosts: files dns\n");
        let _resolver = UdpSocket::bind("127.0.0.1:53").unwrap();
        let names: Vec<_> = (0..500).map(|n| format!("h{n}.example.test:80")).collect();
        let targets = names.join("\n");
        let mut command = Command::new("prlimit");
        command.args(["--nofile=1024", PROGRAM]);
        let line = "connect --json --timeout 50ms --targets -";
        let answer = Netkit::by(command, line).stdin(targets.as_bytes()).run().exits(1);
        let results = answer.json()["results"].as_array().unwrap().clone();
        let late = results.iter().filter(|result| result["deadline"] == true);
        assert_eq!((late.count(), results.len()), (500, 500), "{:#}", results[499]);
    });
}

/// Puts a file with `text` over the one at `path`, in this mount namespace.
fn over(path: &str, directory: &Path, text: &str) {
    let file = directory.join(path.replace('/', "-"));
    fs::write(&file, text).unwrap();
    run(&format!("mount --bind {} {path}", file.display()));
}

#[test]
fn a_connection_that_is_reset_at_once_is_seen_by_who_waits_for_an_answer() {
    live(&[], || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        });
        let result = result(netkit(&format!("connect --json --expect-reply --send x {target}")));
        server.join().unwrap();
        assert_eq!(
            (&result["name"], &result["met"]),
            (&json!("ECONNRESET"), &json!(false)),
            "{result}"
        );
    });
}

#[test]
fn what_this_machine_says_itself_is_not_blamed_on_a_router() {
    live(&STREET, || {
        let _street = Street::new();
        let (four, six) = (CLIENT_REJECTS + 13, CLIENT_REJECTS + 1);
        for (target, cause) in [
            ("10.77.1.77:80".to_owned(), "nobody on c0"),
            ("[fd77:1::77]:80".to_owned(), "nobody on c0"),
            (format!("{SERVER}:{four}"), "firewall of this machine"),
            (format!("[fd77:2::2]:{six}"), "firewall of this machine"),
        ] {
            let result = result(netkit(&format!("connect --json {target}")));
            assert_eq!(result["icmp"]["from"], result["local"]["address"], "{result}");
            assert!(result["causes"].to_string().contains(cause), "{result}");
            assert!(!words(&result).contains("router"), "{result}");
        }
    });
}

#[test]
fn a_low_limit_of_descriptors_is_not_blamed_on_the_targets() {
    live(&[], || {
        let listener = listen_for_one("127.0.0.1");
        let full = format!("127.0.0.1:{}\n", port(&listener));
        let _waiting = TcpStream::connect(full.trim()).unwrap();
        // More at a time than there are descriptors: each is held until the deadline.
        let targets = full.repeat(60);
        let mut command = Command::new("prlimit");
        command.args(["--nofile=16", PROGRAM]);
        let line = "connect --json --timeout 100ms --targets -";
        let answer = Netkit::by(command, line).stdin(targets.as_bytes()).run().exits(1);
        let results = answer.json()["results"].as_array().unwrap().clone();
        let late = results.iter().filter(|result| result["outcome"] == "timed_out");
        assert_eq!((late.count(), results.len()), (60, 60), "{answer}");
    });
}

#[test]
fn an_interface_that_is_not_there_is_a_wrong_argument() {
    live(&[], || {
        let line = format!("connect --interface nosuch 127.0.0.1:{CLOSED}");
        netkit(&line).run().exits(2).complains("`nosuch`");
    });
}
