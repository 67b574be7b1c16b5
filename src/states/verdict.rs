//! The findings: what the numbers of a pileup mean, in words, and what helps in which order.

use serde_json::{Map, Value, json};

use super::pileup::{Around, DestinationVerdict, Pileup, Thresholds};
use crate::catalogue::counters::{self, TIME_WAIT_OVERFLOW};
use crate::catalogue::findings as ids;
use crate::catalogue::time_wait::CLOSE_ELSEWHERE;
use crate::model::{Endpoint, Finding, Severity};
use crate::output::numbers::{count, duration, float, rate, thousands};

/// Bytes that a mini-socket takes: a slab slot of `tw_sock_TCP`, measured on Linux 6.18.
pub(super) const MINI_SOCKET_BYTES: u64 = 256;
/// The widest range that leaves the privileged ports alone, and its size.
const WIDEST: (u16, u16, u64) = (1024, 65_535, 64_512);

/// All findings, the worst first.
pub(super) fn findings(pileup: &Pileup, around: &Around<'_>, limits: &Thresholds) -> Vec<Finding> {
    let mut findings: Vec<Finding> = pileup
        .destinations
        .iter()
        .filter(|there| there.severity > Some(Severity::Ok))
        .flat_map(|there| destination(there, pileup, limits))
        .collect();
    findings.extend(buckets(pileup, limits));
    findings.extend(overflow(pileup, around));
    findings.extend(timestamps(pileup));
    findings.extend(mostly_fin_wait2(pileup));
    findings.extend(total(pileup, limits));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Whether connect(2) is slow: it tries all ports of one parity before those of the other
/// (`net/ipv4/inet_hashtables.c`, `__inet_hash_connect`), so past half of them it searches twice.
pub(super) fn is_past_cliff(there: &DestinationVerdict) -> bool {
    there.used_percent >= Some(50.0)
}

/// `10.0.3.7 to 10.0.9.20:5432`
pub(super) fn route(there: &DestinationVerdict) -> String {
    format!("{} to {}", there.source_address, far_end(there))
}

/// `10.0.9.20:5432`
pub(super) fn far_end(there: &DestinationVerdict) -> String {
    Endpoint::new(there.destination_address, there.destination_port).to_string()
}

fn destination(
    there: &DestinationVerdict,
    pileup: &Pileup,
    limits: &Thresholds,
) -> impl Iterator<Item = Finding> {
    let make = |id, severity, message| Finding {
        id,
        severity,
        subject: route(there),
        message,
        evidence: evidence(there),
        advice: port_advice(there, pileup),
    };
    let severity = there.severity.unwrap_or_default();
    let used = there.used_percent.unwrap_or(0.0);
    let ceiling = there.ceiling_per_s.unwrap_or(0.0);
    let ports = if there.headroom == Some(0) {
        Some(make(ids::TW_PORTS_EXHAUSTED, Severity::Critical, exhausted(there)))
    } else if used >= limits.warn_used.min(limits.crit_used) {
        Some(make(ids::TW_PORTS_PRESSURE, severity, pressure(there)))
    } else {
        None
    };
    let is_above = there.rate_per_s > 0.0
        && (there.rate_per_s >= ceiling || (ports.is_none() && severity == Severity::Critical));
    let pace = if is_above {
        Some(make(ids::TW_RATE_ABOVE_CEILING, Severity::Critical, too_fast(there)))
    } else if there.rate_per_s > ceiling * limits.warn_rate / 100.0 {
        Some(make(ids::TW_RATE_NEAR_CEILING, Severity::Warning, nearly_too_fast(there)))
    } else {
        None
    };
    let slow = if used >= limits.warn_used { Severity::Warning } else { Severity::Info };
    let cliff = is_past_cliff(there).then(|| {
        let message = format!(
            "connect() from {} is slow: past half of the ports the kernel searches twice",
            route(there)
        );
        make(ids::TW_LATENCY_CLIFF, slow, message)
    });
    ports.into_iter().chain(pace).chain(cliff)
}

fn exhausted(there: &DestinationVerdict) -> String {
    format!(
        "{} cannot open another connection to {}: connect() fails with EADDRNOTAVAIL (99)",
        there.source_address,
        far_end(there)
    )
}

fn pressure(there: &DestinationVerdict) -> String {
    format!(
        "{} can open only {} to {}",
        there.source_address,
        count(there.headroom.unwrap_or(0), "more connection"),
        far_end(there)
    )
}

fn too_fast(there: &DestinationVerdict) -> String {
    let left = match there.exhaustion_s {
        None => String::new(),
        Some(seconds) if seconds <= 0.0 => "; none is left now".to_owned(),
        Some(seconds) => format!("; all are used up in {} at this rate", duration(seconds)),
    };
    format!(
        "{} closed {} to {} in the last second, and its ports allow {}/s{left}",
        there.source_address,
        count(crate::output::numbers::whole(there.rate_per_s), "connection"),
        far_end(there),
        rate(there.ceiling_per_s.unwrap_or(0.0)),
    )
}

fn nearly_too_fast(there: &DestinationVerdict) -> String {
    format!(
        "{} closes {}/s to {}, near the {}/s that its ports allow",
        there.source_address,
        rate(there.rate_per_s),
        far_end(there),
        rate(there.ceiling_per_s.unwrap_or(0.0)),
    )
}

fn evidence(there: &DestinationVerdict) -> Map<String, Value> {
    members(json!({
        "time_wait": there.time_wait,
        "reusable": there.reusable,
        "fin_wait2_mini": there.fin_wait2_mini,
        "live": there.live,
        "headroom": there.headroom,
        "used_percent": there.used_percent,
        "rate_per_s": there.rate_per_s,
        "ceiling_per_s": there.ceiling_per_s,
        "hold_ms": there.hold_ms,
        "exhaustion_s": there.exhaustion_s,
        "closed_here_first": there.closed_here_first,
    }))
}

fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// What helps against a shortage of ports, most useful first.
fn port_advice(there: &DestinationVerdict, pileup: &Pileup) -> Vec<String> {
    let far = far_end(there);
    let mut advice = vec![format!(
        "keep connections to {far} open (a pool, keep-alive): {} closed in the last minute, {} \
         open now",
        thousands(there.time_wait),
        thousands(there.live)
    )];
    if there.closed_here_first > 0 {
        advice.push(CLOSE_ELSEWHERE.to_owned());
    }
    let (low, high, ports) = WIDEST;
    if pileup.ephemeral.low > Some(low) || pileup.ephemeral.high < Some(high) {
        advice.push(format!(
            "widen net.ipv4.ip_local_port_range (\"{low} {high}\" gives {}) and put the ports of \
             your services into net.ipv4.ip_local_reserved_ports",
            thousands(ports)
        ));
    }
    advice.push(format!(
        "use more addresses: each further source address, destination address or port has its own \
         ports (IP_BIND_ADDRESS_NO_PORT where {} is bound)",
        there.source_address
    ));
    advice.extend(reuse_advice(there, pileup));
    advice
}

/// `tcp_tw_reuse = 1`, if that is not what is on already.
fn reuse_advice(there: &DestinationVerdict, pileup: &Pileup) -> Option<String> {
    let delay = duration(f64::from(pileup.reuse.delay_ms) / 1000.0);
    match (pileup.reuse.timestamps, there.is_reuse_on) {
        (_, true) => None,
        (Some(false), _) => Some(format!(
            "net.ipv4.tcp_timestamps = 1 on both ends, then net.ipv4.tcp_tw_reuse = 1: ports come \
             back after {delay} instead of 60 s"
        )),
        _ => Some(format!(
            "net.ipv4.tcp_tw_reuse = 1 (timestamps must be on at both ends): ports come back after \
             {delay} instead of 60 s"
        )),
    }
}

/// The limit on mini-sockets.
fn buckets(pileup: &Pileup, limits: &Thresholds) -> Option<Finding> {
    let limit = pileup.bucket_limit?;
    let now = pileup.buckets_used;
    let used = pileup.buckets_used_percent?;
    let warning_at = f64::from(limit) * limits.warn_buckets / 100.0;
    let (id, severity) = if now >= u64::from(limit) {
        (ids::TW_BUCKETS_FULL, Severity::Critical)
    } else if float(now) >= warning_at {
        (ids::TW_BUCKETS_PRESSURE, Severity::Warning)
    } else {
        return None;
    };
    let of_limit =
        format!("{} of {} TIME_WAIT buckets are used", thousands(now), thousands(u64::from(limit)));
    let message = match (limit, severity) {
        (0, _) => "net.ipv4.tcp_max_tw_buckets is 0: no socket enters TIME_WAIT".to_owned(),
        (_, Severity::Critical) => format!("{of_limit}: sockets close without TIME_WAIT"),
        _ => of_limit,
    };
    Some(Finding {
        id,
        severity,
        subject: "net.ipv4.tcp_max_tw_buckets".to_owned(),
        message,
        evidence: members(json!({
            "used": now,
            "limit": limit,
            "used_percent": used,
            "overflows_since_boot": pileup.overflows_since_boot,
        })),
        advice: vec![bucket_advice(pileup)],
    })
}

/// The one thing that helps against a full table: a larger one.
fn bucket_advice(pileup: &Pileup) -> String {
    let room = u64::from(pileup.bucket_limit.unwrap_or(0)).saturating_mul(2).max(131_072);
    format!(
        "raise net.ipv4.tcp_max_tw_buckets to {}: {} in all if they are all used; TIME_WAIT \
         protects the next connection from the last one's segments",
        room,
        size(room * MINI_SOCKET_BYTES)
    )
}

/// `34 MB`, `12 kB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{} MB", thousands((bytes + 500_000) / 1_000_000)),
    }
}

