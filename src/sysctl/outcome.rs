//! What a change makes of the values that belong together: those that would run with the rest of what
//! runs, and those that a boot would leave.
//!
//! A value may be right by itself and not beside the others: ports to connect from that a server
//! listens on, TIME_WAITs to reuse without timestamps. What is so before the change is not its doing.

use std::collections::BTreeMap;
use std::path::Path;

use super::drop_in::is_read_at_boot;
use super::files::{Peer, Plan, Setting};
use super::judge::{Change, Refusal, kind};
use super::outranked::with;
use super::rules::Judgement;
use super::together;
use crate::catalogue::sysctls;
use crate::kernel::sysctl_files::{ConfigFile, DIRECTORIES, read_tree};
use crate::kernel::{KernelError, ProcRoot, sysctl_tree};
use crate::model::{Severity, SysctlKey, TargetKernel};

/// What comes of a change.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What must not be, unless it is forced.
    pub refused: Vec<Refusal>,
    /// What has to be known.
    pub warnings: Vec<String>,
}

type Judged = Vec<(&'static str, Judgement)>;

/// What `changes` make of the running values, where something listens on the ports `listening`.
pub fn running(proc_root: &ProcRoot, changes: &[Change], listening: &[u16]) -> Outcome {
    let now = |key: &SysctlKey| {
        let running = sysctl_tree::read(proc_root, key).ok()?;
        running.value().map(str::to_owned)
    };
    let then = |key: &SysctlKey| {
        let own = changes.iter().find(|change| change.key == *key);
        own.map_or_else(|| now(key), |change| Some(change.new.clone()))
    };
    let kernel = sysctl_tree::target(proc_root);
    let before = together::judged(now, listening, kernel);
    let judged = new(&before, together::judged(then, listening, kernel));
    let free = unreserved(&then, listening, kernel);
    told(judged, changes, "", free.as_deref())
}

/// What the drop-in makes of the values that systemd-sysctl leaves at boot in the system at `root`,
/// once `content` is at `file`.
pub fn at_boot(
    root: &Path,
    file: &Path,
    content: &str,
    changes: &[Change],
) -> Result<Outcome, KernelError> {
    if !is_read_at_boot(file, &DIRECTORIES) {
        return Ok(Outcome::default());
    }
    let newest = TargetKernel::default();
    let files = read_tree(root)?.files;
    let now = left(&files);
    let then = left(&with(files, file, content));
    let of = |left: &BTreeMap<SysctlKey, String>, key: &SysctlKey| {
        let default = sysctls::find(key).and_then(|entry| entry.fixed_default(newest));
        left.get(key).cloned().or_else(|| default.map(str::to_owned))
    };
    let judged = new(
        &together::judged(|key| of(&now, key), &[], newest),
        together::judged(|key| of(&then, key), &[], newest),
    );
    Ok(told(judged, changes, "after a boot: ", None))
}

/// The values that systemd-sysctl leaves.
fn left(files: &[ConfigFile]) -> BTreeMap<SysctlKey, String> {
    let settings = Plan::new(files, Peer::Systemd).merge(&[]).settings.into_iter();
    let value = |(key, setting): (SysctlKey, Setting)| {
        let left = setting.left(|value| kind(&key).parse(value).is_ok())?.value.clone();
        Some((key, left))
    };
    settings.filter_map(value).collect()
}

/// What is said of `then` and was not said of `now`.
fn new(now: &Judged, then: Judged) -> Judged {
    let is_old = |it: &(&str, Judgement)| {
        now.iter()
            .any(|old| old.0 == it.0 && old.1.why == it.1.why && old.1.severity >= it.1.severity)
    };
    then.into_iter().filter(|it| !is_old(it)).collect()
}

fn told(judged: Judged, changes: &[Change], when: &str, reserve: Option<&str>) -> Outcome {
    let mut outcome = Outcome::default();
    for (key, Judgement { severity, why, advice, .. }) in judged {
        let change = changes.iter().find(|change| change.key.to_string() == key);
        let reason = format!("{when}{why}");
        let about = change.or(changes.first()).filter(|_| severity == Severity::Critical);
        if let Some(Change { key, new, .. }) = about {
            let (key, value) = (key.clone(), new.clone());
            outcome.refused.push(Refusal { key, value, reason, can_be_forced: true });
        } else {
            let cure = reserve.filter(|_| key == RESERVED).unwrap_or(advice);
            outcome.warnings.push(format!("{reason}\nhint: {cure}"));
        }
    }
    outcome
}

const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";

/// The setting that keeps ports of listeners from connect(2): those that are reserved, and those that
/// are not and lie within the range.
fn unreserved(
    value: &impl Fn(&SysctlKey) -> Option<String>,
    listening: &[u16],
    kernel: TargetKernel,
) -> Option<String> {
    let (range, reserved) = together::ports(value, kernel);
    let text = value(&SysctlKey::parse(RESERVED).ok()?)?;
    let is_taken =
        |port: &&u16| range.is_some_and(|it| it.contains(**port)) && !reserved.contains(**port);
    let added = listening.iter().filter(is_taken).map(u16::to_string);
    let all: Vec<String> =
        Some(text.trim().to_owned()).filter(|it| !it.is_empty()).into_iter().chain(added).collect();
    Some(format!("reserve them in the same apply: --set {RESERVED}={}", all.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::drop_in_file::DropInFile;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for (path, text) in files {
            DropInFile::at(None, &tree.path().join(path)).unwrap().write(text).unwrap();
        }
        tree
    }

    fn change(key: &str, new: &str) -> Change {
        Change {
            key: SysctlKey::parse(key).unwrap(),
            running: None,
            new: new.to_owned(),
            file_before: None,
            why: String::new(),
            forced: None,
        }
    }

    #[test]
    fn what_becomes_critical_with_the_rest_is_refused_and_less_is_said() {
        let tree = tree(&[
            ("sys/net/netfilter/nf_conntrack_count", "96\n"),
            ("sys/net/netfilter/nf_conntrack_max", "1000\n"),
        ]);
        let of = |max: &str| {
            let change = change("net.netfilter.nf_conntrack_max", max);
            let Outcome { refused, warnings } = running(&ProcRoot::at(tree.path()), &[change], &[]);
            assert!(refused.iter().all(|it| it.can_be_forced && it.value == max));
            (refused.len(), warnings.len())
        };
        assert_eq!([of("100"), of("115"), of("2000")], [(1, 0), (0, 1), (0, 0)]);
    }

    #[test]
    fn what_was_so_before_is_not_its_doing() {
        let tree = tree(&[
            ("sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
            ("sys/net/ipv4/ip_local_reserved_ports", "50000\n"),
        ]);
        let proc_root = ProcRoot::at(tree.path());
        let warnings =
            |key, value| running(&proc_root, &[change(key, value)], &[20_000, 40_000]).warnings;
        assert_eq!(warnings("net.ipv4.tcp_fin_timeout", "30"), [""; 0]);
        let wide = warnings("net.ipv4.ip_local_port_range", "10000 60999");
        let cure = "--set net.ipv4.ip_local_reserved_ports=50000,20000,40000";
        assert!(wide.len() == 1 && wide[0].ends_with(cure), "{wide:?}");
        // One less than before.
        let less = warnings("net.ipv4.ip_local_reserved_ports", "40000");
        assert_eq!(less, [""; 0]);
    }

    #[test]
    fn a_boot_is_judged_with_what_other_files_set() {
        let tree = tree(&[("etc/sysctl.d/99-a.conf", "net.ipv4.tcp_timestamps = 0\n")]);
        let reuse = change("net.ipv4.tcp_tw_reuse", "1");
        let of = |name: &str, text: &str| {
            let file = Path::new("/etc/sysctl.d").join(name);
            at_boot(tree.path(), &file, text, std::slice::from_ref(&reuse)).unwrap().warnings
        };
        // The default, 2, is in vain without timestamps as well: that is so already.
        assert_eq!(of("60-netkit.conf", "net.ipv4.tcp_tw_reuse = 1\n"), [""; 0]);
        let text = "net.ipv4.tcp_timestamps = 1\nnet.ipv4.ip_local_port_range = 1025 65535\n";
        let odd = of("60-netkit.conf", text);
        assert!(odd.len() == 1 && odd[0].starts_with("after a boot: both ends of"), "{odd:?}");
        assert_eq!(of("60-netkit", text), [""; 0], "nobody reads it");
    }
}
