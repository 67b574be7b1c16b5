//! From the arguments to the report: what the kernel says to a bind, who is in its way, and what
//! follows from that.

use std::net::SocketAddr;

use super::args::Args;
use super::blockers::{Blocker, blockers};
use super::outlook::{Outlook, outlook};
use super::probe::{Extra, OptionTrial, Trials, next_port, try_all};
use super::remedies::{self, Privilege, Remedy, Situation, Unavailable};
use super::report::{BindReport, OptionAnswer, SCHEMA, View};
use super::sharing::{Asked, refuses};
use super::survey::{Survey, look};
use super::target::{InternetTarget, Target};
use super::{findings, unix};
use crate::catalogue::{bind_errnos, errnos};
use crate::kernel::binding::{TcpOptions, Trial, own_uid, try_udp};
use crate::kernel::clock::{Stopwatch, later, now, time_of_day, time_wait_slack_ms};
use crate::kernel::tcp_settings::{TcpSettings, is_ipv6_disabled, unprivileged_port_start};
use crate::kernel::{KernelError, ProcRoot, if_inet6, interfaces, unix_binding};
use crate::model::{Endpoint, Protocol, UnixName};

/// What was found out about a bind.
struct Found {
    protocol: &'static str,
    judged: Trial,
    listened: bool,
    options: Vec<OptionAnswer>,
    blockers: Vec<Blocker>,
    hidden_processes: u64,
    outlook: Outlook,
    remedies: Vec<Remedy>,
    warnings: Vec<String>,
    /// Where the port is one that connect(2) picks.
    is_ephemeral: bool,
}

/// Asks the kernel about `target`.
pub fn answer(
    args: &Args,
    target: &Target,
    proc_root: &ProcRoot,
) -> Result<BindReport, KernelError> {
    let captured_at = now();
    let stopwatch = Stopwatch::start();
    let found = match (target, args.protocol()) {
        (Target::Unix(name), _) => unix_found(args, name, proc_root)?,
        (Target::Internet(it), Protocol::Tcp) => tcp_found(args, it, proc_root)?,
        (Target::Internet(it), Protocol::Udp) => udp_found(args, it, proc_root)?,
    };
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
        meaning: match target {
            Target::Internet(it) if it.port() == Some(0) && name == "EADDRINUSE" => {
                bind_errnos::NO_PORT_LEFT
            }
            Target::Internet(_) => bind_errnos::internet(&name),
            Target::Unix(_) => bind_errnos::unix(&name),
        },
        name,
        stage: found.judged.stage.name(),
        listened: found.listened,
        free: found.judged.is_accepted(),
        options: found.options,
        blockers: found.blockers,
        blockers_hidden_processes: found.hidden_processes,
        frees_itself: found.outlook.frees_itself,
        frees_at: frees_at.map(|moment| moment.to_string()),
        frees_in_ms: found.outlook.in_ms,
        frees_in_at_most_ms: found.outlook.at_most_ms,
        remedies: found.remedies,
        findings: Vec::new(),
        warnings: found.warnings,
        view: View { judged: args.judged(), frees_at: frees_at.map(time_of_day) },
    };
    report.findings = findings::findings(&report, found.is_ephemeral);
    Ok(report)
}

/// An Internet address and what surrounds it.
struct Place<'a> {
    target: &'a InternetTarget,
    address: SocketAddr,
    settings: TcpSettings,
    proc_root: &'a ProcRoot,
}

impl<'a> Place<'a> {
    fn new(target: &'a InternetTarget, proc_root: &'a ProcRoot) -> Result<Self, KernelError> {
        let port = target.port().unwrap_or(0);
        let address = target.socket_address(port, interfaces::index);
        let Some(address) = address else {
            return Err(KernelError::NoInterface(target.scope.clone().unwrap_or_default()));
        };
        Ok(Self { target, address, settings: TcpSettings::read(proc_root), proc_root })
    }

    fn asked(&self, protocol: Protocol, options: TcpOptions, judged: Trial) -> Asked {
        Asked {
            protocol,
            end: Endpoint::new(self.address.ip(), self.address.port()),
            v6only: judged.v6only,
            reuse_addr: options.reuse_addr,
            reuse_port: options.reuse_port,
            uid: own_uid(),
        }
    }

    /// The sockets on the port, where they can be the reason for `code`. A privileged port says
    /// EACCES whoever has it.
    fn survey(&self, asked: &Asked, code: i32) -> Result<Option<Survey>, KernelError> {
        let is_reason = code == errnos::EADDRINUSE || code == errnos::EACCES;
        if !is_reason || asked.end.port == 0 {
            return Ok(None);
        }
        look(asked, &self.settings, self.proc_root).map(Some)
    }

    /// Whether connect(2) may pick the port.
    fn is_ephemeral(&self) -> bool {
        let ports = self.settings.ephemeral_ports();
        ports.is_some_and(|ports| ports.contains(self.address.port()))
    }

    /// What to do about an error that is not the port's.
    fn remedies(&self, code: i32, freebind: Option<bool>, blockers: &[Blocker]) -> Vec<Remedy> {
        match code {
            errnos::EACCES => {
                let first_unprivileged = unprivileged_port_start(self.proc_root);
                let privilege = Privilege { first_unprivileged, port: self.address.port() };
                remedies::not_permitted(privilege, blockers)
            }
            errnos::EADDRNOTAVAIL => remedies::not_available(&self.unavailable(), freebind),
            errnos::EINVAL if self.lacks_scope() => remedies::no_scope(&self.having()),
            code => remedies::other(code),
        }
    }

