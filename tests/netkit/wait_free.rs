//! `netkit wait --for free`: who is in the way, the countdown, and the moment when it is free.

use std::net::UdpSocket;
use std::os::unix::net::UnixListener;

use serde_json::Value;

use crate::harness::binding::Reuse;
use crate::harness::conditions::{Condition, Occupant, fresh};
use crate::harness::{Answer, Need, live, netkit, sysctl};

fn target(answer: &Answer) -> Value {
    answer.json()["targets"][0].clone()
}

#[test]
fn the_countdown_of_a_time_wait_is_the_kernels() {
    live(&[], || {
        let condition = Condition::new(Occupant::TimeWait, Reuse::No);
        let line = format!("wait --for free {} -t 200ms", condition.local);
        let answer = netkit(&format!("{line} --json")).run().exits(1);
        let target = target(&answer);
        assert_eq!(target["last"]["outcome"], "leftover");
        let left = target["free_in_ms"].as_u64().unwrap();
        assert!((50_000..=60_000).contains(&left), "{left}");
        let most = target["free_in_at_most_ms"].as_u64().unwrap();
        assert!(most > left && most < left + 20_000, "{left}, {most}");
        let answer = netkit(&line).run().exits(1);
        assert!(answer.stdout.contains("TIMEOUT"), "{answer}");
        assert!(answer.stdout.contains("wait longer: by the kernel's timers"), "{answer}");
        assert!(answer.stdout.contains("s will do"), "{answer}");
        answer.complains("; free in ").complains("s at most)");
    });
}

#[test]
fn with_reuse_addr_it_need_not_wait_for_a_server_that_had_set_it() {
    live(&[], || {
        let kind = Condition::new(Occupant::TimeWait, Reuse::Addr);
        let line = |it: &Condition| format!("wait --for free {} -t 200ms", it.local);
        netkit(&line(&kind)).run().exits(1);
        netkit(&format!("{} --reuse-addr", line(&kind))).run().exits(0);
        let unkind = Condition::new(Occupant::TimeWait, Reuse::No);
        netkit(&format!("{} --reuse-addr", line(&unkind))).run().exits(1);
        // Both may bind, but not both listen.
        let bound = Condition::new(Occupant::Listener, Reuse::Addr);
        netkit(&format!("{} --reuse-addr", line(&bound))).run().exits(1);
    });
}

#[test]
fn it_is_free_when_the_kernels_timer_has_run_out() {
    live(&[Need::Sysctl("net.ipv4.tcp_fin_timeout")], || {
        // What is left of a FIN_WAIT2 of no program lives so long, and not the fixed minute.
        sysctl::set("tcp_fin_timeout", "2");
        let condition = Condition::new(Occupant::FinWait2Mini, Reuse::No);
        let running = netkit(&format!("wait --for free {} -t 30s --json", condition.local)).start();
        let (answer, _) = running.says("FIN_WAIT2").ends();
        let answer = answer.exits(0).complains(" -> free after ");
        let target = target(&answer);
        assert_eq!(target["reasons"][0]["outcome"], "leftover");
        assert!(target["elapsed_ms"].as_u64().unwrap() > 500, "{target:#}");
        assert_eq!(target["free_in_ms"], Value::Null);
        // Not polled all the time: before the timer is due, twice a second.
        assert!(target["reaction_ms"].as_u64().unwrap() < 1000, "{target:#}");
    });
}

#[test]
fn it_is_free_soon_after_the_one_who_has_it_ends() {
    live(&[], || {
        let condition = Condition::new(Occupant::Listener, Reuse::No);
        let line = format!("wait --for free {} -t 20s", condition.local);
        let running = netkit(&line).start().says("EADDRINUSE (98): LISTEN");
        drop(condition);
        let (answer, _) = running.ends();
        answer.exits(0).complains(" -> free after ");
        // As in a restart: what the server leaves is told when it is seen.
        netkit(&format!("wait --for free {} -t 1s", fresh())).run().exits(0);
    });
}

#[test]
fn udp_and_unix_sockets_are_waited_for_too() {
    live(&[], || {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let line = format!("wait --for free udp://{} -t 20s", udp.local_addr().unwrap());
        let running = netkit(&line).start().says("EADDRINUSE (98): UDP");
        drop(udp);
        running.ends().0.exits(0);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let server = UnixListener::bind(&path).unwrap();
        let line = format!("wait --for free unix:{} -t 20s", path.display());
        let running = netkit(&line).start().says("EADDRINUSE (98)");
        drop(server);
        // The file is still there, and in the way.
        let running = running.says("EADDRINUSE (98): STALE FILE");
        std::fs::remove_file(&path).unwrap();
        running.ends().0.exits(0);
        assert!(!path.exists(), "what the trial bound is gone");
    });
}

#[test]
fn an_address_that_is_none_of_this_host_may_come() {
    live(&[], || {
        let running = netkit("wait --for free 10.9.8.7:80 -t 20s").start().says("EADDRNOTAVAIL");
        crate::harness::needs::run("ip address add 10.9.8.7/32 dev lo");
        running.ends().0.exits(0);
    });
}
