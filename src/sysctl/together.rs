//! Values that are judged together, from wherever they are: running, of a file, or to be.

use super::check::finding;
use super::report::SysctlFinding;
use super::rules::{Judgement, Together, combine};
use crate::catalogue::sysctls;
use crate::model::{PortRange, PortSet, SysctlKey, SysctlValue, TargetKernel};

/// What is to be said of the values that `value` gives by key, where something listens on the ports
/// `listening`, in `kernel`; each with the key that it is about.
pub fn judged(
    value: impl Fn(&SysctlKey) -> Option<String>,
    listening: &[u16],
    kernel: TargetKernel,
) -> Vec<(&'static str, Judgement)> {
    let first = |name: &str| parsed(&value, name, kernel)?.first();
    let (range, reserved) = ports(&value, kernel);
    // A file that does not say where it is leaves it where it begins.
    let unprivileged = "net.ipv4.ip_unprivileged_port_start";
    let default = || {
        let entry = sysctls::find(&SysctlKey::parse(unprivileged).ok()?)?;
        entry.fixed_default(kernel)?.parse().ok()
    };
    combine(&Together {
        tw_reuse: first("net.ipv4.tcp_tw_reuse"),
        timestamps: first("net.ipv4.tcp_timestamps"),
        range,
        unprivileged_start: first(unprivileged).or_else(default),
        reserved,
        listening: listening.to_vec(),
        conntrack: first("net.netfilter.nf_conntrack_count")
            .zip(first("net.netfilter.nf_conntrack_max")),
    })
}

/// The ports that connect(2) picks from, and those that it leaves out.
pub fn ports(
    value: &impl Fn(&SysctlKey) -> Option<String>,
    kernel: TargetKernel,
) -> (Option<PortRange>, PortSet) {
    let range = parsed(value, "net.ipv4.ip_local_port_range", kernel);
    let reserved = parsed(value, "net.ipv4.ip_local_reserved_ports", kernel);
    let reserved = reserved.and_then(SysctlValue::ports).unwrap_or_default();
    (range.and_then(|range| range.port_range()), reserved)
}

fn parsed(
    value: &impl Fn(&SysctlKey) -> Option<String>,
    name: &str,
    kernel: TargetKernel,
) -> Option<SysctlValue> {
    let key = SysctlKey::parse(name).ok()?;
    Some(sysctls::find(&key)?.kind_in(kernel).parse(&value(&key)?).ok()?.value)
}

/// A judgement as a finding about `key`.
pub fn found(key: &str, judgement: Judgement) -> SysctlFinding {
    SysctlFinding {
        key: Some(key.to_owned()),
        advice: vec![judgement.advice.to_owned()],
        ..finding(judgement.id, judgement.severity, judgement.why)
    }
}