/// Sockets that skipped TIME_WAIT.
fn overflow(pileup: &Pileup, around: &Around<'_>) -> Option<Finding> {
    let since_boot = pileup.overflows_since_boot.filter(|count| *count > 0)?;
    let sampled = around.sample.and_then(|sample| Some((sample.overflows?, sample.seconds)));
    let (id, severity, message) = match sampled {
        Some((grown, seconds)) if grown > 0 => (
            ids::TW_OVERFLOWING,
            Severity::Warning,
            format!(
                "{} closed without TIME_WAIT within {}",
                count(grown, "socket"),
                duration(seconds)
            ),
        ),
        _ => (
            ids::TW_OVERFLOWED,
            Severity::Info,
            format!("{} closed without TIME_WAIT since boot", count(since_boot, "socket")),
        ),
    };
    let mut advice = vec![bucket_advice(pileup)];
    if sampled.is_none() {
        advice.push("`--sample 5s` tells whether it goes on".to_owned());
    }
    Some(Finding {
        id,
        severity,
        subject: counters::full_name(TIME_WAIT_OVERFLOW),
        message,
        evidence: members(json!({
            "overflows_since_boot": since_boot,
            "overflows_in_sample": sampled.map(|(grown, _)| grown),
        })),
        advice,
    })
}

