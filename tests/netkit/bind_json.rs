//! The JSON contract: real answers against docs/schema.

use std::os::unix::net::UnixListener;

use crate::harness::binding::Reuse;
use crate::harness::conditions::{Condition, Occupant};
use crate::harness::judgement::conforms;
use crate::harness::{Need, live, netkit};

#[test]
fn answers_conform_to_the_schema() {
    live(&[Need::Ipv6, Need::Root], || {
        let directory = tempfile::tempdir().unwrap();
        let [stale, in_use] = ["stale", "live"].map(|name| directory.path().join(name));
        drop(UnixListener::bind(&stale).unwrap());
        let _listener = UnixListener::bind(&in_use).unwrap();
        let listener = Condition::new(Occupant::Listener, Reuse::Port);
        let time_wait = Condition::new(Occupant::TimeWait, Reuse::Addr);
        let orphan = Condition::new(Occupant::FinWait1Orphan, Reuse::No);
        let outgoing = Condition::new(Occupant::OutgoingTimeWait, Reuse::No);
        for condition in [&listener, &time_wait, &orphan, &outgoing] {
            for options in ["", "--reuse-addr", "--reuse-port", "--listen", "--udp"] {
                let line = format!("bind --json {} {options}", condition.local);
                conforms(&netkit(&line).run().quietly().json());
            }
        }
        for target in ["10.99.99.99:80", "[fe80::1]:80", "[::1]:0", "unix:@free", "unix:/no/x"] {
            conforms(&netkit(&format!("bind --json {target}")).run().quietly().json());
        }
        for path in [&stale, &in_use, directory.path()] {
            conforms(&netkit("bind --json").arg(format!("unix:{}", path.display())).run().json());
        }
    });
}
