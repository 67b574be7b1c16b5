//! Judgements on a value by itself, and on values together. Pure: numbers in, words out.

use crate::catalogue::findings::{SYSCTL_COMBINATION, SYSCTL_MYTH, SYSCTL_NONSENSE_VALUE};
use crate::catalogue::sysctls::SysctlEntry;
use crate::model::{
    KernelRelease, PortRange, PortSet, Severity, SysctlKey, SysctlValue, TargetKernel,
};
use crate::output::numbers::thousands;

/// What is to be said of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The finding's name.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter.
    pub why: String,
    /// What to do.
    pub advice: &'static str,
}

#[expect(clippy::unnecessary_wraps, reason = "it is what every rule gives")]
fn warning(why: impl Into<String>, advice: &'static str) -> Option<Judgement> {
    let id = SYSCTL_NONSENSE_VALUE;
    Some(Judgement { id, severity: Severity::Warning, why: why.into(), advice })
}

fn critical(why: impl Into<String>, advice: &'static str) -> Option<Judgement> {
    warning(why, advice).map(|it| Judgement { severity: Severity::Critical, ..it })
}

/// A rule on the first number of a key.
type Rule = (&'static str, fn(i64, &Machine) -> Option<Judgement>);

/// What a value is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The buckets of the table of connections, where they are known.
    pub ehash_entries: Option<i64>,
    /// The kernel.
    pub kernel: TargetKernel,
}

impl Machine {
    /// What `net.ipv4.tcp_max_tw_buckets` begins with, where that is known.
    fn default_tw_buckets(&self) -> Option<i64> {
        self.ehash_entries.map(|entries| entries.saturating_abs() / 2)
    }
}

const RULES: [Rule; 16] = [
    ("net.ipv4.tcp_fin_timeout", fin_timeout),
    ("net.ipv4.tcp_max_tw_buckets", max_tw_buckets),
    ("net.ipv4.tcp_timestamps", |value, _| match value {
        0 => warning(
            "0 takes away PAWS and all of tcp_tw_reuse, on loopback too",
            "set it to 1, the default",
        ),
        _ => None,
    }),
    ("net.ipv4.tcp_syncookies", |value, _| match value {
        0 => warning("0 leaves listeners open to SYN floods", "set it to 1, the default"),
        2 => warning("2 sends cookies always, which is for tests", "set it to 1, the default"),
        _ => None,
    }),
    ("net.core.somaxconn", somaxconn),
    ("net.ipv4.tcp_tw_reuse", |value, machine| match value {
        2.. if machine.kernel.is_before(LOOPBACK_REUSE) => warning(
            format!("before Linux 4.18, {value} is on for every destination, as 1 is"),
            "set 0, or 1 if that is meant: the loopback alone came with Linux 4.18",
        ),
        _ => None,
    }),
    ("net.ipv4.tcp_abort_on_overflow", |value, _| match value {
        0 => None,
        _ => warning(
            "a full accept queue resets clients that could have tried again",
            "set it to 0, and lengthen the backlog or accept faster",
        ),
    }),
    ("net.ipv4.tcp_max_syn_backlog", |value, _| match value {
        ..=0 => warning("no half-open connection is kept without a SYN cookie", "set the default"),
        _ => None,
    }),
    ("net.ipv4.tcp_retries2", |value, _| match value {
        ..=7 => warning(
            format!("{value} gives open connections up before the 100 s of RFC 1122"),
            "set at least 8; 15 is the default",
        ),
        _ => None,
    }),
    ("net.ipv4.tcp_orphan_retries", |value, _| match value {
        1 | 2 => warning(
            format!("{value} cuts off clients on slow lines while their last data are sent"),
            "set it to 0, which means 8",
        ),
        _ => None,
    }),
    ("net.ipv4.tcp_sack", off_is_slow),
    ("net.ipv4.tcp_window_scaling", off_is_slow),
    ("net.ipv4.tcp_keepalive_time", |value, _| match value {
        ..=0 => warning(format!("{value} s before the first probe is no time"), "60 to 7200"),
        _ => None,
    }),
    ("net.ipv4.tcp_keepalive_intvl", |value, _| match value {
        ..=0 => warning(format!("{value} s between probes is no pause"), "set 75, the default"),
        _ => None,
    }),
    ("net.ipv4.tcp_tw_recycle", |value, _| match value {
        0 => None,
        _ => critical(
            "clients behind one NAT are refused at random",
            "set it to 0, and remove it from the files",
        ),
    }),
    ("net.ipv4.tcp_tw_reuse_delay", |value, _| match value {
        ..=99 => warning(
            format!("{value} ms may be below a tick of the peer's timestamp clock"),
            "set 1000, the default",
        ),
        _ => None,
    }),
];

