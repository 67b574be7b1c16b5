//! What the kernel has and what the files would set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::files::{FileProblem, Merge, Name, Peer, Plan, Setting, Source, Status, Write};
use crate::catalogue::sysctls::{self, DefaultValue, SysctlEntry};
use crate::kernel::sysctl_files::{ConfigFile, Content, read_tree};
use crate::kernel::sysctl_tree::{self, Running};
use crate::kernel::{KernelError, ProcRoot, image_kernel};
use crate::model::{KernelRelease, KeyPattern, SysctlKey, SysctlKind, TargetKernel};

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Where the running values are; `None` for files alone.
    pub proc_root: Option<&'a ProcRoot>,
    /// The directory that the files are below.
    pub root: &'a Path,
    /// The release that is judged for, in place of the one that is found.
    pub kernel: Option<KernelRelease>,
    /// Keys besides those of the catalogue and of the files.
    pub also: &'a [SysctlKey],
}

/// What the files are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// The running values of the system that they are set in at boot.
    Booted,
    /// Those of a network namespace that began with the kernel's defaults: the files are set in the
    /// machine's first one.
    Namespace,
    /// Those of another system than the files': its /proc was named, and not its files.
    Foreign,
    /// Nothing runs: they are those of an image.
    Files,
}

/// Everything that a judgement goes by.
#[derive(Debug)]
pub struct Survey {
    /// What the files are held against.
    pub system: System,
    /// The release as the kernel says it, or as it was given.
    pub kernel: Option<String>,
    /// What values are judged for.
    pub target: TargetKernel,
    /// Every key of the catalogue and every key that a file names.
    pub keys: BTreeMap<SysctlKey, Known>,
    /// What each program reads.
    pub plans: [Plan; 2],
    /// Directories and files that could not be read, and why: with one, no verdict is whole.
    pub unread: Vec<String>,
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
    /// What it is now; `None` where nothing runs, but for keys that such a kernel does not have.
    pub running: Option<Running>,
    /// What `sysctl --system` would write.
    pub procps: Setting,
    /// What systemd-sysctl would write.
    pub systemd: Setting,
}

impl Known {
    /// The running value, if there is one and it could be read.
    pub fn running(&self) -> Option<&str> {
        self.running.as_ref().and_then(Running::value)
    }

