//! The sysctls of TCP and of what stands around it: what each is, takes and does, and what is said
//! of it that is not so.
//!
//! Defaults, ranges and effects are of Linux 6.18, measured in a network namespace where a source
//! does not say otherwise. A namespace begins with the kernel's defaults, never with its parent's
//! values.

mod ports;
mod queues;
mod tcp;
mod time_wait;

use crate::model::{KernelRelease, SysctlKey, SysctlKind};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A switch or a mode.
    None,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Things: sockets, tries, packets.
    Count,
    /// Bytes.
    Bytes,
    /// Pages of memory.
    Pages,
    /// Ports.
    Ports,
}

impl Unit {
    /// The word of JSON and tables; `None` for a switch.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Seconds => Some("s"),
            Self::Milliseconds => Some("ms"),
            Self::Count => Some("count"),
            Self::Bytes => Some("bytes"),
            Self::Pages => Some("pages"),
            Self::Ports => Some("ports"),
        }
    }
}

/// What a new network namespace, or the machine, begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// This.
    Fixed(&'static str),
    /// What this formula gives: it depends on the machine.
    Formula(&'static str),
}

/// Where a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each network namespace has its own.
    Namespace,
    /// The machine has one, which only the first network namespace shows.
    Global,
}

impl Scope {
    /// The word of JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Global => "global",
        }
    }
}

/// A sysctl.
#[derive(Clone, Copy, Debug)]
pub struct SysctlEntry {
    /// Its name, with dots.
    pub key: &'static str,
    /// How its value is read.
    pub kind: SysctlKind,
    /// What a number counts.
    pub unit: Unit,
    /// What it begins with.
    pub default: DefaultValue,
    /// Where it holds.
    pub scope: Scope,
    /// The release that brought it, where that is known.
    pub since: Option<KernelRelease>,
    /// The first release without it.
    pub until: Option<KernelRelease>,
    /// Whether it can be written at all.
    pub is_writable: bool,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// What somebody who knows says about values.
    pub judgement: &'static str,
    /// What is said of it, and why it is not so.
    pub myth: Option<&'static str>,
    /// What breaks if it is set amiss.
    pub danger: Option<&'static str>,
    /// What to look at instead.
    pub instead: Option<&'static str>,
    /// Where that is known from.
    pub sources: &'static [&'static str],
}

/// An entry of a network namespace's own setting; what differs is said by the struct update syntax.
const fn entry(
    key: &'static str,
    kind: SysctlKind,
    default: &'static str,
    meaning: &'static str,
) -> SysctlEntry {
    SysctlEntry {
        key,
        kind,
        unit: Unit::None,
        default: DefaultValue::Fixed(default),
        scope: Scope::Namespace,
        since: None,
        until: None,
        is_writable: true,
        meaning,
        judgement: "",
        myth: None,
        danger: None,
        instead: None,
        sources: &[],
    }
}

const fn integer(low: i64, high: i64) -> SysctlKind {
    SysctlKind::Integer { low, high }
}

/// Any number of 32 bits: the kernel checks nothing.
const ANY: SysctlKind = integer(-2_147_483_648, 2_147_483_647);
/// A number of 32 bits that is not negative.
const NATURAL: SysctlKind = integer(0, 2_147_483_647);
/// `proc_dou8vec_minmax`.
const BYTE: SysctlKind = integer(0, 255);
/// Off or on, which the kernel checks.
const SWITCH: SysctlKind = integer(0, 1);
/// `proc_dointvec_jiffies`: what is beyond `i32::MAX / HZ` is refused. HZ is 100, 250, 300 or 1000, as
/// the kernel was built; here it is 100, so that nothing is said to be refused that may be taken.
const JIFFIES: SysctlKind = integer(-21_474_836, 21_474_836);

/// Linux `major.minor`.
#[expect(clippy::unnecessary_wraps, reason = "it is said of every entry in the form of its field")]
const fn linux(major: u16, minor: u16) -> Option<KernelRelease> {
    Some(KernelRelease::new(major, minor))
}

/// Every entry.
pub fn all() -> impl Iterator<Item = &'static SysctlEntry> {
    [time_wait::ENTRIES, ports::ENTRIES, queues::ENTRIES, tcp::ENTRIES].into_iter().flatten()
}

/// The entry of `key`.
pub fn find(key: &SysctlKey) -> Option<&'static SysctlEntry> {
    let key = key.to_string();
    all().find(|entry| entry.key == key)
}

impl SysctlEntry {
    /// The default, where it is the same on every machine.
    pub fn fixed_default(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Fixed(value) => Some(value),
            DefaultValue::Formula(_) => None,
        }
    }

    /// What the default depends on, where it is not the same on every machine.
    pub fn default_formula(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Fixed(_) => None,
            DefaultValue::Formula(formula) => Some(formula),
        }
    }

    /// Whether it is there for old scripts alone, and nothing reads it.
    pub fn is_obsolete(&self) -> bool {
        self.meaning.starts_with("obsolete")
    }

    /// What became of it, where no kernel of today has it or reads it.
    pub fn gone(&self) -> Option<String> {
        match (self.until, self.is_obsolete()) {
            (Some(until), _) => Some(format!("it does not exist since Linux {until}")),
            (None, true) => Some(self.meaning.to_owned()),
            (None, false) => None,
        }
    }

    /// Whether `release` has it.
    pub fn exists_in(&self, release: KernelRelease) -> bool {
        self.since.is_none_or(|since| release >= since)
            && self.until.is_none_or(|until| release < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_unique_and_complete() {
        let all: Vec<_> = all().collect();
        for (index, entry) in all.iter().enumerate() {
            assert!(
                all.iter().skip(index + 1).all(|other| other.key != entry.key),
                "{}",
                entry.key
            );
            assert_eq!(SysctlKey::parse(entry.key).unwrap().to_string(), entry.key);
            assert!(entry.meaning.chars().count() <= 92, "{}: {}", entry.key, entry.meaning);
            for words in [entry.meaning, entry.judgement] {
                assert!(!words.is_empty() && !words.ends_with('.'), "{}: {words}", entry.key);
            }
            assert!(!entry.sources.is_empty(), "{}", entry.key);
        }
        assert!(all.len() >= 50, "{}", all.len());
    }

    #[test]
    fn every_fixed_default_is_one_that_the_kernel_takes() {
        for entry in all() {
            if let Some(default) = entry.fixed_default() {
                assert!(entry.kind.parse(default).is_ok(), "{}: {default}", entry.key);
            }
        }
    }

    #[test]
    fn a_key_is_there_from_its_first_release_to_its_last() {
        let recycle = find(&SysctlKey::parse("net/ipv4/tcp_tw_recycle").unwrap()).unwrap();
        assert!(recycle.exists_in(KernelRelease::new(4, 4)));
        assert!(!recycle.exists_in(KernelRelease::new(4, 12)));
    }
}
