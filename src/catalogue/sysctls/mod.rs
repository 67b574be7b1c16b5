//! The sysctls of TCP and of what stands around it: what each is, takes and does, and what is said of
//! it that is not so.
//!
//! Defaults, ranges and effects are those of Linux 6.18, measured in network namespaces of their own
//! unless a source says otherwise; older kernels take some nonsense that this one refuses. A namespace
//! begins with the kernel's defaults and not with its parent's values. A release stands where the
//! setting came or went by a commit whose release is known; elsewhere netkit looks whether the file is
//! there.

mod conntrack;
mod dead;
mod ports;
mod queues;
mod throughput;
mod time_wait;
mod timers;

use crate::model::{KernelRelease, SysctlKey, SysctlKind};

/// What the numbers of a setting count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: a mode, or a word.
    None,
    /// Nothing: 0 is off, all else on.
    Flag,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Sockets, packets, tries, entries of a table.
    Count,
    /// Bytes.
    Bytes,
    /// Pages of memory, mostly of 4 KiB.
    Pages,
    /// Ports.
    Ports,
}

impl Unit {
    /// The word of JSON and of tables; `None` where nothing is counted.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Flag => None,
            Self::Seconds => Some("s"),
            Self::Milliseconds => Some("ms"),
            Self::Microseconds => Some("us"),
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
    /// This text.
    Fixed(&'static str),
    /// What this rule gives; it depends on the machine or on how the kernel was built.
    Formula(&'static str),
}

/// Where a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each network namespace has its own.
    Namespace,
    /// The machine has one. Other namespaces than the first do not show it, or do not let it be written.
    Global,
}

impl Scope {
    /// The word of JSON and of tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Global => "global",
        }
    }
}

/// A sysctl and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct SysctlEntry {
    /// Its name, with dots.
    pub key: &'static str,
    /// How the kernel reads a value, and which it takes.
    pub kind: SysctlKind,
    /// What its numbers count.
    pub unit: Unit,
    /// What it begins with.
    pub default: DefaultValue,
    /// Where it holds.
    pub scope: Scope,
    /// The first release with it; `None` if it is older than all that run, or not known.
    pub since: Option<KernelRelease>,
    /// The first release without it.
    pub until: Option<KernelRelease>,
    /// Whether it can be set where it is the machine's own to set.
    pub is_writable: bool,
    /// Whether it is there and does nothing.
    pub is_dead: bool,
    /// What it does: one line of at most 100 characters, no full stop.
    pub meaning: &'static str,
    /// Which values are right for whom, in sentences.
    pub judgement: &'static str,
    /// What is said of it, in quotation marks, and what is so.
    pub myth: Option<&'static str>,
    /// What breaks if it is set amiss.
    pub danger: Option<&'static str>,
    /// What to look at, or to do, instead.
    pub instead: Option<&'static str>,
    /// Where that is known from: kernel file and function, commit, RFC, page of the kernel's
    /// documentation; `measured` where this kernel was asked.
    pub sources: &'static [&'static str],
}

impl SysctlEntry {
    /// Whether Linux `release` has it, as far as that is known.
    pub fn exists_in(&self, release: KernelRelease) -> bool {
        self.since.is_none_or(|since| since <= release)
            && self.until.is_none_or(|until| release < until)
    }

    /// Whether no kernel that is made today has it, or it does nothing there.
    pub fn is_gone(&self) -> bool {
        self.is_dead || self.until.is_some()
    }

    /// The default, where it is the same on every machine.
    pub fn fixed_default(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Fixed(value) => Some(value),
            DefaultValue::Formula(_) => None,
        }
    }
}

/// The table, a group with its name at a time, in the order of `netkit sysctl show`.
pub const GROUPS: [(&str, &[SysctlEntry]); 7] = [
    ("TIME_WAIT and closing", time_wait::ENTRIES),
    ("ports and binding", ports::ENTRIES),
    ("listening", queues::ENTRIES),
    ("timers and retries", timers::ENTRIES),
    ("throughput and memory", throughput::ENTRIES),
    ("connection tracking and descriptors", conntrack::ENTRIES),
    ("dead", dead::ENTRIES),
];

/// Every sysctl that is known, in the order of [`GROUPS`].
pub fn all() -> impl Iterator<Item = &'static SysctlEntry> {
    GROUPS.iter().flat_map(|(_, entries)| *entries)
}

/// What is known of `key`.
pub fn entry(key: &SysctlKey) -> Option<&'static SysctlEntry> {
    let name = key.to_string();
    all().find(|entry| entry.key == name)
}

/// The sysctls whose last part is `name`: what somebody means who writes `tcp_tw_reuse` alone.
pub fn named(name: &str) -> impl Iterator<Item = &'static SysctlEntry> {
    all().filter(move |entry| entry.key.rsplit('.').next() == Some(name))
}

/// A setting that each namespace has for itself and nothing unusual is known of; the entries of the
/// table say what they differ in.
const PLAIN: SysctlEntry = SysctlEntry {
    key: "",
    kind: ANY,
    unit: Unit::None,
    default: DefaultValue::Fixed("0"),
    scope: Scope::Namespace,
    since: None,
    until: None,
    is_writable: true,
    is_dead: false,
    meaning: "",
    judgement: "",
    myth: None,
    danger: None,
    instead: None,
    sources: &[],
};

