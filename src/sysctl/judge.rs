//! What a wish comes to: a change, or the reason why it is refused. Everything is judged before
//! anything is touched.

use serde::Serialize;

use super::profile::Want;
use super::rules::{Machine, judge};
use crate::catalogue::sysctls;
use crate::kernel::sysctl_tree::{self, Running};
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{SysctlKey, SysctlKind};

/// A setting that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key.
    pub key: SysctlKey,
    /// Its value now; `None` if there is none, or it is not looked at.
    pub running: Option<String>,
    /// Its value to be.
    pub new: String,
    /// Its value in the drop-in that is replaced.
    pub file_before: Option<String>,
    /// Why; may be empty.
    #[serde(skip)]
    pub why: String,
    /// Why it would have been refused without `--force`.
    #[serde(skip)]
    pub forced: Option<String>,
}

/// A setting that is not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The key.
    pub key: SysctlKey,
    /// The value that was asked for.
    pub value: String,
    /// Why not.
    pub reason: String,
    /// Whether `--force` sets it nonetheless.
    pub can_be_forced: bool,
}

/// What wishes are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Where the running values are; `None` for the files of another system.
    pub proc_root: Option<&'a ProcRoot>,
    /// Whether what does no good is done nonetheless.
    pub is_forced: bool,
}

impl Change {
    /// Whether the running value is another one.
    pub fn changes_running(&self) -> bool {
        self.running.as_deref().is_some_and(|running| !kind(&self.key).is_same(running, &self.new))
    }
}

/// How values of `key` are read; as words where the catalogue does not have it.
pub(super) fn kind(key: &SysctlKey) -> SysctlKind {
    sysctls::find(key).map_or(SysctlKind::Word, |entry| entry.kind)
}

impl Judge<'_> {
    /// What `want` comes to. Fails if the running values cannot be read.
    pub fn judge(self, want: &Want) -> Result<Result<Change, Refusal>, KernelError> {
        let key = &want.expectation.key;
        let running = self.proc_root.map(|proc_root| sysctl_tree::read(proc_root, key));
        let running = running.transpose()?;
        let running_value = running.as_ref().and_then(Running::value);
        let refused = |value: &str, reason: String, can_be_forced| {
            let (key, value) = (key.clone(), value.to_owned());
            Ok(Err(Refusal { key, value, reason, can_be_forced }))
        };
        let value = match want.expectation.nearest(running_value, kind(key)) {
            Ok(value) => value.split_whitespace().collect::<Vec<_>>().join(" "),
            Err(reason) => return refused(&want.expectation.value, reason, false),
        };
        if let Some(reason) = self.impossible(key, &value, running.as_ref()) {
            return refused(&value, reason, false);
        }
        let forced = match self.unwise(key, &value, running.as_ref()) {
            Some(reason) if !self.is_forced => return refused(&value, reason, true),
            unwise => unwise,
        };
        Ok(Ok(Change {
            key: key.clone(),
            running: running_value.map(str::to_owned),
            new: value,
            file_before: None,
            why: want.why.clone(),
            forced,
        }))
    }

    /// Why it should not be done.
    fn unwise(self, key: &SysctlKey, value: &str, running: Option<&Running>) -> Option<String> {
        let Some(entry) = sysctls::find(key) else {
            return Some("netkit does not know this key, nor what values it takes".to_owned());
        };
        let machine = self.machine();
        if let Some(gone) = entry.gone(machine.kernel) {
            return Some(gone);
        }
        let parsed = entry.kind_in(machine.kernel).parse(value).ok()?;
        let judgement = judge(key, &parsed.value, &machine);
        judgement.map(|judgement| judgement.why).or_else(|| {
            (running == Some(&Running::Absent))
                .then(|| "this kernel, or this network namespace, has no such key".to_owned())
        })
    }

    /// Why it cannot be done.
    fn impossible(self, key: &SysctlKey, value: &str, running: Option<&Running>) -> Option<String> {
        let name = key.to_string();
        // It goes into a file, where these say something else.
        let is_odd = |c: char| matches!(c, '*' | '?' | '[' | '=') || c.is_whitespace();
        if name.contains(is_odd) || name.starts_with(['-', '#', ';']) {
            return Some("this is no name of one key: write net.ipv4.tcp_tw_reuse".to_owned());
        }
        match (sysctls::find(key), running) {
            (None, Some(Running::Absent)) => Some("there is no such key".to_owned()),
            (_, Some(Running::Hidden(why))) => Some(format!("its value cannot be saved: {why}")),
            (Some(entry), _) if !entry.is_writable => Some("it can only be read".to_owned()),
            (Some(entry), _) => not_taken(entry.kind_in(self.machine().kernel), value),
            (None, _) => value.is_empty().then(|| "there is no value".to_owned()),
        }
    }

    /// What values are measured against. Before Linux 6.1, which brought `tcp_ehash_entries`, the limit
    /// of TIME_WAIT that runs stands in for its default.
    fn machine(self) -> Machine {
        let number = |key: &str| -> Option<i64> {
            let running = sysctl_tree::read(self.proc_root?, &SysctlKey::parse(key).ok()?).ok()?;
            running.value()?.trim().parse().ok()
        };
        let of_limit = || number("net.ipv4.tcp_max_tw_buckets")?.checked_mul(2);
        Machine {
            ehash_entries: number("net.ipv4.tcp_ehash_entries").or_else(of_limit),
            kernel: self.proc_root.map(sysctl_tree::target).unwrap_or_default(),
        }
    }
}

