//! `--netns NAME|PID|PATH`: the answer for another network namespace.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::needs::run;
use crate::harness::sockets::{listen, listen_at};
use crate::harness::{Need, Netkit, Nobody, Other, live, netkit, within};

/// The only listener of the other namespace, and the two of the test's own.
const THERE: u16 = 7001;

/// A listener in the namespace of the file at `path`.
fn listener_in(path: &Path) -> TcpListener {
    within(path, || listen_at("127.0.0.1", THERE))
}

fn local_ports(netkit: Netkit) -> Vec<u64> {
    let rows = netkit.run().exits(0).quietly().rows();
    rows.iter().map(|row| row["local"]["port"].as_u64().unwrap()).collect()
}

#[test]
fn a_process_and_a_path_name_its_namespace() {
    live(&[], || {
        let _here = [listen("127.0.0.1"), listen("127.0.0.1")];
        let other = Other::new();
        let _there = listener_in(&other.path());
        for source in ["sock_diag", "proc"] {
            let line = format!("states -l --format ndjson --source {source} --netns");
            assert_eq!(local_ports(netkit(&line).arg(other.pid().to_string())), [7001]);
            assert_eq!(local_ports(netkit(&line).arg(other.path())), [7001]);
            let own = local_ports(netkit(&line).arg(std::process::id().to_string()));
            assert_eq!(own.len(), 2);
        }
    });
}

#[test]
fn a_name_of_ip_netns_names_its_namespace() {
    live(&[Need::Mount], || {
        run("mount -t tmpfs none /run");
        run("ip netns add blue");
        run("ip -n blue link set lo up");
        let _here = [listen("127.0.0.1"), listen("127.0.0.1")];
        let _there = listener_in(Path::new("/run/netns/blue"));
        let ports = local_ports(netkit("states -l --format ndjson --netns blue"));
        assert_eq!(ports, [7001]);
    });
}

#[test]
fn the_verdict_goes_by_the_other_namespaces_sysctls() {
    live(&[], || {
        let other = Other::new();
        let line = format!("nsenter --net={} sh -c", other.path().display());
        let script = "echo 50000 50099 > /proc/sys/net/ipv4/ip_local_port_range";
        let mut words = line.split(' ');
        let status = Command::new(words.next().unwrap()).args(words).arg(script).status();
        assert!(status.unwrap().success());
        let line = format!("states --time-wait --json --netns {}", other.pid());
        let answer = netkit(&line).run().exits(0).quietly().json();
        let ephemeral = &answer["pileup"]["ephemeral"];
        assert_eq!((&ephemeral["low"], &ephemeral["high"]), (&50_000.into(), &50_099.into()));
    });
}

#[test]
fn a_namespace_that_is_not_there_says_what_to_give() {
    live(&[], || {
        let error = "netkit: cannot enter the network namespace /proc/self/status: EINVAL \
                     (Invalid argument)\n\
                     hint: give a name of `ip netns list`, a process id, or a file such as \
                     /proc/1/ns/net\n";
        netkit("states --netns /proc/self/status").run().is(3, "", error);
    });
}

#[test]
fn the_tables_of_a_process_are_shown_without_entering_its_namespace() {
    live(&[Need::Root, Need::Setpriv], || {
        let _here = [listen("127.0.0.1"), listen("127.0.0.1")];
        let other = Other::new();
        let _there = listener_in(&other.path());
        let nobody = Nobody::new();
        let pid = other.pid();
        let answer = nobody.netkit(&format!("states -l --list --json --netns {pid}"));
        let answer = answer.run().exits(0).quietly().json();
        let ports: Vec<_> = answer["sockets"].as_array().unwrap().iter().collect();
        assert_eq!(ports.len(), 1, "{answer:#}");
        assert_eq!(ports[0]["local"]["port"], 7001);
        assert_eq!(answer["source"], "proc");
        let warning = answer["warnings"][0].as_str().unwrap();
        let ending = format!("; read /proc/{pid}/net, without its sysctls");
        assert!(warning.ends_with(&ending), "{warning}");
        let line = format!("states --time-wait --json --netns {pid}");
        let verdict = nobody.netkit(&line).run().json();
        assert_eq!(verdict["pileup"]["ephemeral"]["available"], Value::Null);
    });
}

#[test]
fn an_ordinary_user_sees_the_same_rows_as_root() {
    live(&[Need::Ipv6, Need::Root, Need::Setpriv], || {
        let _listeners = [listen("127.0.0.1"), listen("::1")];
        let nobody = Nobody::new();
        for source in ["sock_diag", "proc"] {
            let line = format!("states --format ndjson --source {source}");
            let theirs = nobody.netkit(&line).run().exits(0).quietly().rows();
            assert_eq!(theirs, netkit(&line).run().exits(0).rows());
        }
    });
}
