//! What helps and what does not, in this very case. Nothing here opens anything: what is `verified`
//! was tried by [`super::probe`].

use serde::Serialize;

use super::blockers::{Blocker, Role};
use super::outlook::Outlook;
use super::probe::{Extra, Trials};
use crate::catalogue::errnos;
use crate::model::{PortRange, TcpState};
use crate::output::numbers::{duration, float};

/// Something that one could do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// A stable name.
    pub id: &'static str,
    /// What to do and what comes of it, in a sentence without a full stop.
    pub text: String,
    /// Whether it was tried just now.
    pub verified: bool,
    /// Whether it helps.
    pub helps: bool,
}

fn expected(id: &'static str, text: impl Into<String>) -> Remedy {
    Remedy { id, text: text.into(), verified: false, helps: true }
}

fn tried(id: &'static str, helps: bool, text: impl Into<String>) -> Remedy {
    Remedy { id, text: text.into(), verified: true, helps }
}

fn myth(id: &'static str, text: &str) -> Remedy {
    Remedy { id, text: text.to_owned(), verified: false, helps: false }
}

/// Who and what has an Internet address.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The port.
    pub port: u16,
    /// Whether the address is one of IPv4.
    pub is_ipv4: bool,
    /// Who refuses it.
    pub blockers: &'a [Blocker],
    /// What waiting brings.
    pub outlook: Outlook,
    /// What bind(2) said; `None` for UDP.
    pub trials: Option<&'a Trials>,
    /// What could be bound instead.
    pub extra: Extra,
    /// The range that connect(2) picks from.
    pub range: Option<PortRange>,
}

impl Situation<'_> {
    fn has(&self, role: Role) -> bool {
        self.blockers.iter().any(|it| it.role == role)
    }

    /// Whether all were opened from here, though on ports that connect(2) had not picked.
    fn is_of_clients(&self) -> bool {
        self.blockers.iter().all(|it| it.role == Role::Outgoing || it.is_of_client())
    }

    /// Whether something is left of connections that a server here had.
    fn has_leftovers(&self) -> bool {
        self.has(Role::Accepted) || self.has(Role::Either)
    }
}

/// What there is to do about EADDRINUSE, most useful first; what does not help comes last.
pub fn in_use(now: &Situation<'_>) -> Vec<Remedy> {
    if now.port == 0 {
        return no_port_left();
    }
    let mut remedies = Vec::new();
    if let Some(trials) = now.trials {
        remedies.extend(options(now, trials));
    }
    remedies.extend(instead(now));
    remedies.extend(wait(&now.outlook));
    remedies.extend(stop_owners(now.blockers));
    remedies.extend(prevention(now));
    if now.blockers.iter().any(|it| it.state == Some(TcpState::TIME_WAIT)) {
        remedies.push(myth(
            "tcp_tw_reuse",
            "net.ipv4.tcp_tw_reuse: it is about connect(), never about bind()",
        ));
        remedies.push(myth(
            "tcp_fin_timeout",
            "net.ipv4.tcp_fin_timeout: TIME_WAIT is a fixed 60 s, whatever it says",
        ));
    }
    // A stable sort: what helps now, what will help, what does not.
    remedies.sort_by_key(|it| (!it.helps, rank(it.id)));
    remedies
}

/// The order of what helps.
fn rank(id: &str) -> usize {
    const ORDER: [&str; 13] = [
        "reuse_addr",
        "v6only",
        "stop_owner",
        "wait",
        "reuse_addr_in_server",
        "v6only_in_server",
        "reserve_port",
        "reuse_addr_and_port",
        "reuse_port",
        "another_address",
        "another_port",
        "kill_socket",
        "tcp_tw_reuse",
    ];
    ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len())
}

/// `SO_REUSEADDR` and `SO_REUSEPORT`, as the kernel answered.
fn options(now: &Situation<'_>, trials: &Trials) -> Vec<Remedy> {
    let [_, addr, port, both] = trials.options.map(|it| it.trial.is_accepted());
    let mut remedies = vec![
        tried("reuse_addr", addr, reuse_addr_text(now, addr)),
        tried("reuse_port", port, reuse_port_text(now, port)),
    ];
    if both && !addr && !port {
        remedies.push(tried(
            "reuse_addr_and_port",
            true,
            "SO_REUSEADDR and SO_REUSEPORT together: each socket here has one of them",
        ));
    }
    remedies
}

