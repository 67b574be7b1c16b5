//! What the left side of a line names: a key, a pattern of keys, or nothing.
//!
//! Both programs make a path below /proc/sys of it, by the same rule: if the first separator is a
//! dot, dots and slashes change places. What they do with the rest of an odd path differs.

use super::Peer;
use crate::model::{KeyPattern, SysctlKey};

/// Where a path begins.
const SYSCTLS: [&str; 2] = ["proc", "sys"];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// One key, which the kernel may have or not.
    Key(SysctlKey),
    /// Every key of the kernel that it matches.
    Pattern(KeyPattern),
}

/// Why a name stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing on the left side.
    #[error("there is no key")]
    Empty,
    /// Steps out of /proc/sys, or takes steps that systemd refuses.
    #[error("`{0}` has `..` in it, and leads out of /proc/sys or is refused for it")]
    Climbs(String),
    /// A separator at the end makes a directory of it.
    #[error("`{0}` ends in a separator")]
    Directory(String),
    /// /proc/sys is put before every name.
    #[error("`{0}` says /proc/sys, which is put before every key anyway")]
    Absolute(String),
    /// No key has such a name; why.
    #[error("{0}")]
    NoKey(String),
}

/// A name, and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: Name,
    /// The path below /proc/sys.
    pub(super) path: String,
    /// Whether comparing with it finds the key: procps compares paths as they are written, so that
    /// `net..ipv4` does not protect a key from a pattern.
    pub(super) is_plain: bool,
}

/// Reads the left side of a line, without a leading `-` and blanks.
pub(super) fn read(text: &str, peer: Peer) -> Result<Written, BadName> {
    // procps takes another `-` off when it makes the path.
    let key = match peer {
        Peer::Procps => text.strip_prefix('-').unwrap_or(text),
        Peer::Systemd => text,
    };
    let written = turned(key);
    let path = simplified(&written, peer, text)?;
    let name = if path.contains(['*', '?', '[']) {
        KeyPattern::parse(&path).map(Name::Pattern).map_err(|bad| BadName::NoKey(bad.to_string()))
    } else {
        SysctlKey::parse(&path).map(Name::Key).map_err(|bad| BadName::NoKey(bad.to_string()))
    };
    let is_plain = peer == Peer::Systemd || path == written;
    Ok(Written { name: name?, path, is_plain })
}

/// With slashes between the parts: dots and slashes change places if a dot comes first.
fn turned(key: &str) -> String {
    if key.find(['.', '/']).is_some_and(|at| key.get(at..).is_some_and(|it| it.starts_with('.'))) {
        let swap = |c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        };
        return key.chars().map(swap).collect();
    }
    key.to_owned()
}

/// The path below /proc/sys without empty parts and `.`: systemd takes them out (`path_simplify`), the
/// kernel passes over them for procps. Of `..`, systemd refuses all (`path_is_normalized`), procps what
/// does not lead below /proc/sys in the end (`is_proc_path`).
fn simplified(path: &str, peer: Peer, text: &str) -> Result<String, BadName> {
    let mut parts = SYSCTLS.to_vec();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if peer == Peer::Procps => drop(parts.pop()),
            ".." => return Err(BadName::Climbs(text.to_owned())),
            part => parts.push(part),
        }
    }
    let Some(below) = parts.strip_prefix(&SYSCTLS) else {
        return Err(BadName::Climbs(text.to_owned()));
    };
    let is_directory = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    if below.is_empty() {
        return Err(BadName::Empty);
    }
    if is_directory && peer == Peer::Procps {
        return Err(BadName::Directory(text.to_owned()));
    }
    if below.starts_with(&SYSCTLS) {
        return Err(BadName::Absolute(text.to_owned()));
    }
    Ok(below.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, peer: Peer) -> Result<(String, bool), BadName> {
        read(text, peer).map(|written| (written.path, written.is_plain))
    }

    #[test]
    fn the_first_separator_decides() {
        for peer in Peer::ALL {
            for (text, expected) in [
                ("net.ipv4.tcp_tw_reuse", "net/ipv4/tcp_tw_reuse"),
                ("net/ipv4/conf/eth0.100/tag", "net/ipv4/conf/eth0.100/tag"),
                ("net.ipv4.conf.eth0/100.tag", "net/ipv4/conf/eth0.100/tag"),
                ("net/ipv4.tcp_tw_reuse", "net/ipv4.tcp_tw_reuse"),
                ("net.ipv4/tcp_tw_reuse", "net/ipv4.tcp_tw_reuse"),
                ("net.ipv4.conf.*.tag", "net/ipv4/conf/*/tag"),
            ] {
                assert_eq!(path(text, peer), Ok((expected.to_owned(), true)), "{peer}: {text}");
            }
        }
    }

    #[test]
    fn odd_paths_are_what_each_program_makes_of_them() {
        let reuse = |is_plain| Ok(("net/ipv4/tcp_tw_reuse".to_owned(), is_plain));
        let climbs = |text: &str| Err(BadName::Climbs(text.to_owned()));
        let directory = |text: &str| Err(BadName::Directory(text.to_owned()));
        for (text, procps, systemd) in [
            ("net..ipv4.tcp_tw_reuse", reuse(false), reuse(true)),
            ("/net/ipv4/tcp_tw_reuse", reuse(false), reuse(true)),
            ("net/./ipv4/tcp_tw_reuse", reuse(false), reuse(true)),
            ("net.ipv4.tcp_tw_reuse.", directory("net.ipv4.tcp_tw_reuse."), reuse(true)),
            (
                "net/../../sys/net/ipv4/tcp_tw_reuse",
                reuse(false),
                climbs("net/../../sys/net/ipv4/tcp_tw_reuse"),
            ),
            ("net/../../self/x", climbs("net/../../self/x"), climbs("net/../../self/x")),
            ("-net.ipv4.tcp_tw_reuse", reuse(true), Ok(("-net/ipv4/tcp_tw_reuse".into(), true))),
            ("", Err(BadName::Empty), Err(BadName::Empty)),
            ("/", Err(BadName::Empty), Err(BadName::Empty)),
        ] {
            assert_eq!(path(text, Peer::Procps), procps, "{text}");
            assert_eq!(path(text, Peer::Systemd), systemd, "{text}");
        }
        let absolute = "/proc/sys/net/ipv4/tcp_tw_reuse";
        assert_eq!(path(absolute, Peer::Systemd), Err(BadName::Absolute(absolute.to_owned())));
    }

    #[test]
    fn what_has_a_star_is_a_pattern_and_braces_are_none() {
        let name = |text| read(text, Peer::Procps).unwrap().name;
        for text in ["net.*", "net.ipv?", "net.ipv[4]"] {
            assert!(matches!(name(text), Name::Pattern(_)), "{text}");
        }
        assert!(matches!(name("net.{ipv4,ipv6}"), Name::Key(_)));
    }
}
