//! Arguments of `netkit wait` that are wrong: exit code 2, with what was given and what to give.

use crate::harness::{Answer, Need, Other, live, netkit};

/// Exit code 2 at once, nothing on standard output, and an error that names what was given.
#[track_caller]
fn refused(line: &str, named: &str) -> Answer {
    let answer = netkit(line).run().exits(2);
    assert_eq!(answer.stdout, "", "{answer}");
    answer.complains("netkit: ").complains(named)
}

#[test]
fn a_target_that_is_none_is_named_with_what_to_give() {
    refused("wait localhost", "`localhost`: the port is missing: write localhost:PORT");
    refused("wait localhost:0", "`localhost:0`: nothing can listen on port 0");
    refused("wait localhost:65536", "`65536` is not a port");
    refused("wait [::1:80", "`[::1:80`: the `]`");
    refused("wait :80", "`:80`: the host is missing");
    refused("wait http://a:80", "does not speak http");
    refused("wait unix:", "`unix:`: the name is missing");
    refused(&format!("wait unix:/{}", "a".repeat(107)), "108 bytes");
    refused("wait listen:", "`listen:`");
    refused("wait listen:0", "`0` is not a port");
    refused("wait time-wait", "in quotes, for `<` is the shell's");
    refused("wait time-wait<0", "'time-wait<1'");
    refused("wait time-wait<x", "`x` is not a number");
    refused("wait --for free localhost:80", "localhost is 127.0.0.1 or [::1]");
    refused("wait --for free 127.0.0.1", "which port is to be free?");
    refused("wait --for free :0", "which port is to be free?");
    refused("wait unix-dgram:/run/x", "write unix:/run/x --type dgram");
    // One that is wrong among others that are not: nothing is waited for.
    refused("wait 127.0.0.1:1 db", "`db`");
    let answer = netkit("wait").arg("a\u{1b}[2J:80").run().exits(2);
    assert!(!answer.stderr.contains('\u{1b}'), "{answer}");
}

#[test]
fn options_that_are_wrong_or_do_not_go_together_are_refused() {
    refused("wait", "TARGET");
    refused("wait a:1 -t soon", "`soon` is not a time: write 500ms, 30s or 2m");
    refused("wait a:1 -t -1", "`-1` is not a time");
    refused("wait -u a:1", "netkit wait udp://HOST:PORT --send TEXT");
    refused("wait --for down localhost 8080", "hint: netkit wait --for down localhost:8080\n");
    refused("wait [::1]:1 -4", "`[::1]:1`: -4 leaves out IPv6 addresses");
    refused("wait 127.0.0.1:1 -6", "`127.0.0.1:1`: -6 leaves out IPv4 addresses");
    refused("wait --for free :80 -4", "`:80`: -4 and -6 are not for --for free: name the address");
    refused("wait a:1 -i 1s..10ms", "below the least");
    refused("wait a:1 -i 0", "1ms");
    refused("wait a:1 --attempt-timeout 0", "an attempt needs time");
    refused("wait a:1 --for open", "open");
    refused("wait a:1 --any --all", "--all");
    refused("wait a:1 --timeout-exit 0", "0");
    refused("wait a:1 --timeout-exit 256", "256");
    refused("wait a:1 --reuse-addr", "--for free");
    refused("wait listen:80 --for echo", "`listen:80`");
    refused("wait listen:80 --for free", "leave out `listen:`");
    refused("wait udp://a:1 --send hex:0", "hex:0d0a");
    refused("wait a:1 --send x --for down", "--send and --expect-reply are for --for up, not down");
    refused("wait :80 --for free --expect-reply", "are for --for up, not free");
    refused("wait listen:80 --expect-reply", "need a target that is connected to");
    refused("wait a:1 -4 -6", "--ipv");
    refused("wait a:1 --json --format csv", "--json");
    let many = (1..=257).map(|port| format!("a:{port}")).collect::<Vec<_>>().join(" ");
    refused(&format!("wait {many}"), "257 targets are more than the 256");
}

#[test]
fn a_capture_and_a_namespace_that_is_not_there_cannot_be_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let answer = netkit("wait 127.0.0.1:1").procfs(directory.path()).run().exits(3);
    answer.complains("hint: leave out --procfs");
    netkit("wait 127.0.0.1:1 --netns /nonexistent").run().exits(3).complains("/nonexistent");
}

#[test]
fn a_socket_of_another_type_is_told_with_the_option_for_that() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let answer = netkit("wait -t 100ms").arg(format!("unix:{}", path.display())).run();
    assert!(answer.stdout.contains("--type dgram"), "{answer}");
    netkit("wait -t 1s --type dgram").arg(format!("unix:{}", path.display())).run().exits(0);
}

#[test]
fn an_interface_that_is_not_there_is_a_wrong_argument_of_free() {
    live(&[Need::Ipv6], || {
        refused("wait --for free [fe80::1%nothing]:80", "no interface `nothing`");
    });
}

#[test]
fn the_path_of_a_unix_socket_is_not_bound_in_another_namespace() {
    live(&[], || {
        let pid = Other::new().pid();
        refused(&format!("wait --for free unix:/x --netns {pid}"), "`unix:/x`: --netns")
            .complains("hint: nsenter");
    });
}