    fn lacks_scope(&self) -> bool {
        let SocketAddr::V6(address) = self.address else { return false };
        address.ip().is_unicast_link_local() && address.scope_id() == 0
    }

    /// The interfaces that have the address.
    fn having(&self) -> Vec<String> {
        let all = interfaces::addresses().into_iter();
        all.filter(|(_, ip)| *ip == self.address.ip()).map(|(name, _)| name).collect()
    }

    fn unavailable(&self) -> Unavailable {
        let ip = self.address.ip();
        let known = if_inet6::entries(self.proc_root);
        let here = || known.iter().filter(|it| ip == it.address);
        if let Some(entry) = here().find(|it| it.is_duplicate) {
            return Unavailable::Duplicate(entry.interface.clone());
        }
        if let Some(entry) = here().find(|it| it.is_tentative) {
            return Unavailable::Tentative(entry.interface.clone());
        }
        if let (Some(entry), Some(_)) = (here().next(), &self.target.scope) {
            return Unavailable::OtherScope(entry.interface.clone());
        }
        let is_off = |interface| is_ipv6_disabled(self.proc_root, interface) == Some(true);
        if ip.is_ipv6() && (is_off("all") || (ip.is_loopback() && is_off("lo"))) {
            return Unavailable::Ipv6Disabled;
        }
        let all = interfaces::addresses().into_iter().map(|(_, ip)| ip);
        let same_family = all.filter(|it| it.is_ipv4() == ip.is_ipv4());
        Unavailable::NotLocal(same_family.map(|ip| ip.to_string()).collect())
    }
}

fn tcp_found(
    args: &Args,
    target: &InternetTarget,
    proc_root: &ProcRoot,
) -> Result<Found, KernelError> {
    let place = Place::new(target, proc_root)?;
    let options = args.options();
    let trials = try_all(place.address, options)?;
    let bound = trials.of(options.reuse_addr, options.reuse_port);
    let judged = trials.listened.unwrap_or(bound);
    let asked = place.asked(Protocol::Tcp, options, judged);
    let survey = place.survey(&asked, judged.code)?;
    let blockers =
        survey.as_ref().map(|it| blockers(&asked, it, Some(&trials))).unwrap_or_default();
    let mut found = found("tcp", judged, survey, blockers);
    found.listened = trials.listened.is_some();
    found.remedies = if judged.is_accepted() {
        Vec::new()
    } else if judged.code == errnos::EADDRINUSE {
        remedies::in_use(&situation(&place, &found, (Some(&trials), trials.extra)))
    } else {
        place.remedies(judged.code, trials.extra.freebind, &found.blockers)
    };
    found.options = trials.options.map(OptionAnswer::from).into();
    found.is_ephemeral = place.is_ephemeral();
    Ok(found)
}

fn situation<'a>(
    place: &Place<'_>,
    found: &'a Found,
    (trials, extra): (Option<&'a Trials>, Extra),
) -> Situation<'a> {
    Situation {
        port: place.address.port(),
        is_ipv4: Endpoint::new(place.address.ip(), 0).address.is_ipv4(),
        blockers: &found.blockers,
        outlook: found.outlook,
        trials,
        extra,
        range: place.settings.port_range,
    }
}

fn found(
    protocol: &'static str,
    judged: Trial,
    survey: Option<Survey>,
    blockers: Vec<Blocker>,
) -> Found {
    let (hidden_processes, warnings) =
        survey.map(|it| (it.hidden_processes, it.warnings)).unwrap_or_default();
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
    }
}

/// UDP is asked without options alone; what `SO_REUSEADDR` and `SO_REUSEPORT` would do follows from
/// those of the sockets that are there, where they could be read.
fn udp_found(
    args: &Args,
    target: &InternetTarget,
    proc_root: &ProcRoot,
) -> Result<Found, KernelError> {
    let place = Place::new(target, proc_root)?;
    let options = args.options();
    let plain = try_udp(place.address, options.v6only)?;
    let asked = place.asked(Protocol::Udp, options, plain);
    let survey = place.survey(&asked, plain.code)?;
    let mut judged = plain;
    if let Some(survey) = &survey
        && (options.reuse_addr || options.reuse_port)
        && plain.code == errnos::EADDRINUSE
    {
        let answers = || survey.holdings.iter().map(|it| refuses(&asked, &it.socket, it.sharing));
        if answers().any(|refuses| refuses.is_none()) || survey.holdings.is_empty() {
            return Err(KernelError::CannotTell {
                what: "whether a UDP socket with SO_REUSEADDR or SO_REUSEPORT may share this port \
                       depends on options of the socket that has it, which this user may not read",
                instead: "run netkit as root; it is never tried, for such a socket takes datagrams \
                          from the moment it is bound",
            });
        }
        if answers().all(|refuses| refuses == Some(false)) {
            judged.code = 0;
        }
    }
    let blockers = survey.as_ref().map(|it| blockers(&asked, it, None)).unwrap_or_default();
    let mut found = found("udp", judged, survey, blockers);
    found.remedies = match judged.code {
        0 => Vec::new(),
        errnos::EADDRINUSE => {
            let is_free = |other| Ok(try_udp(other, options.v6only)?.is_accepted());
            let another_port = next_port(place.address, is_free)?;
            let extra = Extra { another_port, ..Extra::default() };
            remedies::in_use(&situation(&place, &found, (None, extra)))
        }
        code => place.remedies(code, None, &found.blockers),
    };
    found.options = vec![plain_option(plain).into()];
    Ok(found)
}

fn plain_option(trial: Trial) -> OptionTrial {
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
        ..found("unix", trial, None, survey.blockers)
    })
}
