//! From the arguments to the report: what the kernel says to a bind, who is in its way, and what
//! follows from that.

use std::net::{IpAddr, SocketAddr};

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
use crate::kernel::if_inet6::Ipv6Entry;
use crate::kernel::tcp_settings::{TcpSettings, is_ipv6_disabled, unprivileged_port_start};
use crate::kernel::{KernelError, ProcRoot, if_inet6, interfaces, unix_binding};
use crate::model::{Endpoint, PortSet, Protocol, UnixName};

/// Where the kernel is asked.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its /proc.
    pub proc_root: &'a ProcRoot,
    /// What a command is put behind to run there, for advice; empty if that is here.
    pub prefix: &'a str,
}

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
    /// What the code means here, where more is known than of the code alone.
    meaning: Option<&'static str>,
    /// Who has the address too, and lets it be shared.
    shares_with: Vec<Blocker>,
}

impl Found {
    /// Who is in the way, and how many processes could not be looked into.
    fn holders(&self) -> (&[Blocker], u64) {
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

/// An Internet address and what surrounds it.
struct Place<'a> {
    target: &'a InternetTarget,
    address: SocketAddr,
    settings: TcpSettings,
    /// The ports that connect(2) picks from; none where that is not known.
    ephemeral: PortSet,
    proc_root: &'a ProcRoot,
    /// How a command is run there, for advice.
    prefix: &'a str,
}

impl<'a> Place<'a> {
    fn new(target: &'a InternetTarget, site: Site<'a>) -> Result<Self, KernelError> {
        let port = target.port().unwrap_or(0);
        let address = target.socket_address(port, interfaces::index);
        let Some(address) = address else {
            return Err(KernelError::NoInterface(target.scope.clone().unwrap_or_default()));
        };
        let Site { proc_root, prefix } = site;
        let settings = TcpSettings::read(proc_root);
        let ephemeral = settings.ephemeral_ports().unwrap_or_default();
        Ok(Self { target, address, settings, ephemeral, proc_root, prefix })
    }

