//! Causes on the way out of this machine: links, routes, addresses and ports.

use std::net::IpAddr;

use serde_json::json;

use super::Diagnosis;
use crate::catalogue::errnos;
use crate::catalogue::findings::{
    CONNECT_IPV6_OFF, CONNECT_LOOPBACK_DOWN, CONNECT_NO_NEIGHBOUR, CONNECT_NO_ROUTE,
    CONNECT_PORTS_EXHAUSTED, CONNECT_ROUTE_FORBIDS,
};
use crate::connect::attempt::{Attempt, Destination, Stage};
use crate::connect::evidence::{Evidence, Forbidding};
use crate::kernel::connecting::Step;
use crate::kernel::neighbour::NeighbourState;
use crate::kernel::route::RouteKind;
use crate::model::{Protocol, Severity};
use crate::output::numbers::thousands;

/// `RTN_BROADCAST`, include/uapi/linux/rtnetlink.h
const BROADCAST: u8 = 3;

fn ip(attempt: &Attempt) -> String {
    let ip = attempt.destination.as_ref().and_then(Destination::ip);
    ip.map_or_else(|| "ADDRESS".to_owned(), |ip| ip.to_string())
}

/// EHOSTUNREACH, ENETUNREACH, EACCES or EPERM that no ICMP message is behind.
pub fn no_way(attempt: &Attempt, evidence: &Evidence, diagnosis: &mut Diagnosis) {
    let ip = ip(attempt);
    if let Stage::Call(Step::Bind | Step::Option) = attempt.stage {
        local(attempt, evidence, diagnosis);
    } else if evidence.is_here && evidence.link.is_some_and(|(is_up, _)| !is_up) {
        loopback_is_down(diagnosis);
    } else if to_many(attempt, evidence, diagnosis) {
        // It said so.
    } else if let Some(forbidding) = evidence.forbidding() {
        forbidden(forbidding, &ip, diagnosis);
    } else if no_neighbour(evidence, diagnosis) {
        // It said so.
    } else if evidence.ipv6_is_off == Some(true) {
        ipv6_off(diagnosis);
    } else if attempt.code == errnos::ENETUNREACH {
        let message = format!("there is no route to {ip} from here");
        let advice =
            [format!("`ip route get {ip}`; a default route, or the interface that should be up")];
        diagnosis.found((CONNECT_NO_ROUTE, Severity::Critical), message, json!({}), &advice);
        if let Some(down) = evidence.links_down() {
            diagnosis.cause(format!("{down}, and no route goes by an interface that is down"));
        }
    } else if attempt.icmp.is_none() && matches!(attempt.code, errnos::EACCES | errnos::EPERM) {
        diagnosis.cause(
            "no route forbids it and no ICMP message came: a policy of this machine does, in the \
             cgroup, the sandbox or the firewall",
        );
    }
}

/// Names a destination that is many hosts; false if it is one. TCP has none of these
/// (`tcp_v4_connect`: `RTCF_MULTICAST | RTCF_BROADCAST`; `tcp_v6_connect`: `IPV6_ADDR_MULTICAST`), and
/// UDP sends to all hosts of a network only with `SO_BROADCAST` (`ip4_datagram_connect`).
fn to_many(attempt: &Attempt, evidence: &Evidence, diagnosis: &mut Diagnosis) -> bool {
    let Some(Destination::Internet(protocol, address)) = &attempt.destination else { return false };
    let ip = address.ip().to_canonical();
    let is_broadcast = match ip {
        IpAddr::V4(ip) => ip.is_broadcast() || has_route(evidence, RouteKind::Other(BROADCAST)),
        IpAddr::V6(_) => false,
    };
    match protocol {
        Protocol::Tcp if is_broadcast || ip.is_multicast() => {
            let kind = if is_broadcast { "broadcast" } else { "multicast" };
            diagnosis
                .cause(format!("{ip} is a {kind} address, and a connection has one other end"));
            diagnosis.advise("connect to the address of a host; is the subnet's mask right");
            true
        }
        Protocol::Udp if is_broadcast && attempt.code == errnos::EACCES => {
            diagnosis.cause(format!(
                "{ip} is a broadcast address, to which a program may send only with SO_BROADCAST"
            ));
            diagnosis.advise("ask one host: netkit does not send to all of a network");
            true
        }
        Protocol::Tcp | Protocol::Udp => false,
    }
}

fn has_route(evidence: &Evidence, kind: RouteKind) -> bool {
    matches!(&evidence.route, Some(Ok(route)) if route.kind == kind)
}

/// Names a neighbour that does not answer; false if there is none.
pub fn no_neighbour(evidence: &Evidence, diagnosis: &mut Diagnosis) -> bool {
    let Some((hop, NeighbourState::Failed | NeighbourState::Incomplete)) = evidence.neighbour
    else {
        return false;
    };
    let link = evidence.interface.clone().unwrap_or_else(|| "the link".to_owned());
    let message = format!("nobody on {link} answers for {hop}: it is off, or of another network");
    let found = json!({ "neighbour": hop.to_string(), "interface": link });
    let advice = [
        format!("is {hop} on, and is the address right"),
        format!("`ip neigh show to {hop}`, `ip -brief address show dev {link}`: is the mask right"),
    ];
    diagnosis.found((CONNECT_NO_NEIGHBOUR, Severity::Critical), message, found, &advice);
    true
}

