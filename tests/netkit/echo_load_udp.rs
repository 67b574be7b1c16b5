//! The load of `netkit echo client` over datagrams, through a relay that loses, duplicates, reorders,
//! delays and spoils them.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::echoing::Serving;
use crate::harness::loading::{Loading, json_of};
use crate::harness::needs::run;
use crate::harness::{Need, Schema, live, netkit};

/// A server of datagrams that answers the `number`th one, from 0, by what `reply` gives: each entry a
/// datagram that is sent then.
fn answering(mut reply: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        for number in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let mut datagram = buffer[..length].to_vec();
            // The flag that says it is a request.
            datagram[5] &= !1;
            for answer in reply(number, datagram) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    address
}

#[test]
fn every_kind_of_datagram_socket_gives_all_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let line = format!("udp://127.0.0.1:0 unix-dgram:{} unix-seqpacket:{}", path("a"), path("b"));
    let server = Serving::at(3, &line);
    for address in &server.addresses {
        for options in ["-n 1k -c 4 -s 32-1400", "-n 300 --pipeline 8 -s 20000", "-r 500 -d 500ms"]
        {
            let answer = json_of(options, address, 0);
            assert_eq!(answer["sent"], answer["received"], "{address} {options}");
            let of_it = &answer["datagrams"];
            for name in ["late", "duplicated", "reordered", "stray"] {
                assert_eq!(of_it[name], 0, "{address} {options}: {of_it}");
            }
            assert_eq!(answer["time_wait"], json!({"made": null, "now": null}), "{address}");
        }
    }
}

#[test]
fn what_is_lost_is_counted() {
    let address =
        answering(|number, datagram| if number % 10 == 3 { vec![] } else { vec![datagram] });
    let answer = json_of("-n 100 --pipeline 4 --timeout 200ms", &address, 1);
    assert_eq!((&answer["sent"], &answer["received"]), (&json!(100), &json!(90)));
    assert_eq!((&answer["lost"], &answer["loss_percent"]), (&json!(10), &json!(10.0)));
    assert_eq!(answer["timed_out"], 10);
    let error = &answer["errors"][0];
    assert_eq!((&error["name"], &error["count"]), (&json!("timeout"), &json!(10)), "{answer:#}");
    json_of("-n 100 --pipeline 4 --timeout 200ms --max-loss 10%", &address, 0);
    json_of("-n 100 --pipeline 4 --timeout 200ms --max-loss 9.9%", &address, 1);
}

#[test]
fn what_comes_twice_is_counted_and_is_no_loss() {
    let address = answering(|number, datagram| vec![datagram; 1 + usize::from(number % 5 == 0)]);
    let answer = json_of("-n 100", &address, 0);
    assert_eq!(answer["datagrams"]["duplicated"], 20, "{answer:#}");
    assert_eq!(answer["received"], 100);
}

#[test]
fn what_is_out_of_order_is_counted_with_its_depth() {
    // Of each ten, the first is held back until the others are there.
    let mut held = Vec::new();
    let address = answering(move |number, datagram| match number % 10 {
        0 => {
            held = datagram;
            vec![]
        }
        9 => vec![datagram, held.clone()],
        _ => vec![datagram],
    });
    let answer = json_of("-n 100 --pipeline 50", &address, 0);
    assert_eq!(answer["received"], 100);
    assert_eq!(answer["datagrams"]["reordered"], 10, "{answer:#}");
    assert_eq!(answer["datagrams"]["reorder_depth"], 9, "{answer:#}");
}

#[test]
fn what_comes_after_the_timeout_is_late_and_not_lost() {
    let address = answering(|number, datagram| {
        if number == 5 {
            thread::sleep(Duration::from_millis(400));
        }
        vec![datagram]
    });
    let answer = json_of("-n 50 --timeout 100ms", &address, 0);
    assert_eq!((&answer["received"], &answer["lost"]), (&json!(50), &json!(0)));
    assert!(answer["datagrams"]["late"].as_u64().unwrap() >= 1, "{answer:#}");
}

#[test]
fn what_came_late_is_not_told_as_lost() {
    let address = answering(|number, datagram| match number {
        3 => vec![],
        5 => {
            thread::sleep(Duration::from_millis(400));
            vec![datagram]
        }
        _ => vec![datagram],
    });
    let load = netkit("echo client -n 50 --timeout 100ms").arg(&address).run().exits(1);
    let lost = load.stdout.lines().find(|line| line.contains("lost ")).unwrap();
    assert!(lost.contains("lost 1 (2 %): 1 had no reply in time"), "{load}");
}

#[test]
fn what_is_spoilt_or_of_somebody_else_is_counted() {
    let address = answering(|number, mut datagram| match number {
        7 => {
            datagram[40] ^= 1;
            vec![datagram]
        }
        8 => vec![b"who are you".to_vec(), datagram],
        9 => {
            datagram.truncate(50);
            vec![datagram]
        }
        10 => {
            datagram[6] = 1;
            vec![datagram]
        }
        // The moment of sending, which nobody but the sender may say.
        11 => {
            datagram[31] ^= 1;
            vec![datagram]
        }
        _ => vec![datagram],
    });
    let answer = json_of("-n 30", &address, 1);
    assert_eq!((&answer["corrupted"], &answer["received"]), (&json!(4), &json!(30)));
    assert_eq!(answer["datagrams"]["stray"], 1);
}

