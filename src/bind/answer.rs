//! From the arguments to the report: what the kernel says to a bind, who is in its way, and what
//! follows from that.

use super::args::Args;
use super::blockers::{Blocker, blockers};
use super::outlook::{Outlook, outlook};
use super::probe::{OptionTrial, Trials};
use super::remedies::{self, Remedy};
use super::report::{BindReport, OptionAnswer, SCHEMA, View};
use super::sharing::Asked;
use super::survey::Survey;
use super::target::Target;
use super::tcp::tcp_found;
use super::udp::udp_found;
use super::{findings, unix};
use crate::catalogue::{bind_errnos, errnos};
use crate::kernel::binding::Trial;
use crate::kernel::clock::{Stopwatch, later, now, time_of_day, time_wait_slack_ms};
use crate::kernel::{KernelError, ProcRoot, unix_binding};
use crate::model::{Protocol, UnixName};

/// Where the kernel is asked.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its /proc.
    pub proc_root: &'a ProcRoot,
    /// What a command is put behind to run there, for advice; empty if that is here.
    pub prefix: &'a str,
}

/// What was found out about a bind.
pub(super) struct Found {
    pub(super) protocol: &'static str,
    pub(super) judged: Trial,
    pub(super) listened: bool,
    pub(super) options: Vec<OptionAnswer>,
    pub(super) blockers: Vec<Blocker>,
    pub(super) hidden_processes: u64,
    pub(super) outlook: Outlook,
    pub(super) remedies: Vec<Remedy>,
    pub(super) warnings: Vec<String>,
    /// Where the port is one that connect(2) picks.
    pub(super) is_ephemeral: bool,
    /// What the code means here, where more is known than of the code alone.
    pub(super) meaning: Option<&'static str>,
    /// Who has the address too, and lets it be shared.
    pub(super) shares_with: Vec<Blocker>,
}

impl Found {
    /// Who is in the way, and how many processes could not be looked into.
    pub(super) fn holders(&self) -> (&[Blocker], u64) {
        (&self.blockers, self.hidden_processes)
    }
}

/// Asks the kernel about `target`.
pub fn answer(args: &Args, target: &Target, site: Site<'_>) -> Result<BindReport, KernelError> {
    let captured_at = now();
    let stopwatch = Stopwatch::start();
    let found = match (target, args.protocol()) {
        (Target::Unix(name), _) => unix_found(args, name, site.proc_root)?,
        (Target::Internet(it), Protocol::Tcp) => tcp_found(args, it, site)?,
        (Target::Internet(it), Protocol::Udp) => udp_found(args, it, site)?,
    };
    for it in found.options.iter().filter(|it| it.verified) {
        let (reuse_addr, reuse_port, code) = (it.reuse_addr, it.reuse_port, it.code);
        tracing::info!(%target, reuse_addr, reuse_port, code, "asked bind(2)");
    }
    let (blockers, hidden) = (found.blockers.len(), found.hidden_processes);
    tracing::info!(%target, last = ?found.judged, blockers, hidden, "answered");
    let frees_at = found.outlook.in_ms.map(|left| later(captured_at, left));
    let name = errnos::name(found.judged.code);
    let address = target.to_string();
    let mut report = BindReport {
        schema: SCHEMA,
        captured_at: captured_at.to_string(),
        elapsed: stopwatch.elapsed(),
        protocol: found.protocol,
        address,
        code: found.judged.code,
        meaning: found.meaning.unwrap_or_else(|| match target {
            Target::Internet(it) if it.port() == Some(0) && name == "EADDRINUSE" => {
                bind_errnos::NO_PORT_LEFT
            }
            Target::Internet(_) => bind_errnos::internet(&name),
            Target::Unix(_) => bind_errnos::unix(&name),
        }),
        name,
        stage: found.judged.stage.name(),
        listened: found.listened,
        free: found.judged.is_accepted(),
        options: found.options,
        blockers: found.blockers,
        shares_with: found.shares_with,
        blockers_hidden_processes: found.hidden_processes,
        frees_itself: found.outlook.frees_itself,
        frees_at: frees_at.map(|moment| moment.to_string()),
        frees_in_ms: found.outlook.in_ms,
        frees_in_at_most_ms: found.outlook.at_most_ms,
        remedies: found.remedies,
        findings: Vec::new(),
        warnings: found.warnings,
        view: View { judged: args.judged(), place: None, frees_at: frees_at.map(time_of_day) },
    };
    report.findings = findings::findings(&report, found.is_ephemeral);
    Ok(report)
}

/// The sockets that refuse the judged bind; and, where it is accepted, those that have the address
/// too, and would refuse a plain one.
#[derive(Default)]
pub(super) struct Others {
    pub(super) blockers: Vec<Blocker>,
    pub(super) shares_with: Vec<Blocker>,
}

pub(super) fn others(
    asked: &Asked,
    judged: Trial,
    survey: &Survey,
    trials: Option<&Trials>,
) -> Others {
    if judged.is_accepted() {
        let plain = Asked { reuse_addr: false, reuse_port: false, ..*asked };
        Others { blockers: Vec::new(), shares_with: blockers(&plain, survey, trials) }
    } else {
        Others { blockers: blockers(asked, survey, trials), shares_with: Vec::new() }
    }
}

pub(super) fn found(
    protocol: &'static str,
    judged: Trial,
    survey: Option<Survey>,
    others: impl FnOnce(&Survey) -> Others,
) -> Found {
    let (Others { blockers, shares_with }, hidden_processes, warnings) = match survey {
        Some(survey) => (others(&survey), survey.hidden_processes, survey.warnings),
        None => (Others::default(), 0, Vec::new()),
    };
    Found {
        protocol,
        judged,
        listened: false,
        options: Vec::new(),
        outlook: outlook(&blockers, time_wait_slack_ms()),
        blockers,
        hidden_processes,
        remedies: Vec::new(),
        warnings,
        is_ephemeral: false,
        meaning: None,
        shares_with,
    }
}

pub(super) fn plain_option(trial: Trial) -> OptionTrial {
    OptionTrial { reuse_addr: false, reuse_port: false, trial, verified: true }
}

fn unix_found(args: &Args, name: &UnixName, proc_root: &ProcRoot) -> Result<Found, KernelError> {
    let kind = args.unix_type();
    let trial = unix_binding::try_unix(name, kind)?;
    let survey = if trial.code == errnos::EADDRINUSE {
        unix::look(name, kind, proc_root)?
    } else {
        unix::UnixSurvey::default()
    };
    let remedies = if trial.is_accepted() {
        Vec::new()
    } else {
        let path = match name {
            UnixName::Path(path) => path.display().to_string(),
            UnixName::Abstract(_) => name.to_string(),
        };
        remedies::unix(trial.code, &survey.blockers, &path)
    };
    let frees_itself = (!survey.blockers.is_empty()).then_some(false);
    Ok(Found {
        hidden_processes: survey.hidden_processes,
        warnings: survey.warnings,
        remedies,
        options: vec![plain_option(trial).into()],
        outlook: Outlook { frees_itself, ..Outlook::default() },
        blockers: survey.blockers,
        ..found("unix", trial, None, |_| Others::default())
    })
}
