//! Why an attempt ended as it did: a pure judgement of its code and of what surrounds it.

mod here;
mod meaning;
mod sent;
mod unix;
mod way;

pub use meaning::meaning;

use super::attempt::{Attempt, Destination, Stage};
use super::evidence::Evidence;
use super::layers::LayerStep;
use super::outcome::Outcome;
use crate::catalogue::connect_errnos;
use crate::catalogue::eai;
use crate::catalogue::errnos;
use crate::catalogue::findings::CONNECT_SELF;
use crate::model::{Finding, Severity};

/// What an attempt means, why, and what helps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnosis {
    /// What it means, in a sentence without a full stop.
    pub meaning: String,
    /// Why it is so; the likeliest first.
    pub causes: Vec<String>,
    /// What helps, in order of use.
    pub advice: Vec<String>,
    /// What of it has a name.
    pub findings: Vec<Finding>,
    /// The steps to it, where they were asked for.
    pub layers: Option<Vec<LayerStep>>,
}

impl Diagnosis {
    /// What is known without a look around.
    pub fn at_first_sight(attempt: &Attempt) -> Self {
        Self { meaning: meaning(attempt), ..Self::default() }
    }

    fn cause(&mut self, text: impl Into<String>) {
        self.causes.push(text.into());
    }

    fn advise(&mut self, text: impl Into<String>) {
        self.advice.push(text.into());
    }