#[test]
fn a_port_that_nobody_has_is_refused_and_it_is_said_by_whom() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = json_of("-n 100", &format!("udp://127.0.0.1:{port}"), 1);
    assert_eq!(answer["received"], 0);
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["name"], &error["icmp_from"]),
        (&json!("ECONNREFUSED"), &json!("127.0.0.1"))
    );
    let text = netkit(&format!("echo client -n 100 udp://127.0.0.1:{port}")).run().exits(1).stdout;
    assert!(text.starts_with("NO REPLY") && text.contains("127.0.0.1 answered"), "{text}");
}

#[test]
fn a_server_that_answers_nothing_is_the_cause_of_no_reply() {
    let address = answering(|_, _| vec![]);
    let load = netkit("echo client -n 4 --timeout 100ms").arg(&address).run().exits(1);
    let text = load.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let cause = format!("NO REPLY no reply from {address}: nothing came before the timeout");
    assert!(text.starts_with(&cause), "{load}");
    for words in ["0 of 4 messages answered", "4 × timeout in receive", "hint: a longer --timeout"]
    {
        assert!(text.contains(words), "no {words:?} in {load}");
    }
}

#[test]
fn a_unix_server_that_ends_is_an_error_and_the_run_ends() {
    let directory = tempfile::tempdir().unwrap();
    for kind in ["unix-dgram", "unix-seqpacket"] {
        let address = format!("{kind}:{}", directory.path().join(kind).display());
        let server = Serving::start(&address);
        let loading = Loading::start("-d 60s -c 3", &address);
        server.signal(nix::sys::signal::Signal::SIGKILL);
        server.wait();
        let (answer, status) = loading.ends();
        Schema::of("echo").holds(&answer);
        assert_eq!(status.code(), Some(1), "{answer:#}");
        assert!(answer["received"].as_u64().unwrap() > 0, "{answer:#}");
        assert!(!answer["errors"].as_array().unwrap().is_empty(), "{answer:#}");
    }
}

#[test]
fn jitter_is_that_of_the_delays() {
    let address = answering(|number, datagram| {
        if number % 2 == 0 {
            thread::sleep(Duration::from_millis(20));
        }
        vec![datagram]
    });
    let answer = json_of("-n 60", &address, 0);
    let jitter = answer["datagrams"]["jitter_us"].as_f64().unwrap();
    // Each transit differs from the one before by 20 ms; the estimate comes near that from below.
    assert!(jitter > 10_000.0, "{answer:#}");
}

/// `lost` is the sum of what it is told to be made of, and what was under way is no part of it.
#[track_caller]
fn adds_up(answer: &Value) {
    let number = |name: &str| answer[name].as_u64().unwrap();
    let parts = ["timed_out", "refused", "cut", "unsent"].map(number);
    assert_eq!(number("lost"), parts.iter().sum::<u64>(), "{answer:#}");
    let rest = number("sent") + number("unsent") - number("received");
    assert_eq!(number("lost") + number("under_way"), rest, "{answer:#}");
}

#[test]
fn what_was_under_way_at_an_interruption_is_neither_lost_nor_an_error() {
    let address = answering(|number, datagram| if number < 5 { vec![datagram] } else { vec![] });
    let loading = Loading::start("-r 100 -d 60s -t 200ms", &address);
    thread::sleep(Duration::from_millis(700));
    loading.signal(nix::sys::signal::Signal::SIGINT);
    let (answer, _) = loading.ends();
    Schema::of("echo").holds(&answer);
    adds_up(&answer);
    let under_way = answer["under_way"].as_u64().unwrap();
    assert!((10..=40).contains(&under_way), "{answer:#}");
    assert_eq!((&answer["refused"], &answer["lost"]), (&json!(0), &answer["timed_out"]));
}

#[test]
fn the_parts_of_a_loss_add_up_whatever_happens() {
    let refused = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (options, address) in [
        ("-n 100 --pipeline 4 -t 50ms --warmup 100ms", lossy()),
        ("-r 500 -d 300ms -t 50ms --warmup 100ms", lossy()),
        ("-r 500 -n 100 -c 3 -t 50ms", lossy()),
        ("-n 30 -c 3", format!("udp://{refused}")),
        ("-r 500 -d 200ms -t 20ms", delayed(50)),
        ("-n 5 -t 20ms", delayed(50)),
    ] {
        let answer = netkit(&format!("echo client {options} --json")).arg(&address).run().json();
        adds_up(&answer);
        assert_eq!(answer["under_way"], 0, "{options}: {answer:#}");
    }
}

/// Answers two of three, one of them twice.
fn lossy() -> String {
    answering(|number, datagram| vec![datagram; number % 3])
}

