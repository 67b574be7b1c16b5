//! Values that are judged together, from wherever they are: running, of a file, or to be.

use super::check::finding;
use super::report::SysctlFinding;
use super::rules::{Judgement, Together, combine};
use crate::catalogue::sysctls;
use crate::model::{PortRange, SysctlKey, SysctlValue};

/// What is to be said of the values that `value` gives by key, where something listens on the ports
/// `listening`; each with the key that it is about.
pub fn judged(
    value: impl Fn(&SysctlKey) -> Option<String>,
    listening: &[u16],
) -> Vec<(&'static str, Judgement)> {
    let parsed = |name: &str| {
        let key = SysctlKey::parse(name).ok()?;
        Some(sysctls::find(&key)?.kind.parse(&value(&key)?).ok()?.value)
    };
    let numbers = |name: &str| match parsed(name)? {
        SysctlValue::Numbers(numbers) => Some(numbers),
        SysctlValue::Ports(_) | SysctlValue::Text(_) => None,
    };
    let first = |name: &str| numbers(name)?.first().copied();
    let port = |number: &i64| u16::try_from(*number).ok();
    let range = numbers("net.ipv4.ip_local_port_range").and_then(|ends| match ends.as_slice() {
        [low, high] => Some(PortRange { low: port(low)?, high: port(high)? }),
        _ => None,
    });
    let reserved = match parsed("net.ipv4.ip_local_reserved_ports") {
        Some(SysctlValue::Ports(ports)) => ports,
        _ => Default::default(),
    };
    combine(&Together {
        tw_reuse: first("net.ipv4.tcp_tw_reuse"),
        timestamps: first("net.ipv4.tcp_timestamps"),
        range,
        reserved,
        listening: listening.to_vec(),
        conntrack: first("net.netfilter.nf_conntrack_count")
            .zip(first("net.netfilter.nf_conntrack_max")),
    })
}

/// A judgement as a finding about `key`.
pub fn found(key: &str, judgement: Judgement) -> SysctlFinding {
    SysctlFinding {
        key: Some(key.to_owned()),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    }
}
