//! The verdict by its rules, on captures, where ages and counters are known to the millisecond.

use serde_json::{Value, json};

use crate::harness::verdict::{destination, finding, findings, verdict_of};
use crate::harness::{Capture, netkit};

const FAR: &str = "10.0.0.2:80";

fn judged(capture: &Capture, options: &str) -> Value {
    verdict_of(netkit(&format!("states --time-wait --json {options}")).procfs(capture.root()))
}

/// A hundred ports, so that percents are ports.
fn narrow() -> Capture {
    Capture::new().sysctl("ip_local_port_range", "40000\t40099")
}

/// `used` of a hundred ports in TIME_WAIT.
fn used(used: u16) -> Capture {
    narrow().time_waits("10.0.0.1", 40_000..40_000 + used, FAR)
}

fn exit_code(capture: &Capture, options: &str) -> Option<i32> {
    netkit(&format!("states --time-wait --quiet {options}")).procfs(capture.root()).run().code
}

#[test]
fn severity_follows_the_share_of_ports_used() {
    let severity = |ports: u16| judged(&used(ports), "--crit-left 0")["pileup"]["severity"].clone();
    assert_eq!(severity(0), "ok");
    assert_eq!(severity(49), "ok");
    assert_eq!(severity(50), "warning");
    assert_eq!(severity(89), "warning");
    assert_eq!(severity(90), "critical");
    assert_eq!(severity(100), "critical");
}

#[test]
fn few_ports_left_are_critical_once_half_is_used() {
    assert_eq!(judged(&used(49), "")["pileup"]["severity"], "ok");
    assert_eq!(judged(&used(50), "")["pileup"]["severity"], "critical");
    assert_eq!(judged(&used(50), "--crit-left 50")["pileup"]["severity"], "warning");
    assert_eq!(judged(&used(50), "--crit-left 51")["pileup"]["severity"], "critical");
}

#[test]
fn thresholds_are_options() {
    let seen = judged(&used(10), "--warn-used 10 --crit-left 0");
    assert_eq!(findings(&seen), ["TW_PORTS_PRESSURE"]);
    assert_eq!(judged(&used(10), "--crit-used 10%")["pileup"]["severity"], "critical");
    let half = judged(&used(60), "--warn-used 70");
    assert_eq!(half["pileup"]["severity"], "ok", "{half:#}");
}

#[test]
fn fail_on_decides_the_exit_code() {
    let codes = |ports: u16| {
        ["", "--fail-on warning", "--fail-on critical", "--fail-on never"]
            .map(|option| exit_code(&used(ports), &format!("--crit-left 0 {option}")).unwrap())
    };
    assert_eq!(codes(10), [0, 0, 0, 0]);
    assert_eq!(codes(60), [0, 1, 0, 0]);
    assert_eq!(codes(95), [1, 1, 1, 0]);
}

#[test]
fn the_total_is_no_finding_unless_a_limit_is_given() {
    let many = Capture::new().time_waits("10.0.0.1", 33_000..46_000, FAR);
    assert_eq!(findings(&judged(&many, "")), [""; 0]);
    let seen = judged(&many, "--max-total 12999");
    assert_eq!(findings(&seen), ["TW_TOTAL_ABOVE_LIMIT"]);
    assert_eq!(exit_code(&many, "--max-total 12999"), Some(1));
    assert_eq!(exit_code(&many, "--max-total 13000"), Some(0));
}

#[test]
fn the_evidence_is_the_numbers_of_the_destination() {
    let capture = used(60).socket("ESTABLISHED", "10.0.0.1:40090", FAR);
    let seen = judged(&capture, "--crit-left 0");
    assert_eq!(findings(&seen), ["TW_LATENCY_CLIFF", "TW_PORTS_PRESSURE"]);
    let there = destination(&seen, "10.0.0.2", 80);
    let evidence = &finding(&seen, "TW_PORTS_PRESSURE")["evidence"];
    for (name, value) in evidence.as_object().unwrap() {
        assert_eq!(value, &there[name], "{name}");
    }
    let expected = json!({
        "source_address": "10.0.0.1", "destination_address": "10.0.0.2", "destination_port": 80,
        "time_wait": 60, "reusable": 0, "fin_wait2_mini": 0, "live": 1,
        "headroom": 39, "used_percent": 61.0,
        "rate_per_s": 0.0, "rate_60s_per_s": 1.0, "ceiling_per_s": 1.65, "hold_ms": 60_000,
        "exhaustion_s": null, "closed_here_first": 60, "closed_there_first": 0,
        "severity": "warning",
    });
    assert_eq!(*there, expected);
}