/// The first release in which 2 is the loopback alone.
const LOOPBACK_REUSE: KernelRelease = KernelRelease::new(4, 18);
/// The first release in which timestamps do not tell the uptime.
const RANDOM_OFFSETS: KernelRelease = KernelRelease::new(4, 10);
/// The first release that begins with more than 128.
const LONGER_QUEUES: KernelRelease = KernelRelease::new(5, 4);

fn somaxconn(value: i64, machine: &Machine) -> Option<Judgement> {
    let why = match value {
        128 if machine.kernel.is_before(LONGER_QUEUES) => return None,
        128 => "128 is the default of Linux before 5.4, and short for a server".to_owned(),
        ..128 => {
            format!("{value} is short for a server: connections wait for accept() in few places")
        }
        _ => return None,
    };
    warning(why, "remove it from the files, or set 4096 or more, and start the servers anew")
}

fn fin_timeout(value: i64, _: &Machine) -> Option<Judgement> {
    match value {
        ..=0 => warning(
            format!("{value} ends a FIN_WAIT2 after half a second, and slow peers with it"),
            "set 60, the default",
        ),
        1..=9 => warning(
            format!("{value} s is short for a slow peer; nothing is gained by it"),
            "set 60, the default; 15 does no harm",
        ),
        // `tcp_time_wait` is given the rest, and the timer is set once more (tcp_rcv_state_process).
        61..=119 => warning(
            format!("{value} gives {} s: between 61 and 119, 2 x (value - 60)", 2 * (value - 60)),
            "set 60 or less, or 120 and more",
        ),
        _ => None,
    }
}

fn max_tw_buckets(value: i64, machine: &Machine) -> Option<Judgement> {
    match (value, machine.default_tw_buckets()) {
        (0, _) => critical(
            "0 means no TIME_WAIT at all: late segments meet new connections",
            "remove it; the default is half of tcp_ehash_entries",
        ),
        (..0, _) => warning(
            format!("{value} means no limit at all: the kernel compares it unsigned"),
            "remove it; the default is half of tcp_ehash_entries",
        ),
        (_, Some(default)) if value < default => warning(
            format!(
                "{} is below the default of {}: above it sockets skip TIME_WAIT",
                thousands(value.unsigned_abs()),
                thousands(default.unsigned_abs())
            ),
            FEWER_BUCKETS,
        ),
        _ => None,
    }
}

fn off_is_slow(value: i64, _: &Machine) -> Option<Judgement> {
    match value {
        0 => warning("0 makes connections over any distance slow", "set it to 1, the default"),
        _ => None,
    }
}

fn port_range(low: i64, high: i64) -> Option<Judgement> {
    let ports = high - low + 1;
    if ports >= 1000 {
        return None;
    }
    warning(
        format!("{ports} ports are few: outgoing connections fail soon, with EADDRNOTAVAIL"),
        "set 32768 60999, the default",
    )
}

/// What is to be said of `value` as the value of `key`.
pub fn judge(key: &SysctlKey, value: &SysctlValue, machine: &Machine) -> Option<Judgement> {
    let SysctlValue::Numbers(numbers) = value else { return None };
    let key = key.to_string();
    if let ("net.ipv4.ip_local_port_range", [low, high]) = (key.as_str(), numbers.as_slice()) {
        return port_range(*low, *high);
    }
    let (_, rule) = RULES.iter().find(|(name, _)| *name == key)?;
    rule(*numbers.first()?, machine)
}

/// What is hoped for of some values of a key, in vain.
struct Hope {
    key: &'static str,
    severity: Severity,
    /// Which values.
    is_told_of: fn(i64, &Machine) -> bool,
    /// What is said before the truth.
    lead: &'static str,
    advice: &'static str,
}