fn reuse_addr_text(now: &Situation<'_>, helps: bool) -> String {
    let lacks = |it: &&Blocker| it.reuse_addr != Some(true);
    let why = match (helps, now.has(Role::Listener)) {
        (true, _) if now.has(Role::Bound) => {
            "bind succeeds, but of the two sockets only the first to listen will"
        }
        (true, _) => "what is left here was made with it, and nothing listens",
        (false, true) => "it never helps against a socket that listens",
        (false, false) if now.has(Role::Outgoing) => {
            "an outgoing connection has no such option, and beats yours"
        }
        (false, false)
            if now.blockers.iter().find(lacks).is_some_and(|it| it.role == Role::Bound) =>
        {
            "the socket that is bound has not set it"
        }
        (false, false) if now.is_of_clients() => "the program that bound the port had not set it",
        (false, false) => "the server that left these had not set it",
    };
    format!("SO_REUSEADDR on your socket{}: {why}", before_bind(helps))
}

fn reuse_port_text(now: &Situation<'_>, helps: bool) -> String {
    let why = match helps {
        true if now.has(Role::Listener) => {
            "bind succeeds, and the kernel spreads connections over both servers"
        }
        true => "the sockets here have it too",
        false if now.blockers.iter().all(|it| it.reuse_port == Some(true)) => {
            "the sockets here have it, but belong to another user"
        }
        false if now.has(Role::Outgoing) => "an outgoing connection has no such option",
        false if now.blockers.iter().any(|it| it.reuse_port == Some(false)) => {
            "not every socket here has set it"
        }
        false if now.blockers.iter().all(Blocker::is_mini) => "not every socket here had set it",
        false => "not every socket here has set it, or one is another user's",
    };
    format!("SO_REUSEPORT on your socket{}: {why}", before_bind(helps))
}

fn before_bind(helps: bool) -> &'static str {
    if helps { ", before bind" } else { "" }
}

/// What could be bound in place of the address.
fn instead(now: &Situation<'_>) -> Vec<Remedy> {
    let extra = now.extra;
    let mut remedies = Vec::new();
    if let Some(helps) = extra.v6only {
        let why = if helps { "what is in the way is IPv4" } else { "IPv6 is taken too" };
        remedies.push(tried("v6only", helps, format!("IPV6_V6ONLY on your socket: {why}")));
    }
    if let Some((address, helps)) = extra.another_address {
        let why = if helps { "free" } else { "taken too" };
        remedies.push(tried(
            "another_address",
            helps,
            format!("another address, {address}: {why}"),
        ));
    }
    if let Some(port) = extra.another_port {
        let is_picked = now.range.is_some_and(|range| range.contains(port));
        let until = if is_picked { "free until connect() picks it" } else { "free" };
        remedies.push(tried("another_port", true, format!("another port, {port}: {until}")));
    }
    remedies
}

fn wait(outlook: &Outlook) -> Option<Remedy> {
    match (outlook.frees_itself, outlook.in_ms) {
        (Some(true), Some(0)) => Some(expected("wait", "wait a moment: the timers have run out")),
        (Some(true), Some(left)) => {
            Some(expected("wait", format!("wait {}", duration(float(left.div_ceil(1000))))))
        }
        (Some(true), None) => Some(expected(
            "wait",
            "wait: the kernel ends it when the peer answers, or after its last retry",
        )),
        _ => None,
    }
}

/// Each process once.
fn stop_owners(blockers: &[Blocker]) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    let owners = blockers.iter().flat_map(|it| &it.owners);
    for owner in owners {
        let text = format!("stop {} (pid {})", owner.name, owner.pid);
        if remedies.iter().all(|it| it.text != text) {
            remedies.push(expected("stop_owner", text));
        }
    }
    let is_hidden = |it: &&Blocker| it.owners.is_empty() && it.uid.is_some();
    if let Some(uid) = blockers.iter().find(is_hidden).and_then(|it| it.uid) {
        let text = format!("stop the program of user {uid} that has it; netkit as root names it");
        remedies.push(expected("stop_owner", text));
    }
    remedies
}

/// What keeps it from coming again, and the last resort.
fn prevention(now: &Situation<'_>) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let addr = now.trials.is_some_and(|it| it.of(true, false).is_accepted());
    if now.has_leftovers() && !now.has(Role::Listener) && !now.is_of_clients() && !addr {
        remedies.push(expected(
            "reuse_addr_in_server",
            "next time: set SO_REUSEADDR before bind in the server, then a restart does not wait",
        ));
    }
    let is_picked = now.range.is_some_and(|range| range.contains(now.port));
    if now.has(Role::Outgoing) || (now.has(Role::Either) && is_picked) {
        let text = format!(
            "reserve it: put {} into net.ipv4.ip_local_reserved_ports, and connect() will not pick \
             it again",
            now.port
        );
        remedies.push(expected("reserve_port", text));
    }
    let is_dual = |it: &Blocker| it.role == Role::Listener && it.local.starts_with("[::]");
    if now.is_ipv4 && now.blockers.iter().any(is_dual) {
        remedies.push(expected(
            "v6only_in_server",
            "IPV6_V6ONLY on the socket at [::], before its bind: it leaves IPv4 to others then",
        ));
    }
    if now.blockers.iter().all(Blocker::is_mini) || now.has(Role::Outgoing) {
        let is_time_wait = |it: &Blocker| it.state == Some(TcpState::TIME_WAIT);
        let which = if now.blockers.iter().all(is_time_wait) { "state time-wait " } else { "" };
        remedies.push(expected(
            "kill_socket",
            format!(
                "as a last resort, as root: ss -K {which}'sport = :{}' ends them, at every address",
                now.port
            ),
        ));
    }
    remedies
}

