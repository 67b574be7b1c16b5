//! The JSON contract: real answers of `netkit connect` against docs/schema/connect.json.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;

use serde_json::{Value, json};

use crate::harness::needs::run;
use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::sockets::{bound, listen, port};
use crate::harness::{Netkit, Schema, live, netkit, sysctl};

#[test]
fn the_schemas_are_complete() {
    Schema::of("connect").is_complete();
    Schema::of("connect_codes").is_complete();
}

/// The answer of a run, which keeps to the schema; so do its lines as ndjson.
#[track_caller]
fn conforming(line: &str) -> Value {
    let answer = netkit(&format!("connect --json {line}")).run();
    let value = answer.json();
    Schema::of("connect").holds(&value);
    is_rfc_3339_utc(&value["captured_at"]);
    let results = value["results"].as_array().unwrap();
    let is_met = results.iter().all(|it| it["met"] == true);
    assert_eq!(is_met, answer.code == Some(0), "{answer}");
    for row in netkit(&format!("connect --format ndjson {line}")).run().rows() {
        Schema::of("connect").definition("result").holds(&row);
    }
    value
}

#[track_caller]
fn first_result(line: &str) -> Value {
    conforming(line)["results"][0].take()
}

#[track_caller]
fn found(line: &str) -> Vec<String> {
    let value = conforming(line);
    let findings = value["findings"].as_array().unwrap().iter();
    findings.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn answers_about_tcp_conform() {
    let server = listen("127.0.0.1");
    let open = server.local_addr().unwrap();
    let gone = listen("127.0.0.1").local_addr().unwrap();
    let result = first_result(&open.to_string());
    assert_eq!((&result["outcome"], &result["connect_ex"]), (&json!("connected"), &json!(0)));
    assert_eq!(result["local"]["address"], "127.0.0.1", "{result}");
    assert!(result["rtt_us"].is_u64() && result["syn_retransmits"] == 0, "{result}");
    let result = first_result(&gone.to_string());
    assert_eq!((&result["outcome"], &result["code"]), (&json!("refused"), &json!(111)));
    assert_eq!((&result["name"], &result["icmp"]), (&json!("ECONNREFUSED"), &Value::Null));
    let nonblock = first_result(&format!("--nonblock {gone}"));
    assert_eq!((&nonblock["connect_ex"], &nonblock["code"]), (&json!(115), &json!(111)));
    let block = first_result(&format!("--block --close fin {open}"));
    assert_eq!((&block["connect_ex"], &block["deadline"]), (&json!(0), &json!(false)));
}

#[test]
fn answers_about_udp_conform() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let result = first_result(&format!("-t 50ms udp://{address}"));
    assert_eq!((&result["outcome"], &result["stage"]), (&json!("timed_out"), &json!("reply")));
    assert_eq!((&result["connect_ex"], &result["deadline"]), (&json!(0), &json!(true)));
    drop(silent);
    let result = first_result(&format!("udp://{address}"));
    assert_eq!((&result["outcome"], &result["code"]), (&json!("refused"), &json!(111)));
    assert_eq!(result["icmp"], json!({ "type": 3, "code": 3, "from": "127.0.0.1" }));
}

#[test]
fn a_datagram_that_is_answered_is_a_connection() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let mut question = [0; 64];
        for _ in 0..2 {
            let (length, from) = server.recv_from(&mut question).unwrap();
            assert_eq!(&question[..length], b"ping\n");
            server.send_to(b"pong\0", from).unwrap();
        }
    });
    let result = first_result(&format!(r"udp://{address} --send ping\n"));
    assert_eq!((&result["outcome"], &result["reply"]), (&json!("connected"), &json!("pong\0")));
    answering.join().unwrap();
}

#[test]
fn answers_about_unix_sockets_conform() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let target = format!("unix:{}", path.display());
    assert_eq!(first_result(&target)["name"], "ENOENT");
    let server = UnixListener::bind(&path).unwrap();
    assert_eq!(first_result(&target)["outcome"], "connected");
    let wrong = first_result(&format!("--type dgram {target}"));
    assert_eq!((&wrong["name"], &wrong["outcome"]), (&json!("EPROTOTYPE"), &json!("local_error")));
    assert!(wrong["advice"].to_string().contains("--type stream"), "{wrong}");
    drop(server);
    assert_eq!(found(&target), ["CONNECT_STALE_SOCKET"]);
}

#[test]
fn a_name_without_an_address_has_its_code() {
    let result = first_result("no..name:80");
    assert_eq!(
        (&result["outcome"], &result["stage"]),
        (&json!("resolve_failed"), &json!("resolve"))
    );
    assert!(result["code"].as_i64() < Some(0) && result["address"] == Value::Null, "{result}");
    assert!(result["name"].as_str().unwrap().starts_with("EAI_"), "{result}");
}

