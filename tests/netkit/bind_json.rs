//! The JSON contract: real answers of `netkit bind` against docs/schema/bind.json and
//! free_ports.json.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::harness::binding::Reuse;
use crate::harness::command::{PROGRAM, in_repository};
use crate::harness::conditions::{Condition, Occupant};
use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::seccomp::without_netlink;
use crate::harness::sockets::{bound, connect, listen, listen_at, port};
use crate::harness::sysctl;
use crate::harness::{Need, Netkit, Schema, live, netkit};

/// What each address of TCP is asked with.
const OPTIONS: [&str; 6] = [
    "",
    "--reuse-addr",
    "--reuse-port",
    "--reuse-addr --reuse-port",
    "--listen",
    "--reuse-addr --listen",
];

/// Answers that all keep to the schema, and what was in them.
struct Contract {
    schema: Schema,
    seen: BTreeSet<String>,
}

impl Contract {
    fn new() -> Self {
        Self { schema: Schema::of("bind"), seen: BTreeSet::new() }
    }

    /// Takes the answer of a run, in either of its formats.
    #[track_caller]
    fn take(&mut self, netkit: Netkit) -> Value {
        let answer = netkit.run().quietly();
        assert!(matches!(answer.code, Some(0 | 1)), "{answer}");
        let value = answer.json();
        self.schema.holds(&value);
        assert_eq!(value["free"], json!(answer.code == Some(0)), "{answer}");
        is_rfc_3339_utc(&value["captured_at"]);
        let words = [("blockers", "role"), ("remedies", "id"), ("findings", "id")];
        for (list, word) in words {
            let found = value[list].as_array().unwrap().iter();
            self.seen.extend(found.map(|it| it[word].as_str().unwrap().to_owned()));
        }
        value
    }

    /// Asks about `target` with the words of `options`.
    #[track_caller]
    fn ask(&mut self, target: impl Into<String>, options: &str) -> Value {
        let target = target.into();
        self.take(netkit(&format!("bind {options} --format ndjson")).arg(&target));
        self.take(netkit(&format!("bind {options} --json")).arg(&target))
    }

    #[track_caller]
    fn ask_with_all_options(&mut self, target: SocketAddr) {
        for options in OPTIONS {
            self.ask(target.to_string(), options);
        }
    }

    /// Demands that these roles, remedies and findings were among the answers.
    #[track_caller]
    fn has_seen(&self, words: &[&str]) {
        for word in words {
            assert!(self.seen.contains(*word), "no `{word}` in {:?}", self.seen);
        }
    }
}

#[test]
fn the_schemas_are_complete() {
    Schema::of("bind").is_complete();
    Schema::of("free_ports").is_complete();
}

#[test]
fn findings_are_those_of_the_catalogue() {
    let schemas = ["states", "bind", "connect", "sysctl"].map(Schema::of);
    let pointer = "/$defs/finding/properties/id";
    let all: Vec<_> = schemas.iter().flat_map(|schema| schema.words(pointer)).collect();
    let known: Vec<_> = netkit::catalogue::findings::FINDINGS.iter().map(|it| it.id).collect();
    assert_eq!(all, known, "in the order of the catalogue, each in one schema");
}

#[test]
fn remedies_are_those_of_the_source() {
    let source = ["mod", "in_use", "refused"].map(|name| {
        let path = in_repository(&format!("src/bind/remedies/{name}.rs"));
        let source = fs::read_to_string(path).unwrap();
        source.split("#[cfg(test)]").next().unwrap().to_owned()
    });
    let source = source.concat();
    let made = ["expected(", "tried(", "myth(", "id:"];
    let first_words = made.iter().flat_map(|call| source.split(call).skip(1));
    let ids: BTreeSet<_> = first_words
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    let schema = Schema::of("bind");
    let listed: BTreeSet<_> = schema.words("/$defs/remedy/properties/id").into_iter().collect();
    assert_eq!(listed, ids);
    let page = fs::read_to_string(in_repository("docs/bind.md")).unwrap();
    for id in ids {
        assert!(page.contains(&format!("`{id}`")), "docs/bind.md does not explain `{id}`");
    }
}

/// A listening socket with `SO_REUSEPORT`.
fn reuse_port_listener() -> Socket {
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(8).unwrap();
    socket
}