/// `lo` is down: the addresses are there, and nothing arrives.
pub fn loopback_is_down(diagnosis: &mut Diagnosis) {
    let message = "the loopback interface `lo` is down in this network namespace".to_owned();
    let advice = ["`ip link set lo up`".to_owned()];
    diagnosis.found((CONNECT_LOOPBACK_DOWN, Severity::Critical), message, json!({}), &advice);
}

fn forbidden(forbidding: Forbidding, ip: &str, diagnosis: &mut Diagnosis) {
    let word = forbidding.word;
    let message = format!("{forbidding} of this machine covers {ip}");
    // Without, ip(8) lists those of IPv4 alone.
    let six = if ip.contains(':') { "-6 " } else { "" };
    let advice = [format!(
        "`ip route get {ip}`, `ip {six}route show table all type {word}`, `ip {six}rule`"
    )];
    let found = json!({ "route": word });
    diagnosis.found((CONNECT_ROUTE_FORBIDS, Severity::Critical), message, found, &advice);
}

fn ipv6_off(diagnosis: &mut Diagnosis) {
    let message = "IPv6 is switched off here: net.ipv6.conf.*.disable_ipv6 is 1".to_owned();
    let advice = [
        "connect to the IPv4 address, or with -4".to_owned(),
        "or switch it on: net.ipv6.conf.all.disable_ipv6 = 0".to_owned(),
    ];
    diagnosis.found((CONNECT_IPV6_OFF, Severity::Critical), message, json!({}), &advice);
}

/// This machine could not try.
pub fn local(attempt: &Attempt, evidence: &Evidence, diagnosis: &mut Diagnosis) {
    match (attempt.stage, attempt.code) {
        (Stage::Call(Step::Bind), errnos::EADDRNOTAVAIL) => {
            diagnosis.cause("the source address is none of this network namespace's");
            diagnosis.advise("`ip -brief address` lists those that are");
        }
        (Stage::Call(Step::Bind), errnos::EADDRINUSE) => {
            diagnosis.cause("the source port is taken");
            diagnosis.advise("leave out the port of --source, or `netkit bind` tells who has it");
        }
        (Stage::Call(Step::Bind), errnos::EACCES) => {
            diagnosis.cause("this user may not bind that source port");
            diagnosis.advise("leave out the port of --source");
        }
        (Stage::Call(Step::Option), _) => {
            diagnosis.cause("an option was refused: --mark takes CAP_NET_ADMIN, --interface on old kernels CAP_NET_RAW");
            diagnosis.advise("run it as root, or leave the option out");
        }
        (_, errnos::EADDRNOTAVAIL) => not_available(evidence, diagnosis),
        (_, errnos::EINVAL) => {
            if let Some(source) = evidence.source.filter(|it| it.is_loopback() && !evidence.is_here)
            {
                diagnosis.cause(format!(
                    "the source address {source} is of `lo`, and cannot leave this machine"
                ));
                diagnosis.advise("leave --source out, or take one of `ip -brief address`");
            } else if let Some(forbidding) = evidence.forbidding() {
                forbidden(forbidding, &ip(attempt), diagnosis);
            } else if let Some(scope) = evidence.scopes.first() {
                diagnosis.cause("a link-local address is one of each link: it takes its interface");
                diagnosis.advise(format!("write [{}%{scope}]", ip(attempt)));
            }
        }
        _ => {}
    }
}

fn not_available(evidence: &Evidence, diagnosis: &mut Diagnosis) {
    if evidence.ipv6_is_off == Some(true) {
        return ipv6_off(diagnosis);
    }
    // ::1 goes away with the interface, unlike 127.0.0.1.
    if evidence.is_here && evidence.link.is_some_and(|(is_up, _)| !is_up) {
        return loopback_is_down(diagnosis);
    }
    let Some(ports) = evidence.ports else { return };
    if ports.taken < ports.usable {
        diagnosis.cause(format!(
            "{} of {} ports go to this destination already, which is not all: is there a source \
             address of this family",
            thousands(ports.taken),
            thousands(ports.usable)
        ));
        return;
    }
    let message = format!(
        "all {} ports that connect() may choose from, {}-{}, go to this destination already",
        thousands(ports.usable),
        ports.range.low,
        ports.range.high
    );
    let found = json!({
        "ports_usable": ports.usable,
        "ports_taken": ports.taken,
        "range_low": ports.range.low,
        "range_high": ports.range.high,
    });
    let advice = [
        "`netkit states --time-wait` tells by what, for how long, and what helps".to_owned(),
        "keep connections open in place of making new ones".to_owned(),
        "a wider net.ipv4.ip_local_port_range, or more source addresses".to_owned(),
    ];
    diagnosis.found((CONNECT_PORTS_EXHAUSTED, Severity::Critical), message, found, &advice);
}