const HOPES: [Hope; 7] = [
    Hope {
        key: "net.ipv4.tcp_fin_timeout",
        severity: Severity::Warning,
        is_told_of: |value, _| value < 60,
        lead: "",
        advice: "netkit states --time-wait says whether TIME_WAIT is a problem; TCP_LINGER2 sets \
                 this for one socket",
    },
    Hope {
        key: "net.ipv4.tcp_tw_reuse",
        severity: Severity::Info,
        is_told_of: |value, machine| {
            value == 1 || (value > 1 && machine.kernel.is_before(LOOPBACK_REUSE))
        },
        lead: "",
        advice: "netkit states --time-wait says whether connect() runs out of ports",
    },
    Hope {
        key: "net.ipv4.tcp_syncookies",
        severity: Severity::Info,
        is_told_of: |value, _| value == 1,
        lead: "1 is the default, so that the line changes nothing; ",
        advice: "lengthen a short queue by net.core.somaxconn and the program's listen()",
    },
    Hope {
        key: "net.ipv4.tcp_max_tw_buckets",
        severity: Severity::Warning,
        is_told_of: |value, machine| {
            machine.default_tw_buckets().is_some_and(|default| (1..default).contains(&value))
        },
        lead: "lowered, ",
        advice: FEWER_BUCKETS,
    },
    // What a machine of 8 GiB begins with, where the machine is not known.
    Hope {
        key: "net.ipv4.tcp_max_tw_buckets",
        severity: Severity::Info,
        is_told_of: |value, machine| {
            machine.ehash_entries.is_none() && (1..32_768).contains(&value)
        },
        lead: "below the default, which depends on the machine's memory, ",
        advice: FEWER_BUCKETS,
    },
    Hope {
        key: "net.ipv4.tcp_timestamps",
        severity: Severity::Info,
        is_told_of: |value, machine| value == 0 && !machine.kernel.is_before(RANDOM_OFFSETS),
        lead: "",
        advice: "set it to 1, the default",
    },
    Hope {
        key: "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
        severity: Severity::Info,
        is_told_of: |value, _| value < 120,
        lead: "",
        advice: "leave 120, except on a gateway that runs out of ports for its addresses",
    },
];

const FEWER_BUCKETS: &str =
    "remove it: fewer buckets do not cure TIME_WAIT, netkit states --time-wait says what does";

/// What is hoped for in vain of `value` as the value of `entry`.
pub fn myth(entry: &SysctlEntry, value: &SysctlValue, machine: &Machine) -> Option<Judgement> {
    let truth = entry.myth?.truth;
    let number = value.first()?;
    let mut hopes = HOPES.iter().filter(|hope| hope.key == entry.key);
    let hope = hopes.find(|hope| (hope.is_told_of)(number, machine))?;
    Some(Judgement {
        id: SYSCTL_MYTH,
        severity: hope.severity,
        why: format!("{}{truth}", hope.lead),
        advice: hope.advice,
    })
}

/// Values that are judged together.
#[derive(Clone, Debug, Default)]
pub struct Together {
    /// `net.ipv4.tcp_tw_reuse`.
    pub tw_reuse: Option<i64>,
    /// `net.ipv4.tcp_timestamps`.
    pub timestamps: Option<i64>,
    /// `net.ipv4.ip_local_port_range`.
    pub range: Option<PortRange>,
    /// `net.ipv4.ip_unprivileged_port_start`.
    pub unprivileged_start: Option<i64>,
    /// `net.ipv4.ip_local_reserved_ports`.
    pub reserved: PortSet,
    /// Ports on which something listens.
    pub listening: Vec<u16>,
    /// `net.netfilter.nf_conntrack_count` and `nf_conntrack_max`.
    pub conntrack: Option<(i64, i64)>,
}

