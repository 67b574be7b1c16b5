//! The sysctls that decide what a TIME_WAIT socket costs.

use super::ProcRoot;
use super::proc_root::read_text;
use crate::model::{PortRange, PortSet};

/// How `net.ipv4.tcp_tw_reuse` lets connect(2) take over TIME_WAIT sockets
/// (`net/ipv4/tcp_ipv4.c`, `tcp_twsk_unique`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwReuse {
    /// 0: never.
    Off,
    /// 1: for every destination.
    Everywhere,
    /// 2: where an address is a loopback address, the default since Linux 4.19.
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
        let settings = Self {
            port_range: reader.get("net.ipv4.ip_local_port_range", parse_range),
            reserved_ports: reader
                .get("net.ipv4.ip_local_reserved_ports", parse_port_list)
                .unwrap_or_default(),
            tw_reuse: reader.get("net.ipv4.tcp_tw_reuse", parse_tw_reuse),
            tw_reuse_delay_ms: reader.get_if_present("net.ipv4.tcp_tw_reuse_delay", parse_delay),
            timestamps: reader.get("net.ipv4.tcp_timestamps", |text| Some(text != "0")),
            max_tw_buckets: reader.get("net.ipv4.tcp_max_tw_buckets", parse_unsigned),
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

/// `net.ipv4.ip_unprivileged_port_start` (Linux 4.11): the lowest port that every user may bind, of
/// either family. `None` if it cannot be read.
pub fn unprivileged_port_start(proc_root: &ProcRoot) -> Option<u16> {
    let path = proc_root.sysctl("net.ipv4.ip_unprivileged_port_start")?;
    read_text(&path).ok()?.trim().parse().ok()
}

/// Whether `net.ipv6.conf.INTERFACE.disable_ipv6` takes the addresses off `interface`; `None` if it
/// cannot be read, as without IPv6.
pub fn is_ipv6_disabled(proc_root: &ProcRoot, interface: &str) -> Option<bool> {
    let name = interface.replace('/', "_");
    let path = proc_root.path().join("sys/net/ipv6/conf").join(name).join("disable_ipv6");
    Some(read_text(&path).ok()?.trim() != "0")
}

struct Reader<'a> {
    proc_root: &'a ProcRoot,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The value of `key`; that it cannot be read or understood is a problem.
    fn get<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.text(key) {
            Ok(text) => self.parsed(key, &text, parse),
            Err(problem) => {
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    /// The value of a `key` that not every kernel has.
    fn get_if_present<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(key).ok()?;
        self.parsed(key, &text, parse)
    }

    fn parsed<T>(&mut self, key: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = parse(text.trim());
        if value.is_none() {
            self.problems.push(format!("{key} has the unknown value `{}`", text.trim()));
        }
        value
    }

    fn text(&self, key: &str) -> Result<String, String> {
        let path = self.proc_root.sysctl(key).ok_or_else(|| OUTSIDE.to_owned())?;
        read_text(&path).map_err(|error| error.to_string())
    }
}

/// There is no /proc/PID/sys: /proc/sys shows the namespace of its reader.
const OUTSIDE: &str = "the settings of that network namespace can only be read from inside it";

/// Two numbers, a tab between them.
fn parse_range(text: &str) -> Option<PortRange> {
    let mut ends = text.split_whitespace().map(str::parse);
    let (low, high) = (ends.next()?.ok()?, ends.next()?.ok()?);
    (low <= high).then_some(PortRange { low, high })
}

/// `8080,9000-9100`, or nothing.
fn parse_port_list(text: &str) -> Option<PortSet> {
    let mut ports = PortSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        ports.insert_range(part.parse().ok()?);
    }
    Some(ports)
}

fn parse_tw_reuse(text: &str) -> Option<TwReuse> {
    match text {
        "0" => Some(TwReuse::Off),
        "1" => Some(TwReuse::Everywhere),
        "2" => Some(TwReuse::Loopback),
        _ => None,
    }
}

/// Milliseconds, 1 to 60,000: the kernel takes no others.
fn parse_delay(text: &str) -> Option<u32> {
    text.parse().ok().filter(|delay| (1..=60_000).contains(delay))
}

/// As the kernel compares it: a negative number is a large one.
fn parse_unsigned(text: &str) -> Option<u32> {
    text.parse::<i32>().ok().map(i32::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_kernel_writes_them() {
        assert_eq!(parse_range("32768\t60999"), Some(PortRange { low: 32768, high: 60999 }));
        assert_eq!(parse_range("60999 32768"), None);
        assert_eq!(parse_port_list("").map(|ports| ports.len()), Some(0));
        assert_eq!(parse_port_list("8080,9000-9100").map(|ports| ports.len()), Some(102));
        assert_eq!(parse_unsigned("-1"), Some(u32::MAX));
        assert_eq!(parse_tw_reuse("3"), None);
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_said() {
        let empty = tempfile::tempdir().unwrap();
        let settings = TcpSettings::read(&ProcRoot::at(empty.path()));
        assert!(settings.port_range.is_none() && settings.timestamps.is_none());
        assert_eq!(settings.problems.len(), 5, "{:?}", settings.problems);
    }
}
