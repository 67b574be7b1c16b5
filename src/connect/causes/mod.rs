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
        (_, Stage::Resolve, _) => resolver(attempt, &mut diagnosis),
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

fn resolver(attempt: &Attempt, diagnosis: &mut Diagnosis) {
    if attempt.deadline || attempt.code == eai::EAI_AGAIN {
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
        (Outcome::Connected, _) | (_, errnos::EAGAIN) => {}
        (_, _) => {
            diagnosis.cause("the connection was made, and ended before anything was answered")
        }
    }
}