    /// A cause that has a name, with the numbers that it rests on and what helps.
    fn found(
        &mut self,
        (id, severity): (&'static str, Severity),
        message: String,
        evidence: serde_json::Value,
        advice: &[String],
    ) {
        self.causes.push(message.clone());
        self.advice.extend_from_slice(advice);
        let serde_json::Value::Object(evidence) = evidence else { return };
        self.findings.push(Finding {
            id,
            severity,
            subject: String::new(),
            message,
            evidence,
            advice: advice.to_vec(),
        });
    }
}

/// Judges `attempt` at `target`, as it was written, by what was seen around it.
pub fn diagnose(attempt: &Attempt, evidence: &Evidence, target: &str) -> Diagnosis {
    let mut diagnosis = Diagnosis::at_first_sight(attempt);
    match (&attempt.destination, attempt.stage, attempt.outcome) {
        (_, Stage::Resolve, _) => resolver(attempt, target, &mut diagnosis),
        (_, _, Outcome::SelfConnect) => itself(attempt, target, &mut diagnosis),
        (Some(Destination::Unix(name, kind)), _, _) => {
            unix::judge(attempt, (name, *kind), evidence, &mut diagnosis);
        }
        (_, Stage::Call(_), Outcome::Connected) | (_, Stage::Reply | Stage::Send, _)
            if attempt.icmp.is_none() =>
        {
            here::queue(evidence, attempt.outcome, &mut diagnosis);
            talk(attempt, &mut diagnosis);
        }
        _ => internet(attempt, evidence, target, &mut diagnosis),
    }
    if diagnosis.advice.is_empty() && !attempt.is_connected() {
        let is_unix = matches!(attempt.destination, Some(Destination::Unix(..)));
        let name = attempt.name();
        let known =
            if is_unix { connect_errnos::unix(&name) } else { connect_errnos::internet(&name) };
        diagnosis.advice.extend(known.map(|it| it.help.to_owned()));
    }
    for finding in &mut diagnosis.findings {
        target.clone_into(&mut finding.subject);
    }
    diagnosis
}

fn internet(attempt: &Attempt, evidence: &Evidence, target: &str, diagnosis: &mut Diagnosis) {
    if attempt.icmp.is_some() {
        sent::icmp(attempt, evidence, diagnosis);
        return;
    }
    match attempt.outcome {
        Outcome::Refused => here::refused(attempt, evidence, diagnosis),
        Outcome::TimedOut => {
            here::queue(evidence, attempt.outcome, diagnosis);
            sent::silence(attempt, evidence, target, diagnosis);
        }
        Outcome::Unreachable | Outcome::Denied => way::no_way(attempt, evidence, diagnosis),
        Outcome::LocalError => way::local(attempt, evidence, diagnosis),
        Outcome::Connected | Outcome::Rejected | Outcome::SelfConnect | Outcome::ResolveFailed => {}
    }
}

fn resolver(attempt: &Attempt, target: &str, diagnosis: &mut Diagnosis) {
    // An address in numbers is not looked up; of it, the interface alone can be unknown.
    let scope = target.split_once('%').and_then(|(_, rest)| rest.split_once(']'));
    if let Some((scope, _)) = scope {
        diagnosis.cause(format!("there is no interface `{scope}` in this network namespace"));
        diagnosis.advise("`ip -brief link` lists them");
    } else if attempt.deadline || attempt.code == eai::EAI_AGAIN {
        diagnosis.advise(
            "the name servers: `resolvectl status`, or the `nameserver` lines of /etc/resolv.conf",
        );
        diagnosis.advise("an address in place of the name tells whether the host is there");
    } else {
        diagnosis.advise(
            "is it spelled right: `getent ahosts NAME` asks as programs do, /etc/hosts included",
        );
    }
}

fn itself(attempt: &Attempt, target: &str, diagnosis: &mut Diagnosis) {
    let port = attempt.local.map_or(0, |it| it.port());
    let message = format!(
        "nobody listens at {target}: connect() picked port {port} for its own end, which is the one \
         that was asked for"
    );
    let advice = [
        "start the service; a check that does not compare both ends takes this for success"
            .to_owned(),
        format!(
            "keep {port} out of connect()'s range: net.ipv4.ip_local_reserved_ports = {port}, or a \
             port outside net.ipv4.ip_local_port_range"
        ),
    ];
    let evidence = serde_json::json!({ "port": port });
    diagnosis.found((CONNECT_SELF, Severity::Critical), message, evidence, &advice);
}

/// What went wrong after the connection was made.
fn talk(attempt: &Attempt, diagnosis: &mut Diagnosis) {
    let is_udp =
        matches!(attempt.destination, Some(Destination::Internet(crate::model::Protocol::Udp, _)));
    match (attempt.outcome, attempt.code) {
        (Outcome::TimedOut, _) if is_udp => {
            diagnosis.cause(
                "the datagram or its answer may be lost, a firewall may drop it, or the service does \
                 not answer what it does not understand",
            );
            diagnosis.advise(
                "`--send` what the service answers to; another try rules out a lost datagram",
            );
        }
        (Outcome::TimedOut, _) => {
            diagnosis.cause("the connection was made; the program behind it said nothing");
            diagnosis.advise("is the service stuck, or does it wait for another request: `--send`");
        }
        (Outcome::Denied, _) if is_udp => diagnosis.cause(
            "the datagram did not leave this machine: its firewall or a policy holds it back",
        ),
        (Outcome::Connected, _) | (_, errnos::EAGAIN) => {}
        (_, _) => {
            diagnosis.cause("the connection was made, and ended before anything was answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::evidence::{Barrier, Other, Queue, UnixEvidence};
    use crate::kernel::connecting::Step;
    use crate::kernel::error_queue::IcmpError;
    use crate::kernel::neighbour::NeighbourState;
    use crate::kernel::route::{Route, RouteKind};
    use crate::kernel::unix_binding::{FileKind, UnixType};
    use crate::model::{Endpoint, Protocol, TcpState, UnixName};

    const TARGET: &str = "10.0.9.20:80";

    fn attempt(outcome: Outcome, code: i32) -> Attempt {
        let destination = Destination::Internet(Protocol::Tcp, TARGET.parse().unwrap());
        let local = Some("10.0.3.7:40000".parse().unwrap());
        Attempt { outcome, code, local, ..Attempt::new(destination) }
    }

    /// Rejected or unreachable by an ICMP message of this code from this host.
    fn by_icmp(outcome: Outcome, code: u8, from: &str) -> Attempt {
        let from = Some(from.parse().unwrap());
        let icmp = Some(IcmpError { is_v6: false, kind: 3, code, from, errno: 113 });
        Attempt { icmp, ..attempt(outcome, 113) }
    }

    /// By way of a router of which this is known.
    fn way(state: NeighbourState) -> Evidence {
        let hop = "10.0.3.254".parse().unwrap();
        let kind = RouteKind::Unicast;
        let route = Route { kind, interface: Some(2), gateway: Some(hop), source: None };
        Evidence {
            route: Some(Ok(route)),
            interface: Some("eth0".to_owned()),
            link: Some((true, true)),
            neighbour: Some((hop, state)),
            ..Evidence::default()
        }
    }

    fn ids(diagnosis: &Diagnosis) -> Vec<&str> {
        diagnosis.findings.iter().map(|it| it.id).collect()
    }

    #[test]
    fn whoever_sent_the_message_is_named_and_the_way_to_him_cleared() {
        let rejected = by_icmp(Outcome::Rejected, 13, "10.0.1.254");
        let diagnosis = diagnose(&rejected, &way(NeighbourState::Known), TARGET);
        assert_eq!(ids(&diagnosis), ["CONNECT_REJECTED"]);
        assert!(diagnosis.causes[0].starts_with("10.0.1.254 answered"), "{diagnosis:?}");
        assert!(diagnosis.causes[1].contains("neighbour are fine"), "{diagnosis:?}");
        assert!(diagnosis.advice[0].contains("10.0.3.7 → 10.0.9.20:80"), "{diagnosis:?}");
        let by_itself = by_icmp(Outcome::Rejected, 13, "10.0.9.20");
        let diagnosis = diagnose(&by_itself, &way(NeighbourState::Known), TARGET);
        assert!(diagnosis.causes[0].contains("the destination itself"), "{diagnosis:?}");
        assert_eq!(diagnosis.causes.len(), 1, "the host has seen it");
    }

    #[test]
    fn hops_that_were_asked_for_are_no_loop() {
        let icmp =
            IcmpError { kind: 11, ..by_icmp(Outcome::Unreachable, 0, "10.0.3.254").icmp.unwrap() };
        let late = Attempt { icmp: Some(icmp), ..attempt(Outcome::Unreachable, 113) };
        let looping = diagnose(&late, &way(NeighbourState::Known), TARGET);
        assert!(looping.causes[0].contains("routing loop"), "{looping:?}");
        let asked = Evidence { ttl: Some(1), ..way(NeighbourState::Known) };
        let asked = diagnose(&late, &asked, TARGET);
        assert!(asked.causes[0].contains("by --ttl the packet may take 1 hop"), "{asked:?}");
        assert!(!asked.causes[0].contains("loop") && !asked.meaning.contains("loop"), "{asked:?}");
        assert_eq!(asked.advice, ["leave --ttl out, or give it more than 1 hop"]);
    }

    #[test]
    fn a_message_of_our_own_is_the_neighbour_that_is_not_there_or_a_firewall_here() {
        let own = by_icmp(Outcome::Unreachable, 1, "10.0.3.7");
        let absent = diagnose(&own, &way(NeighbourState::Failed), TARGET);
        assert_eq!(ids(&absent), ["CONNECT_NO_NEIGHBOUR"]);
        let present = diagnose(&own, &way(NeighbourState::Known), TARGET);
        assert_eq!(ids(&present), ["CONNECT_UNREACHABLE"]);
        assert!(present.causes[0].contains("a firewall of this machine"), "{present:?}");
    }

    #[test]
    fn nobody_is_asked_to_allow_what_this_machine_refuses_to_itself() {
        let own = by_icmp(Outcome::Rejected, 13, "10.0.9.20");
        let here = Evidence { is_here: true, ..way(NeighbourState::Known) };
        let own = diagnose(&own, &here, TARGET);
        assert!(own.causes[0].contains("a firewall of this machine"), "{own:?}");
        assert!(own.advice.iter().all(|it| !it.contains("ask for")), "{own:?}");
        assert!(own.advice[0].contains("nft list ruleset"), "{own:?}");
    }

    #[test]
    fn a_listener_of_this_very_address_is_not_called_one_elsewhere() {
        let listener = |local: &str| {
            let local: std::net::SocketAddr = local.parse().unwrap();
            Other {
                protocol: "tcp",
                local: Endpoint::new(local.ip(), local.port()),
                state: TcpState::LISTEN,
                owner: None,
            }
        };
        let refused = attempt(Outcome::Refused, errnos::ECONNREFUSED);
        let seen = |local| {
            let others = vec![listener(local)];
            let evidence = Evidence { is_here: true, others, ..Evidence::default() };
            diagnose(&refused, &evidence, TARGET).causes
        };
        for there in ["0.0.0.0:80", TARGET] {
            assert!(seen(there)[0].contains("of a firewall of this machine"), "{there}");
        }
        for elsewhere in ["127.0.0.1:80", "[::1]:80"] {
            assert!(seen(elsewhere)[0].contains("alone"), "{elsewhere}");
        }
    }

    #[test]
    fn silence_is_not_called_a_drop() {
        let late = Attempt {
            deadline: true,
            syn_retransmits: Some(2),
            ..attempt(Outcome::TimedOut, errnos::EAGAIN)
        };
        let diagnosis = diagnose(&late, &way(NeighbourState::Known), TARGET);
        assert!(diagnosis.causes[0].starts_with("3 SYNs sent"), "{diagnosis:?}");
        assert!(diagnosis.causes[1].contains("no proof"), "{diagnosis:?}");
        assert!(diagnosis.findings.is_empty());
        let diagnosis = diagnose(&late, &way(NeighbourState::Incomplete), TARGET);
        assert_eq!(ids(&diagnosis), ["CONNECT_NO_NEIGHBOUR"]);
    }

    #[test]
    fn a_queue_is_full_above_its_backlog() {
        for (waiting, expected) in [(1, vec![]), (2, vec!["CONNECT_ACCEPT_QUEUE_FULL"])] {
            let queue = Some(Queue { waiting, limit: 1 });
            let evidence = Evidence { is_here: true, queue, ..Evidence::default() };
            let taken = diagnose(&attempt(Outcome::Connected, 0), &evidence, TARGET);
            assert_eq!(ids(&taken), expected);
            assert!(taken.findings.iter().all(|it| it.severity == Severity::Warning));
            let late = attempt(Outcome::TimedOut, errnos::EAGAIN);
            let late = diagnose(&late, &evidence, TARGET);
            assert_eq!(ids(&late), expected);
            assert!(late.findings.iter().all(|it| it.severity == Severity::Critical));
        }
    }

    #[test]
    fn a_refusal_from_afar_is_an_rst_and_a_failed_bind_is_our_own() {
        let refused = attempt(Outcome::Refused, errnos::ECONNREFUSED);
        let diagnosis = diagnose(&refused, &way(NeighbourState::Known), TARGET);
        assert!(diagnosis.causes[0].starts_with("an RST came"), "{diagnosis:?}");
        let unbound = Attempt {
            stage: Stage::Call(Step::Bind),
            ..attempt(Outcome::LocalError, errnos::EADDRNOTAVAIL)
        };
        let diagnosis = diagnose(&unbound, &Evidence::default(), TARGET);
        assert!(diagnosis.causes[0].starts_with("the source address"), "{diagnosis:?}");
    }

    #[test]
    fn the_directory_that_keeps_a_user_out_is_named() {
        let name = UnixName::Path("/run/app/s".into());
        let denied = Attempt {
            outcome: Outcome::Denied,
            code: errnos::EACCES,
            ..Attempt::new(Destination::Unix(name, UnixType::Stream))
        };
        let barrier = Some(("/run/app".to_owned(), Barrier::NoSearch));
        let unix = UnixEvidence { file: FileKind::Nothing, sockets: Vec::new(), barrier };
        let evidence = Evidence { unix: Some(unix), ..Evidence::default() };
        let diagnosis = diagnose(&denied, &evidence, "unix:/run/app/s");
        assert_eq!(ids(&diagnosis), ["CONNECT_UNIX_DENIED"]);
        assert_eq!(diagnosis.findings[0].evidence["path"], "/run/app");
    }
}
