//! Settings that should not be made: keys that do nothing any more, and values that break things.
//! `apply` refuses them without `--force`, `check` finds them.

use crate::catalogue::sysctls;
use crate::model::{SysctlKey, SysctlValue};

/// The key whose values are judged by the machine's default.
pub const MAX_TW_BUCKETS: &str = "net.ipv4.tcp_max_tw_buckets";

/// Keys without effect, and what became of them.
const DEAD: &[(&str, &str)] = &[
    (
        "net.ipv4.tcp_tw_recycle",
        "it does not exist since Linux 4.12, and before dropped the SYNs of clients behind NAT",
    ),
    ("net.ipv4.tcp_low_latency", "it is without effect since Linux 4.14"),
    ("net.ipv4.tcp_fack", "it is without effect since Linux 4.15"),
];

/// Values of a key, and what they break.
struct Danger {
    key: &'static str,
    /// Whether these numbers are among them.
    is_it: fn(&[i64]) -> bool,
    why: &'static str,
}

const fn danger(key: &'static str, is_it: fn(&[i64]) -> bool, why: &'static str) -> Danger {
    Danger { key, is_it, why }
}

const DANGERS: &[Danger] = &[
    danger(
        MAX_TW_BUCKETS,
        |it| matches!(it, [0]),
        "there is no TIME_WAIT at all then, and late segments are answered with RST",
    ),
    danger(
        MAX_TW_BUCKETS,
        |it| matches!(it, [..=-1]),
        "a negative number is no limit, so that TIME_WAIT may take all memory",
    ),
    danger(
        "net.ipv4.tcp_timestamps",
        |it| matches!(it, [0]),
        "without timestamps there is no PAWS and no tcp_tw_reuse, also on loopback",
    ),
    danger(
        "net.ipv4.tcp_fin_timeout",
        |it| matches!(it, [61..=119]),
        "values from 61 to 119 give 2 x (value - 60) seconds: 61 is 2 s and not 61",
    ),
    danger(
        "net.ipv4.tcp_fin_timeout",
        |it| matches!(it, [..=0]),
        "an orphaned FIN_WAIT2 is gone at once, and the peer's last data are answered with RST",
    ),
    danger(
        "net.ipv4.tcp_syncookies",
        |it| matches!(it, [0]),
        "a SYN flood shuts out all clients then",
    ),
    danger(
        "net.ipv4.tcp_syncookies",
        |it| matches!(it, [(2..)]),
        "cookies for every connection are for tests: they lose TCP options",
    ),
    danger(
        "net.ipv4.tcp_tw_reuse_delay",
        |it| matches!(it, [..=999]),
        "below a tick of the peer's clock, it takes the new connection for the old one",
    ),
    danger(
        "net.ipv4.tcp_abort_on_overflow",
        |it| matches!(it, [(1..)]),
        "a moment of overload becomes a failure of the client's",
    ),
    danger(
        "net.ipv4.tcp_max_syn_backlog",
        |it| matches!(it, [..=0]),
        "listeners have no room for half-open connections then",
    ),
    danger(
        "net.core.somaxconn",
        |it| matches!(it, [..=127]),
        "every accept queue is shorter than programs have relied on for decades (128)",
    ),
    danger(
        "net.ipv4.tcp_retries2",
        |it| matches!(it, [..=7]),
        "a short outage of the network ends connections: RFC 1122 has 100 s, which is 8",
    ),
    danger("net.ipv4.tcp_sack", |it| matches!(it, [0]), "every loss on a fast line is slow then"),
    danger(
        "net.ipv4.tcp_window_scaling",
        |it| matches!(it, [0]),
        "windows end at 64 KiB then, and so does the speed over any distance",
    ),
    danger(
        "net.ipv4.tcp_keepalive_time",
        |it| matches!(it, [..=0]),
        "keepalive probes come without a pause",
    ),
    danger(
        "net.ipv4.tcp_keepalive_intvl",
        |it| matches!(it, [..=0]),
        "keepalive probes come without a pause",
    ),
    danger(
        "net.ipv4.ip_local_port_range",
        |it| matches!(it, [low, high] if high - low < 1000),
        "with so few ports outgoing connections fail soon (EADDRNOTAVAIL)",
    ),
];

/// Why setting `key` does nothing good on any kernel that is still in use.
pub fn dead(key: &SysctlKey) -> Option<&'static str> {
    let key = key.to_string();
    DEAD.iter().find(|(dead, _)| *dead == key).map(|(_, why)| *why)
}

