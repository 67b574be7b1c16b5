//! The numbers that a verdict rests on, a line each.

use super::verdict::unknown;
use crate::catalogue::findings::is_about_destination;
use crate::model::{Endpoint, Severity};
use crate::output::numbers::{
    count, duration, float, histogram, percent, percent_text, plural, rate, thousands,
};
use crate::states::pileup::{DestinationVerdict, Pileup};
use crate::states::report::StatesReport;
use crate::states::verdict::{MINI_SOCKET_BYTES, far_end, is_past_cliff, size};

/// Services that are named in a verdict; the rest is counted.
const SERVICES: usize = 5;

/// All lines, what weighs most first.
pub(super) fn evidence(report: &StatesReport, pileup: &Pileup) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(port_lines(pileup));
    lines.extend(worst_lines(pileup));
    lines.extend(service_lines(pileup));
    if pileup.side_unknown > 0 {
        lines.push(format!(
            "{} in TIME_WAIT: nothing tells whether they were opened or accepted here",
            thousands(pileup.side_unknown)
        ));
    }
    lines.extend(bucket_line(pileup));
    lines.extend(sample_lines(pileup));
    let notes = report.findings.iter().filter(|it| it.severity == Severity::Info);
    lines.extend(notes.filter(|it| !is_about_destination(it.id)).map(|it| it.message.clone()));
    lines.extend(age_line(pileup));
    lines
}

/// The supply of ports.
fn port_lines(pileup: &Pileup) -> Vec<String> {
    let ports = pileup.ephemeral;
    let (Some(low), Some(high), Some(available)) = (ports.low, ports.high, ports.available) else {
        return vec!["net.ipv4.ip_local_port_range could not be read".to_owned()];
    };
    let unseen = match ports.unseen_bound_at_most {
        few if few * 100 < available => String::new(),
        at_most => format!(" ({} not looked at)", count(at_most, "bound socket")),
    };
    vec![format!(
        "{} ephemeral ports ({low}–{high}), {} reserved, {} held by bind{unseen}",
        thousands(available),
        thousands(ports.reserved.unwrap_or(0)),
        thousands(ports.bound.unwrap_or(0)),
    )]
}

/// What is to be known of the worst destination.
fn worst_lines(pileup: &Pileup) -> Vec<String> {
    let Some(worst) = pileup.destinations.first() else {
        return Vec::new();
    };
    let closed = worst.closed_here_first + worst.closed_there_first;
    let mut lines = Vec::new();
    if closed > 0 {
        lines.push(format!(
            "this side closed first: {} of {} to {}",
            thousands(worst.closed_here_first),
            thousands(closed),
            far_end(worst)
        ));
    }
    if worst.fin_wait2_mini > 0 {
        let ports = plural(worst.fin_wait2_mini, "port is", "ports are");
        lines.push(format!("{ports} held by FIN_WAIT2: the peer has not closed its end"));
    }
    if is_past_cliff(worst) && worst.headroom > Some(0) {
        lines
            .push("connect() is slow: past half of the ports the kernel searches twice".to_owned());
    }
    lines.push(reuse_line(worst, pileup));
    lines
}

fn reuse_line(worst: &DestinationVerdict, pileup: &Pileup) -> String {
    let delay = duration(f64::from(pileup.reuse.delay_ms) / 1000.0);
    let Some(mode) = pileup.reuse.tcp_tw_reuse else {
        return "ports come back after 60 s, unless tcp_tw_reuse is on: it could not be read"
            .to_owned();
    };
    if worst.is_reuse_on {
        return format!(
            "tcp_tw_reuse = {mode}: ports come back after {delay}, {} can be reused now",
            thousands(worst.reusable)
        );
    }
    let why = match (mode, pileup.reuse.timestamps) {
        (0, _) => "is off",
        (_, Some(false)) => "cannot work: tcp_timestamps is 0",
        (_, None) => "needs tcp_timestamps, which could not be read",
        _ => "covers loopback addresses only",
    };
    format!("ports come back after 60 s; tcp_tw_reuse = {mode} {why}")
}

/// The server side: why it is harmless has to be said, and what of it is not.
fn service_lines(pileup: &Pileup) -> Vec<String> {
    let mut lines: Vec<String> = pileup
        .services
        .iter()
        .take(SERVICES)
        .map(|service| {
            format!(
                "{} on the server side of {}: no ports, for all share {}; {}",
                thousands(service.time_wait),
                Endpoint::new(service.address, service.port),
                service.port,
                size(service.time_wait * MINI_SOCKET_BYTES),
            )
        })
        .collect();
    let rest = pileup.services.get(SERVICES..).unwrap_or_default();
    if !rest.is_empty() {
        let waits: u64 = rest.iter().map(|service| service.time_wait).sum();
        let services = count(u64::try_from(rest.len()).unwrap_or(u64::MAX), "other service");
        lines.push(format!("{} on the server side of {services}", thousands(waits)));
    }
    if !pileup.services.is_empty() {
        lines.push(
            "nobody is refused: a SYN replaces its TIME_WAIT; a restart needs SO_REUSEADDR"
                .to_owned(),
        );
    }
    lines
}

fn bucket_line(pileup: &Pileup) -> Option<String> {
    let limit = pileup.bucket_limit?;
    let overflows = match pileup.overflows_since_boot {
        None => "overflows unknown".to_owned(),
        Some(0) => "no overflow since boot".to_owned(),
        Some(overflows) => format!("{} since boot", count(overflows, "overflow")),
    };
    let now = pileup.buckets_used;
    Some(match limit {
        u32::MAX => format!("tcp_max_tw_buckets sets no limit; {overflows}"),
        limit => format!(
            "{} ({}) of tcp_max_tw_buckets ({}) used; {overflows}",
            percent_text(percent(now, limit.into())),
            thousands(now),
            thousands(u64::from(limit))
        ),
    })
}

fn sample_lines(pileup: &Pileup) -> Vec<String> {
    let Some(sample) = pileup.sample else {
        return Vec::new();
    };
    let per_second = |value: Option<f64>| value.map_or_else(unknown, rate);
    vec![format!(
        "over {}: {} into TIME_WAIT, {} reused, {} opened, {} accepted a second",
        duration(sample.seconds),
        per_second(sample.time_wait_per_s),
        per_second(sample.recycled_per_s),
        per_second(sample.active_opens_per_s),
        per_second(sample.passive_opens_per_s),
    )]
}

/// Ten seconds a character, young to old.
fn age_line(pileup: &Pileup) -> Option<String> {
    if pileup.time_wait == 0 {
        return None;
    }
    let counts: Vec<u64> = pileup.ages.iter().map(|age| age.sockets).collect();
    let within = counts.get(..6).unwrap_or_default();
    let last_minute = float(within.iter().sum());
    let overdue = counts.get(6).copied().unwrap_or(0);
    let overdue = if overdue > 0 {
        format!(", {} due any moment", thousands(overdue))
    } else {
        String::new()
    };
    Some(format!(
        "ages 0 s [{}] 60 s; {}/s averaged over 60 s{overdue}",
        within.iter().map(|count| histogram_of(*count, within)).collect::<String>(),
        rate(last_minute / 60.0)
    ))
}

/// Three characters for one decade, so that the row of them is readable.
fn histogram_of(count: u64, all: &[u64]) -> String {
    let largest = all.iter().copied().max().unwrap_or(0);
    let one: String = histogram(&[count, largest]).chars().take(1).collect();
    one.repeat(3)
}
