//! What to do where the wait was in vain. Pure: from what was seen last, and the time that there
//! was.

use std::time::Duration;

use super::look::Due;
use super::tally::Tally;
use super::target::{Condition, Subject};
use super::text::elapsed;
use crate::catalogue::connect_errnos;

/// What to do about a target that is not as it should be, the most useful first.
pub fn advice(tally: &Tally, waited: Duration) -> Vec<String> {
    let outcome = tally.last.as_ref().map_or("", |seen| seen.outcome);
    let mut lines = Vec::new();
    lines.extend(tally.due_at(waited).map(|due| longer(due, waited)));
    let target = &tally.watch.text;
    match &tally.watch.subject {
        Subject::Free(wish) => lines.extend(free(outcome, &wish.to_string())),
        Subject::Listener(_) => lines.push(listener(tally.watch.condition).to_owned()),
        Subject::TimeWait(_) => lines.push(
            "netkit states --time-wait says where they come from, and whether they hurt at all"
                .to_owned(),
        ),
        Subject::Reach(_) => {
            let name = tally.last.as_ref().and_then(|seen| seen.name.as_deref());
            lines.extend(reach((outcome, name), tally.watch.condition, target).map(str::to_owned));
            lines.push(format!("netkit connect {target} says more about the cause"));
        }
    }
    lines
}

/// The kernel says when: so a longer wait will do.
fn longer(due: Due, waited: Duration) -> String {
    let whole = |duration: Duration| duration.as_millis().div_ceil(1000);
    let enough = whole(waited + due.at_most.unwrap_or(due.left + LATE));
    format!(
        "wait longer: by the kernel's timers it takes {} more, so -t {enough}s will do",
        elapsed(due.left)
    )
}

/// More than a timer of TIME_WAIT is late (`kernel/time/timer.c`, `LVL_GRAN`: 4,096 ticks of a
/// millisecond).
const LATE: Duration = Duration::from_secs(5);

fn free(outcome: &str, address: &str) -> Vec<String> {
    let bind = |what: &str| match address.strip_prefix("udp://") {
        Some(address) => format!("netkit bind {address} --udp {what}"),
        None => format!("netkit bind {address} {what}"),
    };
    match outcome {
        "leftover" => vec![
            "--reuse-addr waits for a server that sets SO_REUSEADDR, and need not wait for TIME_WAIT \
             where the one before had set it too"
                .to_owned(),
        ],
        "denied" if address.starts_with("unix:") => {
            vec!["this user may not bind there: wait as one who may".to_owned()]
        }
        "denied" => vec![bind("shows who has it, which EACCES hides; run as root to wait for it")],
        _ => vec![bind("says what helps")],
    }
}

fn listener(condition: Condition) -> &'static str {
    if condition == Condition::Down {
        "netkit states --listening --list shows who listens"
    } else {
        "is the service started, in this network namespace? netkit states --listening --list shows \
         what listens here"
    }
}

fn reach(
    (outcome, name): (&str, Option<&str>),
    condition: Condition,
    target: &str,
) -> Option<&'static str> {
    match (condition, outcome) {
        (Condition::Down | Condition::Refused, "connected") => {
            Some("it still accepts: is it told to stop, and does something start it again?")
        }
        (Condition::Refused, _) => {
            Some("it gives no answer, or another: --for down takes any reason")
        }
        (_, "refused") if target.starts_with("unix:") => {
            connect_errnos::unix(name?).map(|errno| errno.help)
        }
        (_, "refused") => Some(
            "is the service started, and does it listen on this very address and port? \
             `netkit states --listening --list`, there, shows what does",
        ),
        (_, "self_connect") => Some(
            "nobody listens there, and the kernel connected the probe to itself: keep the port out \
             of net.ipv4.ip_local_port_range",
        ),
        (_, "rejected") => {
            Some("a firewall answers in the host's place: have the connection allowed")
        }
        (_, "resolve_failed") => {
            Some("is the name right, and do the servers of /etc/resolv.conf answer?")
        }
        (_, "local_error") if name == Some("ENOENT") => {
            Some("is the service started, and does it bind this path?")
        }
        (_, "no_echo") => Some("is it an echo service? --for up is enough for others"),
        (_, "no_reply") => Some("does it speak unasked, or what has to be sent? --send says that"),
        (_, "timed_out") if target.starts_with("udp://") => Some(
            "most services of UDP answer only what they understand: --send gives a question, as in \
             --send hex:…",
        ),
        (_, "timed_out") => {
            Some("nobody answers: is the host up, and does a firewall drop the packets?")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::{tally, timed};
    use super::*;

    #[test]
    fn where_the_kernel_says_when_a_longer_wait_is_the_advice() {
        let mut free = tally(":8080");
        let mut look = timed(0, "leftover", "x", false);
        look.look.due = Some(Due {
            left: Duration::from_secs(41),
            at_most: Some(Duration::from_millis(43_100)),
        });
        drop(free.add(look));
        let lines = advice(&free, Duration::from_millis(10_001));
        assert!(lines[0].contains("takes 31 s more, so -t 44s will do"), "{lines:?}");
    }

    #[test]
    fn a_socket_file_that_is_refused_has_no_port() {
        let stale =
            reach(("refused", Some("ECONNREFUSED")), Condition::Up, "unix:/run/app.sock").unwrap();
        assert!(stale.starts_with("start the server; a file"), "{stale}");
    }

    #[test]
    fn each_condition_has_its_next_step() {
        assert!(
            reach(("refused", Some("ECONNREFUSED")), Condition::Up, "db:5432")
                .unwrap()
                .contains("is the service started")
        );
        assert!(
            reach(("connected", None), Condition::Down, "db:5432")
                .unwrap()
                .contains("still accepts")
        );
        assert!(
            reach(("timed_out", None), Condition::Refused, "db:5432")
                .unwrap()
                .contains("--for down")
        );
        assert_eq!(reach(("connected", None), Condition::Echo, "db:5432"), None);
        let silent = |target| reach(("timed_out", None), Condition::Up, target).unwrap();
        assert!(silent("udp://db:53").contains("--send") && !silent("db:53").contains("--send"));
        assert!(free("in_use", "udp://[::1]:53")[0].contains("netkit bind [::1]:53 --udp"));
    }
}
