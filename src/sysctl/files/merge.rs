//! Which value is written to which key in the end.
//!
//! procps writes each assignment when its turn comes, so that a value that the kernel refuses leaves
//! the one before it. systemd keeps one assignment a name, the last, and writes that: a value that
//! the kernel refuses leaves what was there at boot. Both write a pattern's value to the keys that
//! exist and that no line names, wherever that line stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::parse::Statement;
use super::{Name, Peer, Plan, Source};
use crate::model::{KeyPattern, SysctlKey};

/// What a program would leave in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// Every key that a line names, and every key of the kernel that a pattern matches, except those
    /// that are only kept from patterns.
    pub settings: BTreeMap<SysctlKey, Setting>,
}

/// What is written to one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// In the order of writing. Empty if none is left.
    pub writes: Vec<Write>,
    /// Assignments that are not written, because another one stands in for them.
    pub shadowed: Vec<Write>,
}

/// One assignment to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The text that goes to the kernel.
    pub value: String,
    /// The line.
    pub source: Source,
    /// The pattern on its left side, if it is one.
    pub pattern: Option<KeyPattern>,
    /// Whether a `-` says that the kernel's refusal is no failure.
    pub may_fail: bool,
}

impl Setting {
    /// The last assignment, which counts if the kernel takes it. `None` if all were taken back.
    pub fn last(&self) -> Option<&Write> {
        self.writes.last()
    }

    /// The last assignment of those whose value the kernel accepts.
    pub fn left(&self, accepts: impl Fn(&str) -> bool) -> Option<&Write> {
        self.writes.iter().rev().find(|write| accepts(&write.value))
    }
}

impl Plan {
    /// What is written, where the kernel has the keys `existing`. Only those that one of
    /// [`Plan::patterns`] matches make a difference.
    pub fn merge(&self, existing: &[SysctlKey]) -> Merge {
        let mut merge = Merge::default();
        let all = match self.peer {
            Peer::Procps => self.statements.iter().collect(),
            Peer::Systemd => merge.last_of_each(&self.statements),
        };
        // An exclusion is a line that names the key, too. procps compares paths as they were
        // written. (A later procps matches the patterns of exclusions; here they exclude nothing.)
        let named: BTreeSet<_> =
            all.iter().filter_map(|(_, statement)| plain_key(statement)).collect();
        for (source, statement) in all {
            let Some(write) = Write::new(source, statement) else { continue };
            match &statement.name {
                Name::Key(key) => merge.setting(key).writes.push(write),
                Name::Pattern(pattern) => {
                    for key in existing.iter().filter(|key| pattern.matches(key)) {
                        let setting = merge.setting(key);
                        let is_named = statement.is_plain && named.contains(key);
                        let list =
                            if is_named { &mut setting.shadowed } else { &mut setting.writes };
                        list.push(write.clone());
                    }
                }
            }
        }
        merge
    }
}

impl Merge {
    fn setting(&mut self, key: &SysctlKey) -> &mut Setting {
        self.settings.entry(key.clone()).or_default()
    }

    /// For each name its last statement, in the order of those; a statement that says the same again
    /// leaves the first in its place.
    fn last_of_each<'a>(
        &mut self,
        statements: &'a [(Source, Statement)],
    ) -> Vec<&'a (Source, Statement)> {
        let mut kept: Vec<Option<&(Source, Statement)>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for entry in statements {
            let (_, statement) = entry;
            let place = places.get(statement.path.as_str()).copied();
            let earlier = place.and_then(|place| kept.get_mut(place));
            if let Some(slot) = earlier {
                if slot.is_some_and(|(_, kept)| kept.value == statement.value) {
                    continue;
                }
                self.shadow(slot.take());
            }
            places.insert(&statement.path, kept.len());
            kept.push(Some(entry));
        }
        kept.into_iter().flatten().collect()
    }

    fn shadow(&mut self, replaced: Option<&(Source, Statement)>) {
        let Some((source, statement)) = replaced else { return };
        if let (Name::Key(key), Some(write)) = (&statement.name, Write::new(source, statement)) {
            self.setting(key).shadowed.push(write);
        }
    }
}

impl Write {
    /// `None` for an exclusion.
    fn new(source: &Source, statement: &Statement) -> Option<Self> {
        let pattern = match &statement.name {
            Name::Pattern(pattern) => Some(pattern.clone()),
            Name::Key(_) => None,
        };
        let source = source.clone();
        Some(Self {
            value: statement.value.clone()?,
            source,
            pattern,
            may_fail: statement.may_fail,
        })
    }
}

