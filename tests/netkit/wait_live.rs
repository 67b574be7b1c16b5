//! `netkit wait` for what is connected to: up, down, refused, echo; and that it leaves no trace.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::conditions::fresh;
use crate::harness::needs::run;
use crate::harness::sockets::listen;
use crate::harness::{Answer, Need, Nobody, Other, live, netkit, sysctl, within};

/// The one target of the answer.
fn target(answer: &Answer) -> Value {
    answer.json()["targets"][0].clone()
}

/// The outcomes of its reasons.
fn outcomes(answer: &Answer) -> Vec<String> {
    let target = target(answer);
    let reasons = target["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Rows of /proc/net/tcp in TIME_WAIT.
fn time_waits() -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().filter(|line| line.split_whitespace().nth(3) == Some("06")).count()
}

#[test]
fn it_is_up_soon_after_somebody_listens_and_no_time_wait_is_left() {
    live(&[], || {
        let address = fresh();
        let running = netkit(&format!("wait {address} -t 20s --json")).start();
        let running = running.says("ECONNREFUSED (111) refused by 127.0.0.1");
        let listener = TcpListener::bind(address).unwrap();
        let began = Instant::now();
        let (answer, _) = running.ends();
        let took = began.elapsed();
        let answer = answer.exits(0).complains(" -> up (connected to 127.0.0.1) after ");
        let target = target(&answer);
        assert_eq!(target["last"]["outcome"], "connected");
        assert_eq!(target["reasons"][0]["name"], "ECONNREFUSED");
        assert!(target["attempts"].as_u64().unwrap() > 1);
        // The machine may be loaded; the median is the benchmark's.
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(target["reaction_ms"].as_u64().unwrap() < 1000, "{target:#}");
        // Accepted and closed here, it would be this end's TIME_WAIT if it had come by FIN.
        let (mut accepted, _) = listener.accept().unwrap();
        assert!(accepted.read(&mut [0]).is_err(), "closed by RST");
        drop((accepted, listener));
        assert_eq!(time_waits(), 0);
    });
}

#[test]
fn many_attempts_leave_no_time_wait() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let address = listener.local_addr().unwrap();
        let accepting = thread::spawn(move || {
            for _ in 0..5 {
                drop(listener.accept().unwrap());
            }
        });
        let answer = netkit(&format!("wait {address} --for down -t 20s -i 10ms --json")).run();
        let answer = answer.exits(0);
        accepting.join().unwrap();
        assert!(target(&answer)["attempts"].as_u64().unwrap() > 5);
        assert_eq!(time_waits(), 0);
    });
}

#[test]
fn a_socket_that_meets_itself_is_not_up() {
    live(&[], || {
        sysctl::set("ip_local_port_range", "40000 40000");
        let answer = netkit("wait 127.0.0.1:40000 -t 300ms --json").run().exits(1);
        assert_eq!(outcomes(&answer), ["self_connect"]);
        let answer = netkit("wait 127.0.0.1:40000 -t 300ms --for down --json").run().exits(0);
        assert_eq!(target(&answer)["last"]["outcome"], "self_connect");
        assert_eq!(time_waits(), 0);
    });
}

#[test]
fn it_is_down_when_nobody_listens_any_more_or_there_is_no_way() {
    live(&[], || {
        let listener = listen("127.0.0.1");
        let address = listener.local_addr().unwrap();
        let running = netkit(&format!("wait {address} --for down -t 20s --json")).start();
        let running = running.says("connected to 127.0.0.1");
        drop(listener);
        let (answer, _) = running.ends();
        assert_eq!(target(&answer.exits(0))["last"]["outcome"], "refused");
        let line = "wait 192.0.2.1:80 --for down -t 5s --json";
        assert_eq!(target(&netkit(line).run().exits(0))["last"]["outcome"], "unreachable");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let gone = format!("wait unix:{} --for down -t 5s --json", path.display());
        assert_eq!(target(&netkit(&gone).run().exits(0))["last"]["name"], "ENOENT");
    });
}

#[test]
fn refused_is_an_answer_of_the_host_and_nothing_else() {
    live(&[], || {
        let answer = netkit(&format!("wait {} --for refused -t 5s --json", fresh())).run().exits(0);
        assert_eq!(target(&answer)["reaction_ms"], Value::Null, "it was so at once");
        let answer = netkit("wait 192.0.2.1:80 --for refused -t 100ms --json").run().exits(1);
        assert_eq!(outcomes(&answer), ["unreachable"]);
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        netkit(&format!("wait udp://{udp} --for refused -t 5s")).run().exits(0);
    });
}

