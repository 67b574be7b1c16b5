//! `netkit bind` changes nothing: what the kernel answers afterwards is what it would have answered,
//! and no connection is lost or taken while it looks.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use socket2::{SockRef, Socket, Type};

use crate::harness::binding::{IN_USE, OK, REUSE, Reuse, User, bind_code, socket};
use crate::harness::conditions::{Condition, Occupant, address, bound, fresh};
use crate::harness::judgement::{codes, judge};
use crate::harness::{live, netkit, sysctl};

const OCCUPANTS: [Occupant; 13] = [
    Occupant::Listener,
    Occupant::Bound,
    Occupant::Established,
    Occupant::CloseWait,
    Occupant::LastAck,
    Occupant::FinWait2,
    Occupant::FinWait1Orphan,
    Occupant::FinWait2Mini,
    Occupant::TimeWait,
    Occupant::TimeWaitOfBoundClient,
    Occupant::OutgoingEstablished,
    Occupant::OutgoingSynSent,
    Occupant::OutgoingTimeWait,
];

/// Runs netkit in the ways that try most.
fn look(at: SocketAddr) {
    for options in ["", "--listen --reuse-addr"] {
        let answer = netkit(&format!("bind -q {at} {options}")).run();
        assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    }
}

/// The kernel's answers with netkit before them, and without, each on a port of its own: a bind
/// that is accepted may change the answer to the next.
#[track_caller]
fn answers_stay<T>(what: &str, make: impl Fn() -> (SocketAddr, T)) -> [i32; 4] {
    let [without, with] = [false, true].map(|is_looked_at| {
        REUSE.map(|reuse| {
            let (end, _held) = make();
            if is_looked_at {
                look(end);
            }
            bind_code(end, reuse, User::Owner)
        })
    });
    assert_eq!(without, with, "{what}: without netkit, and after it");
    without
}

#[test]
fn the_kernel_answers_as_before() {
    live(&[], || {
        for occupant in OCCUPANTS {
            for reuse in REUSE {
                answers_stay(&format!("{occupant:?} of {reuse:?}"), || {
                    let condition = Condition::new(occupant, reuse);
                    (condition.local, condition)
                });
            }
        }
        answers_stay("nobody", || (fresh(), ()));
    });
}

/// Two bound sockets on a fresh port, or one where the kernel refuses the second.
fn two(first: Reuse, second: Reuse) -> (SocketAddr, Vec<Socket>) {
    let end = fresh();
    let first = bound(end, first);
    let second = socket(end, Type::STREAM, second);
    let are_both = second.bind(&end.into()).is_ok();
    (end, [Some(first), are_both.then_some(second)].into_iter().flatten().collect())
}

#[test]
fn with_two_sockets_on_the_port_the_kernel_answers_as_before() {
    live(&[], || {
        let with_option = [Reuse::Addr, Reuse::Port, Reuse::Both];
        for first in with_option {
            for second in with_option {
                answers_stay(&format!("{first:?}, {second:?}"), || two(first, second));
            }
        }
    });
}

#[test]
fn a_port_that_was_opened_to_reuse_port_stays_open_and_is_seen_so() {
    live(&[], || {
        // The kernel notes the options of the last one: a bind with SO_REUSEPORT alone succeeds,
        // although the first socket has not got it (`inet_csk_update_fastreuse`,
        // net/ipv4/inet_connection_sock.c).
        let open = || two(Reuse::Addr, Reuse::Both);
        assert_eq!(answers_stay("opened", open), [IN_USE, OK, OK, OK]);
        let (end, _held) = open();
        for _ in 0..2 {
            assert_eq!(codes(&judge(&end.to_string())), [IN_USE, OK, OK, OK]);
        }
        let (end, _held) = two(Reuse::Addr, Reuse::Addr);
        for _ in 0..2 {
            assert_eq!(codes(&judge(&end.to_string())), [IN_USE, OK, IN_USE, OK]);
        }
    });
}

#[test]
fn a_bound_socket_can_still_listen_and_a_listener_still_accepts() {
    live(&[], || {
        for reuse in REUSE {
            let sleeper = bound(fresh(), reuse);
            let end = address(&sleeper);
            look(end);
            sleeper.listen(4).unwrap();
            look(end);
            let _client = TcpStream::connect(end).unwrap();
            sleeper.accept().unwrap();
        }
    });
}

