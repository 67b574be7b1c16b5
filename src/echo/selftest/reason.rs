//! Why a path failed, in words. More is known than an error says: the server is this process, and it
//! serves. Pure.

use super::directories;
use super::happened::{Failed, Small};
use super::loopback::Loopback;
use super::paths::{Family, Path};
use super::trial::TIMES;
use crate::catalogue::errnos;
use crate::echo::client::trouble::{Failure, Step, Why};

/// What a packet filter is looked at with.
const FILTER: &str = "(`nft list ruleset`, `iptables-save`)";
/// It was asked for port 0, or for none.
const NO_PORT: &str = "no ephemeral port is left (net.ipv4.ip_local_port_range): `netkit states \
                       --time-wait` tells where they are";
const NO_V4: &str = "lo has no 127.0.0.1: `ip address add 127.0.0.1/8 dev lo`";
const SANDBOX: &str = "a sandbox forbids it: seccomp, Landlock or another security module (see the profile \
                       of the container or the service)";

/// Why `failed` has happened on `path`, after `small`.
pub fn meaning(failed: &Failed, small: Small, path: &Path, lo: &Loopback) -> String {
    // What is sent to its addresses is then dropped, or, where it has never been up, unreachable (seen
    // on Linux 6.18); a timeout's own words, a firewall or a full queue, would be of no help.
    if path.is_on_lo() && lo.is_down() {
        return "lo is down".to_owned();
    }
    match failed {
        Failed::Serving { code, .. } => serving(*code, path.family, lo),
        Failed::NoDirectory(of_no_use) => directories::none_of(of_no_use),
        Failed::Client(failure) if small.came > 0 => partly(failure, small.came, path),
        Failed::Client(failure) if failure.why == Why::Late && path.is_on_lo() => silent(lo),
        Failed::Client(failure) => client(failure, path),
        Failed::Wrong => "what came back is not what was sent".to_owned(),
    }
}

/// Whether it says that there is no IPv6 here: no such family, or no address `::1`. The client's
/// errors say no such thing, since there is a server then.
pub fn is_without_v6(failed: &Failed, family: Family, lo: &Loopback) -> bool {
    let Failed::Serving { code, .. } = failed else { return false };
    match (*code, family) {
        // It takes `::1` along, which says nothing about IPv6.
        (errnos::EADDRNOTAVAIL, Family::V6) => !lo.is_down(),
        (errnos::EAFNOSUPPORT, Family::V6 | Family::Mapped) => true,
        _ => false,
    }
}

fn serving(code: i32, family: Family, lo: &Loopback) -> String {
    let known = match (code, family) {
        (errnos::EADDRNOTAVAIL, Family::V6) => return lo.why_no_v6(),
        (errnos::EADDRNOTAVAIL, Family::V4 | Family::Mapped) if lo.has_v4 == Some(false) => NO_V4,
        (errnos::EADDRINUSE, Family::V4 | Family::V6 | Family::Mapped) => NO_PORT,
        (errnos::EAFNOSUPPORT, Family::V6 | Family::Mapped) => {
            "IPv6 is not in this kernel, it is switched off (ipv6.disable=1), or a sandbox forbids it \
             (systemd's RestrictAddressFamilies=)"
        }
        (errnos::EAFNOSUPPORT, Family::V4 | Family::Unix) => {
            "a sandbox forbids sockets of this family (systemd's RestrictAddressFamilies=, seccomp)"
        }
        (errnos::EPERM | errnos::EACCES, _) => SANDBOX,
        _ => errnos::text(code),
    };
    known.to_owned()
}

/// Nothing has come, though the server answers.
fn silent(lo: &Loopback) -> String {
    let though = if lo.is_up == Some(true) { ", though it is up" } else { "" };
    format!(
        "nothing comes through lo{though}: a packet filter drops it {FILTER}, a queueing discipline loses \
         it (`tc qdisc show dev lo`), or a rule routes it elsewhere (`ip rule`)"
    )
}

/// Something has come, and then no more.
fn partly(failure: &Failure, came: u64, path: &Path) -> String {
    let is_all = came >= TIMES;
    let what = if is_all {
        "small messages come back, and the large transfer does not".to_owned()
    } else {
        format!("{came} of {TIMES} small messages came back, and then no more")
    };
    let lost = "packets are lost on lo (`tc qdisc show dev lo`)";
    let why = if failure.why != Why::Late || !path.is_on_lo() {
        client(failure, path)
    } else if is_all {
        format!("a packet filter drops what is long {FILTER}, or {lost}")
    } else {
        format!("{lost}, or a packet filter drops some {FILTER}")
    };
    format!("{what}: {why}")
}

