//! The sysctls of TCP and of what stands around it: what each is, takes and does, and what is said of
//! it that is not so.
//!
//! Defaults, ranges and effects are those of Linux 6.18, measured in network namespaces of their own
//! unless a source says otherwise; where another release had other ones and a source is known, `earlier`
//! has them. A namespace begins with the kernel's defaults and not with its parent's values. A release
//! stands where the setting came or went by a commit whose release is known; elsewhere netkit looks
//! whether the file is there.

mod conntrack;
mod dead;
mod ports;
mod queues;
mod throughput;
mod time_wait;
mod timers;

use crate::model::{KernelRelease, SysctlKey, SysctlKind, TargetKernel};

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

/// What is said of a setting, and why it is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Myth {
    /// What tuning guides say.
    pub said: &'static str,
    /// What is so, to follow a colon: it begins small and has no full stop.
    pub truth: &'static str,
}

/// What was otherwise in older kernels.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// The first release in which it is no longer so.
    pub until: KernelRelease,
    /// What it began with; `None` where that is the same.
    pub default: Option<DefaultValue>,
    /// What it took; `None` where that is the same.
    pub kind: Option<SysctlKind>,
    /// What changed it.
    pub source: &'static str,
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
    /// What was otherwise before, the oldest first.
    pub earlier: &'static [Earlier],
    /// Where it holds.
    pub scope: Scope,
    /// The first release with it; `None` if it is older than all that run, or not known.
    pub since: Option<KernelRelease>,
    /// The first release without it.
    pub until: Option<KernelRelease>,
    /// The first release that has the file and does not read it.
    pub unread_since: Option<KernelRelease>,
    /// Whether it can be set where it is the machine's own to set.
    pub is_writable: bool,
    /// Whether its value is to be seen by those alone who ask for it by name.
    pub is_secret: bool,
    /// What it does: one line of at most 100 characters, no full stop.
    pub meaning: &'static str,
    /// Which values are right for whom, in sentences.
    pub judgement: &'static str,
    /// What is said of it that is not so.
    pub myth: Option<Myth>,
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

    /// Whether `kernel` keeps the file and does not read it.
    pub fn is_obsolete(&self, kernel: TargetKernel) -> bool {
        self.unread_since.is_some_and(|since| !kernel.is_before(since))
    }

    /// What became of it, where `kernel` does not have it any more or does not read it.
    pub fn gone(&self, kernel: TargetKernel) -> Option<String> {
        match (self.until, self.unread_since) {
            (Some(until), _) if !kernel.is_before(until) => {
                Some(format!("it does not exist since Linux {until}"))
            }
            (_, Some(since)) if !kernel.is_before(since) => {
                Some(format!("the kernel does not read it since Linux {since}"))
            }
            _ => None,
        }
    }

    /// How `kernel` reads a value, and which it takes.
    pub fn kind_in(&self, kernel: TargetKernel) -> SysctlKind {
        let mut earlier = self.earlier.iter().filter(|it| kernel.is_before(it.until));
        let kind = earlier.find_map(|it| it.kind).unwrap_or(self.kind);
        if let SysctlKind::Seconds { .. } = kind {
            return SysctlKind::Seconds { tick_hz: kernel.tick_hz };
        }
        kind
    }

    /// What it begins with in `kernel`.
    pub fn default_in(&self, kernel: TargetKernel) -> DefaultValue {
        let mut earlier = self.earlier.iter().filter(|it| kernel.is_before(it.until));
        earlier.find_map(|it| it.default).unwrap_or(self.default)
    }

    /// The default in `kernel`, where it is the same on every machine.
    pub fn fixed_default(&self, kernel: TargetKernel) -> Option<&'static str> {
        match self.default_in(kernel) {
            DefaultValue::Fixed(value) => Some(value),
            DefaultValue::Formula(_) => None,
        }
    }

    /// What the default depends on in `kernel`, where it is not the same on every machine.
    pub fn default_formula(&self, kernel: TargetKernel) -> Option<&'static str> {
        match self.default_in(kernel) {
            DefaultValue::Fixed(_) => None,
            DefaultValue::Formula(formula) => Some(formula),
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
    ("gone", dead::ENTRIES),
];

