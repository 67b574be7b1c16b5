//! The names of sysctls: `net.ipv4.tcp_tw_reuse`, `net/ipv4/conf/eth0.100/rp_filter`, and patterns
//! of them.
//!
//! A name can be written with dots or with slashes. The first separator decides which of the two
//! parts the name, and the other then stands for a dot within a part, which names of interfaces may
//! have: `net.ipv4.conf.eth0/100.rp_filter` and `net/ipv4/conf/eth0.100/rp_filter` are one key. This
//! is the rule of procps and of systemd-sysctl. A key is made by [`SysctlKey::parse`] alone, so that
//! it cannot lead out of `/proc/sys`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::name_pattern::{WILD, fits};

/// The directory that keys are below; a key may be written as the path of its file.
const ROOT: &str = "/proc/sys/";

/// The name of a sysctl: one part or more, none of them empty, `.` or `..`, none with control
/// characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SysctlKey {
    /// The parts with slashes between them.
    path: String,
}

/// Text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// There is nothing.
    #[error("a sysctl key is empty: write one such as `net.ipv4.tcp_tw_reuse`")]
    Empty,
    /// Two separators in a row, or one at an end.
    #[error(
        "`{}` has an empty part: write one separator between two names, and none at the ends",
        .0.escape_debug()
    )]
    EmptyPart(String),
    /// A part is `.` or `..`, which are no names but ways.
    #[error("`{}` would lead out of /proc/sys: a part may not be `.` or `..`", .0.escape_debug())]
    Way(String),
    /// A path from the root that is not below `/proc/sys/`.
    #[error(
        "`{}` is an absolute path: write the key alone, as in `net.ipv4.tcp_tw_reuse`",
        .0.escape_debug()
    )]
    Absolute(String),
    /// A NUL, a newline or another control character.
    #[error("`{}` has a control character: no sysctl has one in its name", .0.escape_debug())]
    Control(String),
    /// A pattern stands where one key is meant.
    #[error("`{}` is a pattern: write one key, without `*`, `?` and `[`", .0.escape_debug())]
    Pattern(String),
}

impl SysctlKey {
    /// The key that `text` names, with dots or slashes, or as a path below `/proc/sys/`. Fails if
    /// that cannot be a key; whether this kernel has it is not asked.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let path = path_of(text)?;
        one_key(path, text)
    }

    /// The key whose file is at `path` below `/proc/sys`, slashes between its parts whatever comes
    /// first. Fails as [`SysctlKey::parse`] does.
    pub fn from_path(path: &str) -> Result<Self, BadKey> {
        one_key(checked(path.to_owned(), path)?, path)
    }

    /// The names of the directories and, at the end, of the file.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/')
    }

    /// The last part, as in `tcp_tw_reuse`.
    pub fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&*self.path, |(_, name)| name)
    }

    /// The path below `/proc/sys`; it has no `..` and does not begin with a slash.
    pub fn relative_path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// Whether `dotted` is this key, written with dots.
    pub fn is_dotted(&self, dotted: &str) -> bool {
        dotted_form(&self.path) == dotted
    }
}

impl FromStr for SysctlKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Self::parse(text)
    }
}

impl fmt::Display for SysctlKey {
    /// With dots, a dot within a part as `/`: [`SysctlKey::parse`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&dotted_form(&self.path))
    }
}

impl Serialize for SysctlKey {
    /// With dots.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for SysctlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Which keys are meant: one key, or all that a pattern such as `net.ipv4.conf.*.rp_filter` fits.
///
/// `*` and `?` stand for characters of one part, `[a-c]` and `[!a-c]` for one of a set, `\` takes the
/// meaning from what follows, and a part that begins with a dot is fitted by a dot alone: glob(7), as
/// procps and systemd-sysctl use it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPattern {
    path: String,
}