#[test]
fn answers_about_tcp_conform() {
    live(&[Need::Ipv6], || {
        let mut contract = Contract::new();
        // Outside the ports that connect(2) picks, as servers are.
        sysctl::set("ip_local_port_range", "40000 60999");
        for (number, server_closes) in (7000..).zip([true, false]) {
            let server = listen_at("127.0.0.1", number);
            let connection = connect(&server, "127.0.0.1");
            let [local, remote] = [server.local_addr(), connection.client.local_addr()];
            let [local, remote] = [local.unwrap(), remote.unwrap()];
            contract.ask_with_all_options(local);
            contract.ask_with_all_options(remote);
            if server_closes {
                connection.server_closes_first();
                drop(server);
                contract.ask_with_all_options(local);
            } else {
                connection.client_closes_first();
                contract.ask_with_all_options(remote);
                drop(server);
                contract.ask_with_all_options(local);
            }
        }
        let bound = bound("127.0.0.1", 0);
        contract.ask_with_all_options(bound.local_addr().unwrap().as_socket().unwrap());
        let shared = reuse_port_listener();
        contract.ask_with_all_options(shared.local_addr().unwrap().as_socket().unwrap());
        contract.has_seen(&["listener", "bound", "accepted", "outgoing"]);
        contract.has_seen(&["reuse_addr", "reuse_port", "another_address", "another_port"]);
        contract.has_seen(&["stop_owner", "wait", "reserve_port", "kill_socket", "tcp_tw_reuse"]);
        contract.has_seen(&["BIND_IN_USE", "BIND_PORT_IS_EPHEMERAL"]);
    });
}

#[test]
fn answers_about_what_is_left_conform() {
    live(&[Need::Ipv6], || {
        let mut contract = Contract::new();
        // Both ends inside the range, and nobody left to tell who began.
        let socket = bound("127.0.0.1", 0);
        socket.listen(8).unwrap();
        let server = TcpListener::from(socket);
        let local = server.local_addr().unwrap();
        connect(&server, "127.0.0.1").server_closes_first();
        drop(server);
        contract.ask_with_all_options(local);
        // The peer has not closed.
        let server = listen("127.0.0.1");
        let local = server.local_addr().unwrap();
        let half = connect(&server, "127.0.0.1");
        drop((half.server, server));
        let answer = contract.ask(local.to_string(), "");
        assert_eq!(answer["blockers"][0]["state"], "FIN_WAIT2", "{answer:#}");
        assert!(answer["frees_in_ms"].is_u64(), "{answer:#}");
        drop(half.client);
        let orphan = Condition::new(Occupant::FinWait1Orphan, Reuse::No);
        let answer = contract.ask(orphan.local.to_string(), "");
        assert_eq!(answer["frees_itself"], true, "{answer:#}");
        assert_eq!(answer["frees_in_ms"], json!(null), "{answer:#}");
        contract.has_seen(&["either", "reuse_addr_in_server", "tcp_fin_timeout"]);
    });
}

#[test]
fn answers_about_addresses_conform() {
    live(&[Need::Ipv6], || {
        let mut contract = Contract::new();
        let ipv4 = listen("0.0.0.0");
        let dual = bound("::", 0);
        dual.listen(8).unwrap();
        let port4 = ipv4.local_addr().unwrap().port();
        for port in [port4, port(&dual)] {
            for address in ["127.0.0.1", "[::]", "[::1]", "[::ffff:127.0.0.1]"] {
                contract.ask(format!("{address}:{port}"), "");
            }
            contract.ask(format!("[::]:{port}"), "--v6only");
        }
        for target in [":7100", "[::1]:7100", "192.0.2.1:7100", "[2001:db8::1]:7100"] {
            contract.ask(target, "");
        }
        for target in ["[fe80::1]:7100", "[fe80::1%lo]:7100", "127.0.0.1:0"] {
            contract.ask(target, "");
        }
        contract.has_seen(&["v6only", "add_address", "freebind", "scope"]);
        contract.has_seen(&["BIND_NOT_AVAILABLE", "BIND_REFUSED"]);
        fs::write(sysctl::file("net.ipv6.conf.lo.disable_ipv6"), "1").unwrap();
        contract.ask("[::1]:7100", "");
        contract.has_seen(&["enable_ipv6"]);
    });
}

#[test]
fn answers_about_the_last_ports_conform() {
    live(&[], || {
        let mut contract = Contract::new();
        sysctl::set("ip_local_port_range", "40000 40001");
        let _all = [bound("0.0.0.0", 40_000), bound("0.0.0.0", 40_001)];
        contract.ask(":0", "");
        contract.has_seen(&["widen_port_range", "BIND_IN_USE"]);
    });
}