    fn asked(&self, protocol: Protocol, options: TcpOptions, judged: Trial) -> Asked {
        Asked {
            protocol,
            end: Endpoint::new(self.address.ip(), self.address.port()),
            v6only: judged.v6only,
            interface: self.interface(),
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

    /// Whether the port is one that not every user may bind; it is taken for one where that is not
    /// known.
    fn is_privileged(&self) -> bool {
        unprivileged_port_start(self.proc_root).is_none_or(|first| self.address.port() < first)
    }

    /// Whether connect(2) may pick the port.
    fn is_ephemeral(&self) -> bool {
        self.ephemeral.contains(self.address.port())
    }

    /// What `code` means here, where more is known than of the code alone.
    fn meaning(&self, code: i32) -> Option<&'static str> {
        match code {
            errnos::EADDRNOTAVAIL => Some(self.unavailable().meaning()),
            errnos::EACCES if !self.is_privileged() => Some(bind_errnos::FORBIDDEN),
            _ => None,
        }
    }

    /// What to do about an error that is not the port's.
    fn remedies(
        &self,
        code: i32,
        freebind: Option<bool>,
        (blockers, hidden_processes): (&[Blocker], u64),
    ) -> Vec<Remedy> {
        match code {
            errnos::EACCES => {
                if !self.is_privileged() {
                    return remedies::forbidden();
                }
                let first_unprivileged = unprivileged_port_start(self.proc_root);
                let privilege = Privilege { first_unprivileged, port: self.address.port() };
                remedies::not_permitted(privilege, blockers, hidden_processes)
            }
            errnos::EADDRNOTAVAIL => remedies::not_available(&self.unavailable(), freebind),
            errnos::EINVAL if self.lacks_scope() => remedies::no_scope(&self.having()),
            code => remedies::other(code),
        }
    }

    /// The interface to which bind(2) binds the socket too: that of a link-local address.
    fn interface(&self) -> Option<u32> {
        match self.address {
            SocketAddr::V6(address) => Some(address.scope_id()).filter(|index| *index != 0),
            SocketAddr::V4(_) => None,
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
        let ip = self.address.ip().to_canonical();
        let known = if_inet6::entries(self.proc_root);
        let here = || known.iter().filter(|it| ip == it.address);
        let asked = self.target.scope.as_deref();
        let is_there = |it: &&Ipv6Entry| asked.is_none_or(|scope| scope == it.interface);
        if let (Some(entry), Some(_), false) =
            (here().next(), asked, here().any(|it| is_there(&it)))
        {
            return Unavailable::OtherScope(entry.interface.clone());
        }
        if let Some(entry) = here().find(|it| it.is_duplicate) {
            return Unavailable::Duplicate(entry.interface.clone());
        }
        if let Some(entry) = here().find(|it| it.is_tentative) {
            return Unavailable::Tentative(entry.interface.clone());
        }
        let is_off = |interface| is_ipv6_disabled(self.proc_root, interface) == Some(true);
        if ip.is_ipv6() && (is_off("all") || (ip.is_loopback() && is_off("lo"))) {
            return Unavailable::Ipv6Disabled;
        }
        let all = interfaces::addresses().into_iter().map(|(_, ip)| ip);
        let same_family = all.filter(|it| it.is_ipv4() == ip.is_ipv4() && !is_link_local(*it));
        Unavailable::NotLocal(same_family.take(SUGGESTIONS).map(|ip| ip.to_string()).collect())
    }
}

fn tcp_found(args: &Args, target: &InternetTarget, site: Site<'_>) -> Result<Found, KernelError> {
    let place = Place::new(target, site)?;
    let options = args.options();
    let trials = try_all(place.address, options)?;
    let bound = trials.of(options.reuse_addr, options.reuse_port);
    let judged = trials.listened.unwrap_or(bound);
    let asked = place.asked(Protocol::Tcp, options, judged);
    let plain = trials.of(false, false);
    let survey =
        place.survey(&asked, if judged.is_accepted() { plain.code } else { judged.code })?;
    let mut found = found("tcp", judged, survey, |it| others(&asked, judged, it, Some(&trials)));
    found.listened = trials.listened.is_some();
    found.remedies = if judged.is_accepted() {
        Vec::new()
    } else if judged.code == errnos::EADDRINUSE {
        remedies::in_use(&situation(&place, &found, (Some(&trials), trials.extra)))
    } else {
        place.remedies(judged.code, trials.extra.freebind, found.holders())
    };
    found.meaning = place.meaning(judged.code);
    if judged.is_accepted() && trials.dual_stack_code == Some(errnos::EADDRINUSE) {
        found.warnings.push(format!(
            "[::]:{} is in use: a server that binds all of IPv6 fails there; netkit bind '[::]:{0}'",
            place.address.port()
        ));
    }
    found.options = trials.options.map(OptionAnswer::from).into();
    found.is_ephemeral = place.is_ephemeral();
    Ok(found)
}

fn situation<'a>(
    place: &'a Place<'a>,
    found: &'a Found,
    (trials, extra): (Option<&'a Trials>, Extra),
) -> Situation<'a> {
    Situation {
        port: place.address.port(),
        is_ipv4: Endpoint::new(place.address.ip(), 0).address.is_ipv4(),
        blockers: &found.blockers,
        hidden_processes: found.hidden_processes,
        prefix: place.prefix,
        outlook: found.outlook,
        trials,
        extra,
        ephemeral: &place.ephemeral,
    }
}

/// Addresses that are named as those that are there.
const SUGGESTIONS: usize = 5;

/// Whether it cannot be bound as it is printed, without its interface.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// The sockets that refuse the judged bind; and, where it is accepted, those that have the address
/// too, and would refuse a plain one.
#[derive(Default)]
struct Others {
    blockers: Vec<Blocker>,
    shares_with: Vec<Blocker>,
}

fn others(asked: &Asked, judged: Trial, survey: &Survey, trials: Option<&Trials>) -> Others {
    if judged.is_accepted() {
        let plain = Asked { reuse_addr: false, reuse_port: false, ..*asked };
        Others { blockers: Vec::new(), shares_with: blockers(&plain, survey, trials) }
    } else {
        Others { blockers: blockers(asked, survey, trials), shares_with: Vec::new() }
    }
}

fn found(
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

/// UDP is asked without options alone; what `SO_REUSEADDR` and `SO_REUSEPORT` would do follows from
/// those of the sockets that are there, where they could be read.
fn udp_found(args: &Args, target: &InternetTarget, site: Site<'_>) -> Result<Found, KernelError> {
    let place = Place::new(target, site)?;
    let options = args.options();
    let plain = try_udp(place.address, options.v6only)?;
    let asked = place.asked(Protocol::Udp, options, plain);
    let survey = place.survey(&asked, plain.code)?;
    let mut judged = plain;
    if let Some(survey) = &survey
        && (options.reuse_addr || options.reuse_port)
        && plain.code == errnos::EADDRINUSE
    {
        match shared_by_rule(&asked, survey) {
            Some(true) => judged.code = 0,
            Some(false) => {}
            None => {
                return Err(KernelError::CannotTell {
                    what: "whether a UDP socket with SO_REUSEADDR or SO_REUSEPORT may share this \
                           port depends on options of the socket that has it, which this user may \
                           not read or which is not seen",
                    instead: "run netkit as root; it is never tried, for such a socket takes \
                              datagrams from the moment it is bound",
                });
            }
        }
    }
    let mut found = found("udp", judged, survey, |it| others(&asked, judged, it, None));
    found.remedies = match judged.code {
        0 => Vec::new(),
        errnos::EADDRINUSE => {
            let is_free = |other| Ok(try_udp(other, options.v6only)?.is_accepted());
            let another_port = next_port(place.address, is_free)?;
            let extra = Extra { another_port, ..Extra::default() };
            remedies::in_use(&situation(&place, &found, (None, extra)))
        }
        code => place.remedies(code, None, found.holders()),
    };
    found.options = vec![plain_option(plain).into()];
    Ok(found)
}

/// Whether every socket there may be shared with, as far as their options are known.
fn shared_by_rule(asked: &Asked, survey: &Survey) -> Option<bool> {
    let answers = || survey.holdings.iter().map(|it| refuses(asked, &it.socket, it.sharing));
    if answers().any(|refuses| refuses == Some(true)) {
        return Some(false);
    }
    let is_known = !survey.holdings.is_empty() && answers().all(|refuses| refuses.is_some());
    is_known.then_some(true)
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
        blockers: survey.blockers,
        ..found("unix", trial, None, |_| Others::default())
    })
}
