//! Names of sysctls, and patterns of them.

use std::fmt;
use std::path::PathBuf;

/// The name of a sysctl: the parts of a path below /proc/sys.
///
/// As sysctl(8) and systemd-sysctl have it, the first separator decides: `net.ipv4.x` has dots, and a
/// slash in it stands for a dot within a part; `net/ipv4/x` has slashes, and a dot is a dot. A key
/// cannot leave /proc/sys: no part is empty, `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SysctlKey {
    parts: Vec<String>,
}

/// Text that names no sysctl.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Nothing, or nothing between two separators.
    #[error("`{0}` is not a key: a part of it is empty; write net.ipv4.tcp_tw_reuse")]
    Empty(String),
    /// `.` or `..` as a part, which would lead out of /proc/sys.
    #[error("`{0}` is not a key: it leaves /proc/sys; write net.ipv4.tcp_tw_reuse")]
    Outside(String),
    /// A control character, among them the zero byte.
    #[error("`{}` is not a key: it has control characters", .0.escape_debug())]
    Control(String),
}

impl SysctlKey {
    /// Reads a key with dots or slashes; `/proc/sys/` before it is allowed.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        parts(text).map(|parts| Self { parts })
    }

    /// The parts, as directories and file below /proc/sys.
    pub fn components(&self) -> &[String] {
        &self.parts
    }

    /// The path below /proc/sys.
    pub fn relative_path(&self) -> PathBuf {
        self.parts.iter().collect()
    }
}

impl fmt::Display for SysctlKey {
    /// With dots; a dot within a part as a slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(|part| part.replace('.', "/")).collect();
        f.write_str(&parts.join("."))
    }
}

impl serde::Serialize for SysctlKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::str::FromStr for SysctlKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Self::parse(text)
    }
}

fn parts(text: &str) -> Result<Vec<String>, BadKey> {
    if text.chars().any(char::is_control) {
        return Err(BadKey::Control(text.to_owned()));
    }
    let key = text.strip_prefix("/proc/sys/").unwrap_or(text);
    let parts: Vec<String> = match key.find(['.', '/']).map(|at| key.as_bytes().get(at)) {
        Some(Some(b'.')) => key.split('.').map(|part| part.replace('/', ".")).collect(),
        _ => key.split('/').map(str::to_owned).collect(),
    };
    if parts.iter().any(|part| part == "." || part == "..") || key.starts_with("..") {
        return Err(BadKey::Outside(text.to_owned()));
    }
    if parts.iter().any(String::is_empty) {
        return Err(BadKey::Empty(text.to_owned()));
    }
    Ok(parts)
}

/// Keys by a pattern: in each part `*`, `?` and `[…]`, as fnmatch(3) with `FNM_PATHNAME` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    parts: Vec<String>,
}

impl KeyPattern {
    /// Reads a pattern with dots or slashes, as a key.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        parts(text).map(|parts| Self { parts })
    }

    /// Whether `key` is one of them.
    pub fn matches(&self, key: &SysctlKey) -> bool {
        self.parts.len() == key.parts.len()
            && self.parts.iter().zip(&key.parts).all(|(pattern, part)| is_match(pattern, part))
    }

    /// Whether any part has a character that stands for others.
    pub fn is_plain(&self) -> bool {
        !self.parts.iter().any(|part| part.contains(['*', '?', '[']))
    }

    /// The parts, each a pattern.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The parts before the first with such a character.
    pub fn plain_parts(&self) -> &[String] {
        let plain = self.parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
        self.parts.get(..plain).unwrap_or_default()
    }
}

/// Whether `text` is one of `pattern`.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut chars = pattern.chars();
    let Some(first) = chars.next() else { return text.is_empty() };
    let rest = chars.as_str();
    let mut text_chars = text.chars();
    let next = text_chars.next();
    let text_rest = text_chars.as_str();
    match (first, next) {
        ('*', None) => is_match(rest, text),
        ('*', Some(_)) => is_match(rest, text) || is_match(pattern, text_rest),
        ('?', Some(_)) => is_match(rest, text_rest),
        ('\\', Some(c)) => rest.strip_prefix(c).is_some_and(|rest| is_match(rest, text_rest)),
        ('[', Some(c)) => match class(rest) {
            Some((class, rest)) => class_has(class, c) && is_match(rest, text_rest),
            None => c == '[' && is_match(rest, text_rest),
        },
        (first, Some(c)) => first == c && is_match(rest, text_rest),
        (_, None) => false,
    }
}

/// The inside of `[…]` and what follows; a `]` that comes first is part of it.
fn class(rest: &str) -> Option<(&str, &str)> {
    let from = rest.find(|c| c != '!' && c != '^').filter(|at| *at <= 1)?;
    let first = rest.get(from..)?.chars().next()?.len_utf8();
    let end = rest.get(from + first..)?.find(']')? + from + first;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

fn class_has(class: &str, c: char) -> bool {
    let (class, is_negated) = match class.strip_prefix(['!', '^']) {
        Some(class) => (class, true),
        None => (class, false),
    };
    let members: Vec<char> = class.chars().collect();
    let mut has = false;
    let mut at = 0;
    while let Some(low) = members.get(at) {
        if let (Some('-'), Some(high)) = (members.get(at + 1), members.get(at + 2)) {
            has |= (*low..=*high).contains(&c);
            at += 3;
        } else {
            has |= *low == c;
            at += 1;
        }
    }
    has != is_negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_decides() {
        let path = |text| SysctlKey::parse(text).map(|key| key.relative_path());
        let vlan = Ok(PathBuf::from("net/ipv4/conf/eth0.100/rp_filter"));
        assert_eq!(path("net/ipv4/conf/eth0.100/rp_filter"), vlan);
        assert_eq!(path("net.ipv4.conf.eth0/100.rp_filter"), vlan);
        assert_eq!(path("/proc/sys/net/ipv4/conf/eth0.100/rp_filter"), vlan);
        let key = SysctlKey::parse("net/ipv4/conf/eth0.100/rp_filter").unwrap();
        assert_eq!(key.to_string(), "net.ipv4.conf.eth0/100.rp_filter");
        assert_eq!(SysctlKey::parse(&key.to_string()), Ok(key));
    }

    #[test]
    fn nothing_leads_out_of_proc_sys() {
        let outside = ["net/../../x", "..", "../x", "./x", "net/./x", "net.//.x", "net...x"];
        for text in outside.iter().chain(&["/etc/passwd", "", "net//x", "net.", "a\0b", "a\nb"]) {
            assert!(SysctlKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn patterns_match_part_by_part() {
        let matches = |pattern: &str, key: &str| {
            KeyPattern::parse(pattern).unwrap().matches(&SysctlKey::parse(key).unwrap())
        };
        assert!(matches("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0.rp_filter"));
        assert!(!matches("net.ipv4.*", "net.ipv4.conf.eth0.rp_filter"), "a star keeps to its part");
        assert!(matches("net.ipv4.tcp_*", "net.ipv4.tcp_sack"));
        assert!(matches("net/ipv4/conf/eth[0-9]/x", "net/ipv4/conf/eth7/x"));
        assert!(!matches("net/ipv4/conf/eth[!0-9]/x", "net/ipv4/conf/eth7/x"));
        assert!(matches("a.b?", "a.bc") && !matches("a.b?", "a.b"));
        assert!(matches("a.[]x]", "a.]") && matches("a.[", "a.["));
    }
}
