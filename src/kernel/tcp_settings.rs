//! The sysctls that decide what a TIME_WAIT socket costs.

use super::sysctl_tree::{self, Running};
use super::{KernelError, ProcRoot};
use crate::model::{PortRange, PortSet, SysctlKey, SysctlKind, SysctlValue};

/// How `net.ipv4.tcp_tw_reuse` lets connect(2) take over TIME_WAIT sockets
/// (`net/ipv4/tcp_ipv4.c`, `tcp_twsk_unique`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwReuse {
    /// 0: never.
    Off,
    /// 1: for every destination.
    Everywhere,
    /// 2: where an address is a loopback address, the default since Linux 4.18.
    Loopback,
}

/// The settings of one network namespace. What could not be read is `None`, never a default: a
/// namespace does not inherit its parent's values.
#[derive(Clone, Debug, Default)]
pub struct TcpSettings {
    /// `net.ipv4.ip_local_port_range`: the ports of connect(2) and bind(2) to port 0.
    pub port_range: Option<PortRange>,
    /// `net.ipv4.ip_local_reserved_ports`: those of the range that are not given out.
    pub reserved_ports: PortSet,
    /// `net.ipv4.tcp_tw_reuse`.
    pub tw_reuse: Option<TwReuse>,
    /// `net.ipv4.tcp_tw_reuse_delay` in milliseconds: the age from which a TIME_WAIT may be reused.
    pub tw_reuse_delay_ms: Option<u32>,
    /// `net.ipv4.tcp_timestamps`, without which nothing is reused.
    pub timestamps: Option<bool>,
    /// `net.ipv4.tcp_max_tw_buckets`; the kernel compares it unsigned, so -1 is 4,294,967,295.
    pub max_tw_buckets: Option<u32>,
    /// The files that could not be read, and why.
    pub problems: Vec<String>,
}

impl TcpSettings {
    /// Reads the settings of the namespace that `proc_root` shows.
    pub fn read(proc_root: &ProcRoot) -> Self {
        let mut reader = Reader { proc_root, problems: Vec::new() };
        let range = reader.get("net.ipv4.ip_local_port_range", SysctlKind::RangePair);
        let reserved = reader.get("net.ipv4.ip_local_reserved_ports", SysctlKind::PortList);
        let tw_reuse = reader.get("net.ipv4.tcp_tw_reuse", TW_REUSE);
        let delay = reader.get_if_present("net.ipv4.tcp_tw_reuse_delay", TW_REUSE_DELAY);
        let timestamps = reader.get("net.ipv4.tcp_timestamps", ANY);
        let max_tw_buckets = reader.get("net.ipv4.tcp_max_tw_buckets", ANY);
        let number = |value: Option<SysctlValue>| value?.number();
        let settings = Self {
            port_range: range.and_then(|range| range.port_range()),
            reserved_ports: reserved.and_then(SysctlValue::ports).unwrap_or_default(),
            tw_reuse: number(tw_reuse).map(TwReuse::of),
            tw_reuse_delay_ms: number(delay).and_then(|delay| delay.try_into().ok()),
            timestamps: number(timestamps).map(|mode| mode != 0),
            // As the kernel compares it: a negative number is a large one.
            max_tw_buckets: number(max_tw_buckets)
                .and_then(|limit| i32::try_from(limit).ok())
                .map(i32::cast_unsigned),
            problems: Vec::new(),
        };
        Self { problems: reader.problems, ..settings }
    }

    /// The ports that connect(2) may choose from: the range less the reserved ones.
    pub fn ephemeral_ports(&self) -> Option<PortSet> {
        let mut ports = PortSet::new();
        ports.insert_range(self.port_range?);
        ports.remove_all(&self.reserved_ports);
        Some(ports)
    }
}

impl TwReuse {
    fn of(mode: i64) -> Self {
        match mode {
            0 => Self::Off,
            2 => Self::Loopback,
            _ => Self::Everywhere,
        }
    }
}

/// `net.ipv4.ip_unprivileged_port_start` (Linux 4.11): the lowest port that every user may bind, of
/// either family. `None` if it cannot be read.
pub fn unprivileged_port_start(proc_root: &ProcRoot) -> Option<u16> {
    let port = number(proc_root, "net.ipv4.ip_unprivileged_port_start")?;
    u16::try_from(port).ok()
}

/// `net.core.somaxconn`: the most that listen(2) gives of a backlog. `None` if it cannot be read.
pub fn longest_backlog(proc_root: &ProcRoot) -> Option<i64> {
    number(proc_root, "net.core.somaxconn")
}

/// Whether `net.ipv6.conf.INTERFACE.disable_ipv6` takes the addresses off `interface`; `None` if it
/// cannot be read, as without IPv6.
pub fn is_ipv6_disabled(proc_root: &ProcRoot, interface: &str) -> Option<bool> {
    let interface = interface.replace('/', "_");
    Some(number(proc_root, &format!("net/ipv6/conf/{interface}/disable_ipv6"))? != 0)
}

