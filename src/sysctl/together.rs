//! Values that are judged together, from wherever they are: running, of a file, or to be.

use super::check::finding;
use super::report::SysctlFinding;
use super::rules::{Judgement, Together, combine};
use crate::catalogue::sysctls;
use crate::model::{PortRange, PortSet, SysctlKey, SysctlValue};

/// What is to be said of the values that `value` gives by key, where something listens on the ports
/// `listening`; each with the key that it is about.
pub fn judged(
    value: impl Fn(&SysctlKey) -> Option<String>,
    listening: &[u16],
) -> Vec<(&'static str, Judgement)> {
    let first = |name: &str| numbers(&value, name)?.first().copied();
    let (range, reserved) = ports(&value);
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

/// The ports that connect(2) picks from, and those that it leaves out.
pub fn ports(value: &impl Fn(&SysctlKey) -> Option<String>) -> (Option<PortRange>, PortSet) {
    let port = |number: &i64| u16::try_from(*number).ok();
    let ends = numbers(value, "net.ipv4.ip_local_port_range");
    let range = ends.and_then(|ends| match ends.as_slice() {
        [low, high] => Some(PortRange { low: port(low)?, high: port(high)? }),
        _ => None,
    });
    match parsed(value, "net.ipv4.ip_local_reserved_ports") {
        Some(SysctlValue::Ports(reserved)) => (range, reserved),
        Some(SysctlValue::Numbers(_) | SysctlValue::Text(_)) | None => (range, PortSet::default()),
    }
}

fn numbers(value: &impl Fn(&SysctlKey) -> Option<String>, name: &str) -> Option<Vec<i64>> {
    match parsed(value, name)? {
        SysctlValue::Numbers(numbers) => Some(numbers),
        SysctlValue::Ports(_) | SysctlValue::Text(_) => None,
    }
}

fn parsed(value: &impl Fn(&SysctlKey) -> Option<String>, name: &str) -> Option<SysctlValue> {
    let key = SysctlKey::parse(name).ok()?;
    Some(sysctls::find(&key)?.kind.parse(&value(&key)?).ok()?.value)
}

/// A judgement as a finding about `key`.
pub fn found(key: &str, judgement: Judgement) -> SysctlFinding {
    SysctlFinding {
        key: Some(key.to_owned()),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    }
}
