//! The verdict on TIME_WAIT: for each destination, how many of the ports that connect(2) can use
//! for it are taken, how fast they are used and come back, and what follows.
//!
//! The model is the kernel's own search (`net/ipv4/inet_hashtables.c`, `__inet_hash_connect`): a
//! port serves a destination unless it is reserved, was taken by bind(2), or is used to that very
//! destination by a live socket or by a TIME_WAIT that may not be reused. So the supply is counted
//! per source address, destination address and destination port, and the total of TIME_WAITs says
//! nothing. Pure: takes counts and settings, opens nothing.

use serde::Serialize;

use super::census::{Census, Destination, DestinationCount, ReuseRule};
use super::filter::Filter;
use super::verdict;
use crate::catalogue::time_wait::DOES_NOT_HELP;
use crate::kernel::counters::{SockStat, TcpCounters};
use crate::kernel::tcp_settings::{TcpSettings, TwReuse};
use crate::model::{Address, Endpoint, Finding, Severity, TIME_WAIT_MS};
use crate::output::numbers::{float, rounded};

/// From which numbers on something is a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Used ports of a destination, percent: warning. Half is where connect(2) becomes slow.
    pub warn_used: f64,
    /// Used ports of a destination, percent: critical.
    pub crit_used: f64,
    /// Closes a second, percent of what the ports allow: warning. 100 is critical.
    pub warn_rate: f64,
    /// Ports left, of a destination that is past `warn_used`: critical below.
    pub crit_left: u64,
    /// Mini-sockets, percent of `tcp_max_tw_buckets`: warning. 100 is critical.
    pub warn_buckets: f64,
    /// TIME_WAITs in all; only where the user wants a plain limit.
    pub max_total: Option<u64>,
}

/// What the kernel says besides the rows.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The settings of the namespace.
    pub settings: &'a TcpSettings,
    /// The socket totals.
    pub sockstat: SockStat,
    /// The counters since boot.
    pub counters: TcpCounters,
    /// The counters over time, with `--sample`.
    pub sample: Option<Sample>,
    /// Sockets on this machine that may be bound to a port without being in the tables read: an
    /// upper bound. 0 where all were looked at.
    pub unseen_bound: u64,
}

/// What the counters did while netkit looked on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// For how long, in seconds.
    pub seconds: f64,
    /// Sockets that entered TIME_WAIT or FIN_WAIT2 without an owner, per second.
    pub time_wait_per_s: Option<f64>,
    /// TIME_WAITs taken over by connect(2), per second.
    pub recycled_per_s: Option<f64>,
    /// Connections that connect(2) began, per second.
    pub active_opens_per_s: Option<f64>,
    /// Connections that listeners got, per second.
    pub passive_opens_per_s: Option<f64>,
    /// Sockets that skipped TIME_WAIT for want of a bucket.
    pub overflows: Option<u64>,
}

impl Sample {
    /// The difference of two readings that are `seconds` apart.
    pub fn between(before: &TcpCounters, after: &TcpCounters, seconds: f64) -> Self {
        let grown = |from: Option<u64>, to: Option<u64>| Some(to?.saturating_sub(from?));
        let per_second = |from, to| grown(from, to).map(|n| rounded(float(n) / seconds, 2));
        Self {
            seconds: rounded(seconds, 3),
            time_wait_per_s: per_second(before.tw, after.tw),
            recycled_per_s: per_second(before.tw_recycled, after.tw_recycled),
            active_opens_per_s: per_second(before.active_opens, after.active_opens),
            passive_opens_per_s: per_second(before.passive_opens, after.passive_opens),
            overflows: grown(before.tw_overflow, after.tw_overflow),
        }
    }
}