    /// Whether it was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        self.running == Some(Running::Absent)
    }

    /// What a program would leave: the last value that the kernel takes; nothing where the key is
    /// not there.
    pub fn left(&self, peer: Peer) -> Option<&Write> {
        let setting = match peer {
            Peer::Procps => &self.procps,
            Peer::Systemd => &self.systemd,
        };
        if self.is_absent() {
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
    /// Reads what is sought.
    pub fn new(sought: Sought<'_>) -> Result<Self, KernelError> {
        let Sought { proc_root, root, also, .. } = sought;
        let (kernel, target) = kernel(&sought);
        let tree = read_tree(root)?;
        let plans = Peer::ALL.map(|peer| Plan::new(&tree.files, peer));
        let existing = existing(proc_root, &plans);
        let [mut procps, mut systemd] = plans.each_ref().map(|plan| plan.merge(&existing));
        let mut names = names(&procps, &systemd);
        names.extend(also.iter().cloned());
        let mut keys = BTreeMap::new();
        for key in names {
            let entry = sysctls::find(&key);
            let is_hidden = entry.is_some_and(|it| it.is_secret) && !also.contains(&key);
            let running = match proc_root {
                Some(proc_root) => Some(sysctl_tree::read(proc_root, &key)?),
                None => entry.filter(|it| !has(target, it)).map(|_| Running::Absent),
            };
            let withheld = |it: Running| if is_hidden { it.withheld(SECRET) } else { it };
            let known = Known {
                entry,
                kind: entry.map(|it| it.kind_in(target)),
                default: entry.map(|it| it.default_in(target)),
                running: running.map(withheld),
                procps: procps.settings.remove(&key).unwrap_or_default(),
                systemd: systemd.settings.remove(&key).unwrap_or_default(),
            };
            keys.insert(key, known);
        }
        let unread = tree.problems;
        let mut survey = Self { system: System::Files, kernel, target, keys, plans, unread };
        survey.unread.extend(survey.unreadable());
        survey.system = match proc_root {
            None => System::Files,
            Some(proc_root) if is_child_namespace(proc_root)? => System::Namespace,
            Some(_) => System::Booted,
        };
        survey.trace(&tree.files);
        Ok(survey)
    }

    /// Tells what was read; of values nothing, of which some are secret.
    fn trace(&self, files: &[ConfigFile]) {
        for file in files {
            let (path, target) = (file.path.display(), file.target.as_deref());
            if let Content::Bytes(bytes) = &file.content {
                tracing::info!(%path, ?target, bytes = bytes.len(), "read");
            } else {
                tracing::info!(%path, ?target, content = ?file.content, "not read");
            }
        }
        for (key, known) in &self.keys {
            let has_value = known.running().is_some();
            tracing::debug!(%key, has_value, is_absent = known.is_absent(), "looked up");
        }
        let (keys, kernel) = (self.keys.len(), self.kernel.as_deref());
        tracing::info!(keys, kernel, system = ?self.system, "settings looked up");
    }

    /// Files that a program reads and netkit could not.
    fn unreadable(&self) -> Vec<String> {
        let of_file = |(path, procps, systemd): (&Path, &Status, &Status)| {
            let ((Status::Unreadable(why), _) | (_, Status::Unreadable(why))) = (procps, systemd)
            else {
                return None;
            };
            Some(format!("cannot read {}: {why}", path.display()))
        };
        self.files().filter_map(of_file).collect()
    }

    /// The running value of `key`.
    pub fn running(&self, key: &str) -> Option<&str> {
        let key = SysctlKey::parse(key).ok()?;
        self.keys.get(&key)?.running()
    }

    /// The first number of the running value of a `key` of the catalogue, as the kernel reads it.
    pub fn number(&self, key: &str) -> Option<i64> {
        let known = self.keys.get(&SysctlKey::parse(key).ok()?)?;
        known.kind?.parse(known.running()?).ok()?.value.first()
    }

    /// The value of `key` that counts: the running one or, where nothing runs, the one that a boot
    /// would leave.
    pub fn value(&self, key: &SysctlKey) -> Option<&str> {
        let known = self.keys.get(key)?;
        if self.system != System::Files {
            return known.running();
        }
        let left = known.left(Peer::Systemd).map(|write| write.value.as_str());
        left.or_else(|| known.fixed_default())
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
    let configured = procps.settings.keys().chain(systemd.settings.keys()).cloned();
    catalogue().chain(configured).collect()
}

/// Whether this is not the machine's first network namespace: then the settings of the machine are not
/// shown (`net/core/sysctl_net_core.c`, `sysctl_core_net_init`).
pub fn is_child_namespace(proc_root: &ProcRoot) -> Result<bool, KernelError> {
    let is_there = |name: &str| {
        let Ok(key) = SysctlKey::parse(name) else { return Ok(false) };
        Ok(sysctl_tree::read(proc_root, &key)? != Running::Absent)
    };
    Ok(!is_there("net.ipv4.tcp_mem")? && is_there("net.ipv4.tcp_tw_reuse")?)
}

/// The kernel that is judged for: as it was given, as it runs, or the newest of an image.
fn kernel(sought: &Sought<'_>) -> (Option<String>, TargetKernel) {
    match (sought.kernel, sought.proc_root) {
        (Some(release), _) => (Some(release.to_string()), release.into()),
        (None, Some(proc_root)) => {
            (sysctl_tree::release(proc_root).0, sysctl_tree::target(proc_root))
        }
        (None, None) => of_image(sought.root),
    }
}

/// The newest kernel of the system at `root`, as it is called and as values are judged for it.
pub fn of_image(root: &Path) -> (Option<String>, TargetKernel) {
    let newest = image_kernel::newest(root);
    let release = newest.as_deref().and_then(|text| text.parse().ok());
    (newest, TargetKernel { release, ..TargetKernel::default() })
}

/// Whether `kernel` has the key, as far as the catalogue knows.
fn has(kernel: TargetKernel, entry: &SysctlEntry) -> bool {
    entry.until.is_none_or(|until| kernel.is_before(until))
        && !entry.since.is_some_and(|since| kernel.is_before(since))
}

/// The keys that the patterns of `plans` reach: those that the kernel has or, where none runs, those
/// of the catalogue and of the interfaces that every machine has.
fn existing(proc_root: Option<&ProcRoot>, plans: &[Plan; 2]) -> Vec<SysctlKey> {
    let patterns = || plans.iter().flat_map(Plan::patterns);
    let Some(proc_root) = proc_root else {
        let certain = patterns().flat_map(of_every_interface).filter_map(|it| it.parse().ok());
        let mut found: Vec<_> = catalogue().chain(certain).collect();
        found.retain(|key| patterns().any(|it| it.matches(key)));
        return found;
    };
    let found: BTreeSet<SysctlKey> =
        patterns().flat_map(|pattern| sysctl_tree::list(proc_root, pattern)).collect();
    found.into_iter().collect()
}

/// The keys for `lo`, `all` and `default` where `pattern` names one setting of interfaces, as
/// `net.ipv4.conf.*.rp_filter` does.
fn of_every_interface(pattern: &KeyPattern) -> Vec<String> {
    let [net, family, table, _, setting] = pattern.parts() else { return Vec::new() };
    let names: &[&str] = match table.as_str() {
        "conf" => &["all", "default", "lo"],
        "neigh" => &["default", "lo"],
        _ => &[],
    };
    names.iter().map(|name| [net, family, table, *name, setting].join("/")).collect()
}

fn catalogue() -> impl Iterator<Item = SysctlKey> {
    sysctls::all().filter_map(|entry| SysctlKey::parse(entry.key).ok())
}
