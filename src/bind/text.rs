//! `netkit bind` for people: one sentence, who is in the way, until when, what helps.

use super::blockers::{Blocker, Role};
use super::remedies::Remedy;
use super::report::{BindReport, OptionAnswer};
use super::unix::NO_ACCESS;
use crate::catalogue::errnos;
use crate::catalogue::findings::{BIND_PORT_IS_EPHEMERAL, BIND_UNEXPLAINED};
use crate::model::{Severity, TcpState};
use crate::output::numbers::{count, duration, float, plural, thousands};
use crate::output::{Align, Style, render_table, sanitize, stated, wrapped};

/// Blockers of one role and state that are shown; the rest is counted.
const ALIKE: usize = 4;
/// Owners of one socket that are named.
const OWNERS: usize = 4;

/// The whole answer.
pub fn render(report: &BindReport, style: Style) -> String {
    let mut text = headline(report, style);
    for (title, sockets) in
        [("Who holds it", &report.blockers), ("Who has it too", &report.shares_with)]
    {
        if !sockets.is_empty() {
            let table = holders(sockets, report.blockers_hidden_processes, style);
            text += &format!("\n{}\n{table}", style.title(title));
        }
    }
    for line in facts(report) {
        text += &format!("{}\n", wrapped("", &line, style.width));
    }
    text += &remedies("What helps", report.remedies.iter().filter(|it| it.helps), style);
    text += &remedies("What does not", report.remedies.iter().filter(|it| !it.helps), style);
    text
}

fn headline(report: &BindReport, style: Style) -> String {
    let judged = match report.view.judged.as_str() {
        "" => String::new(),
        judged => format!(" with {judged}"),
    };
    let place = sanitize(report.view.place.as_deref().unwrap_or_default());
    let call = format!("{}({}){judged}{place}", report.stage, sanitize(&report.address));
    if report.free {
        let is_shared = report.shares_with.iter().any(|it| !it.is_mini());
        let word = if is_shared { "SHARED" } else { "FREE" };
        let besides = if is_shared { ", beside others that have it" } else { "" };
        return stated(Severity::Ok, word, &format!("{call} succeeds{besides}"), style);
    }
    let word = match report.code {
        errnos::EADDRINUSE => "IN USE",
        errnos::EACCES => "DENIED",
        errnos::EADDRNOTAVAIL => "NOT LOCAL",
        _ => "REFUSED",
    };
    let text = errnos::text(report.code);
    let sentence = format!("{call} fails: {} ({}) {text}", report.name, report.code);
    let mut lines = stated(Severity::Critical, word, &sentence, style);
    let meaning = match (report.code, report.blockers.is_empty()) {
        // Who holds it says more.
        (errnos::EADDRINUSE, false) => return lines,
        (errnos::EADDRINUSE, true)
            if report.findings.iter().all(|it| it.id != BIND_UNEXPLAINED) =>
        {
            report.meaning.to_owned()
        }
        (errnos::EADDRINUSE, true) => {
            "no socket that netkit can see explains it: it may be gone by now, or hidden".to_owned()
        }
        (errnos::EACCES, false) => {
            format!("{}; and it is in use besides, which EACCES hides", report.meaning)
        }
        _ => report.meaning.to_owned(),
    };
    lines += &format!("{}\n", wrapped("  ", &meaning, style.width));
    lines
}

fn holders(blockers: &[Blocker], hidden_processes: u64, style: Style) -> String {
    let columns = [("STATE", Align::Left), ("SOCKET", Align::Left), ("WHO", Align::Left)];
    let mut rows = Vec::new();
    let alike = blockers.chunk_by(|a, b| (a.role, a.state) == (b.role, b.state));
    for group in alike {
        let hides_reasons = group.len() > ALIKE;
        rows.extend(
            group.iter().take(ALIKE).map(|blocker| {
                vec![state(blocker), socket(blocker), who(blocker, hidden_processes)]
            }),
        );
        if let (true, Some(first)) = (hides_reasons, group.first()) {
            let more = u64::try_from(group.len() - ALIKE).unwrap_or(u64::MAX);
            rows.push(vec![state(first), format!("and {} more", thousands(more)), String::new()]);
        }
    }
    render_table(&columns, rows, style.width)
}