/// The verdict and its numbers; the JSON of `pileup`.
#[derive(Clone, Debug, Serialize)]
pub struct Pileup {
    /// The worst of what was found; `None` where the ports could not be judged.
    pub severity: Option<Severity>,
    /// Sockets in TIME_WAIT.
    pub time_wait: u64,
    /// FIN_WAIT2 mini-sockets, which the kernel counts with the TIME_WAITs.
    pub fin_wait2_mini: u64,
    /// TIME_WAITs of which nothing tells whether this host opened or accepted them.
    pub side_unknown: u64,
    /// `tcp_max_tw_buckets`.
    pub bucket_limit: Option<u32>,
    /// What the kernel counts against the limit, percent of it.
    pub buckets_used_percent: Option<f64>,
    /// `TCPTimeWaitOverflow`.
    pub overflows_since_boot: Option<u64>,
    /// The supply of ports.
    pub ephemeral: Ephemeral,
    /// Reuse of TIME_WAITs by connect(2).
    pub reuse: Reuse,
    /// Each destination, the worst first.
    pub destinations: Vec<DestinationVerdict>,
    /// Each service that has TIME_WAITs, the largest first. They cost no ports.
    pub services: Vec<ServiceCount>,
    /// TIME_WAITs by age: six of ten seconds, and those that are overdue.
    pub ages: Vec<AgeCount>,
    /// The counters over time, with `--sample`.
    pub sample: Option<Sample>,
    /// The ports could not be judged: what is found is found, but nothing is known to be well.
    #[serde(skip)]
    pub is_blind: bool,
    /// Sockets of both kinds that the kernel counts against `bucket_limit`.
    #[serde(skip)]
    pub buckets_used: u64,
    /// What is often advised and does not help.
    pub does_not_help: Vec<&'static str>,
}

/// The ports that connect(2) chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ephemeral {
    /// The lowest of `ip_local_port_range`.
    pub low: Option<u16>,
    /// The highest.
    pub high: Option<u16>,
    /// How many of the range `ip_local_reserved_ports` takes out.
    pub reserved: Option<u64>,
    /// The range less the reserved ones.
    pub available: Option<u64>,
    /// How many of the available ones bind(2) holds, for all destinations.
    pub bound: Option<u64>,
    /// Sockets that may hold further ports and were not looked at, at most; see `--bound`.
    pub unseen_bound_at_most: u64,
}

/// What decides about reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reuse {
    /// `tcp_tw_reuse`.
    pub tcp_tw_reuse: Option<u8>,
    /// From which age on, in milliseconds.
    pub delay_ms: u32,
    /// `tcp_timestamps`, without which there is none.
    pub timestamps: Option<bool>,
}

/// A destination and its supply of ports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DestinationVerdict {
    /// The address here.
    pub source_address: Address,
    /// The address there.
    pub destination_address: Address,
    /// The port there.
    pub destination_port: u16,
    /// Sockets in TIME_WAIT.
    pub time_wait: u64,
    /// Of these, those that connect(2) may take over now.
    pub reusable: u64,
    /// FIN_WAIT2 mini-sockets.
    pub fin_wait2_mini: u64,
    /// Sockets in any other state.
    pub live: u64,
    /// Ports left: so many more connections can be opened now.
    pub headroom: Option<u64>,
    /// Ports taken, percent of those that bind(2) leaves.
    pub used_percent: Option<f64>,
    /// Connections closed in the last second.
    pub rate_per_s: f64,
    /// Connections closed per second, over the 60 s that TIME_WAIT remembers.
    pub rate_60s_per_s: f64,
    /// How many a second the ports allow for ever.
    pub ceiling_per_s: Option<f64>,
    /// How long a closed connection keeps its port, in milliseconds.
    pub hold_ms: u32,
    /// Whether `tcp_tw_reuse` covers it.
    #[serde(skip)]
    pub is_reuse_on: bool,
    /// Seconds until no port is left at this rate; `None` if that never comes.
    pub exhaustion_s: Option<f64>,
    /// Sockets of which this side closed first.
    pub closed_here_first: u64,
    /// Sockets of which the peer closed first.
    pub closed_there_first: u64,
    /// How bad it is; `None` where the supply could not be read.
    pub severity: Option<Severity>,
}