impl KeyPattern {
    /// The pattern in `text`, with dots or slashes as a key has them. Fails where a key would, but
    /// for the wildcards.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        path_of(text).map(|path| Self { path })
    }

    /// The pattern of paths below `/proc/sys`, slashes between its parts whatever comes first. Fails
    /// as [`KeyPattern::parse`] does.
    pub fn from_path(path: &str) -> Result<Self, BadKey> {
        checked(path.to_owned(), path).map(|path| Self { path })
    }

    /// The one key that is meant, where there is no wildcard.
    pub fn as_key(&self) -> Option<SysctlKey> {
        self.is_plain().then(|| SysctlKey { path: self.path.clone() })
    }

    /// Whether there is no wildcard, so that one key is meant at most.
    pub fn is_plain(&self) -> bool {
        !self.path.contains(WILD)
    }

    /// Whether `key` is among those meant.
    pub fn matches(&self, key: &SysctlKey) -> bool {
        let mut names = key.components();
        let fit = self.components().all(|part| names.next().is_some_and(|name| fits(part, name)));
        fit && names.next().is_none()
    }

    /// The parts before the first that has a wildcard: where to begin to look.
    pub fn plain_parts(&self) -> impl Iterator<Item = &str> {
        self.components().take_while(|part| !part.contains(WILD))
    }

    /// The patterns of the parts.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/')
    }
}

impl From<SysctlKey> for KeyPattern {
    fn from(key: SysctlKey) -> Self {
        Self { path: key.path }
    }
}

impl FromStr for KeyPattern {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyPattern {
    /// With dots, as a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&dotted_form(&self.path))
    }
}

impl fmt::Debug for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn one_key(path: String, text: &str) -> Result<SysctlKey, BadKey> {
    if path.contains(WILD) { Err(BadKey::Pattern(text.to_owned())) } else { Ok(SysctlKey { path }) }
}

/// The parts that `text` names, with slashes between them.
fn path_of(text: &str) -> Result<String, BadKey> {
    if let Some(path) = text.strip_prefix(ROOT) {
        return checked(path.to_owned(), text);
    }
    if text.starts_with('/') {
        return Err(BadKey::Absolute(text.to_owned()));
    }
    let is_dotted = text
        .find(['.', '/'])
        .is_some_and(|at| text.get(at..).is_some_and(|rest| rest.starts_with('.')));
    checked(if is_dotted { swapped(text) } else { text.to_owned() }, text)
}

/// `path` if it can be that of a key or of a pattern; `text` is what was written.
fn checked(path: String, text: &str) -> Result<String, BadKey> {
    let owned = || text.to_owned();
    if path.is_empty() {
        return Err(BadKey::Empty);
    }
    if path.contains(char::is_control) {
        return Err(BadKey::Control(owned()));
    }
    if path.starts_with('/') {
        return Err(if text.starts_with('/') {
            BadKey::Absolute(owned())
        } else {
            BadKey::EmptyPart(owned())
        });
    }
    if path.split('/').any(str::is_empty) {
        return Err(BadKey::EmptyPart(owned()));
    }
    if path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(BadKey::Way(owned()));
    }
    Ok(path)
}

/// How `path` is written with dots. Where its first part has a dot no such writing exists, and it is
/// written as the path of its file.
fn dotted_form(path: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    if first.contains('.') { format!("{ROOT}{path}") } else { swapped(path) }
}