/// The number that `key` has.
fn number(proc_root: &ProcRoot, key: &str) -> Option<i64> {
    let running = sysctl_tree::read(proc_root, &SysctlKey::parse(key).ok()?).ok()?;
    ANY.parse(running.value()?).ok()?.value.number()
}

const ANY: SysctlKind = SysctlKind::Integer { low: i32::MIN, high: i32::MAX };
/// 0 to 2; before Linux 4.18 whatever is written, and all but 0 is on.
const TW_REUSE: SysctlKind = SysctlKind::Byte { low: 0, high: 2 };
/// Milliseconds; the kernel takes no others.
const TW_REUSE_DELAY: SysctlKind = SysctlKind::Integer { low: 1, high: 60_000 };

struct Reader<'a> {
    proc_root: &'a ProcRoot,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The value of `key`; that it cannot be read or understood is a problem.
    fn get(&mut self, key: &str, kind: SysctlKind) -> Option<SysctlValue> {
        match self.running(key) {
            Ok(Running::Value(text)) => self.parsed(key, &text, kind),
            Ok(Running::Absent) => self.fail(format!("this kernel has no {key} here")),
            Ok(Running::Hidden(problem)) | Err(problem) => self.fail(problem),
        }
    }

    /// The value of a `key` that not every kernel has.
    fn get_if_present(&mut self, key: &str, kind: SysctlKind) -> Option<SysctlValue> {
        match self.running(key) {
            Ok(Running::Value(text)) => self.parsed(key, &text, kind),
            Ok(Running::Absent | Running::Hidden(_)) | Err(_) => None,
        }
    }

    fn parsed(&mut self, key: &str, text: &str, kind: SysctlKind) -> Option<SysctlValue> {
        match kind.parse(text) {
            Ok(parsed) if !parsed.is_partial => Some(parsed.value),
            _ => self.fail(format!("{key} has the unknown value `{}`", text.trim())),
        }
    }

    fn fail(&mut self, problem: String) -> Option<SysctlValue> {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        None
    }

    fn running(&self, key: &str) -> Result<Running, String> {
        let name = SysctlKey::parse(key).map_err(|bad| bad.to_string())?;
        sysctl_tree::read(self.proc_root, &name).map_err(|error| {
            // Where none of them can be told, that is said once.
            let is_about_all = matches!(error, KernelError::CannotTell { .. });
            if is_about_all { error.to_string() } else { format!("{key}: {error}") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of a tree in which `name` of net.ipv4 has `value`.
    fn settings(name: &str, value: &str) -> TcpSettings {
        let tree = tempfile::tempdir().unwrap();
        let ipv4 = tree.path().join("sys/net/ipv4");
        std::fs::create_dir_all(&ipv4).unwrap();
        std::fs::write(ipv4.join(name), format!("{value}\n")).unwrap();
        TcpSettings::read(&ProcRoot::at(tree.path()))
    }

    #[test]
    fn values_are_read_as_the_kernel_writes_them() {
        let range = |text| settings("ip_local_port_range", text).port_range;
        assert_eq!(range("32768\t60999"), Some(PortRange { low: 32768, high: 60999 }));
        assert_eq!((range("60999\t32768"), range("40000"), range("x")), (None, None, None));
        let reserved = |text| settings("ip_local_reserved_ports", text).reserved_ports.len();
        assert_eq!((reserved(""), reserved("8080,9000-9100")), (0, 102));
        let reuse = |text| settings("tcp_tw_reuse", text).tw_reuse;
        assert_eq!((reuse("2"), reuse("3")), (Some(TwReuse::Loopback), None));
        assert_eq!(settings("tcp_max_tw_buckets", "-1").max_tw_buckets, Some(u32::MAX));
        assert_eq!(settings("tcp_tw_reuse_delay", "0").tw_reuse_delay_ms, None);
        assert_eq!(settings("tcp_timestamps", "2").timestamps, Some(true));
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_said() {
        let empty = tempfile::tempdir().unwrap();
        let settings = TcpSettings::read(&ProcRoot::at(empty.path()));
        assert!(settings.port_range.is_none() && settings.timestamps.is_none());
        assert_eq!(settings.problems.len(), 5, "{:?}", settings.problems);
        std::fs::create_dir(empty.path().join("sys")).unwrap();
        let settings = TcpSettings::read(&ProcRoot::at(empty.path()));
        assert_eq!(settings.problems.len(), 5, "{:?}", settings.problems);
        let other = TcpSettings::read(&ProcRoot::at(empty.path()).of_process(1));
        assert_eq!(other.problems.len(), 1, "{:?}", other.problems);
    }
}