/// EADDRINUSE of port 0, which asks for any port: none is left.
fn no_port_left() -> Vec<Remedy> {
    vec![expected(
        "widen_port_range",
        "widen net.ipv4.ip_local_port_range: every port of it that is not reserved is taken; \
         `netkit states --by state,local` shows by what",
    )]
}

/// What there is to know of a privileged port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// net.ipv4.ip_unprivileged_port_start.
    pub first_unprivileged: Option<u16>,
    /// The port.
    pub port: u16,
}

/// EACCES of an Internet address, which `blockers` may have besides.
pub fn not_permitted(privilege: Privilege, blockers: &[Blocker]) -> Vec<Remedy> {
    let first = privilege.first_unprivileged.unwrap_or(1024);
    let mut remedies = vec![
        expected(
            "grant_privilege",
            "give the program CAP_NET_BIND_SERVICE (setcap, or AmbientCapabilities= of systemd), \
             or let systemd pass it the socket",
        ),
        expected(
            "grant_privilege",
            format!(
                "or lower net.ipv4.ip_unprivileged_port_start from {first} to {}",
                privilege.port
            ),
        ),
        expected("another_port", format!("or take a port from {first} on")),
    ];
    remedies.extend(stop_owners(blockers));
    remedies
}

/// Why an address is none of this namespace's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Duplicate address detection is not through on this interface.
    Tentative(String),
    /// Another host has it.
    Duplicate(String),
    /// A link-local address of another interface than the one given, which is this.
    OtherScope(String),
    /// `disable_ipv6` is on.
    Ipv6Disabled,
    /// No interface has it; those of the same family that there are.
    NotLocal(Vec<String>),
}

/// EADDRNOTAVAIL.
pub fn not_available(why: &Unavailable, freebind: Option<bool>) -> Vec<Remedy> {
    let mut remedies = vec![match why {
        Unavailable::Tentative(interface) => expected(
            "wait_for_dad",
            format!(
                "wait a second or two: {interface} has it, and duplicate address detection is \
                     not through"
            ),
        ),
        Unavailable::Duplicate(interface) => expected(
            "another_address",
            format!("take another address: {interface} has it, and another host has it too"),
        ),
        Unavailable::OtherScope(interface) => {
            expected("scope", format!("name the interface that has it: %{interface}"))
        }
        Unavailable::Ipv6Disabled => {
            expected("enable_ipv6", "net.ipv6.conf.*.disable_ipv6 is on: set it to 0, or use IPv4")
        }
        Unavailable::NotLocal(there) if there.is_empty() => {
            expected("add_address", "no interface has an address of this family: add one")
        }
        Unavailable::NotLocal(there) => expected(
            "add_address",
            format!("add it (ip address add), or bind one that is there: {}", there.join(", ")),
        ),
    }];
    if let Some(helps) = freebind {
        let text = "IP_FREEBIND on your socket (or net.ipv4.ip_nonlocal_bind): for an address that \
                    comes later, as of a failover";
        remedies.push(tried("freebind", helps, text));
    }
    remedies.sort_by_key(|it| !it.helps);
    remedies
}

/// EINVAL of a link-local address without the interface that it is of; `interfaces` have it.
pub fn no_scope(interfaces: &[String]) -> Vec<Remedy> {
    let text = match interfaces {
        [] => "name the interface of a link-local address, as in [fe80::1%eth0]".to_owned(),
        [interface, ..] => format!("name the interface of a link-local address: %{interface}"),
    };
    vec![expected("scope", text)]
}

/// Any other error number.
pub fn other(code: i32) -> Vec<Remedy> {
    match errnos::name(code).as_str() {
        "EPERM" => vec![expected(
            "grant_privilege",
            "look for what forbids it: a cgroup's BPF program, seccomp, SELinux or AppArmor",
        )],
        "EAFNOSUPPORT" => vec![expected("enable_ipv6", "use IPv4, or boot without ipv6.disable=1")],
        _ => Vec::new(),
    }
}