/// The first of those in the way, in a line, and how many more there are; `None` of nobody.
pub fn in_the_way(blockers: &[Blocker], hidden_processes: u64) -> Option<String> {
    let first = blockers.first()?;
    let who = match owners(first, hidden_processes).as_str() {
        "" => String::new(),
        who => format!(", {who}"),
    };
    let more = match blockers.len() - 1 {
        0 => String::new(),
        more => format!(", and {} more", thousands(u64::try_from(more).unwrap_or(u64::MAX))),
    };
    Some(format!("{} {}{who}{more}", state(first), socket(first)))
}

fn state(blocker: &Blocker) -> String {
    match (blocker.role, blocker.state) {
        (Role::UnixStale, _) => "STALE FILE".to_owned(),
        (Role::UnixLive, None) if blocker.why == Some(NO_ACCESS) => "UNKNOWN".to_owned(),
        (Role::Path, _) => "FILE".to_owned(),
        (Role::UnixLive, Some(state)) if state == TcpState::CLOSE => "BOUND".to_owned(),
        (Role::Udp, Some(state)) if state == TcpState::CLOSE => "UDP".to_owned(),
        (_, state) => state.map_or_else(|| "LIVE".to_owned(), |state| state.name().into_owned()),
    }
}

fn socket(blocker: &Blocker) -> String {
    let local = sanitize(&blocker.local);
    let arrow = match blocker.role {
        Role::Outgoing => "→",
        Role::Either | Role::Udp => "–",
        Role::Listener
        | Role::Bound
        | Role::Accepted
        | Role::UnixLive
        | Role::UnixStale
        | Role::Path => "←",
    };
    match &blocker.remote {
        Some(remote) => format!("{local} {arrow} {remote}"),
        None => local,
    }
}

