//! Files that set sysctls, in the places where the system's are: in a live test they are mounted
//! over its own, so that `sysctl --system` and systemd-sysctl read them and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use netkit::model::SysctlKey;
use netkit::sysctl::files::Peer;
use tempfile::TempDir;

use super::needs::{run, systemd_sysctl};

/// What is mounted: a path in the tree, and where the programs look for it.
const PLACES: [(&str, &str); 4] = [
    ("etc", "/etc"),
    ("run", "/run"),
    ("usr/local/lib", "/usr/local/lib"),
    ("usr/lib/sysctl.d", "/usr/lib/sysctl.d"),
];

/// The directories that hold files.
const DIRECTORIES: [&str; 4] =
    ["etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d"];

/// Interfaces of the namespace: one has a name with a dot.
const INTERFACES: [&str; 6] = ["all", "default", "lo", "eth0", "eth0.100", "v0"];

/// The settings that are looked at, all of the network namespace alone, and their values before.
const SETTINGS: [(&str, &str); 7] = [
    ("tcp_fin_timeout", "60"),
    ("tcp_keepalive_time", "7200"),
    ("tcp_keepalive_intvl", "75"),
    ("tcp_keepalive_probes", "9"),
    ("tcp_retries2", "15"),
    ("tcp_tw_reuse", "2"),
    ("ip_local_port_range", "32768 60999"),
];

/// The settings by their paths below /proc/sys, blanks made equal.
pub type State = BTreeMap<String, String>;

/// A file of the tree: its path in it, and its text; `-> TARGET` is a link, `DIRECTORY` a directory.
pub type File<'a> = (&'a str, &'a str);

/// The tree, mounted for this test.
pub struct Boot {
    directory: TempDir,
}

impl Boot {
    /// Makes interfaces and an empty tree, and mounts it.
    pub fn new() -> Self {
        run("ip link add eth0.100 type veth peer name v0");
        run("ip link add eth0 type veth peer name v1");
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in DIRECTORIES {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink("usr/lib", root.join("lib")).unwrap();
        for (name, place) in PLACES {
            run(&format!("mount --bind {} {place}", root.join(name).display()));
        }
        // Where /lib is no link to /usr/lib, it has a directory of its own, that procps reads.
        let own = Path::new("/lib/sysctl.d");
        if own.exists() && !Path::new("/lib").is_symlink() {
            fs::create_dir(root.join("empty")).unwrap();
            run(&format!("mount --bind {} {}", root.join("empty").display(), own.display()));
        }
        Self { directory }
    }

    /// Where the tree is.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Takes all files away and puts these there.
    pub fn put(&self, files: &[File]) {
        for name in DIRECTORIES.into_iter().chain(["etc"]) {
            for entry in fs::read_dir(self.root().join(name)).unwrap() {
                let path = entry.unwrap().path();
                if !path.is_dir() || path.is_symlink() {
                    fs::remove_file(path).unwrap();
                } else if !path.ends_with("etc/sysctl.d") {
                    fs::remove_dir(path).unwrap();
                }
            }
        }
        for (name, text) in files {
            let path = self.root().join(name);
            if let Some(target) = text.strip_prefix("-> ") {
                symlink(target, path).unwrap();
            } else if *text == "DIRECTORY" {
                fs::create_dir(path).unwrap();
            } else {
                fs::write(path, text).unwrap();
            }
        }
    }
}

/// Runs `peer` on the values of before, and gives what it left.
pub fn applied_by(peer: Peer) -> State {
    reset();
    let mut command = match peer {
        Peer::Procps => Command::new("sysctl"),
        Peer::Systemd => Command::new(systemd_sysctl().unwrap()),
    };
    if peer == Peer::Procps {
        command.arg("--system");
    }
    // A value that the kernel refuses is a failure to both.
    command.stdin(Stdio::null()).output().unwrap();
    state()
}

/// The keys that are looked at.
pub fn keys() -> Vec<SysctlKey> {
    before().keys().map(|path| SysctlKey::parse(path).unwrap()).collect()
}

/// Writes the values of before.
pub fn reset() {
    for (path, value) in before() {
        assert!(write(&path, &value), "{path} = {value}");
    }
}

/// Writes a value as the programs do; false if the kernel refuses it.
pub fn write(path: impl AsRef<Path>, value: &str) -> bool {
    fs::write(Path::new("/proc/sys").join(path), format!("{value}\n")).is_ok()
}

/// The values now.
pub fn state() -> State {
    let read = |path: &String| fs::read_to_string(Path::new("/proc/sys").join(path)).unwrap();
    let blanks = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    before().keys().map(|path| (path.clone(), blanks(read(path)))).collect()
}

fn before() -> State {
    let settings = SETTINGS.map(|(key, value)| (format!("net/ipv4/{key}"), value.to_owned()));
    let tags = INTERFACES.map(|name| (format!("net/ipv4/conf/{name}/tag"), "0".to_owned()));
    settings.into_iter().chain(tags).collect()
}