#[test]
fn answers_about_a_privileged_port_conform() {
    live(&[Need::Setpriv], || {
        let mut contract = Contract::new();
        let server = listen_at("127.0.0.1", 80);
        for target in ["127.0.0.1:80", "127.0.0.1:81"] {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set", "-net_bind_service", PROGRAM]);
            let answer = contract.take(Netkit::by(command, &format!("bind --json {target}")));
            assert_eq!(answer["code"], 13, "{answer:#}");
            let is_held = target.ends_with(":80");
            assert_eq!(answer["blockers"].as_array().unwrap().len(), usize::from(is_held));
        }
        drop(server);
        contract.has_seen(&["BIND_NOT_PERMITTED", "grant_privilege"]);
    });
}

#[test]
fn answers_about_udp_conform() {
    live(&[Need::Ipv6], || {
        let mut contract = Contract::new();
        let open = UdpSocket::bind("127.0.0.1:0").unwrap();
        let connected = UdpSocket::bind("[::1]:0").unwrap();
        connected.connect("[::1]:9").unwrap();
        for socket in [&open, &connected] {
            for options in ["--udp", "--udp --reuse-addr", "--udp --reuse-port"] {
                contract.ask(socket.local_addr().unwrap().to_string(), options);
            }
        }
        contract.ask("127.0.0.1:7100", "--udp");
        contract.has_seen(&["udp", "stop_owner"]);
    });
}

#[test]
fn answers_about_unix_sockets_conform() {
    live(&[], || {
        let mut contract = Contract::new();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let _live = UnixListener::bind(path("live")).unwrap();
        let _datagrams = UnixDatagram::bind(path("datagrams")).unwrap();
        drop(UnixListener::bind(path("stale")).unwrap());
        fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
        for name in ["live", "datagrams", "stale", "file", "link", "free", "no/where", "."] {
            for kind in ["stream", "dgram", "seqpacket"] {
                let target = format!("unix:{}", path(name).display());
                contract.ask(target, &format!("--type {kind}"));
            }
        }
        assert!(!path("free").exists());
        contract.ask("unix:@nobody", "");
        contract.has_seen(&["unix_live", "unix_stale", "path"]);
        contract.has_seen(&["unlink", "another_path", "make_directory", "stop_owner"]);
    });
}

#[test]
fn answers_without_netlink_conform() {
    live(&[], || {
        let bound = bound("127.0.0.1", 0);
        let line = format!("bind --json {}", bound.local_addr().unwrap().as_socket().unwrap());
        without_netlink(|| {
            let mut contract = Contract::new();
            let answer = contract.take(netkit(&line));
            assert_eq!(answer["blockers"], json!([]), "/proc does not show it");
            assert_ne!(answer["warnings"], json!([]));
            assert_eq!(answer["frees_itself"], json!(null));
            contract.has_seen(&["BIND_UNEXPLAINED"]);
        });
    });
}

#[test]
fn free_ports_conform() {
    live(&[Need::Ipv6], || {
        let schema = Schema::of("free_ports");
        let _taken = bound("0.0.0.0", 7001);
        for options in ["", "--count 9", "--udp", "--count 3"] {
            for address in ["", "127.0.0.1", "[::1]"] {
                let line = format!("bind {address} --find-free 7000-7003 {options}");
                let answer = netkit(&format!("{line} --json")).run();
                let found = answer.json();
                schema.holds(&found);
                is_rfc_3339_utc(&found["captured_at"]);
                let ports = found["ports"].as_array().unwrap().len();
                let enough = json!(ports) == found["wanted"];
                assert_eq!(answer.code, Some(i32::from(!enough)), "{answer}");
            }
        }
        schema.holds(&netkit("bind --find-free 40000-40000 --json").run().json());
        let line = schema.definition("free_port");
        let rows = netkit("bind --find-free 7000-7003 --count 2 --format ndjson").run().rows();
        assert_eq!(rows.len(), 2);
        for row in rows {
            line.holds(&row);
        }
    });
}

#[test]
fn an_answer_that_is_not_one_does_not_conform() {
    live(&[], || {
        let schema = Schema::of("bind");
        let good = netkit("bind --json 127.0.0.1:7100").run().json();
        for (name, wrong) in [
            ("schema", json!("netkit.bind/2")),
            ("code", json!(98)),
            ("free", json!(false)),
            ("options", json!([])),
            ("frees_at", json!("2026-01-01T00:00:00Z")),
            ("protocol", json!("sctp")),
        ] {
            let mut bad = good.clone();
            bad[name] = wrong;
            assert!(!schema.takes(&bad), "{name}");
        }
    });
}
