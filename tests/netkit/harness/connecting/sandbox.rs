//! Sandboxes that stand in the way of every connection: seccomp, Landlock, and a BPF program of a
//! cgroup, as service managers and container runtimes use them.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, Scope};
use tempfile::TempDir;

use super::Row;
use super::code::*;
use super::oracle::python;
use crate::harness::needs::run;

const DENYING: &str = include_str!("cgroup_denies.py");

/// TCP in both families, where connect(2) itself gives `code`.
pub fn denied(by: &str, code: i32) -> Vec<Row> {
    let row = |target| Row::at_once(by, target, code, "denied").because("policy");
    ["127.0.0.1:9", "[::1]:9", "192.0.2.1:80"].map(row).into()
}

/// The same for a kernel that looks for a route first.
pub fn landlocked() -> Vec<Row> {
    let mut rows = denied("Landlock", EACCES);
    let datagram = Row::datagram("not of TCP", "udp://127.0.0.1:9", ECONNREFUSED, "refused");
    rows.push(datagram.icmp((3, 3, "127.0.0.1")));
    rows.push(Row::at_once("an abstract name outside", "unix:@netkit-here", EPERM, "denied"));
    rows
}

/// Calls `body` on a thread that may not connect by TCP, nor to abstract names of others; programs
/// that it starts inherit that.
pub fn landlock<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let confined = scope.spawn(|| {
            ruleset().unwrap().create().unwrap().restrict_self().unwrap();
            body()
        });
        confined.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Why Landlock does not hold connections here.
pub fn no_landlock() -> Option<String> {
    let made = ruleset().and_then(Ruleset::create);
    made.err().map(|error| format!("no Landlock of version 6: {error}"))
}

fn ruleset() -> Result<Ruleset, landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessNet::ConnectTcp)?
        .scope(Scope::AbstractUnixSocket)
}

/// A cgroup whose programs may not connect, and whose member this process is until it is dropped.
pub struct Cgroup {
    mount: TempDir,
    group: PathBuf,
}

impl Cgroup {
    /// Mounts the tree, makes the group, attaches the program, and goes in.
    pub fn new() -> Self {
        let mount = tempfile::tempdir().unwrap();
        run(&format!("mount -t cgroup2 none {}", mount.path().display()));
        let group = mount.path().join(format!("netkit-test-{}", std::process::id()));
        fs::create_dir(&group).unwrap();
        let cgroup = Self { mount, group };
        let status = python(DENYING).arg(&cgroup.group).status();
        assert!(status.unwrap().success(), "cgroup_denies.py failed");
        enter(&cgroup.group);
        cgroup
    }
}

fn enter(group: &Path) {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string()).unwrap();
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        enter(self.mount.path());
        fs::remove_dir(&self.group).unwrap();
        run(&format!("umount {}", self.mount.path().display()));
    }
}
