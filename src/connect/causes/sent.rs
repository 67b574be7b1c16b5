//! Causes that came over the wire, or did not come.

use serde_json::json;

use super::{Diagnosis, here};
use crate::catalogue::findings::{CONNECT_REJECTED, CONNECT_UNREACHABLE};
use crate::catalogue::icmp;
use crate::connect::attempt::{Attempt, Destination};
use crate::connect::evidence::Evidence;
use crate::connect::outcome::Outcome;
use crate::kernel::error_queue::IcmpError;
use crate::kernel::neighbour::NeighbourState;
use crate::model::{Protocol, Severity};
use crate::output::numbers::count;

/// An ICMP message: what it says, and who says it.
pub fn icmp(attempt: &Attempt, evidence: &Evidence, diagnosis: &mut Diagnosis) {
    let Some(icmp) = attempt.icmp else { return };
    let destination = attempt.destination.as_ref().and_then(Destination::ip);
    let is_from_there = icmp.from.is_some() && icmp.from == destination.map(|ip| ip.to_canonical());
    let is_ours = attempt.is_told_by_this_machine();
    let from = icmp.from.map_or_else(|| "somebody".to_owned(), |ip| ip.to_string());
    let version = if icmp.is_v6 { "ICMPv6" } else { "ICMP" };
    let known = icmp::find(icmp.is_v6, icmp.kind, icmp.code);
    let says = known.map_or("something", |it| it.says);
    if attempt.outcome == Outcome::Refused {
        diagnosis.cause(format!(
            "{from} answered \"{says}\" ({version} {}/{}): the host is up, and nobody has the port",
            icmp.kind, icmp.code
        ));
        if evidence.is_here {
            here::datagrams_elsewhere(evidence, diagnosis);
        }
        return;
    }
    // That of an address of its own, it says in the name of that.
    let is_here = is_ours || evidence.is_here;
    let place = match (is_here, is_from_there) {
        (true, _) => ", which is this machine itself,",
        (_, true) => ", which is the destination itself,",
        (false, false) => "",
    };
    if is_ours && super::way::no_neighbour(evidence, diagnosis) {
        return;
    }
    let hops = evidence.ttl.filter(|_| is_of_hops(icmp)).map(|ttl| count(ttl.into(), "hop"));
    if let Some(hops) = &hops {
        diagnosis.meaning =
            format!("by --ttl the packet may take {hops}, and the destination is further away");
    }
    let meaning = match known {
        _ if hops.is_some() => diagnosis.meaning.as_str(),
        Some(_) if is_here && icmp.kind != 11 => "a firewall of this machine refuses it",
        Some(known) => known.meaning,
        None => "an error that is in no table",
    };
    let message = format!(
        "{from}{place} answered \"{says}\" ({version} {}/{}): {meaning}",
        icmp.kind, icmp.code
    );
    let is_rejected = attempt.outcome == Outcome::Rejected;
    let id = if is_rejected { CONNECT_REJECTED } else { CONNECT_UNREACHABLE };
    let found = json!({
        "icmp_version": if icmp.is_v6 { 6 } else { 4 },
        "icmp_type": icmp.kind,
        "icmp_code": icmp.code,
        "from": icmp.from.map(|ip| ip.to_string()),
    });
    let advice = match hops {
        Some(hops) => vec![format!("leave --ttl out, or give it more than {hops}")],
        None if is_here => vec![
            "`nft list ruleset`, `iptables -S` on this machine show the rule that refuses it"
                .to_owned(),
        ],
        None => advice(attempt, is_rejected, &from),
    };
    diagnosis.found((id, Severity::Critical), message, found, &advice);
    let is_known = evidence.neighbour.is_some_and(|(_, it)| it == NeighbourState::Known);
    if is_known && !is_ours && !is_from_there {
        diagnosis.cause(
            "the route and the first neighbour are fine; the host itself never saw the connection",
        );
    }
}

/// Whether the packet was passed on as often as it may: ICMP time exceeded, of both versions.
fn is_of_hops(icmp: IcmpError) -> bool {
    matches!((icmp.is_v6, icmp.kind), (false, 11) | (true, 3))
}

fn advice(attempt: &Attempt, is_rejected: bool, from: &str) -> Vec<String> {
    let local = attempt.local.map_or_else(|| "this host".to_owned(), |it| it.ip().to_string());
    let remote = match &attempt.destination {
        Some(Destination::Internet(_, address)) => address.to_string(),
        _ => "the destination".to_owned(),
    };
    if is_rejected {
        vec![format!("ask for {local} → {remote} to be allowed on {from}")]
    } else {
        vec![
            format!("on {from}: `ip route get` and `ip neigh` for the destination"),
            "is the host on, and is the address right".to_owned(),
        ]
    }
}

/// Nobody answered in time: what that can be, and what it cannot.
pub fn silence(attempt: &Attempt, evidence: &Evidence, target: &str, diagnosis: &mut Diagnosis) {
    if !diagnosis.causes.is_empty() {
        return;
    }
    if evidence.is_here {
        loopback_silence(evidence, diagnosis);
        return;
    }
    if super::way::no_neighbour(evidence, diagnosis) {
        return;
    }
    let tries = match attempt.syn_retransmits {
        Some(again) => {
            let sent = count(u64::from(again) + 1, "SYN");
            format!("{sent} sent, and nothing came back: ")
        }
        None => String::new(),
    };
    diagnosis.cause(format!(
        "{tries}a firewall drops it, the host is off or its accept queue is full, or there is no way \
         back"
    ));
    diagnosis.cause(
        "it is no proof of a silent drop: routers ration their ICMP messages, so that one may still \
         come to a later try",
    );
    let is_udp = matches!(attempt.destination, Some(Destination::Internet(Protocol::Udp, _)));
    if attempt.deadline && !is_udp {
        diagnosis.advise("try once more after a second, with a longer `--timeout`");
    }
    diagnosis.advise(
        "the firewalls on the way and on the host; on the host, does the SYN come in: `tcpdump`",
    );
    if !evidence.is_walked {
        diagnosis.advise(format!("netkit connect --layers {target} walks the path"));
    }
}

fn loopback_silence(evidence: &Evidence, diagnosis: &mut Diagnosis) {
    if let Some((false, _)) = evidence.link {
        super::way::loopback_is_down(diagnosis);
        return;
    }
    diagnosis.cause(
        "this machine does not answer itself: a firewall here drops it, or the accept queue was full \
         a moment ago",
    );
    diagnosis.advise("`nft list ruleset`, `iptables -S`; `nstat -az TcpExtListenOverflows`");
}