/// Every sysctl that is known, in the order of [`GROUPS`].
pub fn all() -> impl Iterator<Item = &'static SysctlEntry> {
    GROUPS.iter().flat_map(|(_, entries)| *entries)
}

/// The entry of `key`.
pub fn find(key: &SysctlKey) -> Option<&'static SysctlEntry> {
    let name = key.to_string();
    all().find(|entry| entry.key == name)
}

/// The group that `key`, with dots, is in.
pub fn group_of(key: &str) -> Option<&'static str> {
    let (name, _) = GROUPS.iter().find(|(_, entries)| entries.iter().any(|it| it.key == key))?;
    Some(name)
}

/// A setting that each namespace has for itself and nothing unusual is known of; the entries of the
/// table say what they differ in.
const PLAIN: SysctlEntry = SysctlEntry {
    key: "",
    kind: ANY,
    unit: Unit::None,
    default: DefaultValue::Fixed("0"),
    earlier: &[],
    scope: Scope::Namespace,
    since: None,
    until: None,
    unread_since: None,
    is_writable: true,
    is_secret: false,
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
/// What most of those took while they were kept in 32 bits.
const WIDE: &[Earlier] = &[Earlier {
    until: KernelRelease::new(5, 13),
    default: None,
    kind: Some(ANY),
    source: "commits \"convert elligible sysctls to u8\" of tcp, inet and ipv6, of March 2021",
}];
/// 0 or 1.
const SWITCH: SysctlKind = SysctlKind::Byte { low: 0, high: 1 };
/// Seconds, kept in ticks.
const SECONDS: SysctlKind = SysctlKind::Seconds { tick_hz: None };
/// Three numbers of bytes.
const BUFFERS: SysctlKind = SysctlKind::Triple { low: 1 };

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NEWEST: TargetKernel = TargetKernel { release: None, tick_hz: None };

    fn of(key: &str) -> &'static SysctlEntry {
        find(&SysctlKey::parse(key).unwrap()).unwrap()
    }

    fn linux(major: u16, minor: u16) -> TargetKernel {
        KernelRelease::new(major, minor).into()
    }

    #[test]
    fn every_name_is_a_key_and_stands_once_among_its_like() {
        let mut seen = BTreeSet::new();
        for entry in all() {
            let key = SysctlKey::parse(entry.key).unwrap();
            assert_eq!(key.to_string(), entry.key);
            assert!(seen.insert(entry.key), "{} stands twice", entry.key);
            assert_eq!(find(&key).map(|found| found.key), Some(entry.key));
            assert!(group_of(entry.key).is_some(), "{}", entry.key);
        }
        assert!(seen.len() > 70, "{}", seen.len());
        assert_eq!(of("net/ipv4/tcp_tw_reuse").until, None);
        assert!(find(&SysctlKey::parse("net.ipv4.nonsense").unwrap()).is_none());
    }

    #[test]
    fn defaults_are_values_that_the_kernel_takes_in_every_release() {
        for entry in all().filter(|entry| entry.is_writable) {
            let changes = entry.earlier.iter().map(|it| {
                let KernelRelease { major, minor } = it.until;
                minor.checked_sub(1).map_or(linux(major - 1, 99), |minor| linux(major, minor))
            });
            for kernel in changes.chain([NEWEST]) {
                let Some(default) = entry.fixed_default(kernel) else { continue };
                let parsed = entry.kind_in(kernel).parse(default);
                let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", entry.key));
                assert!(!parsed.is_partial && parsed.dropped.is_none(), "{}", entry.key);
            }
        }
    }

    #[test]
    fn defaults_and_ranges_are_those_of_the_release() {
        let somaxconn = of("net.core.somaxconn");
        let defaults = [linux(4, 4), linux(5, 3), linux(5, 4), NEWEST];
        let defaults = defaults.map(|kernel| somaxconn.fixed_default(kernel).unwrap());
        assert_eq!(defaults, ["128", "128", "4096", "4096"]);
        let reuse = of("net.ipv4.tcp_tw_reuse");
        assert_eq!(reuse.fixed_default(linux(4, 17)), Some("0"));
        assert_eq!(reuse.fixed_default(linux(4, 18)), Some("2"));
        assert!(reuse.kind_in(linux(4, 17)).parse("3").is_ok());
        assert!(reuse.kind_in(linux(4, 18)).parse("3").is_err());
        let timestamps = of("net.ipv4.tcp_timestamps");
        assert!(timestamps.kind_in(linux(5, 12)).parse("256").is_ok());
        assert!(timestamps.kind_in(linux(5, 13)).parse("256").is_err());
        let range = of("net.ipv4.ip_local_port_range");
        assert_eq!(range.fixed_default(linux(4, 1)), Some("32768\t61000"));
        let max = of("net.core.rmem_max");
        assert_eq!((max.fixed_default(linux(6, 17)), max.default_formula(NEWEST)), (None, None));
    }

    #[test]
    fn times_are_bounded_by_the_tick_where_it_is_known() {
        let timeout = of("net.ipv4.tcp_fin_timeout");
        let kernel = TargetKernel { tick_hz: Some(1000), ..NEWEST };
        assert!(timeout.kind_in(kernel).parse("2147484").is_err());
        assert!(timeout.kind_in(NEWEST).parse("2147484").is_ok());
    }

    #[test]
    fn changes_are_in_order_and_have_a_source() {
        for entry in all() {
            assert!(entry.earlier.is_sorted_by_key(|it| it.until), "{}", entry.key);
            for earlier in entry.earlier {
                assert!(earlier.default.is_some() || earlier.kind.is_some(), "{}", entry.key);
                assert!(!earlier.source.is_empty(), "{}", entry.key);
            }
        }
    }

    #[test]
    fn meanings_are_short_and_the_rest_is_sentences() {
        for entry in all() {
            let length = entry.meaning.chars().count();
            assert!((10..=100).contains(&length), "{}: {length}", entry.key);
            assert!(!entry.meaning.ends_with('.'), "{}", entry.key);
            assert!(!entry.judgement.is_empty(), "{} has no judgement", entry.key);
            let more = [entry.danger, entry.instead];
            for text in more.into_iter().flatten().chain([entry.judgement]) {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", entry.key);
            }
            if let Some(Myth { said, truth }) = entry.myth {
                assert!(!truth.starts_with(char::is_uppercase) && truth.len() > 20, "{truth}");
                assert!(![said, truth].iter().any(|it| it.ends_with('.')), "{}", entry.key);
            }
            if let DefaultValue::Formula(rule) = entry.default {
                assert!(!rule.is_empty() && !rule.ends_with('.'), "{}", entry.key);
            }
        }
    }

    #[test]
    fn every_entry_has_a_source_and_what_is_gone_an_advice() {
        for entry in all() {
            assert!(!entry.sources.is_empty(), "{} has no source", entry.key);
            let is_gone = entry.gone(NEWEST).is_some();
            assert!(!is_gone || entry.instead.is_some(), "{}: nothing to do instead", entry.key);
        }
    }

    #[test]
    fn the_myths_of_tuning_guides_are_corrected() {
        for key in [
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_tw_recycle",
            "net.ipv4.tcp_tw_reuse",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.tcp_max_tw_buckets",
            "net.ipv4.tcp_timestamps",
            "net.ipv4.tcp_low_latency",
            "net.ipv4.tcp_fack",
            "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
            "net.core.somaxconn",
            "net.ipv4.tcp_max_syn_backlog",
        ] {
            assert!(of(key).myth.is_some(), "{key}");
        }
    }

    #[test]
    fn a_release_has_what_came_before_and_has_not_gone() {
        let recycle = of("net.ipv4.tcp_tw_recycle");
        assert!(recycle.exists_in(KernelRelease::new(4, 11)));
        assert!(!recycle.exists_in(KernelRelease::new(4, 12)));
        assert_eq!((recycle.gone(linux(4, 11)), recycle.gone(NEWEST).is_some()), (None, true));
        let delay = of("net.ipv4.tcp_tw_reuse_delay");
        assert!(!delay.exists_in(KernelRelease::new(6, 12)));
        assert!(delay.exists_in(KernelRelease::new(6, 18)));
        let fack = of("net.ipv4.tcp_fack");
        assert!(!fack.is_obsolete(linux(4, 14)) && fack.is_obsolete(linux(4, 15)));
        for entry in all() {
            assert!(entry.since.is_none() || entry.since != entry.until, "{}", entry.key);
        }
    }
}