/// A service and its TIME_WAITs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceCount {
    /// The address that it listens on, or that connections came to.
    pub address: Address,
    /// Its port.
    pub port: u16,
    /// Sockets in TIME_WAIT.
    pub time_wait: u64,
}

/// TIME_WAITs of an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AgeCount {
    /// The youngest, in seconds.
    pub from_s: u8,
    /// The oldest, exclusive; `None` for those that the kernel will end any moment.
    pub to_s: Option<u8>,
    /// How many.
    pub sockets: u64,
}

/// The supply of ports that all destinations draw from.
#[derive(Clone, Copy, Debug)]
struct Supply {
    /// Ports for any one destination: available and not held by bind(2).
    ports: u64,
}

/// Judges `census`. Only what `filter` chooses is judged; all of it was counted.
pub fn judge(
    census: &Census,
    around: &Around<'_>,
    limits: &Thresholds,
    filter: &Filter,
) -> (Pileup, Vec<Finding>) {
    let supply = supply(census);
    let reuse = ReuseRule::of(around.settings);
    let mut destinations: Vec<_> = census
        .destinations
        .iter()
        .filter(|(there, _)| filter.matches_destination(there.source, there.end))
        .map(|(there, count)| destination(*there, count, supply, reuse, limits))
        .collect();
    destinations.sort_by(order);
    let minis = census.time_wait + census.fin_wait2_mini;
    let buckets_used = around.sockstat.time_wait.unwrap_or(minis);
    let mut pileup = Pileup {
        severity: None,
        time_wait: census.time_wait,
        fin_wait2_mini: census.fin_wait2_mini,
        side_unknown: census.side_unknown,
        bucket_limit: around.settings.max_tw_buckets,
        buckets_used,
        buckets_used_percent: buckets_percent(buckets_used, around.settings.max_tw_buckets),
        is_blind: false,
        overflows_since_boot: around.counters.tw_overflow,
        ephemeral: ephemeral(census, around),
        reuse: reuse_settings(around.settings, reuse),
        destinations,
        services: services(census, filter),
        ages: ages(&census.ages),
        sample: around.sample,
        does_not_help: DOES_NOT_HELP.to_vec(),
    };
    let findings = verdict::findings(&pileup, around, limits);
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or_default();
    let is_blind = supply.is_none() && (!pileup.destinations.is_empty() || pileup.side_unknown > 0);
    // A note is no reason for anything but OK.
    let worst = if worst == Severity::Info { Severity::Ok } else { worst };
    pileup.is_blind = is_blind;
    pileup.severity = (!is_blind || worst > Severity::Ok).then_some(worst);
    (pileup, findings)
}

/// Whether up to `unseen` bound sockets that were not looked at could make the verdict worse.
pub fn unseen_bound_matter(
    census: &Census,
    settings: &TcpSettings,
    limits: &Thresholds,
    unseen: u64,
) -> bool {
    let Some(now) = supply(census) else {
        return false;
    };
    let then = Supply { ports: now.ports.saturating_sub(unseen) };
    let reuse = ReuseRule::of(settings);
    census.destinations.iter().any(|(there, count)| {
        let severity = |supply| destination(*there, count, Some(supply), reuse, limits).severity;
        severity(now) != severity(then)
    })
}

fn supply(census: &Census) -> Option<Supply> {
    let available = u64::from(census.ephemeral.as_ref()?.len());
    Some(Supply { ports: available.saturating_sub(census.bound_ephemeral()?) })
}