/// Sends back what comes, `change`d.
fn echo_tcp(change: fn(&mut [u8])) -> SocketAddr {
    let listener = listen("127.0.0.1");
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut bytes = [0; 256];
            let length = connection.read(&mut bytes).unwrap_or(0);
            change(&mut bytes[..length]);
            drop(connection.write_all(&bytes[..length]));
        }
    });
    address
}

fn echo_udp() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            drop(socket.send_to(&bytes[..length], from));
        }
    });
    address
}

#[test]
fn echo_is_what_was_sent_and_nothing_else() {
    live(&[], || {
        let tcp = echo_tcp(|_| ());
        netkit(&format!("wait {tcp} --for echo -t 5s")).run().exits(0);
        let udp = echo_udp();
        netkit(&format!("wait udp://{udp} --for echo -t 5s")).run().exits(0);
        netkit(&format!("wait udp://{udp} -t 5s")).run().exits(0).complains("up (answered by");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let unix = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (mut connection, _) = unix.accept().unwrap();
            let mut bytes = [0; 256];
            let length = connection.read(&mut bytes).unwrap();
            connection.write_all(&bytes[..length]).unwrap();
        });
        netkit(&format!("wait unix:{} --for echo -t 5s", path.display())).run().exits(0);
        let wrong = echo_tcp(<[u8]>::reverse);
        let answer = netkit(&format!("wait {wrong} --for echo -t 200ms --json")).run().exits(1);
        assert!(outcomes(&answer).iter().all(|outcome| outcome == "no_echo"), "{answer}");
        netkit(&format!("wait {wrong} -t 5s")).run().exits(0);
    });
}

#[test]
fn a_silent_service_of_udp_is_neither_up_nor_down() {
    live(&[], || {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        for condition in ["up", "down"] {
            let line = format!(
                "wait udp://{address} --for {condition} -t 300ms --attempt-timeout 100ms --json"
            );
            assert_eq!(outcomes(&netkit(&line).run().exits(1)), ["timed_out"]);
        }
    });
}

/// Answers one question alone, as services of UDP do.
fn answering(question: &'static [u8]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            if &bytes[..length] == question {
                drop(socket.send_to(b"yes", from));
            }
        }
    });
    address
}

#[test]
fn a_service_of_udp_is_up_once_it_answers_what_it_is_asked() {
    live(&[], || {
        let service = answering(b"\x01version");
        let times = "-t 400ms --attempt-timeout 100ms";
        let answer = netkit(&format!("wait udp://{service} {times}")).run().exits(1);
        let words = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("--send gives a question"), "{answer}");
        for question in ["\\x01version", "hex:0176657273696f6e"] {
            let line = format!("wait udp://{service} -t 5s --send {question}");
            netkit(&line).run().exits(0).complains("up (answered by");
        }
        netkit(&format!("wait udp://{service} {times} --send hex:02")).run().exits(1);
    });
}

#[test]
fn a_program_that_takes_connections_and_says_nothing_is_not_up_where_a_reply_is_expected() {
    live(&[], || {
        let echo = echo_tcp(|_| ());
        let times = "-t 400ms --attempt-timeout 100ms --json";
        netkit(&format!("wait {echo} -t 5s --send ping --expect-reply")).run().exits(0);
        // It is not spoken to.
        let answer = netkit(&format!("wait {echo} {times} --expect-reply")).run().exits(1);
        assert_eq!(outcomes(&answer), ["no_reply"]);
        // Nobody calls accept().
        let hung = listen("127.0.0.1");
        let address = hung.local_addr().unwrap();
        netkit(&format!("wait {address} -t 5s --send ping")).run().exits(0);
        let line = format!("wait {address} {times} --send ping --expect-reply");
        assert_eq!(outcomes(&netkit(&line).run().exits(1)), ["no_reply"]);
        let line = format!("wait {address} -t 400ms --attempt-timeout 100ms --expect-reply");
        let text = netkit(&line).run().exits(1).stdout;
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("does not answer, or not to this"), "{text}");
        assert!(words.contains("--send says that"), "{text}");
    });
}

#[test]
fn targets_are_waited_for_at_the_same_time() {
    live(&[], || {
        let up = listen("127.0.0.1");
        let address = up.local_addr().unwrap();
        // Both are silent for all of the time that there is.
        let silent = [full(), full()];
        let [first, second] = [0, 1].map(|at: usize| silent[at].local_addr().unwrap());
        let began = Instant::now();
        let line = format!("wait {first} {second} {address} -t 1s --attempt-timeout 900ms --json");
        let answer = netkit(&line).run().exits(1).json();
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(answer["met"], false);
        let met: Vec<_> =
            answer["targets"].as_array().unwrap().iter().map(|it| it["met"].clone()).collect();
        assert_eq!(met, [false, false, true]);
        assert_eq!(answer["targets"][0]["last"]["outcome"], "timed_out");
        netkit(&format!("wait --any {first} {address} -t 5s")).run().exits(0);
    });
}

