//! `netkit bind` changes nothing: what the kernel answers afterwards is what it would have answered,
//! and no connection is lost or taken while it looks.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{SockRef, Socket, Type};

use crate::harness::binding::{IN_USE, OK, REUSE, Reuse, User, bind_codes, socket};
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

/// Runs netkit in every way that tries something, as often as a user might.
fn look(at: SocketAddr) {
    for options in ["", "--reuse-addr --reuse-port", "--listen", ""] {
        let answer = netkit(&format!("bind -q {at} {options}")).run();
        assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
    }
}

/// The kernel's answers with netkit before them, and on another port without.
#[track_caller]
fn answers_stay(what: &str, mut make: impl FnMut() -> (SocketAddr, Vec<Socket>)) {
    let (twin, _twin) = make();
    let (patient, _patient) = make();
    look(patient);
    let answers = [twin, patient].map(|it| bind_codes(it, User::Owner));
    assert_eq!(answers[0], answers[1], "{what}: without netkit, and after it");
}

#[test]
fn the_kernel_answers_as_before() {
    live(&[], || {
        for occupant in OCCUPANTS {
            for reuse in REUSE {
                let twin = Condition::new(occupant, reuse);
                let patient = Condition::new(occupant, reuse);
                look(patient.local);
                let answers = [&twin, &patient].map(|it| bind_codes(it.local, User::Owner));
                let what = "without netkit, and after it";
                assert_eq!(answers[0], answers[1], "{occupant:?} of {reuse:?}: {what}");
            }
        }
        answers_stay("nobody", || (fresh(), Vec::new()));
    });
}

#[test]
fn with_two_sockets_on_the_port_the_kernel_answers_as_before() {
    live(&[], || {
        for first in [Reuse::Addr, Reuse::Port, Reuse::Both] {
            for second in [Reuse::Addr, Reuse::Port, Reuse::Both] {
                answers_stay(&format!("{first:?} and {second:?}"), || {
                    let end = fresh();
                    let first = bound(end, first);
                    let second = socket(end, Type::STREAM, second);
                    // Where it may not be there, one is left, which is tested elsewhere.
                    let both = second.bind(&end.into()).is_ok();
                    (end, [Some(first), both.then_some(second)].into_iter().flatten().collect())
                });
            }
        }
    });
}

#[test]
fn a_bind_that_the_kernel_allows_by_what_came_before_is_seen_as_allowed() {
    live(&[], || {
        let end = fresh();
        let _first = bound(end, Reuse::Addr);
        assert_eq!(bind_codes(end, User::Owner), [IN_USE, OK, IN_USE, OK]);
        // The last of these left its trace: a bind with SO_REUSEPORT alone succeeds from now on.
        assert_eq!(bind_codes(end, User::Owner), [IN_USE, OK, OK, OK]);
        assert_eq!(codes(&judge(&end.to_string())), [IN_USE, OK, OK, OK]);
        let untouched = fresh();
        let _second = bound(untouched, Reuse::Addr);
        assert_eq!(codes(&judge(&untouched.to_string())), [IN_USE, OK, IN_USE, OK]);
        assert_eq!(codes(&judge(&untouched.to_string())), [IN_USE, OK, IN_USE, OK]);
    });
}

#[test]
fn a_bound_socket_can_still_listen_and_a_listener_still_accepts() {
    live(&[], || {
        for reuse in REUSE {
            let sleeper = bound(fresh(), reuse);
            let end = address(&sleeper);
            look(end);
            netkit(&format!("bind -q --listen --reuse-addr {end}")).run();
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
        let end = condition.local;
        let answer = judge(&format!("{end} --listen --reuse-port"));
        assert_eq!(answer["listened"], false, "{answer:#}");
        let answer = judge(&format!("{end} --listen --reuse-addr --reuse-port"));
        assert_eq!(answer["listened"], false, "{answer:#}");
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
            let looks = ["", "--listen --reuse-addr", "--listen --reuse-port", ""].repeat(5);
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