/// What is to be said of `values`, each with the key that it is about.
pub fn combine(values: &Together) -> Vec<(&'static str, Judgement)> {
    let mut found = Vec::new();
    let mut add = |key, severity, why, advice| {
        found.push((key, Judgement { id: SYSCTL_COMBINATION, severity, why, advice }));
    };
    if let (Some(1..), Some(0)) = (values.tw_reuse, values.timestamps) {
        add(
            "net.ipv4.tcp_tw_reuse",
            Severity::Warning,
            "tcp_tw_reuse is on and tcp_timestamps off: without timestamps nothing is reused"
                .to_owned(),
            "set net.ipv4.tcp_timestamps to 1",
        );
    }
    // `net/ipv4/sysctl_net_ipv4.c`, `ipv4_local_port_range` and `ipv4_privileged_ports`.
    if let (Some(range), Some(start)) = (values.range, values.unprivileged_start)
        && i64::from(range.low) < start
    {
        add(
            "net.ipv4.ip_local_port_range",
            Severity::Warning,
            format!(
                "{range} begins below ip_unprivileged_port_start, {start}: the kernel refuses the one \
                 that is written after the other"
            ),
            "begin the range at 1024 or above, or lower net.ipv4.ip_unprivileged_port_start before it",
        );
    }
    if let Some(range) = values.range {
        if range.low % 2 == range.high % 2 {
            add(
                "net.ipv4.ip_local_port_range",
                Severity::Info,
                format!(
                    "both ends of {range} are {}: one parity has more ports",
                    parity(range.low)
                ),
                "choose ends of different parity, as in 32768 60999",
            );
        }
        let taken: Vec<String> = values
            .listening
            .iter()
            .filter(|port| range.contains(**port) && !values.reserved.contains(**port))
            .map(u16::to_string)
            .collect();
        if !taken.is_empty() {
            add(
                "net.ipv4.ip_local_reserved_ports",
                Severity::Warning,
                format!(
                    "something listens on {}, which connect() may pick while the server is down: the \
                     restart then fails with EADDRINUSE",
                    taken.join(", ")
                ),
                "put those ports into net.ipv4.ip_local_reserved_ports",
            );
        }
    }
    if let Some((count, max)) = values.conntrack
        && max > 0
        && count * 10 >= max * 8
    {
        let severity = if count * 20 >= max * 19 { Severity::Critical } else { Severity::Warning };
        add(
            "net.netfilter.nf_conntrack_max",
            severity,
            format!(
                "{count} of {max} entries of conntrack are taken: when full, packets are dropped"
            ),
            "raise net.netfilter.nf_conntrack_max, or shorten nf_conntrack_tcp_timeout_established",
        );
    }
    found
}

