//! Every other error number, and those of Unix sockets.

use super::{Remedy, expected, stop_owners, tried};
use crate::bind::blockers::{Blocker, Role};
use crate::catalogue::errnos;

/// What there is to know of a privileged port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// net.ipv4.ip_unprivileged_port_start.
    pub first_unprivileged: Option<u16>,
    /// The port.
    pub port: u16,
}

/// EACCES of an Internet address, which `blockers` may have besides.
pub fn not_permitted(privilege: Privilege, blockers: &[Blocker], hidden: u64) -> Vec<Remedy> {
    let first = privilege.first_unprivileged.unwrap_or(1024);
    // It has to be free besides: what follows is no way round that.
    let mut remedies = stop_owners(blockers, hidden);
    remedies.extend([
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
    ]);
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

impl Unavailable {
    /// What EADDRNOTAVAIL means then.
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Tentative(_) => {
                "the address is there and cannot be used yet: duplicate address detection goes on"
            }
            Self::Duplicate(_) => "the address is there and may not be used: another host has it",
            Self::OtherScope(_) => "the address is another interface's than the one named",
            Self::Ipv6Disabled => "IPv6 is switched off (disable_ipv6)",
            Self::NotLocal(_) => "the address is none of this network namespace's",
        }
    }
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
        let text = "IP_FREEBIND on your socket: for an address that comes later, as of a failover";
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

/// EACCES of a port that every user may bind.
pub fn forbidden() -> Vec<Remedy> {
    vec![expected(
        "grant_privilege",
        "look for what forbids it: a cgroup's BPF program, seccomp, SELinux or AppArmor (ausearch, \
         dmesg)",
    )]
}

/// Any other error number.
pub fn other(code: i32) -> Vec<Remedy> {
    match errnos::name(code).as_str() {
        "EPERM" => forbidden(),
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
                "remove {path}, and let the server remove it before it binds: nobody here has it \
                 open"
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
        _ if blockers.iter().any(|it| !it.owners.is_empty()) => stop_owners(blockers, 0),
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
