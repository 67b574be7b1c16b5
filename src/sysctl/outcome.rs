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