/// What `value` of `key` breaks; `None` if it is not known to break anything, or is no value.
pub fn dangerous(key: &SysctlKey, value: &str) -> Option<&'static str> {
    let key_text = key.to_string();
    let mut dangers = DANGERS.iter().filter(|danger| danger.key == key_text).peekable();
    dangers.peek()?;
    let value = numbers(key, value)?;
    dangers.find(|danger| (danger.is_it)(&value)).map(|danger| danger.why)
}

/// What lowering the limit of TIME_WAIT below `default` breaks; see [`default_buckets`].
pub fn lowered(key: &SysctlKey, value: &str, default: Option<i64>) -> Option<&'static str> {
    let default = default.filter(|_| key.to_string() == MAX_TW_BUCKETS)?;
    numbers(key, value)?.first().is_some_and(|value| *value < default).then_some(
        "it is below the machine's default: above it sockets skip TIME_WAIT, and late segments are \
         answered with RST",
    )
}

/// The limit of TIME_WAIT that this machine's namespaces begin with: half of `tcp_ehash_entries`
/// (`tcp_sk_init` in net/ipv4/tcp_ipv4.c), which is negative where the namespace shares the machine's
/// table. Before Linux 6.1, which brought that key, the limit that runs stands in for it.
pub fn default_buckets(ehash_entries: Option<&str>, running: Option<&str>) -> Option<i64> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let entries = ehash_entries.and_then(number).map(|entries| entries.saturating_abs() / 2);
    entries.or_else(|| running.and_then(number))
}

fn numbers(key: &SysctlKey, value: &str) -> Option<Vec<i64>> {
    match sysctls::find(key)?.kind.parse(value).ok()?.value {
        SysctlValue::Numbers(numbers) => Some(numbers),
        SysctlValue::Ports(_) | SysctlValue::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SysctlKey {
        SysctlKey::parse(text).unwrap()
    }

    #[test]
    fn every_key_is_in_the_catalogue_and_its_default_is_no_danger() {
        let keys = DEAD.iter().map(|(key, _)| *key).chain(DANGERS.iter().map(|it| it.key));
        for text in keys {
            let entry = sysctls::find(&key(text)).unwrap_or_else(|| panic!("{text}"));
            if let Some(default) = entry.fixed_default() {
                assert_eq!(dangerous(&entry.name(), default), None, "{text}");
            }
        }
    }

    #[test]
    fn values_are_judged_as_the_kernel_reads_them() {
        let fin = key("net/ipv4/tcp_fin_timeout");
        for (value, is_dangerous) in
            [("60", false), ("61", true), ("0x46", true), ("119", true), ("120", false)]
        {
            assert_eq!(dangerous(&fin, value).is_some(), is_dangerous, "{value}");
        }
        assert!(dangerous(&fin, "0").is_some() && dangerous(&fin, "-1").is_some());
        assert!(dangerous(&fin, "x").is_none() && dangerous(&key("a.b"), "0").is_none());
        let range = key("net.ipv4.ip_local_port_range");
        assert!(dangerous(&range, "40000\t40010").is_some());
        assert!(dangerous(&range, "32768 60999").is_none());
    }

    #[test]
    fn the_limit_of_time_wait_is_judged_by_the_size_of_the_table() {
        let buckets = key(MAX_TW_BUCKETS);
        for entries in ["262144", "-262144\n"] {
            let default = default_buckets(Some(entries), Some("5"));
            assert_eq!(default, Some(131_072));
            assert!(lowered(&buckets, "131071", default).is_some());
            assert!(lowered(&buckets, "131072", default).is_none());
            assert!(lowered(&key("net.core.somaxconn"), "5", default).is_none());
        }
        assert_eq!(default_buckets(None, Some("65536")), Some(65536));
        assert!(lowered(&buckets, "5", default_buckets(None, None)).is_none(), "not known");
        assert!(dangerous(&buckets, "-1").is_some() && dangerous(&buckets, "0").is_some());
    }

    #[test]
    fn what_is_gone_is_dead() {
        assert!(dead(&key("net.ipv4.tcp_tw_recycle")).is_some_and(|why| why.contains("4.12")));
        assert!(dead(&key("net.ipv4.tcp_tw_reuse")).is_none());
    }
}