/// What there is to do about a Unix socket's name.
pub fn unix(code: i32, blockers: &[Blocker], path: &str) -> Vec<Remedy> {
    let role = blockers.first().map(|it| it.role);
    let mut remedies = match (errnos::name(code).as_str(), role) {
        (_, Some(Role::UnixStale)) => vec![expected(
            "unlink",
            format!(
                "remove {path}, and let the server remove it before it binds: nobody has it open"
            ),
        )],
        (_, Some(Role::Path)) => {
            vec![expected("another_path", "choose another path: what is there is no socket")]
        }
        ("ENOENT", _) => vec![expected("make_directory", "make the directory first")],
        ("EACCES" | "EPERM" | "EROFS", _) => vec![expected(
            "another_path",
            "choose a directory that this user may write, or change its owner",
        )],
        _ if blockers.iter().any(|it| !it.owners.is_empty()) => stop_owners(blockers),
        (_, Some(_)) => vec![expected(
            "stop_owner",
            "stop the program that has it; netkit as root, in its network namespace, names it",
        )],
        _ => Vec::new(),
    };
    if code != 0 && role.is_some() {
        remedies.push(Remedy {
            id: "reuse_addr",
            text: "SO_REUSEADDR: it means nothing to a Unix socket".to_owned(),
            verified: false,
            helps: false,
        });
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::outlook::outlook;
    use crate::bind::outlook::tests::blocker;
    use crate::bind::probe::OptionTrial;
    use crate::kernel::binding::{Stage, Trial};

    /// The remedies for `blockers` on port 40000 where bind(2) accepts `SO_REUSEADDR` or not.
    fn remedies(blockers: &[Blocker], accepts_reuse_addr: bool) -> Vec<Remedy> {
        let option = |reuse_addr, reuse_port| OptionTrial {
            reuse_addr,
            reuse_port,
            trial: Trial {
                stage: Stage::Bind,
                code: if reuse_addr && accepts_reuse_addr { 0 } else { 98 },
                v6only: false,
            },
            verified: true,
        };
        let options =
            [option(false, false), option(true, false), option(false, true), option(true, true)];
        let extra = Extra { another_port: Some(40001), ..Extra::default() };
        let trials = Trials { options, listened: None, extra };
        in_use(&Situation {
            port: 40000,
            is_ipv4: true,
            blockers,
            outlook: outlook(blockers, 2_048),
            trials: Some(&trials),
            extra,
            range: Some(PortRange { low: 32768, high: 60999 }),
        })
    }

    fn helpful(remedies: &[Remedy]) -> Vec<&'static str> {
        remedies.iter().filter(|it| it.helps).map(|it| it.id).collect()
    }

    #[test]
    fn a_server_without_reuse_addr_has_to_be_waited_for() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(40_500))];
        let found = remedies(&left, false);
        assert_eq!(
            helpful(&found),
            ["wait", "reuse_addr_in_server", "another_port", "kill_socket"]
        );
        assert_eq!(found[0].text, "wait 41 s");
        let refused = found.iter().find(|it| it.id == "reuse_addr").unwrap();
        assert!(refused.verified && !refused.helps && refused.text.contains("had not set it"));
    }

    #[test]
    fn reuse_addr_comes_first_where_it_helps() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(40_500))];
        let found = remedies(&left, true);
        assert_eq!(helpful(&found)[0], "reuse_addr");
        assert!(!helpful(&found).contains(&"reuse_addr_in_server"), "it has it already");
    }

    #[test]
    fn an_outgoing_connection_is_cured_by_a_reserved_port() {
        let connection = [blocker(Role::Outgoing, TcpState::ESTABLISHED, None)];
        let found = remedies(&connection, false);
        assert!(helpful(&found).contains(&"reserve_port"), "{found:?}");
        assert!(!helpful(&found).contains(&"reuse_addr_in_server"), "it is nobody's server");
    }

    #[test]
    fn folklore_is_named_and_never_advised() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(1))];
        for accepts in [true, false] {
            let found = remedies(&left, accepts);
            for myth in ["tcp_tw_reuse", "tcp_fin_timeout"] {
                assert!(found.iter().any(|it| it.id == myth && !it.helps), "{myth}");
            }
        }
    }

    #[test]
    fn port_0_is_short_of_ports_and_not_of_anybody() {
        let found = in_use(&Situation {
            port: 0,
            is_ipv4: true,
            blockers: &[],
            outlook: Outlook::default(),
            trials: None,
            extra: Extra::default(),
            range: None,
        });
        assert_eq!(helpful(&found), ["widen_port_range"]);
    }
}