/// Dots for slashes and slashes for dots.
fn swapped(text: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    text.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> SysctlKey {
        SysctlKey::parse(text).unwrap()
    }

    #[test]
    fn the_first_separator_decides() {
        for (text, path, dotted) in [
            ("net.ipv4.tcp_tw_reuse", "net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse"),
            ("net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse"),
            ("/proc/sys/net/ipv4/tcp_mem", "net/ipv4/tcp_mem", "net.ipv4.tcp_mem"),
            (
                "net/ipv4/conf/eth0.100/tag",
                "net/ipv4/conf/eth0.100/tag",
                "net.ipv4.conf.eth0/100.tag",
            ),
            (
                "net.ipv4.conf.eth0/100.tag",
                "net/ipv4/conf/eth0.100/tag",
                "net.ipv4.conf.eth0/100.tag",
            ),
            ("kernel", "kernel", "kernel"),
            ("/proc/sys/a.b/c", "a.b/c", "/proc/sys/a.b/c"),
        ] {
            let key = key(text);
            assert_eq!((key.relative_path(), key.to_string().as_str()), (Path::new(path), dotted));
            assert!(key.is_dotted(dotted));
        }
        assert_eq!(key("net.ipv4.tcp_mem").name(), "tcp_mem");
        assert_eq!(key("net.ipv4").components().collect::<Vec<_>>(), ["net", "ipv4"]);
    }

    #[test]
    fn what_is_no_key_is_refused_before_anything_is_opened() {
        let refused = |text: &str| SysctlKey::parse(text).unwrap_err();
        assert_eq!(refused(""), BadKey::Empty);
        assert_eq!(refused("/proc/sys/"), BadKey::Empty);
        for text in [".", "/.", "net..ipv4", "net.ipv4.", ".net", "net//ipv4", "net/", "net/ipv4/"]
        {
            assert!(
                matches!(refused(text), BadKey::EmptyPart(_) | BadKey::Absolute(_)),
                "{text}: {}",
                refused(text)
            );
        }
        for text in ["..", "net/../../etc/passwd", "net/./ipv4", "net.//.ipv4", "/proc/sys/../x"] {
            let is_refused = matches!(refused(text), BadKey::Way(_) | BadKey::EmptyPart(_));
            assert!(is_refused, "{text}: {}", refused(text));
        }
        for text in ["/etc/passwd", "/proc/self/mem", "//proc/sys/net", "/proc/sys//etc/passwd"] {
            assert!(matches!(refused(text), BadKey::Absolute(_)), "{text}");
        }
        for text in ["net.ipv4.x\0y", "net.ipv4.x\n", "net\u{7f}.x", "net.\u{85}x"] {
            assert!(matches!(refused(text), BadKey::Control(_)), "{text:?}");
        }
        assert!(matches!(refused("net.ipv4.*"), BadKey::Pattern(_)));
    }

    #[test]
    fn a_pattern_fits_part_by_part() {
        let rp_filter = KeyPattern::parse("net.ipv4.conf.*.rp_filter").unwrap();
        assert!(!rp_filter.is_plain() && rp_filter.as_key().is_none());
        assert!(rp_filter.matches(&key("net.ipv4.conf.all.rp_filter")));
        assert!(rp_filter.matches(&key("net/ipv4/conf/eth0.100/rp_filter")));
        assert!(!rp_filter.matches(&key("net.ipv4.conf.a.b.rp_filter")));
        assert!(!rp_filter.matches(&key("net.ipv4.conf.all")));
        assert!(!KeyPattern::parse("net.*").unwrap().matches(&key("net.ipv4.tcp_mem")));
        assert!(KeyPattern::parse("net/../x").is_err());
        let plain = KeyPattern::parse("net/core/somaxconn").unwrap();
        assert_eq!(plain.as_key(), Some(key("net.core.somaxconn")));
        assert!(plain.matches(&key("net.core.somaxconn")));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(text in "[a-z0-9._/-]{0,24}|.{0,12}") {
            if let Ok(key) = SysctlKey::parse(&text) {
                prop_assert_eq!(SysctlKey::parse(&key.to_string()), Ok(key.clone()));
                prop_assert_eq!(SysctlKey::from_path(key.relative_path().to_str().unwrap()), Ok(key));
            }
        }

        #[test]
        fn no_key_leads_out(text in "(/?proc/sys/)?([./*]|[.][.]|net|\\PC){0,8}") {
            if let Ok(key) = SysctlKey::parse(&text) {
                let normal = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(key.relative_path().components().all(normal));
                prop_assert!(key.relative_path().is_relative());
            }
        }

        #[test]
        fn a_key_is_a_pattern_of_itself(text in "[a-z0-9._/-]{1,24}") {
            if let Ok(key) = SysctlKey::parse(&text) {
                prop_assert!(KeyPattern::parse(&text).unwrap().matches(&key));
            }
        }
    }
}