/// Why the kernel would refuse `value`, or make something else of it.
fn not_taken(kind: SysctlKind, value: &str) -> Option<String> {
    match kind.parse(value) {
        Err(bad) => Some(format!("the kernel would refuse it: {bad}; it takes {kind}")),
        Ok(parsed) if parsed.is_partial => {
            Some(format!("the other numbers would stay as they are: it takes {kind}"))
        }
        Ok(parsed) => {
            parsed.dropped.map(|dropped| format!("the kernel would drop `{dropped}`: leave it out"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::drop_in_file::DropInFile;

    const FORCED: Judge = Judge { proc_root: None, is_forced: true };
    const PLAIN: Judge = Judge { proc_root: None, is_forced: false };

    fn judged(judge: Judge, text: &str) -> Result<Change, Refusal> {
        let want = Want { expectation: text.parse().unwrap(), why: String::new() };
        judge.judge(&want).unwrap()
    }

    fn refusal(text: &str) -> (String, bool) {
        judged(PLAIN, text).map_err(|it| (it.reason, it.can_be_forced)).unwrap_err()
    }

    #[test]
    fn what_the_kernel_would_not_do_cannot_be_forced() {
        for (text, why) in [
            ("net.ipv4.tcp_tw_reuse=3", "3 is not from 0 to 2"),
            ("net.core.somaxconn=many", "`many` is not a number"),
            ("net.core.somaxconn=", "no value"),
            ("net.core.somaxconn=128 # x", "drop `# x`"),
            ("net.ipv4.ip_local_port_range=40000", "two ports, low and high"),
            ("net.ipv4.tcp_ehash_entries=5", "only be read"),
            ("net.ipv4.conf.*.rp_filter=1", "no name of one key"),
            ("-net.core.somaxconn=4096", "no name of one key"),
            ("net.core.somaxconn!=4096", "names no value"),
        ] {
            let (reason, can_be_forced) = refusal(text);
            // Without running values, `!=` cannot be met.
            assert!(reason.contains(why) && !can_be_forced, "{text}: {reason}");
            assert!(judged(FORCED, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_does_no_good_can_be_forced() {
        for (text, why) in [
            ("net.ipv4.tcp_tw_recycle=1", "since Linux 4.12"),
            ("net.ipv4.tcp_fin_timeout=70", "between 61 and 119"),
            ("net.ipv4.tcp_max_tw_buckets=0", "no TIME_WAIT at all"),
            ("net.ipv4.conf.all.rp_filter=1", "does not know this key"),
        ] {
            let (reason, can_be_forced) = refusal(text);
            assert!(reason.contains(why) && can_be_forced, "{text}: {reason}");
            let change = judged(FORCED, text).unwrap();
            assert_eq!(change.forced, Some(reason), "{text}");
        }
        let change = judged(FORCED, "net.core.somaxconn=4096").unwrap();
        assert_eq!((change.new.as_str(), change.forced), ("4096", None));
    }

    #[test]
    fn the_machine_says_what_runs_and_what_the_limit_of_time_wait_is() {
        let tree = tempfile::tempdir().unwrap();
        let ipv4 = tree.path().join("sys/net/ipv4");
        for (name, value) in [
            ("tcp_ehash_entries", "262144\n"),
            ("tcp_max_tw_buckets", "4096\n"),
            ("ip_local_port_range", "32768\t60999\n"),
        ] {
            DropInFile::at(None, &ipv4.join(name)).unwrap().write(value).unwrap();
        }
        let proc_root = ProcRoot::at(tree.path());
        let judge = Judge { proc_root: Some(&proc_root), is_forced: false };
        let change = judged(judge, "net.ipv4.ip_local_port_range!=1 2").unwrap();
        assert_eq!((change.new.as_str(), change.changes_running()), ("32768 60999", false));
        let lowered = judged(judge, "net.ipv4.tcp_max_tw_buckets=131071").unwrap_err();
        assert!(lowered.reason.contains("below the default"), "{lowered:?}");
        assert!(judged(judge, "net.ipv4.tcp_max_tw_buckets=131072").unwrap().changes_running());
        let absent = judged(judge, "net.core.somaxconn=4096").unwrap_err();
        assert!(absent.reason.contains("has no such key") && absent.can_be_forced);
        let unknown = judged(judge, "net.core.somaxcon=4096").unwrap_err();
        assert!(unknown.reason.contains("there is no such key") && !unknown.can_be_forced);
    }
}