/// Who has it open; or why nobody is named.
fn who(blocker: &Blocker, hidden_processes: u64) -> String {
    let mut parts = vec![owners(blocker, hidden_processes)];
    parts.extend(set_options(blocker));
    parts.extend(blocker.why.map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

fn owners(blocker: &Blocker, hidden_processes: u64) -> String {
    if !blocker.owners.is_empty() {
        let named = blocker.owners.iter().take(OWNERS);
        let named = named
            .map(|it| match it.name.as_str() {
                "" => format!("pid {}, fd {}", it.pid, it.fd),
                name => format!("{} (pid {}, fd {})", sanitize(name), it.pid, it.fd),
            })
            .collect::<Vec<_>>()
            .join(", ");
        let more = blocker.owners.len().saturating_sub(OWNERS);
        return match more {
            0 => named,
            more => format!("{named} and {more} more"),
        };
    }
    match (blocker.role, blocker.uid) {
        (Role::UnixStale, _) => "nobody here has it open".to_owned(),
        (Role::Path, _) => String::new(),
        (Role::UnixLive, None) if blocker.inode.is_none() => String::new(),
        (_, Some(uid)) if hidden_processes > 0 => {
            format!("a process of user {uid}, which root could name")
        }
        (Role::UnixLive, None) if hidden_processes > 0 => {
            "a process that root could name".to_owned()
        }
        (_, Some(_)) | (Role::UnixLive, None) => {
            "no process that is seen from here: of another PID namespace, or the kernel's own"
                .to_owned()
        }
        (Role::Accepted, None) if blocker.state == Some(TcpState::TIME_WAIT) => {
            "left by a server that closed first; no process".to_owned()
        }
        (Role::Accepted, None) if is_whole(blocker) => {
            "waits to be accepted; no process yet".to_owned()
        }
        (Role::Accepted, None) => "left by a server; no process any more".to_owned(),
        (Role::Outgoing, None) => "connect() picked the port; no process any more".to_owned(),
        (_, None) => "no process any more".to_owned(),
    }
}

/// Whether it is a connection that has not been closed here: one that no process holds is still in
/// the queue of its listener.
fn is_whole(blocker: &Blocker) -> bool {
    blocker.state.is_some_and(|it| it == TcpState::ESTABLISHED || it == TcpState::CLOSE_WAIT)
}

/// The options that it is known to have.
fn set_options(blocker: &Blocker) -> Option<String> {
    let known = [
        (blocker.reuse_addr, "SO_REUSEADDR"),
        (blocker.reuse_port, "SO_REUSEPORT"),
        (blocker.v6only, "IPV6_V6ONLY"),
    ];
    let set: Vec<_> =
        known.iter().filter(|(value, _)| *value == Some(true)).map(|(_, name)| *name).collect();
    (!set.is_empty()).then(|| format!("has {}", set.join(", ")))
}

/// When it is free, and what bind(2) said.
fn facts(report: &BindReport) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(freedom(report));
    lines.extend(said(&report.options));
    if report.free && !report.listened && report.options.iter().any(|it| it.code != 0) {
        lines.push(match report.protocol {
            "udp" => "not tried, it follows from the options of the socket that has it; with \
                      SO_REUSEADDR, the last to bind takes the datagrams"
                .to_owned(),
            _ if report.view.judged.contains("SO_REUSEPORT") => {
                "listen() is not tried with SO_REUSEPORT: it would take connections".to_owned()
            }
            _ => "whether listen() succeeds too is for --listen to try".to_owned(),
        });
    }
    let ephemeral = report.findings.iter().find(|it| it.id == BIND_PORT_IS_EPHEMERAL);
    lines.extend(ephemeral.map(|it| it.message.clone()));
    if report.blockers_hidden_processes > 0 {
        let hidden = plural(report.blockers_hidden_processes, "process", "processes");
        lines.push(format!("{hidden} could not be looked into; root can"));
    }
    lines
}

fn freedom(report: &BindReport) -> Option<String> {
    let seconds = |ms: u64| duration(float(ms.div_ceil(1000)));
    match (report.frees_itself?, report.frees_in_ms, report.frees_in_at_most_ms) {
        (true, Some(0), _) => Some("Free any moment: it frees itself".to_owned()),
        (true, Some(left), Some(at_most)) => Some(format!(
            "Free at {}, in {} ({} at the latest): it frees itself",
            report.view.frees_at.as_deref().unwrap_or("?"),
            seconds(left),
            seconds(at_most)
        )),
        (true, _, _) => {
            Some("It frees itself, when the peers answer or the kernel gives them up".to_owned())
        }
        (false, _, _) => Some(match report.blockers.len() {
            1 => "It does not free itself".to_owned(),
            _ if report.blockers.iter().all(|it| !it.is_mini()) => {
                "It does not free itself".to_owned()
            }
            many => {
                let many = count(u64::try_from(many).unwrap_or(u64::MAX), "blocker");
                format!("It does not free itself: not all of {many} go by themselves")
            }
        }),
    }
}

/// Which combinations of options bind(2) accepts, where the port refuses any.
fn said(options: &[OptionAnswer]) -> Option<String> {
    let is_the_ports = |it: &OptionAnswer| it.code == errnos::EADDRINUSE;
    if options.len() < 2 || !options.iter().any(is_the_ports) {
        return None;
    }
    let name = |option: &OptionAnswer| match (option.reuse_addr, option.reuse_port) {
        (false, false) => "no option",
        (true, false) => "SO_REUSEADDR",
        (false, true) => "SO_REUSEPORT",
        (true, true) => "both",
    };
    let (accepted, refused): (Vec<_>, Vec<_>) = options.iter().partition(|it| it.code == 0);
    let [accepted, refused] =
        [accepted, refused].map(|part| part.into_iter().map(name).collect::<Vec<_>>().join(", "));
    Some(match accepted.as_str() {
        "" => "bind() refuses every combination of SO_REUSEADDR and SO_REUSEPORT".to_owned(),
        accepted => format!("bind() accepts: {accepted}; refuses: {refused}"),
    })
}

fn remedies<'a>(title: &str, remedies: impl Iterator<Item = &'a Remedy>, style: Style) -> String {
    let mut text = String::new();
    for remedy in remedies {
        let lead = if remedy.verified { "  tried     " } else { "  expected  " };
        text += &format!("{}\n", wrapped(lead, &sanitize(&remedy.text), style.width));
    }
    if text.is_empty() { text } else { format!("\n{}\n{text}", style.title(title)) }
}