fn destination(
    there: Destination,
    count: &DestinationCount,
    supply: Option<Supply>,
    reuse: ReuseRule,
    limits: &Thresholds,
) -> DestinationVerdict {
    let is_covered = reuse.covers(there.source, there.end.address);
    let hold_ms = if is_covered { reuse.delay_ms } else { TIME_WAIT_MS };
    let mut verdict = DestinationVerdict {
        source_address: there.source,
        destination_address: there.end.address,
        destination_port: there.end.port,
        time_wait: count.time_wait,
        reusable: count.reusable,
        fin_wait2_mini: count.fin_wait2_mini,
        live: count.live,
        headroom: None,
        used_percent: None,
        rate_per_s: float(count.last_second),
        rate_60s_per_s: rounded(float(count.time_wait) / (f64::from(TIME_WAIT_MS) / 1000.0), 2),
        ceiling_per_s: None,
        hold_ms,
        is_reuse_on: is_covered,
        exhaustion_s: None,
        closed_here_first: count.closed_here_first,
        closed_there_first: count.closed_there_first,
        severity: None,
    };
    if let Some(supply) = supply {
        weigh(&mut verdict, count, supply, limits);
    }
    verdict
}

/// Fills in what depends on the supply of ports.
fn weigh(
    verdict: &mut DestinationVerdict,
    count: &DestinationCount,
    supply: Supply,
    limits: &Thresholds,
) {
    let hold_s = f64::from(verdict.hold_ms) / 1000.0;
    let taken = count.live_ports + count.waiting_ports;
    let headroom = supply.ports.saturating_sub(taken);
    let used = match supply.ports {
        0 => 100.0,
        ports => float(taken) / float(ports) * 100.0,
    };
    let ceiling = float(supply.ports.saturating_sub(count.live_ports)) / hold_s;
    verdict.headroom = Some(headroom);
    verdict.used_percent = Some(rounded(used, 2));
    verdict.ceiling_per_s = Some(rounded(ceiling, 2));
    verdict.exhaustion_s = exhaustion(headroom, verdict.rate_per_s, ceiling);
    verdict.severity = Some(severity(verdict, (used, ceiling), limits));
}

/// Ports run out only above the ceiling: below it, they come back as fast as they are used.
fn exhaustion(headroom: u64, rate: f64, ceiling: f64) -> Option<f64> {
    match headroom {
        0 => Some(0.0),
        left if rate > ceiling => Some(rounded(float(left) / rate, 1)),
        _ => None,
    }
}

/// How bad the state of a destination is. That the next ten seconds would use up what is left counts
/// only near the ceiling: far below it, ports come back as fast as they are used.
fn severity(
    verdict: &DestinationVerdict,
    (used, ceiling): (f64, f64),
    limits: &Thresholds,
) -> Severity {
    let left = verdict.headroom.unwrap_or(0);
    let rate = verdict.rate_per_s;
    let is_fast = rate > ceiling * limits.warn_rate / 100.0;
    let is_critical = left == 0
        || used >= limits.crit_used
        || (used >= limits.warn_used && left < limits.crit_left)
        || (is_fast && float(left) < rate * 10.0)
        || (rate > 0.0 && rate >= ceiling);
    let is_warning = used >= limits.warn_used || is_fast;
    match (is_critical, is_warning) {
        (true, _) => Severity::Critical,
        (false, true) => Severity::Warning,
        (false, false) => Severity::Ok,
    }
}

/// The worst first; then the one with the most ports taken; then by name, so that the order is
/// always the same.
fn order(a: &DestinationVerdict, b: &DestinationVerdict) -> std::cmp::Ordering {
    let name =
        |d: &DestinationVerdict| (d.source_address, d.destination_address, d.destination_port);
    let used = |d: &DestinationVerdict| d.used_percent.unwrap_or(0.0);
    b.severity
        .cmp(&a.severity)
        .then(used(b).total_cmp(&used(a)))
        .then(b.time_wait.cmp(&a.time_wait))
        .then_with(|| name(a).cmp(&name(b)))
}