#[test]
fn who_closed_first_is_counted_by_state() {
    let capture = narrow()
        .time_waits("10.0.0.1", 40_000..40_003, FAR)
        .socket("FIN_WAIT1", "10.0.0.1:40010", FAR)
        .socket("FIN_WAIT2", "10.0.0.1:40011", FAR)
        .socket("CLOSING", "10.0.0.1:40012", FAR)
        .fin_wait2_mini("10.0.0.1:40013", FAR)
        .socket("CLOSE_WAIT", "10.0.0.1:40014", FAR)
        .socket("LAST_ACK", "10.0.0.1:40015", FAR)
        .socket("ESTABLISHED", "10.0.0.1:40016", FAR)
        .socket("SYN_SENT", "10.0.0.1:40017", FAR);
    let seen = judged(&capture, "");
    let there = destination(&seen, "10.0.0.2", 80);
    assert_eq!(there["closed_here_first"], 7, "{there}");
    assert_eq!(there["closed_there_first"], 2, "{there}");
    assert_eq!((&there["live"], &there["headroom"]), (&7.into(), &89.into()), "{there}");
}

#[test]
fn a_rate_near_the_ceiling_is_a_warning_and_one_above_is_critical() {
    // 600 ports and 60 s: ten a second for ever.
    let closing = |per_second: u16| {
        let mut capture = Capture::new().sysctl("ip_local_port_range", "40000\t40599");
        for port in 40_000..40_000 + per_second {
            capture = capture.time_wait(&format!("10.0.0.1:{port}"), FAR, 59_500);
        }
        judged(&capture, "")
    };
    assert_eq!(findings(&closing(7)), [""; 0]);
    let near = closing(8);
    assert_eq!(findings(&near), ["TW_RATE_NEAR_CEILING"]);
    assert_eq!(near["pileup"]["severity"], "warning");
    assert_eq!(destination(&near, "10.0.0.2", 80)["exhaustion_s"], Value::Null);
    let above = closing(20);
    assert_eq!(findings(&above), ["TW_RATE_ABOVE_CEILING"]);
    assert_eq!(above["pileup"]["severity"], "critical");
    assert_eq!(destination(&above, "10.0.0.2", 80)["exhaustion_s"], 29.0);
}

#[test]
fn reuse_frees_what_is_older_than_the_delay() {
    let capture = narrow()
        .sysctl("tcp_tw_reuse", "1")
        .sysctl("tcp_tw_reuse_delay", "5000")
        .time_wait("10.0.0.1:40000", FAR, 54_990)
        .time_wait("10.0.0.1:40001", FAR, 55_010)
        .time_wait("10.0.0.1:40002", FAR, 59_990)
        .fin_wait2_mini("10.0.0.1:40003", FAR);
    let seen = judged(&capture, "");
    let there = destination(&seen, "10.0.0.2", 80);
    assert_eq!((&there["reusable"], &there["headroom"]), (&1.into(), &97.into()), "{there}");
    assert_eq!((&there["hold_ms"], &there["ceiling_per_s"]), (&5000.into(), &20.0.into()));
}

#[test]
fn the_mode_of_reuse_decides_which_destinations_it_covers() {
    let reusable = |mode: &str, near: &str, far: &str| {
        let capture = narrow().sysctl("tcp_tw_reuse", mode).time_waits(near, 40_000..40_003, far);
        let seen = judged(&capture, "");
        seen["pileup"]["destinations"][0]["reusable"].as_u64().unwrap()
    };
    assert_eq!(reusable("0", "127.0.0.1", "127.0.0.1:80"), 0);
    assert_eq!(reusable("2", "127.0.0.1", "127.0.0.1:80"), 3);
    assert_eq!(reusable("2", "[::1]", "[::1]:80"), 3);
    assert_eq!(reusable("2", "[::ffff:127.0.0.1]", "[::ffff:127.9.9.9]:80"), 3);
    assert_eq!(reusable("2", "10.0.0.1", "10.0.0.1:80"), 0);
    assert_eq!(reusable("1", "10.0.0.1", "10.0.0.2:80"), 3);
    assert_eq!(reusable("1", "[fd00::1]", "[fd00::2]:80"), 3);
}

#[test]
fn a_service_in_the_port_range_is_a_service_by_its_listener() {
    let capture = narrow()
        .listen("[::]:40050")
        .time_waits("[::ffff:10.0.0.9]", 50_000..50_001, "[::ffff:10.0.0.8]:40050")
        .time_wait("[::ffff:10.0.0.1]:40050", "[::ffff:10.0.0.9]:40001", 30_000)
        .time_wait("[::ffff:10.0.0.1]:40050", "[::ffff:10.0.0.9]:40002", 30_000);
    let seen = judged(&capture, "");
    let expected = json!([{"address": "::", "port": 40_050, "time_wait": 2}]);
    assert_eq!(seen["pileup"]["services"], expected, "{seen:#}");
    assert_eq!(seen["pileup"]["ephemeral"]["bound"], 1);
}