/// A listener whose queue is full: it drops every SYN.
fn full() -> TcpListener {
    let listener = crate::harness::sockets::listen_for_one("127.0.0.1");
    let address = listener.local_addr().unwrap();
    let client = crate::harness::sockets::bound("127.0.0.1", 0);
    client.connect(&address).unwrap();
    std::mem::forget(client);
    listener.into()
}

#[test]
fn an_address_that_is_silent_leaves_time_for_the_others_of_its_name() {
    live(&[Need::Mount, Need::Ipv6], || {
        let port = fresh().port();
        let silent = crate::harness::sockets::bound("::1", port);
        silent.listen(0).unwrap();
        let client = crate::harness::sockets::bound("::1", 0);
        client.connect(&silent.local_addr().unwrap()).unwrap();
        let _listener = crate::harness::sockets::listen_at("127.0.0.1", port);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hosts");
        fs::write(&file, "::1 both.test\n127.0.0.1 both.test\n").unwrap();
        run(&format!("mount --bind {} /etc/hosts", file.display()));
        netkit(&format!("wait both.test:{port} -t 10s --attempt-timeout 1s")).run().exits(0);
    });
}

#[test]
fn a_resolver_that_is_silent_does_not_hold_up_the_deadline() {
    live(&[Need::Mount], || {
        let silent = UdpSocket::bind("127.0.0.1:53").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("resolv.conf");
        fs::write(&file, "nameserver 127.0.0.1\n").unwrap();
        run(&format!("mount --bind {} /etc/resolv.conf", file.display()));
        let began = Instant::now();
        let answer = netkit("wait name.example:80 -t 600ms --json").run().exits(1);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        let target = target(&answer);
        assert_eq!(
            (&target["met"], &target["last"]["outcome"]),
            (&Value::Bool(false), &"resolve_failed".into())
        );
        let text = netkit("wait name.example:80 -t 300ms").run().exits(1).stdout;
        assert!(text.contains("no answer of the resolver in time"), "{text}");
        // Nothing follows from a resolver's silence.
        netkit("wait name.example:80 --for down -t 300ms").run().exits(1);
        drop(silent);
    });
}

#[test]
fn another_namespace_is_looked_into_and_the_command_runs_here() {
    live(&[], || {
        let other = Other::new();
        let address = fresh();
        let there = within(&other.path(), || TcpListener::bind(address).unwrap());
        netkit(&format!("wait {address} -t 100ms")).run().exits(1);
        let line =
            format!("wait {address} -t 5s --netns {} -- readlink /proc/self/ns/net", other.pid());
        let here = fs::read_link("/proc/self/ns/net").unwrap();
        assert_eq!(netkit(&line).run().exits(0).stdout.trim(), here.to_str().unwrap());
        drop(there);
    });
}

#[test]
fn any_user_can_wait() {
    live(&[Need::Root, Need::Setpriv], || {
        let nobody = Nobody::new();
        let listener = listen("127.0.0.1");
        let address = listener.local_addr().unwrap();
        nobody.netkit(&format!("wait {address} -t 5s -- true")).run().exits(0);
        // Longer than any test may take: no wait brings the right to bind.
        let answer = nobody.netkit("wait --for free :80 -t 1h --json").run().exits(3);
        assert_eq!(outcomes(&answer), ["denied"]);
        assert_eq!(answer.json()["targets"][0]["attempts"], 1);
        let answer = nobody.netkit("wait --for free :80 -t 1h").run().exits(3);
        assert!(answer.stdout.contains("UNKNOWN  this user may not bind :80"), "{answer}");
        assert!(answer.stdout.contains("CAP_NET_BIND_SERVICE"), "{answer}");
        nobody.netkit("wait --for free :80 :8080 -t 1h").run().exits(3);
        nobody.netkit("wait --for free --any :80 :8080 -t 1h").run().exits(0);
    });
}

#[test]
fn with_v_each_look_that_sees_something_else_is_told() {
    live(&[], || {
        let line = "wait listen:9 -t 100ms";
        let told = |line: &str| netkit(line).run().exits(1).stderr;
        assert!(!told(line).contains("INFO"));
        let once = told(&format!("{line} -v"));
        assert_eq!(once.matches("INFO looked target=\"listen:9\"").count(), 1, "{once}");
        assert!(told(&format!("{line} -vv")).matches("DEBUG looked again").count() > 1);
    });
}
