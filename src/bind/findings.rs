//! What of an answer is a finding, with its evidence.

use serde_json::{Map, json};

use super::blockers::Role;
use super::report::BindReport;
use crate::catalogue::errnos;
use crate::catalogue::findings::{
    BIND_IN_USE, BIND_NOT_AVAILABLE, BIND_NOT_PERMITTED, BIND_PORT_IS_EPHEMERAL, BIND_REFUSED,
    BIND_UNEXPLAINED,
};
use crate::model::{Finding, Severity};

/// The findings of `report`, the worst first. `is_ephemeral` is whether connect(2) may pick the port.
pub fn findings(report: &BindReport, is_ephemeral: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !report.free {
        findings.push(refusal(report));
    }
    if report.code == errnos::EADDRINUSE && report.blockers.is_empty() && !asks_for_any(report) {
        findings.push(finding(
            (BIND_UNEXPLAINED, Severity::Warning),
            report,
            "no socket that netkit can see explains the refusal".to_owned(),
        ));
    }
    if is_ephemeral {
        let is_taken = report.blockers.iter().any(|it| it.role == Role::Outgoing);
        let severity = if is_taken { Severity::Warning } else { Severity::Info };
        findings.push(finding(
            (BIND_PORT_IS_EPHEMERAL, severity),
            report,
            "connect() may pick this port: it is in net.ipv4.ip_local_port_range and not reserved"
                .to_owned(),
        ));
    }
    findings
}

/// Whether the port is 0: then no socket in particular is in the way.
fn asks_for_any(report: &BindReport) -> bool {
    report.protocol != "unix" && report.address.ends_with(":0")
}

fn refusal(report: &BindReport) -> Finding {
    let id = match report.code {
        errnos::EADDRINUSE => BIND_IN_USE,
        errnos::EACCES => BIND_NOT_PERMITTED,
        errnos::EADDRNOTAVAIL => BIND_NOT_AVAILABLE,
        _ => BIND_REFUSED,
    };
    let message = format!(
        "{}({}) fails: {} ({}) {}",
        report.stage,
        report.address,
        report.name,
        report.code,
        errnos::text(report.code)
    );
    finding((id, Severity::Critical), report, message)
}

fn finding(
    (id, severity): (&'static str, Severity),
    report: &BindReport,
    message: String,
) -> Finding {
    let helpful = report.remedies.iter().filter(|it| it.helps && severity > Severity::Info);
    let mut evidence = Map::new();
    evidence.insert("code".to_owned(), json!(report.code));
    evidence.insert("blockers".to_owned(), json!(report.blockers.len()));
    Finding {
        id,
        severity,
        subject: report.address.clone(),
        message,
        evidence,
        advice: helpful.map(|it| it.text.clone()).collect(),
    }
}