#[test]
fn listen_is_never_tried_where_it_would_take_connections() {
    live(&[], || {
        let condition = Condition::new(Occupant::Listener, Reuse::Port);
        let line = format!("bind --json {} --listen --reuse-port", condition.local);
        netkit(&line).run().exits(2).complains("--reuse-port");
        let taken = judge(&format!("{} --listen", condition.local));
        assert_eq!((&taken["listened"], &taken["stage"]), (&json!(false), &json!("bind")));
        let free = judge(&format!("{} --listen", fresh()));
        assert_eq!((free["listened"].as_bool(), free["code"].as_i64()), (Some(true), Some(0)));
        let unasked = judge(&fresh().to_string());
        assert_eq!(unasked["listened"], false, "{unasked:#}");
    });
}

#[test]
fn a_port_of_connections_out_can_be_chosen_again() {
    live(&[], || {
        sysctl::set("ip_local_port_range", "40000 40000");
        let first = Condition::new(Occupant::OutgoingEstablished, Reuse::No);
        assert_eq!(first.local.port(), 40_000);
        look(first.local);
        let second = Condition::new(Occupant::OutgoingEstablished, Reuse::No);
        assert_eq!(second.local, first.local);
        drop([first, second]);
        look(([127, 0, 0, 1], 40_000).into());
        let third = Condition::new(Occupant::OutgoingEstablished, Reuse::No);
        assert_eq!(third.local.port(), 40_000);
    });
}

#[test]
fn nobody_gets_in_while_netkit_listens() {
    live(&[], || {
        let end = fresh();
        let is_done = AtomicBool::new(false);
        let knock = || {
            let mut knocks = 0;
            while !is_done.load(Ordering::Relaxed) {
                // Refused while nobody listens; without an answer while netkit does.
                let knocked = TcpStream::connect_timeout(&end, Duration::from_millis(20));
                assert!(knocked.is_err(), "{knocked:?}");
                knocks += 1;
            }
            knocks
        };
        let knocks = thread::scope(|scope| {
            let client = scope.spawn(knock);
            let looks = (0..40).map(|_| netkit(&format!("bind -q {end} --listen")).run());
            let wrong = looks.filter(|it| it.code != Some(0)).collect::<Vec<_>>();
            is_done.store(true, Ordering::Relaxed);
            assert!(wrong.is_empty(), "{wrong:#?}");
            client.join().unwrap()
        });
        assert!(knocks > 40, "{knocks}");
    });
}

#[test]
fn no_connection_is_lost_or_taken_while_netkit_looks() {
    live(&[], || {
        let listener = bound(fresh(), Reuse::Port);
        listener.listen(128).unwrap();
        let end = address(&listener);
        let listener = TcpListener::from(listener);
        let is_done = AtomicBool::new(false);
        let served = thread::scope(|scope| {
            scope.spawn(|| serve(&listener));
            let client = scope.spawn(|| visit(end, &is_done));
            let looks = ["", "--listen --reuse-addr", "--reuse-port", "--listen"].repeat(5);
            let looks = looks.iter().map(|it| netkit(&format!("bind --json {end} {it}")).run());
            let wrong = looks.filter(|it| !matches!(it.code, Some(0 | 1))).collect::<Vec<_>>();
            is_done.store(true, Ordering::Relaxed);
            assert!(wrong.is_empty(), "{wrong:#?}");
            client.join().unwrap()
        });
        assert!(served > 100, "{served}");
    });
}

/// Answers each visitor with the byte that he sends, until one sends 0.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        stream.write_all(&byte).unwrap();
        if byte == [0] {
            return;
        }
    }
}

/// Connects, and demands an answer, over and over; gives the number of visits.
fn visit(end: SocketAddr, is_done: &AtomicBool) -> u32 {
    let mut visits = 0;
    loop {
        let is_last = is_done.load(Ordering::Relaxed);
        let mut stream = TcpStream::connect(end).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(&[u8::from(!is_last)]).unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        // Reset when dropped, so that no port of the client's waits.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        visits += 1;
        if is_last {
            return visits;
        }
    }
}