fn parity(port: u16) -> &'static str {
    if port.is_multiple_of(2) { "even" } else { "odd" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sysctls::find;

    fn said(key: &str, value: i64) -> Option<Severity> {
        said_in(TargetKernel::default(), key, value)
    }

    fn said_in(kernel: impl Into<TargetKernel>, key: &str, value: i64) -> Option<Severity> {
        let machine = Machine { ehash_entries: Some(-262_144), kernel: kernel.into() };
        let key = SysctlKey::parse(key).unwrap();
        judge(&key, &SysctlValue::Numbers(vec![value]), &machine).map(|it| it.severity)
    }

    #[test]
    fn each_rule_has_a_value_on_either_side() {
        let warning = Some(Severity::Warning);
        for (value, expected) in
            [(60, None), (30, None), (61, warning), (119, warning), (120, None), (9, warning)]
        {
            assert_eq!(said("net.ipv4.tcp_fin_timeout", value), expected, "{value}");
        }
        let critical = Some(Severity::Critical);
        for (value, expected) in [(131_072, None), (131_071, warning), (0, critical), (-1, warning)]
        {
            assert_eq!(said("net.ipv4.tcp_max_tw_buckets", value), expected, "{value}");
        }
        assert_eq!(
            (said("net.core.somaxconn", 128), said("net.core.somaxconn", 4096)),
            (warning, None)
        );
        assert_eq!(
            (said("net.ipv4.tcp_retries2", 7), said("net.ipv4.tcp_retries2", 8)),
            (warning, None)
        );
        assert_eq!(
            (said("net.ipv4.tcp_tw_recycle", 1), said("net.ipv4.tcp_tw_recycle", 0)),
            (critical, None)
        );
    }

    #[test]
    fn values_are_judged_for_the_release() {
        let somaxconn = |major, minor, value| {
            said_in(KernelRelease::new(major, minor), "net.core.somaxconn", value)
        };
        assert_eq!((somaxconn(4, 4, 128), somaxconn(5, 3, 128)), (None, None));
        let warning = Some(Severity::Warning);
        assert_eq!((somaxconn(5, 4, 128), somaxconn(4, 4, 127)), (warning, warning));
        let reuse = |minor| said_in(KernelRelease::new(4, minor), "net.ipv4.tcp_tw_reuse", 2);
        assert_eq!((reuse(17), reuse(18)), (warning, None));
    }

    #[test]
    fn myths_are_told_of_the_values_that_are_set_in_vain() {
        let machine = Machine { ehash_entries: Some(262_144), ..Machine::default() };
        let told = |key: &str, value, machine: &Machine| {
            let entry = find(&SysctlKey::parse(key).unwrap()).unwrap();
            myth(entry, &SysctlValue::Numbers(vec![value]), machine).map(|it| it.severity)
        };
        let (warning, info) = (Some(Severity::Warning), Some(Severity::Info));
        for (key, value, expected) in [
            ("net.ipv4.tcp_fin_timeout", 59, warning),
            ("net.ipv4.tcp_fin_timeout", 60, None),
            ("net.ipv4.tcp_fin_timeout", 120, None),
            ("net.ipv4.tcp_max_tw_buckets", 131_071, warning),
            ("net.ipv4.tcp_max_tw_buckets", 131_072, None),
            ("net.ipv4.tcp_max_tw_buckets", 2_000_000, None),
            ("net.ipv4.tcp_max_tw_buckets", 0, None),
            ("net.ipv4.tcp_tw_reuse", 1, info),
            ("net.ipv4.tcp_tw_reuse", 2, None),
            ("net.ipv4.tcp_tw_reuse", 0, None),
            ("net.ipv4.tcp_syncookies", 1, info),
            ("net.ipv4.tcp_syncookies", 2, None),
            ("net.ipv4.tcp_timestamps", 0, info),
            ("net.ipv4.tcp_timestamps", 1, None),
            ("net.netfilter.nf_conntrack_tcp_timeout_time_wait", 119, info),
            ("net.netfilter.nf_conntrack_tcp_timeout_time_wait", 120, None),
            ("net.core.somaxconn", 65_535, None),
        ] {
            assert_eq!(told(key, value, &machine), expected, "{key} = {value}");
        }
        let unknown = Machine::default();
        assert_eq!(told("net.ipv4.tcp_max_tw_buckets", 5000, &unknown), info);
        assert_eq!(told("net.ipv4.tcp_max_tw_buckets", 1_440_000, &unknown), None);
        let old = Machine { kernel: KernelRelease::new(4, 4).into(), ..machine };
        assert_eq!(told("net.ipv4.tcp_tw_reuse", 2, &old), info);
        assert_eq!(told("net.ipv4.tcp_timestamps", 0, &old), None);
    }

    #[test]
    fn every_hope_is_about_a_key_with_a_myth() {
        for Hope { key, advice, .. } in HOPES {
            let entry = find(&SysctlKey::parse(key).unwrap()).unwrap();
            assert!(entry.myth.is_some() && !advice.ends_with('.'), "{key}");
        }
    }

    #[test]
    fn few_ports_are_said() {
        let key = SysctlKey::parse("net.ipv4.ip_local_port_range").unwrap();
        let said = |high| {
            let value = SysctlValue::Numbers(vec![40_000, high]);
            judge(&key, &value, &Machine::default()).map(|it| it.severity)
        };
        assert_eq!((said(40_998), said(40_999)), (Some(Severity::Warning), None));
    }

    #[test]
    fn every_rule_is_about_a_key_of_the_catalogue() {
        for (key, _) in RULES {
            assert!(find(&SysctlKey::parse(key).unwrap()).is_some(), "{key}");
        }
    }

    #[test]
    fn the_trap_of_fin_timeout_is_reckoned() {
        let judgement = fin_timeout(70, &Machine::default()).unwrap();
        assert!(judgement.why.starts_with("70 gives 20 s"), "{judgement:?}");
    }

    #[test]
    fn values_are_judged_together() {
        let range = Some(PortRange { low: 30_000, high: 60_999 });
        let keys =
            |values: &Together| combine(values).iter().map(|(key, _)| *key).collect::<Vec<_>>();
        let good =
            Together { tw_reuse: Some(2), timestamps: Some(1), range, ..Together::default() };
        assert_eq!(keys(&good), Vec::<&str>::new());
        for (start, expected) in
            [(30_001, &["net.ipv4.ip_local_port_range"][..]), (30_000, &[]), (0, &[])]
        {
            let unprivileged_start = Some(start);
            assert_eq!(keys(&Together { unprivileged_start, ..good.clone() }), expected, "{start}");
        }
        let listening = Together { listening: vec![40_000, 80], ..good.clone() };
        assert_eq!(keys(&listening), ["net.ipv4.ip_local_reserved_ports"]);
        let mut reserved = PortSet::new();
        reserved.insert(40_000);
        assert!(keys(&Together { reserved, ..listening }).is_empty());
        assert_eq!(
            keys(&Together { timestamps: Some(0), ..good.clone() }),
            ["net.ipv4.tcp_tw_reuse"]
        );
        let full = Together { conntrack: Some((96, 100)), ..good };
        assert_eq!(combine(&full)[0].1.severity, Severity::Critical);
    }
}