/// Reuse that is switched on and cannot work.
fn timestamps(pileup: &Pileup) -> Option<Finding> {
    let is_blocked = pileup.reuse.timestamps == Some(false)
        && pileup.reuse.tcp_tw_reuse.is_some_and(|on| on > 0);
    if !is_blocked {
        return None;
    }
    let hurts = pileup.destinations.iter().any(|there| there.severity > Some(Severity::Ok));
    Some(Finding {
        id: ids::TW_REUSE_BLOCKED_BY_TIMESTAMPS,
        severity: if hurts { Severity::Warning } else { Severity::Info },
        subject: "net.ipv4.tcp_timestamps".to_owned(),
        message:
            "net.ipv4.tcp_tw_reuse is on, and can reuse nothing while net.ipv4.tcp_timestamps \
                  is 0"
                .to_owned(),
        evidence: members(json!({
            "tcp_tw_reuse": pileup.reuse.tcp_tw_reuse,
            "tcp_timestamps": 0,
        })),
        advice: vec!["net.ipv4.tcp_timestamps = 1, the default, here and on the peers".to_owned()],
    })
}

/// `sockstat` and `ss -s` call both kinds of mini-sockets "timewait".
fn mostly_fin_wait2(pileup: &Pileup) -> Option<Finding> {
    let (waits, minis) = (pileup.time_wait, pileup.fin_wait2_mini);
    (minis > waits).then(|| Finding {
        id: ids::TW_MOSTLY_FIN_WAIT2,
        severity: Severity::Info,
        subject: "FIN_WAIT2".to_owned(),
        message: format!(
            "of the {} that the kernel counts as `tw`, {} are FIN_WAIT2: their peers have not closed",
            count(waits + minis, "socket"),
            thousands(minis)
        ),
        evidence: members(json!({ "time_wait": waits, "fin_wait2_mini": minis })),
        advice: vec![
            "find out why the peers keep their ends open; net.ipv4.tcp_fin_timeout bounds how long \
             these wait"
                .to_owned(),
        ],
    })
}