/// The same, of which the machine has one.
const GLOBAL: SysctlEntry = SysctlEntry { scope: Scope::Global, ..PLAIN };

/// Any signed number of 32 bits: the kernel checks nothing, and takes nonsense.
const ANY: SysctlKind = SysctlKind::Integer { low: i32::MIN, high: i32::MAX };
/// Any number of 8 bits; most of these are switches, for which all but 0 is on.
const ANY_BYTE: SysctlKind = SysctlKind::Byte { low: 0, high: u8::MAX };
/// 0 or 1.
const SWITCH: SysctlKind = SysctlKind::Byte { low: 0, high: 1 };
/// Three numbers of bytes.
const BUFFERS: SysctlKind = SysctlKind::Triple { low: 1 };

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_a_key_and_stands_once_among_its_like() {
        let mut seen = BTreeSet::new();
        for entry in all() {
            let key = SysctlKey::parse(entry.key).unwrap();
            assert_eq!(key.to_string(), entry.key);
            assert!(seen.insert(entry.key), "{} stands twice", entry.key);
            assert_eq!(super::entry(&key).map(|found| found.key), Some(entry.key));
        }
        assert!(seen.len() > 70, "{}", seen.len());
        assert_eq!(entry(&SysctlKey::parse("net/ipv4/tcp_tw_reuse").unwrap()).unwrap().until, None);
        assert!(entry(&SysctlKey::parse("net.ipv4.nonsense").unwrap()).is_none());
        let named: Vec<_> = named("ip_nonlocal_bind").map(|entry| entry.key).collect();
        assert_eq!(named, ["net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"]);
    }

    #[test]
    fn defaults_are_values_that_the_kernel_takes() {
        for entry in all().filter(|entry| entry.is_writable) {
            let Some(default) = entry.fixed_default() else { continue };
            let parsed = entry.kind.parse(default);
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", entry.key));
            assert!(!parsed.is_partial && parsed.ignored.is_none(), "{}", entry.key);
            assert_eq!(entry.kind.accepts(&parsed.value), Ok(()), "{}", entry.key);
        }
    }

    #[test]
    fn meanings_are_short_and_the_rest_is_sentences() {
        for entry in all() {
            let length = entry.meaning.chars().count();
            assert!((10..=100).contains(&length), "{}: {length}", entry.key);
            assert!(!entry.meaning.ends_with('.'), "{}", entry.key);
            assert!(!entry.judgement.is_empty(), "{} has no judgement", entry.key);
            let more = [entry.myth, entry.danger, entry.instead];
            for text in more.into_iter().flatten().chain([entry.judgement]) {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", entry.key);
            }
            if let DefaultValue::Formula(rule) = entry.default {
                assert!(!rule.is_empty() && !rule.ends_with('.'), "{}", entry.key);
            }
        }
    }

    #[test]
    fn every_entry_has_a_source_and_a_myth_a_correction() {
        for entry in all() {
            assert!(!entry.sources.is_empty(), "{} has no source", entry.key);
            if let Some(myth) = entry.myth {
                let quoted = myth.strip_prefix('"').and_then(|rest| rest.split_once('"'));
                let (_, correction) = quoted.unwrap_or_else(|| panic!("{}: {myth}", entry.key));
                assert!(correction.len() > 20, "{}: {myth}", entry.key);
            }
            if entry.is_gone() {
                let advice = entry.instead.is_some();
                assert!(advice, "{} is gone, and nothing is said to do instead", entry.key);
            }
        }
    }

    #[test]
    fn the_myths_of_tuning_guides_are_corrected() {
        for name in [
            "tcp_fin_timeout",
            "tcp_tw_recycle",
            "tcp_tw_reuse",
            "tcp_syncookies",
            "tcp_max_tw_buckets",
            "tcp_timestamps",
            "tcp_low_latency",
            "tcp_fack",
            "nf_conntrack_tcp_timeout_time_wait",
            "somaxconn",
            "tcp_max_syn_backlog",
        ] {
            assert!(named(name).any(|entry| entry.myth.is_some()), "{name}");
        }
    }

    #[test]
    fn a_release_has_what_came_before_and_has_not_gone() {
        let find = |key: &str| entry(&SysctlKey::parse(key).unwrap()).unwrap();
        let recycle = find("net.ipv4.tcp_tw_recycle");
        assert!(recycle.exists_in(KernelRelease::new(4, 11)) && recycle.is_gone());
        assert!(!recycle.exists_in(KernelRelease::new(4, 12)));
        let delay = find("net.ipv4.tcp_tw_reuse_delay");
        assert!(!delay.exists_in(KernelRelease::new(6, 12)));
        assert!(delay.exists_in(KernelRelease::new(6, 18)));
        for entry in all() {
            assert!(entry.since.is_none() || entry.since != entry.until, "{}", entry.key);
        }
    }
}