fn client(failure: &Failure, path: &Path) -> String {
    let (code, is_on_lo) = (failure.code(), path.is_on_lo());
    // With EAGAIN it is connect(2) of UDP that finds no port (`inet_autobind`, net/ipv4/af_inet.c).
    let lacks_port = [Some(errnos::EADDRNOTAVAIL), Some(errnos::EAGAIN)].contains(&code);
    if is_on_lo && failure.step == Step::Connect && lacks_port {
        return NO_PORT.to_owned();
    }
    if is_on_lo && is_refused(failure) {
        return format!("netkit itself serves there: a packet filter rejects it {FILTER}");
    }
    failure.meaning(path.carrier)
}

/// Whether it is "no" that came, by ICMP or RST.
fn is_refused(failure: &Failure) -> bool {
    let Some(code) = failure.code() else { return false };
    // EPERM is what a packet filter on the way out gives, and EMSGSIZE the sender's own.
    let is_own = [errnos::EPERM, errnos::EMSGSIZE].contains(&code);
    let is_no = [errnos::ECONNREFUSED, errnos::ECONNRESET].contains(&code);
    is_no || (failure.icmp().is_some() && !is_own)
}

#[cfg(test)]
mod tests {
    use super::super::paths::all;
    use super::*;

    fn path(family: Family) -> Path {
        all().into_iter().find(|path| path.family == family).unwrap()
    }

    fn after(came: u64, why: Why) -> String {
        let step = if came == 0 { Step::Connect } else { Step::Receive };
        let failed = Failed::Client(Failure { step, why });
        let small = Small { came, shortest: None };
        let lo = Loopback { is_up: Some(true), ..Loopback::default() };
        meaning(&failed, small, &path(Family::V4), &lo)
    }

    #[test]
    fn how_much_came_is_part_of_the_reason() {
        assert!(after(0, Why::Late).starts_with("nothing comes through lo, though it is up: "));
        assert!(after(2, Why::Late).starts_with("2 of 5 small messages came back"));
        assert!(after(5, Why::Late).contains("a packet filter drops what is long"));
        let rejected = after(5, Why::Errno(errnos::EPERM, None));
        assert!(rejected.starts_with("small messages come back, and"), "{rejected}");
        assert!(!rejected.contains("long"), "{rejected}");
    }

    #[test]
    fn what_refuses_where_netkit_serves_is_a_filter_and_no_port_is_no_answer() {
        for code in [errnos::ECONNREFUSED, errnos::ECONNRESET] {
            let refused = after(0, Why::Errno(code, None));
            assert!(refused.contains("netkit itself serves there: a packet filter"), "{refused}");
        }
        for code in [errnos::EAGAIN, errnos::EADDRNOTAVAIL] {
            assert_eq!(after(0, Why::Errno(code, None)), NO_PORT);
        }
    }

    #[test]
    fn only_what_bind_says_is_about_ipv6() {
        let up = Loopback { is_up: Some(true), has_v4: Some(false), ..Loopback::default() };
        let down = Loopback { is_up: Some(false), ..Loopback::default() };
        let absent = Failed::Serving { call: "bind", code: errnos::EADDRNOTAVAIL };
        assert!(is_without_v6(&absent, Family::V6, &up));
        assert!(!is_without_v6(&absent, Family::V6, &down));
        assert!(!is_without_v6(&absent, Family::Mapped, &up));
        let why = Why::Errno(errnos::EADDRNOTAVAIL, None);
        let no_port = Failed::Client(Failure { step: Step::Connect, why });
        assert!(!is_without_v6(&no_port, Family::V6, &up));
        for family in [Family::V4, Family::Mapped] {
            assert_eq!(meaning(&absent, Small::default(), &path(family), &up), NO_V4);
            assert_eq!(meaning(&absent, Small::default(), &path(family), &down), "lo is down");
        }
    }

    #[test]
    fn what_a_sandbox_forbids_is_called_so() {
        let lo = Loopback::default();
        for (code, family) in [(1, Family::Unix), (13, Family::V4), (97, Family::Unix)] {
            let failed = Failed::Serving { call: "socket", code };
            let words = meaning(&failed, Small::default(), &path(family), &lo);
            assert!(words.starts_with("a sandbox forbids"), "{words}");
        }
    }
}