fn ephemeral(census: &Census, around: &Around<'_>) -> Ephemeral {
    let range = around.settings.port_range;
    let available = census.ephemeral.as_ref().map(|ports| u64::from(ports.len()));
    let width = range.map(|range| u64::from(range.high - range.low) + 1);
    Ephemeral {
        low: range.map(|range| range.low),
        high: range.map(|range| range.high),
        reserved: width.zip(available).map(|(width, available)| width - available),
        available,
        bound: census.bound_ephemeral(),
        unseen_bound_at_most: around.unseen_bound,
    }
}

fn reuse_settings(settings: &TcpSettings, rule: ReuseRule) -> Reuse {
    Reuse {
        tcp_tw_reuse: settings.tw_reuse.map(|mode| match mode {
            TwReuse::Off => 0,
            TwReuse::Everywhere => 1,
            TwReuse::Loopback => 2,
        }),
        delay_ms: rule.delay_ms,
        timestamps: settings.timestamps,
    }
}

/// `used` of `limit` in percent, rounded for people: the judgement compares the numbers.
fn buckets_percent(used: u64, limit: Option<u32>) -> Option<f64> {
    Some(match limit? {
        0 => 100.0,
        limit => rounded(float(used) / f64::from(limit) * 100.0, 2),
    })
}

fn services(census: &Census, filter: &Filter) -> Vec<ServiceCount> {
    let chosen = census.services.iter().filter(|(end, _)| filter.matches_service(**end));
    let mut services: Vec<_> = chosen
        .map(|(Endpoint { address, port }, time_wait)| ServiceCount {
            address: *address,
            port: *port,
            time_wait: *time_wait,
        })
        .collect();
    services.sort_by_key(|service| {
        (std::cmp::Reverse(service.time_wait), service.address, service.port)
    });
    services
}

/// Sums seconds to tens of seconds.
fn ages(seconds: &[u64; 61]) -> Vec<AgeCount> {
    let (decades, overdue) = seconds.as_chunks::<10>();
    let starts = (0_u8..).step_by(10);
    let within = starts.zip(decades).map(|(from_s, decade)| AgeCount {
        from_s,
        to_s: Some(from_s + 10),
        sockets: decade.iter().sum(),
    });
    let overdue = AgeCount { from_s: 60, to_s: None, sockets: overdue.iter().sum() };
    within.chain([overdue]).collect()
}