#[test]
fn where_nothing_tells_the_side_fan_out_does() {
    let clients = narrow().time_waits("10.0.0.1", 40_000..40_004, "10.0.0.2:40050");
    let seen = judged(&clients, "");
    assert_eq!(destination(&seen, "10.0.0.2", 40_050)["time_wait"], 4);
    assert_eq!(seen["pileup"]["services"], json!([]));
    let mut server = narrow();
    for port in 40_000..40_004 {
        server = server.time_wait("10.0.0.1:40050", &format!("10.0.0.2:{port}"), 30_000);
    }
    let seen = judged(&server, "");
    assert_eq!(seen["pileup"]["destinations"], json!([]));
    let expected = json!([{"address": "10.0.0.1", "port": 40_050, "time_wait": 4}]);
    assert_eq!(seen["pileup"]["services"], expected);
    let tie = judged(&narrow().time_wait("10.0.0.1:40050", "10.0.0.2:40051", 30_000), "");
    assert_eq!(tie["pileup"]["side_unknown"], 1);
    assert_eq!(tie["pileup"]["destinations"], json!([]));
}

#[test]
fn a_filter_chooses_what_is_judged_and_not_what_is_counted() {
    let capture = used(95).time_waits("10.0.0.1", 40_000..40_005, "10.0.0.3:443");
    let other = judged(&capture, "--remote 10.0.0.3");
    assert_eq!(other["pileup"]["severity"], "ok", "{other:#}");
    assert_eq!(destination(&other, "10.0.0.3", 443)["headroom"], 95);
    assert_eq!(other["pileup"]["destinations"].as_array().unwrap().len(), 1);
    assert_eq!(exit_code(&capture, "--remote-port 443"), Some(0));
    assert_eq!(exit_code(&capture, "--remote-port 80"), Some(1));
}

#[test]
fn overflows_of_the_past_are_a_note() {
    let seen = judged(&Capture::new().overflows(17), "--fail-on warning");
    assert_eq!(findings(&seen), ["TW_OVERFLOWED"]);
    assert_eq!(finding(&seen, "TW_OVERFLOWED")["severity"], "info");
    assert_eq!(seen["pileup"]["severity"], "ok");
    assert_eq!(exit_code(&Capture::new().overflows(17), "--fail-on warning"), Some(0));
}

#[test]
fn ages_are_counted_by_tens_of_seconds() {
    let capture = Capture::new()
        .time_wait("10.0.0.1:40000", FAR, 59_000)
        .time_wait("10.0.0.1:40001", FAR, 50_010)
        .time_wait("10.0.0.1:40002", FAR, 50_000)
        .time_wait("10.0.0.1:40003", FAR, 10)
        .time_wait("10.0.0.1:40004", FAR, 0);
    let seen = judged(&capture, "");
    let ages = seen["pileup"]["ages"].as_array().unwrap().iter();
    let counts: Vec<_> = ages.map(|it| it["sockets"].as_u64().unwrap()).collect();
    assert_eq!(counts, [2, 1, 0, 0, 0, 1, 1]);
}

#[test]
fn the_advice_is_in_order_and_names_no_folklore() {
    for capture in [used(60), used(100), used(60).sysctl("tcp_timestamps", "0")] {
        let seen = judged(&capture, "");
        for finding in seen["findings"].as_array().unwrap() {
            let advice = finding["advice"].to_string();
            assert!(!advice.contains("tcp_tw_recycle"), "{finding:#}");
            assert!(!advice.contains("tcp_fin_timeout"), "{finding:#}");
            assert!(!advice.contains("lower"), "{finding:#}");
        }
        let ports = finding_on_ports(&seen);
        let position = |word: &str| {
            let advice = ports["advice"].as_array().unwrap();
            advice.iter().position(|it| it.as_str().unwrap().contains(word)).unwrap()
        };
        let order = [
            "keep connections",
            "let the server close first",
            "ip_local_port_range",
            "use more addresses",
            "tcp_tw_reuse = 1",
        ];
        assert!(order.map(position).is_sorted(), "{ports:#}");
        let said = netkit("states --time-wait").procfs(capture.root()).run().stdout;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("tcp_fin_timeout does not change TIME_WAIT"), "{said}");
        assert!(!said.contains("tcp_tw_recycle = "), "{said}");
    }
}

fn finding_on_ports(seen: &Value) -> &Value {
    let all = seen["findings"].as_array().unwrap();
    all.iter().find(|it| it["id"].as_str().unwrap().starts_with("TW_PORTS")).unwrap()
}

#[test]
fn every_finding_is_one_of_the_catalogue() {
    let known: Vec<_> = netkit::catalogue::findings::FINDINGS.iter().map(|it| it.id).collect();
    let captures = [used(60), used(100), used(3).overflows(1).sysctl("tcp_timestamps", "0")];
    for capture in captures {
        for id in findings(&judged(&capture, "--max-total 1")) {
            assert!(known.contains(&id.as_str()), "{id}");
        }
    }
}
