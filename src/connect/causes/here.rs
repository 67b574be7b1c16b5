//! Causes that are on this machine: who listens, and whose queue is full.

use serde_json::json;

use super::Diagnosis;
use crate::catalogue::errnos;
use crate::catalogue::findings::{
    CONNECT_ACCEPT_QUEUE_FULL, CONNECT_LISTENS_ELSEWHERE, CONNECT_NOT_LISTENING,
};
use crate::connect::attempt::{Attempt, Destination};
use crate::connect::evidence::{Evidence, Other};
use crate::connect::outcome::Outcome;
use crate::model::{Severity, TcpState};
use crate::output::numbers::thousands;

/// Names a queue that is full; of a connection that was made, one that this has filled.
pub fn queue(evidence: &Evidence, outcome: Outcome, diagnosis: &mut Diagnosis) {
    let Some(queue) = evidence.queue.filter(|it| it.is_full()) else { return };
    let figures = format!(
        "{} wait to be accepted, and the backlog is {}",
        thousands(queue.waiting.into()),
        thousands(queue.limit.into())
    );
    let (severity, message) = if outcome == Outcome::Connected {
        (
            Severity::Warning,
            format!(
                "the accept queue of the listener is full now: {figures}; the next connection gets no answer"
            ),
        )
    } else {
        (
            Severity::Critical,
            format!(
                "the accept queue of the listener is full: {figures}; the kernel drops every SYN"
            ),
        )
    };
    let evidence = json!({ "waiting": queue.waiting, "backlog": queue.limit });
    let advice = [
        "look at the server: it does not call accept(), or too slowly".to_owned(),
        "a larger backlog in its listen(), cut to net.core.somaxconn, takes more at once"
            .to_owned(),
    ];
    diagnosis.found((CONNECT_ACCEPT_QUEUE_FULL, severity), message, evidence, &advice);
}

/// A refusal by RST, or by this machine's own port of UDP.
pub fn refused(attempt: &Attempt, evidence: &Evidence, diagnosis: &mut Diagnosis) {
    if attempt.code != errnos::ECONNREFUSED {
        diagnosis.cause("the handshake was done, and the connection reset at once");
        diagnosis.advise("the log of the server or load balancer: no backend, a limit, a wrapper");
        return;
    }
    if !evidence.is_here {
        diagnosis.cause(
            "an RST came and no ICMP message: the host is up and nobody listens there, or a firewall \
             answers in its place",
        );
        diagnosis.advise(
            "on that host: does the service run, and `ss -ltn` or `netkit states --listening`",
        );
        diagnosis.advise("if it listens on 127.0.0.1 alone, it cannot be reached from here");
        return;
    }
    if let Some(other) = evidence.others.iter().find(|it| takes(it, attempt)) {
        diagnosis.cause(format!(
            "{} listens there, at {}, and yet an RST came: of a firewall of this machine, or the \
             server has only just begun to listen",
            who(other),
            other.local
        ));
        diagnosis
            .advise("`nft list ruleset`, `iptables -S` show whether a rule rejects it; try again");
        return;
    }
    listening_elsewhere(evidence, diagnosis);
}

/// Whether it is a listener of the very address that was asked for. Of `[::]` and an IPv4 address
/// that depends on an option of its own (`IPV6_V6ONLY`).
fn takes(other: &Other, attempt: &Attempt) -> bool {
    let Some(asked) = attempt.destination.as_ref().and_then(Destination::ip) else { return false };
    let (asked, local) = (asked.to_canonical(), other.local.address.to_ip().to_canonical());
    let is_any = local.is_unspecified() && local.is_ipv4() == asked.is_ipv4();
    other.protocol == "tcp" && other.state == TcpState::LISTEN && (local == asked || is_any)
}

/// Sockets of the same port on this machine, which do not take the connection.
fn listening_elsewhere(evidence: &Evidence, diagnosis: &mut Diagnosis) {
    let (listeners, rest): (Vec<&Other>, Vec<&Other>) =
        evidence.others.iter().partition(|it| it.protocol == "tcp" && it.state == TcpState::LISTEN);
    if let Some(other) = listeners.first() {
        let message = format!("{} listens on that port, but at {} alone", who(other), other.local);
        let found = json!({ "listens_at": other.local.to_string() });
        let advice = [
            format!("connect to {}", other.local),
            "or let the server listen at the address that is asked for: 0.0.0.0 and [::] are all"
                .to_owned(),
        ];
        diagnosis.found((CONNECT_LISTENS_ELSEWHERE, Severity::Critical), message, found, &advice);
        return;
    }
    let bound = rest.iter().find(|it| it.state == TcpState::BOUND_INACTIVE);
    if let Some(other) = bound {
        let message =
            format!("{} has bound {}, and has not called listen()", who(other), other.local);
        let found = json!({ "bound_at": other.local.to_string() });
        let advice =
            ["the server is starting, or stuck before listen(): `netkit wait` waits".to_owned()];
        diagnosis.found((CONNECT_NOT_LISTENING, Severity::Critical), message, found, &advice);
        return;
    }
    diagnosis.cause("nobody on this machine listens on that port");
    if let Some(other) = rest.iter().find(|it| it.protocol == "udp") {
        diagnosis.cause(format!("{} has the port of UDP: {}", who(other), other.local));
        diagnosis.advise(format!("is it meant to be udp://{}", other.local));
    }
    diagnosis
        .advise("start the service, or correct the port: `netkit states --listening` lists them");
}

/// A port of UDP on this machine that nobody has at the address that was asked for.
pub fn datagrams_elsewhere(evidence: &Evidence, diagnosis: &mut Diagnosis) {
    if let Some(other) = evidence.others.iter().find(|it| it.protocol == "udp") {
        let message = format!("{} has that port of UDP, but at {} alone", who(other), other.local);
        let found = json!({ "listens_at": other.local.to_string() });
        let advice = [
            format!("send to udp://{}", other.local),
            "or let the server bind the address that is asked for: 0.0.0.0 and [::] are all"
                .to_owned(),
        ];
        diagnosis.found((CONNECT_LISTENS_ELSEWHERE, Severity::Critical), message, found, &advice);
        return;
    }
    if let Some(other) = evidence.others.iter().find(|it| it.state == TcpState::LISTEN) {
        diagnosis.cause(format!("{} listens there by TCP: {}", who(other), other.local));
        diagnosis.advise(format!("is it meant to be tcp://{}", other.local));
    }
    diagnosis.advise("start the service, or correct the port: `ss -lun` lists those of UDP");
}

fn who(other: &Other) -> String {
    match &other.owner {
        Some(owner) => format!("{} (pid {})", owner.name, owner.pid),
        None => "somebody".to_owned(),
    }
}