/// Answers each so many milliseconds later.
fn delayed(milliseconds: u64) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let mut datagram = buffer[..length].to_vec();
            datagram[5] &= !1;
            let socket = socket.try_clone().unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(milliseconds));
                socket.send_to(&datagram, from).unwrap();
            });
        }
    });
    address
}

#[test]
fn those_that_are_late_at_the_end_are_late_too() {
    let answer = json_of("-n 20 -r 200 -t 20ms", &delayed(90), 0);
    assert_eq!((&answer["received"], &answer["lost"]), (&json!(20), &json!(0)));
    assert_eq!(answer["datagrams"]["late"], 20, "{answer:#}");
    assert_eq!(answer["errors"], json!([]));
}

#[test]
fn the_wait_for_lost_datagrams_is_none_of_the_time() {
    // Of 250, 25 are lost, the last among them.
    let address =
        answering(|number, datagram| if number % 10 == 9 { vec![] } else { vec![datagram] });
    let options = "-r 500 -d 500ms -t 1s --min-rate 400 --max-loss 20%";
    let answer = json_of(options, &address, 0);
    let measured = answer["measured_ms"].as_u64().unwrap();
    assert!((500..700).contains(&measured), "{answer:#}");
    // One that answers no more has no better rate for it.
    let address = answering(|number, datagram| if number < 50 { vec![datagram] } else { vec![] });
    let answer = json_of("-r 500 -d 500ms -t 200ms --min-rate 101", &address, 1);
    assert!(answer["measured_ms"].as_u64().unwrap() >= 500, "{answer:#}");
    assert_eq!(answer["thresholds"][0]["is_met"], false, "{answer:#}");
}

#[test]
fn what_a_load_of_datagrams_does_not_take_is_not_hinted_at() {
    let address = answering(|_, mut datagram| {
        datagram[40] ^= 1;
        vec![datagram]
    });
    let load = netkit("echo client -n 20").arg(&address).run().exits(1);
    assert!(load.stdout.starts_with("CORRUPTED"), "{load}");
    assert!(!load.stdout.contains("--transform"), "{load}");
}

/// The first reply is slow, so that a machine that is busy has its time too.
#[test]
fn a_duplicate_of_the_last_is_counted_though_it_comes_later() {
    let address = answering(|number, datagram| vec![datagram; 1 + usize::from(number == 9)]);
    let answer = json_of("-n 10", &address, 0);
    assert_eq!(answer["datagrams"]["duplicated"], 1, "{answer:#}");
    let answer = json_of("-n 10", &again_later(30), 0);
    assert_eq!(answer["received"], 10, "{answer:#}");
    assert_eq!(answer["datagrams"]["duplicated"], 10, "{answer:#}");
}

/// Answers each, and once more so many milliseconds later; the first after half a second.
fn again_later(milliseconds: u64) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        for number in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let mut datagram = buffer[..length].to_vec();
            datagram[5] &= !1;
            if number == 0 {
                thread::sleep(Duration::from_millis(500));
            }
            socket.send_to(&datagram, from).unwrap();
            let socket = socket.try_clone().unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(milliseconds));
                socket.send_to(&datagram, from).unwrap();
            });
        }
    });
    address
}

#[test]
fn what_finds_no_room_for_as_long_as_the_timeout_is_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full");
    let full = UnixDatagram::bind(&path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", &path).is_ok() {}
    let answer = json_of("-n 4 -c 2 -t 100ms", &format!("unix-dgram:{}", path.display()), 1);
    assert_eq!((&answer["sent"], &answer["unsent"]), (&json!(0), &json!(4)), "{answer:#}");
    adds_up(&answer);
    drop(full);
}

/// The packet filter drops what is sent: the kernel says EPERM, and nothing is on its way.
#[test]
fn what_the_kernel_refuses_is_not_sent_and_counted_once() {
    live(&[Need::Nft], || {
        run("nft add table inet t");
        run("nft add chain inet t c { type filter hook output priority 0 ; }");
        run("nft add rule inet t c udp dport 9 counter drop");
        let server = Serving::start("udp://127.0.0.1:0");
        let port = server.address("udp").port();
        run(&format!("nft add rule inet t c udp dport {port} numgen inc mod 10 0 drop"));
        for options in ["-n 100", "-n 100 -r 1k"] {
            let answer = json_of(options, &server.addresses[0], 1);
            let counts = ["sent", "received", "unsent", "lost"].map(|name| &answer[name]);
            assert_eq!(counts, [90, 90, 10, 10].map(|it| json!(it)).each_ref(), "{answer:#}");
            let error = &answer["errors"][0];
            assert_eq!((&error["name"], &error["step"]), (&json!("EPERM"), &json!("send")));
            assert_eq!((&error["count"], &answer["loss_percent"]), (&json!(10), &json!(10.0)));
            adds_up(&answer);
        }
        // Where nothing is let out at all, it is given up.
        let answer = json_of("-n 20", "udp://127.0.0.1:9", 1);
        assert_eq!((&answer["sent"], &answer["unsent"]), (&json!(0), &json!(20)), "{answer:#}");
        assert_eq!(answer["end"], "given_up", "{answer:#}");
        adds_up(&answer);
    });
}
