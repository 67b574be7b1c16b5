//! What the kernel has and what the files would set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::{FileProblem, Merge, Name, Peer, Plan, Setting, Source, Status, Write};
use crate::catalogue::sysctls::{self, DefaultValue, SysctlEntry};
use crate::kernel::sysctl_files::read_tree;
use crate::kernel::sysctl_tree::{self, Running};
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{SysctlKey, SysctlKind, SysctlValue, TargetKernel};

/// Everything that a judgement goes by.
#[derive(Debug)]
pub struct Survey {
    /// The release as the kernel says it.
    pub kernel: Option<String>,
    /// What values are judged for.
    pub target: TargetKernel,
    /// Every key of the catalogue and every key that a file names.
    pub keys: BTreeMap<SysctlKey, Known>,
    /// What each program reads.
    pub plans: [Plan; 2],
    /// What could not be read.
    pub warnings: Vec<String>,
}

/// A key and what is known of it.
#[derive(Debug)]
pub struct Known {
    /// Its entry in the catalogue.
    pub entry: Option<&'static SysctlEntry>,
    /// How this kernel reads its values; `None` without an entry.
    pub kind: Option<SysctlKind>,
    /// What it begins with in this kernel; `None` without an entry.
    pub default: Option<DefaultValue>,
    /// What it is now.
    pub running: Running,
    /// What `sysctl --system` would write.
    pub procps: Setting,
    /// What systemd-sysctl would write.
    pub systemd: Setting,
}

impl Known {
    /// What a program would leave: the last value that the kernel takes; nothing where the key is
    /// not there.
    pub fn left(&self, peer: Peer) -> Option<&Write> {
        let setting = match peer {
            Peer::Procps => &self.procps,
            Peer::Systemd => &self.systemd,
        };
        if self.running == Running::Absent {
            return None;
        }
        setting.left(|value| self.kind.is_none_or(|kind| kind.parse(value).is_ok()))
    }

    /// Whether the kernel makes the same of both texts.
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        match self.kind {
            Some(kind) => kind.is_same(one, other),
            None => one.split_whitespace().eq(other.split_whitespace()),
        }
    }

    /// The default, where it is the same on every machine.
    pub fn fixed_default(&self) -> Option<&'static str> {
        match self.default? {
            DefaultValue::Fixed(value) => Some(value),
            DefaultValue::Formula(_) => None,
        }
    }

    /// What the default depends on, where it is not the same on every machine.
    pub fn default_formula(&self) -> Option<&'static str> {
        match self.default? {
            DefaultValue::Fixed(_) => None,
            DefaultValue::Formula(formula) => Some(formula),
        }
    }
}

impl Survey {
    /// Reads the running values, `also` those of other keys and of secret ones, and the files below `root`.
    pub fn new(proc_root: &ProcRoot, root: &Path, also: &[SysctlKey]) -> Result<Self, KernelError> {
        let (kernel, _) = sysctl_tree::release(proc_root);
        let target = sysctl_tree::target(proc_root);
        let tree = read_tree(root)?;
        let plans = Peer::ALL.map(|peer| Plan::new(&tree.files, peer));
        let mut existing = BTreeSet::new();
        for pattern in plans.iter().flat_map(Plan::patterns) {
            existing.extend(sysctl_tree::list(proc_root, pattern));
        }
        let existing: Vec<SysctlKey> = existing.into_iter().collect();
        let [mut procps, mut systemd] = plans.each_ref().map(|plan| plan.merge(&existing));
        let mut names = names(&procps, &systemd);
        names.extend(also.iter().cloned());
        let mut keys = BTreeMap::new();
        for key in names {
            let entry = sysctls::find(&key);
            let is_hidden = entry.is_some_and(|it| it.is_secret) && !also.contains(&key);
            let running = sysctl_tree::read(proc_root, &key)?;
            let known = Known {
                entry,
                kind: entry.map(|it| it.kind_in(target)),
                default: entry.map(|it| it.default_in(target)),
                running: if is_hidden { running.withheld(SECRET) } else { running },
                procps: procps.settings.remove(&key).unwrap_or_default(),
                systemd: systemd.settings.remove(&key).unwrap_or_default(),
            };
            keys.insert(key, known);
        }
        Ok(Self { kernel, target, keys, plans, warnings: tree.problems })
    }

    /// The running value of `key`.
    pub fn running(&self, key: &str) -> Option<&str> {
        let key = SysctlKey::parse(key).ok()?;
        self.keys.get(&key)?.running.value()
    }

    /// The running value of a `key` of the catalogue, as the kernel reads it.
    pub fn value(&self, key: &str) -> Option<SysctlValue> {
        let known = self.keys.get(&SysctlKey::parse(key).ok()?)?;
        Some(known.kind?.parse(known.running.value()?).ok()?.value)
    }

    /// The first number of the running value of `key`.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.value(key)?.first()
    }

    /// Whether this is not the machine's first network namespace: then the settings of the machine
    /// are not shown (`net/core/sysctl_net_core.c`, `sysctl_core_net_init`), and the files were read
    /// for another one.
    pub fn is_child_namespace(&self) -> bool {
        self.running("net.ipv4.tcp_mem").is_none()
            && self.running("net.ipv4.tcp_tw_reuse").is_some()
    }

    /// Where `key` is assigned, by any line that either program reads, each once.
    pub fn assignments(&self) -> Vec<Assignment<'_>> {
        let mut found: Vec<Assignment<'_>> = Vec::new();
        for plan in &self.plans {
            for (source, statement) in &plan.statements {
                let Name::Key(key) = &statement.name else { continue };
                let Some(value) = &statement.value else { continue };
                if found.iter().all(|it| it.source != source) {
                    let may_fail = statement.may_fail;
                    found.push(Assignment { key, value, source, may_fail });
                }
            }
        }
        found
    }

    /// Lines without effect, each once.
    pub fn problems(&self) -> Vec<&FileProblem> {
        let mut found: Vec<&FileProblem> = Vec::new();
        for problem in self.plans.iter().flat_map(|plan| &plan.problems) {
            let is_known = |it: &FileProblem| {
                it.file == problem.file && it.problem.line == problem.problem.line
            };
            if !found.iter().any(|it| is_known(it)) {
                found.push(problem);
            }
        }
        found
    }

    /// Whether `sysctl --system` finds a line in the file at `path` that sets something.
    pub fn sets_something(&self, path: &Path) -> bool {
        let [procps, _] = &self.plans;
        procps.statements.iter().any(|(source, it)| source.file == path && it.value.is_some())
    }

    /// What becomes of each file with `sysctl --system` and with systemd-sysctl.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Status, &Status)> {
        let [procps, systemd] = &self.plans;
        let pairs = procps.files.iter().zip(&systemd.files);
        pairs.map(|((path, procps), (_, systemd))| (path.as_path(), procps, systemd))
    }
}

/// A line that sets a key.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// The key.
    pub key: &'a SysctlKey,
    /// The text.
    pub value: &'a str,
    /// The line.
    pub source: &'a Source,
    /// Whether a `-` says that the kernel's refusal is no failure.
    pub may_fail: bool,
}

/// Why a value is not shown that could be.
pub const SECRET: &str = "a secret, shown to those who name it";

fn names(procps: &Merge, systemd: &Merge) -> BTreeSet<SysctlKey> {
    let catalogue = sysctls::all().filter_map(|entry| SysctlKey::parse(entry.key).ok());
    let configured = procps.settings.keys().chain(systemd.settings.keys()).cloned();
    catalogue.chain(configured).collect()
}
