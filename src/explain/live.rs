//! What is so now: the values of settings and counters that stand on a page. That one cannot be read
//! costs the value, not the page.

use std::cell::RefCell;

use super::page::Live;
use crate::catalogue::counters;
use crate::catalogue::sysctls::SysctlEntry;
use crate::kernel::counters::read_one;
use crate::kernel::sysctl_tree::{self, Running};
use crate::kernel::{KernelError, ProcRoot};
use crate::model::SysctlKey;
use crate::sysctl;

/// What stands in the place of a value that there may be.
const UNREAD: &str = "it could not be read";

/// Where values are read, or that they are not asked for.
#[derive(Debug, Default)]
pub struct Now<'a> {
    proc_root: Option<&'a ProcRoot>,
    problems: RefCell<Vec<String>>,
}

impl<'a> Now<'a> {
    /// No values: for pages that are the same everywhere.
    pub fn untold() -> Self {
        Self::default()
    }

    /// The values below `proc_root`.
    pub fn at(proc_root: &'a ProcRoot) -> Self {
        Self { proc_root: Some(proc_root), problems: RefCell::default() }
    }

    /// Whether values are asked for.
    pub fn is_told(&self) -> bool {
        self.proc_root.is_some()
    }

    /// What could not be read.
    pub fn problems(self) -> Vec<String> {
        self.problems.into_inner()
    }

    /// The counter of this name.
    pub fn counter(&self, name: &str) -> Option<Live> {
        let (proc_root, entry) = (self.proc_root?, counters::find(name)?);
        let read = read_one(proc_root, entry.table.file(), entry.table.head(), entry.name);
        tracing::info!(counter = entry.name, file = entry.table.file(), ?read, "read");
        let (value, lacking) = match self.noted(read) {
            Some(number) => {
                (number.map(|it| it.to_string()), "this kernel has no such counter here")
            }
            None => (None, UNREAD),
        };
        Some(Live { name: entry.full_name(), value, lacking })
    }

    /// The running value of a setting.
    pub fn sysctl(&self, entry: &SysctlEntry) -> Option<Live> {
        self.is_told().then(|| shown(entry, &self.running(entry)))
    }

    /// The page of a setting, as `netkit sysctl explain` has it, and its running value. Where values
    /// are not asked for, it is that of the newest kernel.
    pub fn setting(&self, entry: &'static SysctlEntry) -> (sysctl::Page, Option<Live>) {
        let running = self.running(entry);
        let live = self.is_told().then(|| shown(entry, &running));
        let kernel = self.proc_root.map(sysctl_tree::target).unwrap_or_default();
        let is_child = self.proc_root.map(sysctl::is_child_namespace);
        let is_child_namespace = is_child.and_then(|read| self.noted(read)).unwrap_or(false);
        (sysctl::Page::new(entry, sysctl::Here { running, kernel, is_child_namespace }), live)
    }

    fn running(&self, entry: &SysctlEntry) -> Running {
        let key = SysctlKey::parse(entry.key).ok();
        let read = self.proc_root.zip(key).map(|(root, key)| sysctl_tree::read(root, &key));
        match &read {
            Some(Ok(running)) if entry.is_secret => {
                let is_there = running.value().is_some();
                tracing::info!(key = entry.key, is_there, "read a secret, which is not shown");
            }
            Some(read) => tracing::info!(key = entry.key, ?read, "read"),
            None => {}
        }
        match read.map(|read| self.noted(read)) {
            Some(Some(running)) => running,
            Some(None) => Running::Hidden(UNREAD.to_owned()),
            None => Running::Absent,
        }
    }

    /// What was read; what was not is a warning, once.
    fn noted<T>(&self, read: Result<T, KernelError>) -> Option<T> {
        read.map_err(|error| {
            let mut problems = self.problems.borrow_mut();
            let problem = error.to_string();
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        })
        .ok()
    }
}

/// The value as it is shown: a secret is not.
fn shown(entry: &SysctlEntry, running: &Running) -> Live {
    let lacking = match running {
        Running::Absent => "does not exist on this kernel, or not in this namespace",
        Running::Value(_) | Running::Hidden(_) => UNREAD,
    };
    let value = running.value().filter(|_| !entry.is_secret).map(str::to_owned);
    Live { name: entry.key.to_owned(), value, lacking }
}