/// The user's own limit.
fn total(pileup: &Pileup, limits: &Thresholds) -> Option<Finding> {
    let limit = limits.max_total.filter(|limit| pileup.time_wait > *limit)?;
    Some(Finding {
        id: ids::TW_TOTAL_ABOVE_LIMIT,
        severity: Severity::Critical,
        subject: "TIME_WAIT".to_owned(),
        message: format!(
            "{} in TIME_WAIT, and --max-total allows {}",
            count(pileup.time_wait, "socket"),
            thousands(limit)
        ),
        evidence: members(json!({ "time_wait": pileup.time_wait, "limit": limit })),
        advice: vec!["`netkit states --time-wait --by remote` shows where they are".to_owned()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::counters::{SockStat, TcpCounters};
    use crate::kernel::tcp_settings::{TcpSettings, TwReuse};
    use crate::model::test_sockets::time_wait;
    use crate::model::{PortRange, TcpState};
    use crate::states::census::Census;
    use crate::states::filter::Filter;
    use crate::states::pileup::LIMITS;
    use crate::states::pileup::{Sample, judge};

    fn settings() -> TcpSettings {
        TcpSettings {
            port_range: Some(PortRange { low: 40_000, high: 40_009 }),
            tw_reuse: Some(TwReuse::Loopback),
            tw_reuse_delay_ms: Some(1000),
            timestamps: Some(true),
            max_tw_buckets: Some(100),
            ..TcpSettings::default()
        }
    }

    /// The findings on ten TIME_WAITs from ten ports, with the rest changed by `change`.
    fn found(change: impl FnOnce(&mut TcpSettings, &mut Surroundings)) -> Vec<Finding> {
        let mut settings = settings();
        let mut other = Surroundings::default();
        change(&mut settings, &mut other);
        let mut census = Census::new(&settings);
        for port in 40_000..40_010 {
            let mut row = time_wait(&format!("10.0.0.1:{port}"), "10.0.0.2:80", 30_000);
            if other.fin_wait2 {
                row.state = TcpState::FIN_WAIT2;
            }
            census.add(&row);
        }
        census.settle();
        let around = Around {
            settings: &settings,
            sockstat: SockStat { time_wait: other.minis, ..SockStat::default() },
            counters: TcpCounters { tw_overflow: other.overflows, ..TcpCounters::default() },
            sample: other.sample,
            unseen_bound: 0,
        };
        let limits = Thresholds { max_total: other.max_total, ..LIMITS };
        judge(&census, &around, &limits, &Filter::default()).1
    }

    #[derive(Default)]
    struct Surroundings {
        fin_wait2: bool,
        minis: Option<u64>,
        overflows: Option<u64>,
        sample: Option<Sample>,
        max_total: Option<u64>,
    }

    fn by_id<'a>(findings: &'a [Finding], id: &str) -> &'a Finding {
        findings.iter().find(|finding| finding.id == id).expect(id)
    }

    #[test]
    fn advice_comes_in_the_right_order_and_never_harms() {
        let findings = found(|_, _| {});
        let advice = &by_id(&findings, ids::TW_PORTS_EXHAUSTED).advice;
        let starts =
            ["keep connections", "let the server", "widen", "use more", "net.ipv4.tcp_tw_reuse"];
        assert_eq!(advice.len(), starts.len());
        for (advice, start) in advice.iter().zip(starts) {
            assert!(advice.starts_with(start), "{advice}");
        }
        for advice in findings.iter().flat_map(|finding| &finding.advice) {
            assert!(!advice.contains("recycle") && !advice.contains("lower"), "{advice}");
        }
    }

    #[test]
    fn reuse_is_not_advised_where_it_works() {
        let findings = found(|settings, _| settings.tw_reuse = Some(TwReuse::Everywhere));
        assert!(
            findings.iter().all(|finding| finding.advice.iter().all(|it| !it.contains("tw_reuse")))
        );
    }

    #[test]
    fn timestamps_that_block_reuse_are_found() {
        let findings = found(|settings, _| settings.timestamps = Some(false));
        let blocked = by_id(&findings, ids::TW_REUSE_BLOCKED_BY_TIMESTAMPS);
        assert_eq!(blocked.severity, Severity::Warning);
        let findings = found(|settings, _| {
            settings.timestamps = Some(false);
            settings.tw_reuse = Some(TwReuse::Off);
        });
        assert!(findings.iter().all(|it| it.id != ids::TW_REUSE_BLOCKED_BY_TIMESTAMPS));
    }

    #[test]
    fn buckets_warn_and_are_full() {
        let findings = found(|_, other| other.minis = Some(80));
        assert_eq!(by_id(&findings, ids::TW_BUCKETS_PRESSURE).severity, Severity::Warning);
        let findings = found(|_, other| other.minis = Some(100));
        assert_eq!(by_id(&findings, ids::TW_BUCKETS_FULL).severity, Severity::Critical);
        let findings = found(|settings, _| settings.max_tw_buckets = Some(u32::MAX));
        assert!(findings.iter().all(|it| !it.id.starts_with("TW_BUCKETS")), "-1 is no limit");
    }

    #[test]
    fn an_overflow_is_a_warning_only_while_it_grows() {
        let findings = found(|_, other| other.overflows = Some(7));
        assert_eq!(by_id(&findings, ids::TW_OVERFLOWED).severity, Severity::Info);
        let findings = found(|_, other| {
            other.overflows = Some(7);
            let before = TcpCounters { tw_overflow: Some(2), ..TcpCounters::default() };
            let after = TcpCounters { tw_overflow: Some(7), ..TcpCounters::default() };
            other.sample = Some(Sample::between(&before, &after, 5.0));
        });
        let overflowing = by_id(&findings, ids::TW_OVERFLOWING);
        assert_eq!(overflowing.message, "5 sockets closed without TIME_WAIT within 5 s");
    }

    #[test]
    fn fin_wait2_is_called_by_its_name() {
        let findings = found(|_, other| other.fin_wait2 = true);
        let message = &by_id(&findings, ids::TW_MOSTLY_FIN_WAIT2).message;
        assert!(message.contains("10 are FIN_WAIT2"), "{message}");
    }

    #[test]
    fn a_plain_limit_counts_only_where_it_is_given() {
        let findings = found(|_, other| other.max_total = Some(9));
        assert_eq!(by_id(&findings, ids::TW_TOTAL_ABOVE_LIMIT).severity, Severity::Critical);
        assert!(
            found(|_, other| other.max_total = Some(10))
                .iter()
                .all(|finding| finding.id != ids::TW_TOTAL_ABOVE_LIMIT)
        );
    }
}
