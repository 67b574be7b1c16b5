//! What a test needs of the machine, and what is said where it is not there.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A network namespace of one's own: root, or user namespaces.
    NetNs,
    /// User namespaces for users without any rights.
    UserNs,
    /// IPv6 in the kernel.
    Ipv6,
    /// ip(8).
    Ip,
    /// ss(8).
    Ss,
    /// Python, for socket options that no safe Rust call sets.
    Python3,
    /// The user id 0 outside of any user namespace.
    Root,
    /// setpriv(1).
    Setpriv,
    /// mount(8).
    Mount,
    /// Landlock that holds connections.
    Landlock,
    /// The right to load BPF programs, and cgroups of version 2 to attach them to.
    CgroupBpf,
    /// nft(8), and a packet filter in the kernel.
    Nft,
    /// Pairs of virtual interfaces in the kernel.
    Veth,
    /// socat(1).
    Socat,
    /// ncat(1), of Nmap.
    Ncat,
    /// OpenBSD's nc(1), by its own name: `nc` may be another.
    Nc,
    /// sysctl(8) of procps 4, of which older ones know no patterns.
    Procps,
    /// systemd-sysctl(8), in the place of systemd's own programs.
    SystemdSysctl,
    /// This sysctl of the kernel.
    Sysctl(&'static str),
}

impl Need {
    /// Why it is not there; `None` if it is.
    pub fn lacking(self) -> Option<String> {
        match self {
            Self::NetNs => no_namespace(&mut super::live::unshare()),
            Self::UserNs => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
                no_namespace(command.args(["unshare", "--user", "--map-root-user", "--net"]))
            }
            Self::Ipv6 => {
                let is_there = Path::new("/proc/net/if_inet6").exists();
                (!is_there).then(|| "this kernel has no IPv6".to_owned())
            }
            Self::Ip => no_program("ip"),
            Self::Ss => no_program("ss"),
            Self::Python3 => no_program("python3"),
            Self::Socat => no_program("socat"),
            Self::Ncat => no_program("ncat"),
            Self::Nc => no_program("nc.openbsd"),
            Self::Setpriv => no_program("setpriv"),
            Self::Mount => no_program("mount"),
            Self::Landlock => super::connecting::sandbox::no_landlock(),
            Self::CgroupBpf => no_cgroup_bpf(),
            Self::Nft => no_program("nft").or_else(no_packet_filter),
            Self::Veth => no_veth(),
            Self::Procps => no_procps(),
            Self::SystemdSysctl => {
                systemd_sysctl().is_none().then(|| "there is no systemd-sysctl".to_owned())
            }
            Self::Root => (!is_root()).then(|| "not run by root".to_owned()),
            Self::Sysctl(key) => {
                let is_there = super::sysctl::file(key).exists();
                (!is_there).then(|| format!("this kernel has no {key}"))
            }
        }
    }
}

/// Whether the test runs as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn no_program(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|place| place.join(name).exists());
    (!is_there).then(|| format!("there is no `{name}`"))
}

/// Where systemd-sysctl is.
pub fn systemd_sysctl() -> Option<&'static str> {
    let places = ["/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"];
    places.into_iter().find(|place| Path::new(place).exists())
}

fn no_procps() -> Option<String> {
    let Ok(output) = Command::new("sysctl").arg("--version").output() else {
        return no_program("sysctl").or_else(|| Some("sysctl does not run".to_owned()));
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_new = version.contains("procps-ng 4");
    (!is_new).then(|| format!("this sysctl is no procps 4: {version}"))
}

fn no_veth() -> Option<String> {
    let line = ["ip", "link", "add", "type", "veth"];
    let tried = super::live::unshare().args(line).stdin(Stdio::null()).output();
    let is_made = tried.is_ok_and(|output| output.status.success());
    (!is_made).then(|| "this kernel makes no veth interfaces".to_owned())
}

fn no_cgroup_bpf() -> Option<String> {
    let file_systems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !file_systems.lines().any(|line| line.ends_with("\tcgroup2")) {
        return Some("this kernel has no cgroup2".to_owned());
    }
    (!is_root()).then(|| "not run by root".to_owned())
}

fn no_packet_filter() -> Option<String> {
    let line = ["nft", "add", "table", "inet", "tried"];
    let tried = super::live::unshare().args(line).stdin(Stdio::null()).output();
    let is_made = tried.is_ok_and(|output| output.status.success());
    (!is_made).then(|| "this kernel has no nf_tables".to_owned())
}

fn no_namespace(unshare: &mut Command) -> Option<String> {
    let tried = unshare.arg("true").stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    }
}

/// Says that the test `name` does not run, past the test runner's capture; with `NETKIT_LIVE=1`,
/// fails.
pub fn not_run(name: &str, why: &str) {
    assert!(
        std::env::var_os("NETKIT_LIVE").is_none_or(|value| value != "1"),
        "NOT RUN: {name} because {why}"
    );
    // In one piece, since tests run side by side; that nobody listens is no reason to fail.
    let line = format!("NOT RUN: {name} because {why}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// Runs a program to its end, and panics with what it said if that is no good.
#[track_caller]
pub fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "`{line}`: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