fn plain_key(statement: &Statement) -> Option<&SysctlKey> {
    match &statement.name {
        Name::Key(key) if statement.is_plain => Some(key),
        Name::Key(_) | Name::Pattern(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sysctl_files::{ConfigFile, Content};

    fn merged(files: &[(&str, &str)], peer: Peer) -> Merge {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| ConfigFile {
                path: path.into(),
                target: None,
                content: Content::Bytes(text.as_bytes().to_vec()),
            })
            .collect();
        let existing = ["a.lo.x", "a.eth0.x"].map(|key| SysctlKey::parse(key).unwrap());
        Plan::new(&files, peer).merge(&existing)
    }

    /// The writes to `key`, and what is shadowed: `value@file:line`.
    fn setting(merge: &Merge, key: &str) -> (Vec<String>, Vec<String>) {
        let short = |writes: &Vec<Write>| {
            let short = |it: &Write| format!("{}@{}", it.value, it.source);
            writes.iter().map(short).collect::<Vec<_>>()
        };
        let setting = merge.settings.get(&SysctlKey::parse(key).unwrap());
        setting.map(|it| (short(&it.writes), short(&it.shadowed))).unwrap_or_default()
    }

    fn is(merge: &Merge, key: &str, writes: &[&str], shadowed: &[&str]) {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(setting(merge, key), (owned(writes), owned(shadowed)), "{key}");
    }

    #[test]
    fn sysctl_conf_has_the_last_word_with_procps_and_none_with_systemd() {
        let files = [("/etc/sysctl.d/99-zz.conf", "k.a = 22"), ("/etc/sysctl.conf", "k.a = 11")];
        let procps = merged(&files, Peer::Procps);
        is(&procps, "k.a", &["22@/etc/sysctl.d/99-zz.conf:1", "11@/etc/sysctl.conf:1"], &[]);
        is(&merged(&files, Peer::Systemd), "k.a", &["22@/etc/sysctl.d/99-zz.conf:1"], &[]);
    }

    #[test]
    fn what_the_kernel_refuses_leaves_the_one_before_with_procps() {
        let text = "k.a = 1\nk.a = x\n-k.a = y\n";
        let [procps, systemd] = Peer::ALL.map(|peer| merged(&[("/f", text)], peer));
        is(&procps, "k.a", &["1@/f:1", "x@/f:2", "y@/f:3"], &[]);
        is(&systemd, "k.a", &["y@/f:3"], &["1@/f:1", "x@/f:2"]);
        let key = SysctlKey::parse("k.a").unwrap();
        let left = |merge: &Merge| {
            let setting = merge.settings.get(&key).unwrap();
            setting.left(|value| value.parse::<i32>().is_ok()).map(|write| write.source.line)
        };
        assert_eq!(left(&procps), Some(1));
        assert_eq!(left(&systemd), None);
        let last = systemd.settings.get(&key).and_then(Setting::last);
        assert!(last.is_some_and(|write| write.may_fail));
    }

    #[test]
    fn a_key_that_a_line_names_is_out_of_the_reach_of_patterns() {
        for peer in Peer::ALL {
            let merge = merged(&[("/f", "a.lo.x = 6\na.*.x = 5\n")], peer);
            is(&merge, "a.lo.x", &["6@/f:1"], &["5@/f:2"]);
            is(&merge, "a.eth0.x", &["5@/f:2"], &[]);
            let merge = merged(&[("/f", "a.*.x = 5\n-a.lo.x\n")], peer);
            is(&merge, "a.lo.x", &[], &["5@/f:1"]);
        }
    }

    #[test]
    fn an_exclusion_takes_an_assignment_back_with_systemd_alone() {
        let [procps, systemd] =
            Peer::ALL.map(|peer| merged(&[("/f", "a.lo.x = 6\n-a.lo.x\n")], peer));
        is(&procps, "a.lo.x", &["6@/f:1"], &[]);
        is(&systemd, "a.lo.x", &[], &["6@/f:1"]);
    }

    #[test]
    fn a_pattern_that_is_excluded_is_taken_back_with_systemd_and_no_other_is() {
        let same = [("/f", "a.*.x = 5\n-a.*.x\n")];
        is(&merged(&same, Peer::Procps), "a.lo.x", &["5@/f:1"], &[]);
        assert_eq!(merged(&same, Peer::Systemd), Merge::default());
        for peer in Peer::ALL {
            let merge = merged(&[("/f", "a.*.x = 5\n-a.l*.x\n")], peer);
            is(&merge, "a.lo.x", &["5@/f:1"], &[]);
        }
    }

    #[test]
    fn with_systemd_a_repeated_pattern_keeps_its_place() {
        let text = "a.*.x = 5\na.eth*.x = 7\na.*.x = 5\n";
        let [procps, systemd] = Peer::ALL.map(|peer| merged(&[("/f", text)], peer));
        is(&procps, "a.eth0.x", &["5@/f:1", "7@/f:2", "5@/f:3"], &[]);
        is(&systemd, "a.eth0.x", &["5@/f:1", "7@/f:2"], &[]);
    }

    #[test]
    fn with_procps_a_key_is_protected_only_as_it_is_written() {
        let text = "a..lo.x = 6\na.*.x = 5\n";
        let [procps, systemd] = Peer::ALL.map(|peer| merged(&[("/f", text)], peer));
        is(&procps, "a.lo.x", &["6@/f:1", "5@/f:2"], &[]);
        is(&systemd, "a.lo.x", &["6@/f:1"], &["5@/f:2"]);
    }
}