#[cfg(test)]
/// The thresholds of the command line's defaults.
pub(super) const LIMITS: Thresholds = Thresholds {
    warn_used: 50.0,
    crit_used: 90.0,
    warn_rate: 70.0,
    crit_left: 500,
    warn_buckets: 80.0,
    max_total: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_sockets::{socket, time_wait};
    use crate::model::{PortRange, Socket};

    fn settings() -> TcpSettings {
        TcpSettings {
            port_range: Some(PortRange { low: 32_768, high: 60_999 }),
            tw_reuse: Some(TwReuse::Loopback),
            tw_reuse_delay_ms: Some(1000),
            timestamps: Some(true),
            max_tw_buckets: Some(131_072),
            ..TcpSettings::default()
        }
    }

    /// The verdict on `waits` TIME_WAITs of even ages and `live` open connections to 10.0.0.2:80.
    fn verdict_on(settings: &TcpSettings, waits: u16, live: u16) -> (Pileup, Vec<Finding>) {
        let mut census = Census::new(settings);
        for n in 0..waits {
            let left = 1 + u32::from(n) * 59_000 / u32::from(waits);
            let local = format!("10.0.0.1:{}", 32_768 + n);
            census.add(&time_wait(&local, "10.0.0.2:80", left));
        }
        for n in 0..live {
            let local = format!("10.0.0.1:{}", 32_768 + waits + n);
            census.add(&socket("ESTABLISHED", &local, "10.0.0.2:80"));
        }
        census.settle();
        judged(&census, settings)
    }

    fn judged(census: &Census, settings: &TcpSettings) -> (Pileup, Vec<Finding>) {
        let around = Around {
            settings,
            sockstat: SockStat::default(),
            counters: TcpCounters::default(),
            sample: None,
            unseen_bound: 0,
        };
        judge(census, &around, &LIMITS, &Filter::default())
    }

    fn ids(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn few_are_no_finding() {
        let (pileup, findings) = verdict_on(&settings(), 10_000, 100);
        assert_eq!(pileup.severity, Some(Severity::Ok));
        assert_eq!(ids(&findings), Vec::<&str>::new());
        let there = pileup.destinations[0];
        assert_eq!(there.headroom, Some(28_232 - 10_100));
        assert_eq!(there.ceiling_per_s, Some(rounded((28_232.0 - 100.0) / 60.0, 2)));
        assert_eq!((there.exhaustion_s, there.hold_ms), (None, 60_000));
    }

    #[test]
    fn half_is_a_warning_and_nine_tenths_are_critical() {
        let (pileup, findings) = verdict_on(&settings(), 14_200, 0);
        assert_eq!(pileup.severity, Some(Severity::Warning));
        assert_eq!(ids(&findings), ["TW_PORTS_PRESSURE", "TW_LATENCY_CLIFF"]);
        let (pileup, findings) = verdict_on(&settings(), 26_000, 0);
        assert_eq!(pileup.severity, Some(Severity::Critical));
        assert_eq!(ids(&findings), ["TW_PORTS_PRESSURE", "TW_LATENCY_CLIFF"]);
    }

    #[test]
    fn no_port_left_is_exhaustion() {
        let (pileup, findings) = verdict_on(&settings(), 28_000, 232);
        assert_eq!(pileup.severity, Some(Severity::Critical));
        assert_eq!(findings[0].id, "TW_PORTS_EXHAUSTED");
        assert_eq!(pileup.destinations[0].headroom, Some(0));
        assert_eq!(pileup.destinations[0].exhaustion_s, Some(0.0));
    }

    #[test]
    fn more_than_the_ceiling_in_a_second_runs_out() {
        let mut census = Census::new(&settings());
        for n in 0..1000 {
            let local = format!("10.0.0.1:{}", 32_768 + n);
            census.add(&time_wait(&local, "10.0.0.2:80", 59_500));
        }
        census.settle();
        let (pileup, findings) = judged(&census, &settings());
        let there = pileup.destinations[0];
        assert_eq!((there.rate_per_s, there.exhaustion_s), (1000.0, Some(27.2)));
        assert_eq!(ids(&findings), ["TW_RATE_ABOVE_CEILING"]);
    }

    #[test]
    fn the_same_rate_is_nothing_where_ports_come_back_after_a_second() {
        let mut census = Census::new(&settings());
        for n in 0..5000 {
            let local = format!("127.0.0.1:{}", 32_768 + n);
            census.add(&time_wait(&local, "127.0.0.1:80", 59_500));
        }
        census.settle();
        let (pileup, _) = judged(&census, &settings());
        assert_eq!(pileup.severity, Some(Severity::Ok));
        assert_eq!(pileup.destinations[0].ceiling_per_s, Some(28_232.0));
    }

    #[test]
    fn a_narrow_range_is_not_alarming_by_itself() {
        let range = PortRange { low: 40_000, high: 40_099 };
        let settings = TcpSettings { port_range: Some(range), ..settings() };
        let mut census = Census::new(&settings);
        census.add(&socket("ESTABLISHED", "10.0.0.1:40000", "10.0.0.2:80"));
        assert_eq!(judged(&census, &settings).0.severity, Some(Severity::Ok));
    }

    #[test]
    fn the_server_side_is_no_finding_whatever_its_size() {
        let mut census = Census::new(&settings());
        census.add(&socket("LISTEN", "0.0.0.0:443", "0.0.0.0:0"));
        for port in 1024..60_000 {
            census.add(&time_wait("10.0.0.1:443", &format!("10.0.0.9:{port}"), 59_500));
        }
        census.settle();
        let (pileup, findings) = judged(&census, &settings());
        assert_eq!(pileup.severity, Some(Severity::Ok));
        assert!(findings.is_empty() && pileup.destinations.is_empty());
        assert_eq!(pileup.services[0].time_wait, 58_976);
    }

    #[test]
    fn without_the_port_range_there_is_no_verdict() {
        let settings = TcpSettings { port_range: None, ..settings() };
        let mut census = Census::new(&settings);
        for n in 0..3 {
            let local = format!("10.0.0.1:{}", 32_768 + n);
            census.add(&time_wait(&local, "10.0.0.2:80", 100));
        }
        census.settle();
        let (pileup, _) = judged(&census, &settings);
        assert_eq!(pileup.severity, None);
        assert_eq!(pileup.destinations[0].headroom, None);
    }

    #[test]
    fn reserved_and_bound_ports_are_no_supply() {
        let mut settings = settings();
        settings.reserved_ports.insert_range(PortRange { low: 33_000, high: 33_099 });
        let mut census = Census::new(&settings);
        census.add(&socket("LISTEN", "127.0.0.9:40000", "0.0.0.0:0"));
        census.add(&socket("bound", "[::1]:40001", "[::]:0"));
        census.add(&socket("ESTABLISHED", "10.0.0.1:50000", "10.0.0.2:80"));
        census.settle();
        let (pileup, _) = judged(&census, &settings);
        assert_eq!(
            (pileup.ephemeral.reserved, pileup.ephemeral.available),
            (Some(100), Some(28_132))
        );
        assert_eq!(pileup.ephemeral.bound, Some(2));
        assert_eq!(pileup.destinations[0].headroom, Some(28_132 - 2 - 1));
    }

    #[test]
    fn unseen_sockets_matter_where_they_could_change_the_verdict() {
        let settings = settings();
        let mut census = Census::new(&settings);
        for n in 0..14_110 {
            let local = format!("10.0.0.1:{}", 32_768 + n);
            census.add(&time_wait(&local, "10.0.0.2:80", 100));
        }
        census.settle();
        assert!(!unseen_bound_matter(&census, &settings, &LIMITS, 3));
        assert!(unseen_bound_matter(&census, &settings, &LIMITS, 30));
    }

    #[test]
    fn ages_are_summed_to_tens() {
        let mut seconds = [1; 61];
        seconds[60] = 5;
        let ages = ages(&seconds);
        assert_eq!(ages.len(), 7);
        assert_eq!((ages[5].from_s, ages[5].to_s, ages[5].sockets), (50, Some(60), 10));
        assert_eq!((ages[6].to_s, ages[6].sockets), (None, 5));
    }

    #[test]
    fn a_sample_is_a_rate() {
        let before = TcpCounters { tw: Some(100), tw_overflow: Some(1), ..TcpCounters::default() };
        let after = TcpCounters { tw: Some(200), tw_overflow: Some(4), ..TcpCounters::default() };
        let sample = Sample::between(&before, &after, 2.0);
        assert_eq!((sample.time_wait_per_s, sample.overflows), (Some(50.0), Some(3)));
        assert_eq!(sample.recycled_per_s, None);
    }

    #[test]
    fn only_what_is_chosen_is_judged() {
        let settings = settings();
        let mut census = Census::new(&settings);
        let rows: [Socket; 2] = [
            time_wait("10.0.0.1:40000", "10.0.0.2:80", 100),
            time_wait("10.0.0.1:40000", "10.0.0.3:80", 100),
        ];
        for row in &rows {
            census.add(row);
        }
        census.settle();
        let around = Around {
            settings: &settings,
            sockstat: SockStat::default(),
            counters: TcpCounters::default(),
            sample: None,
            unseen_bound: 0,
        };
        let network = crate::states::filter::parse_network("10.0.0.3").unwrap();
        let filter = Filter { remote: vec![network], ..Filter::default() };
        let (pileup, _) = judge(&census, &around, &LIMITS, &filter);
        assert_eq!(pileup.destinations.len(), 1);
    }
}