#[test]
fn statistics_and_layers_conform() {
    let server = listen("127.0.0.1");
    let open = server.local_addr().unwrap();
    let value = conforming(&format!("--count 3 --interval 1ms {open}"));
    let sequence: Vec<_> =
        value["results"].as_array().unwrap().iter().map(|it| it["sequence"].as_u64()).collect();
    assert_eq!(sequence, [Some(1), Some(2), Some(3)]);
    let statistics = &value["statistics"][0];
    assert_eq!((&statistics["attempts"], &statistics["met"]), (&json!(3), &json!(3)));
    assert_eq!(statistics["outcomes"], json!({ "connected": 3 }));
    let value = conforming(&format!("--layers {open}"));
    let layers = value["results"][0]["layers"].as_array().unwrap();
    let status = |step: &str| &layers.iter().find(|it| it["step"] == step).unwrap()["status"];
    assert_eq!((status("transport"), status("application")), (&json!("ok"), &json!("unknown")));
}

#[test]
fn what_this_machine_knows_of_its_own_ports_is_found() {
    live(&[], || {
        sysctl::set("ip_local_port_range", "40000 60999");
        // Bound, and not listening.
        let held = bound("127.0.0.1", 0);
        assert_eq!(found(&format!("127.0.0.1:{}", port(&held))), ["CONNECT_NOT_LISTENING"]);
        // At another address.
        let server = TcpListener::bind("127.0.0.2:7001").unwrap();
        assert_eq!(found("127.0.0.1:7001"), ["CONNECT_LISTENS_ELSEWHERE"]);
        let value = conforming("127.0.0.1:7001");
        assert_eq!(value["findings"][0]["evidence"], json!({ "listens_at": "127.0.0.2:7001" }));
        drop(server);
        // Nobody accepts: the second fills the queue, and is taken; nothing is said to the third.
        held.listen(1).unwrap();
        let target = format!("127.0.0.1:{}", port(&held));
        let first = TcpStream::connect(&target).unwrap();
        let second = TcpStream::connect(&target).unwrap();
        let value = conforming(&format!("-t 50ms {target}"));
        assert_eq!(value["results"][0]["outcome"], "timed_out");
        let finding = &value["findings"][0];
        assert_eq!(finding["id"], "CONNECT_ACCEPT_QUEUE_FULL");
        assert_eq!(finding["evidence"], json!({ "waiting": 2, "backlog": 1 }));
        drop((first, second));
    });
}

#[test]
fn what_is_wrong_with_this_machine_is_found() {
    live(&[], || {
        for (kind, network) in [("blackhole", 1), ("prohibit", 2), ("unreachable", 3)] {
            run(&format!("ip route add {kind} 10.9.{network}.0/24"));
            let value = conforming(&format!("10.9.{network}.1:80"));
            assert_eq!(value["findings"][0]["id"], "CONNECT_ROUTE_FORBIDS");
            assert_eq!(value["findings"][0]["evidence"], json!({ "route": kind }));
        }
        assert_eq!(found("10.8.0.1:80"), ["CONNECT_NO_ROUTE"]);
        sysctl::set("ip_local_port_range", "41000 41001");
        assert_eq!(found("127.0.0.1:41000"), ["CONNECT_SELF"]);
        let server = TcpListener::bind("127.0.0.1:7000").unwrap();
        let taken = [(); 2].map(|()| TcpStream::connect("127.0.0.1:7000").unwrap());
        let value = conforming("127.0.0.1:7000");
        let finding = &value["findings"][0];
        assert_eq!(finding["id"], "CONNECT_PORTS_EXHAUSTED", "{value:#}");
        assert_eq!(
            (&finding["evidence"]["ports_usable"], &finding["evidence"]["ports_taken"]),
            (&json!(2), &json!(2))
        );
        drop((server, taken));
        run("ip link set lo down");
        assert_eq!(found("-t 50ms 127.0.0.1:7000"), ["CONNECT_LOOPBACK_DOWN"]);
    });
}

#[test]
fn the_table_of_codes_conforms() {
    let value = netkit("connect --codes --json").run().exits(0).quietly().json();
    Schema::of("connect_codes").holds(&value);
    for row in netkit("connect --codes --format ndjson").run().exits(0).rows() {
        Schema::of("connect_codes").definition("code").holds(&row);
    }
}

/// A run by another user, for whom all of it works too.
#[test]
fn a_user_without_rights_has_the_same_answer() {
    use crate::harness::{Need, Nobody};
    live(&[Need::Root, Need::Setpriv], || {
        let nobody = Nobody::new();
        let ask = |netkit: Netkit| netkit.run().exits(1).json()["results"][0].take();
        let line = "connect --json 127.0.0.1:9";
        let (own, his) = (ask(netkit(line)), ask(nobody.netkit(line)));
        for member in ["outcome", "code", "causes", "advice"] {
            assert_eq!(own[member], his[member]);
        }
    });
}
