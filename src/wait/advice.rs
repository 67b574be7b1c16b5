//! What to do where the wait was in vain. Pure: from what was seen last, and the time that there
//! was.

use std::time::Duration;

use super::look::Due;
use super::tally::Tally;
use super::target::{Condition, Subject};
use super::text::elapsed;
use crate::bind::Wish;
use crate::catalogue::connect_errnos;

/// What to do about a target that is not as it should be, the most useful first.
pub fn advice(tally: &Tally, waited: Duration) -> Vec<String> {
    let outcome = tally.last.as_ref().map_or("", |seen| seen.outcome);
    let mut lines = Vec::new();
    lines.extend(tally.due_at(waited).map(|due| longer(due, waited)));
    let target = &tally.watch.text;
    let help = tally.last.as_ref().map_or(&[][..], |seen| &seen.help);
    match &tally.watch.subject {
        Subject::Free(_) if tally.is_final => {
            lines.push(
                "waiting does not help this user: run netkit as one who may bind it, such as root"
                    .to_owned(),
            );
            lines.extend_from_slice(help);
        }
        Subject::Free(wish) => lines.extend(free(outcome, wish)),
        Subject::Listener(_) => lines.push(listener(tally.watch.condition).to_owned()),
        Subject::TimeWait(_) => lines.push(
            "netkit states --time-wait says where they come from, and whether they hurt at all"
                .to_owned(),
        ),
        Subject::Reach(_) => {
            let name = tally.last.as_ref().and_then(|seen| seen.name.as_deref());
            lines.extend(reach((outcome, name), tally.watch.condition, target).map(str::to_owned));
            // That it accepts has no cause to be looked for.
            if outcome != "connected" {
                lines.push(format!("netkit connect {target} says more about the cause"));
            }
        }
    }
    lines
}

/// The kernel says when: so a longer wait will do.
fn longer(due: Due, waited: Duration) -> String {
    let whole = |duration: Duration| duration.as_millis().div_ceil(1000);
    let enough = whole(waited + due.at_most.unwrap_or(due.left + LATE));
    // What is in the sum and was not said yet.
    let late = match due.at_most {
        Some(most) => format!("{} at most", elapsed(most)),
        None => format!("and may be {} late", elapsed(LATE)),
    };
    format!(
        "wait longer: by the kernel's timers it takes {} more ({late}); with the {} that have gone, \
         -t {enough}s will do",
        elapsed(due.left),
        elapsed(waited)
    )
}

/// More than a timer of TIME_WAIT is late (`kernel/time/timer.c`, `LVL_GRAN`: 4,096 ticks of a
/// millisecond).
const LATE: Duration = Duration::from_secs(5);

fn free(outcome: &str, wish: &Wish) -> Vec<String> {
    let address = wish.to_string();
    let bind = |what: &str| match address.strip_prefix("udp://") {
        Some(address) => format!("netkit bind {address} --udp {what}"),
        None if wish.reuses_address() => format!("netkit bind {address} --reuse-addr {what}"),
        None => format!("netkit bind {address} {what}"),
    };
    match outcome {
        "leftover" if wish.reuses_address() => vec![bind(
            "tells more; SO_REUSEADDR does not help where the server before had not set it too",
        )],
        "leftover" => vec![
            "--reuse-addr waits for a server that sets SO_REUSEADDR, and need not wait for TIME_WAIT \
             where the one before had set it too"
                .to_owned(),
        ],
        "denied" => {
            vec!["this user may not bind there: run netkit as one who may".to_owned()]
        }
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
        (_, "refused") if target.starts_with("unix:@") => Some(
            "start the server, in this network namespace: an abstract name is of one alone, and no \
             file",
        ),
        (_, "refused") if target.starts_with("unix:") => {
            connect_errnos::unix(name?).map(|errno| errno.help)
        }
        (_, "refused") => Some(
            "is the service started, and does it listen on this very address and port? \
             `netkit states --listening --list`, there, shows what does",
        ),
        (_, "local_error") if name == Some("EPROTOTYPE") => Some(
            "give the type of the socket that is there: --type dgram, --type seqpacket or --type stream",
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
    use crate::kernel::unix_binding::UnixType;

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
        assert!(
            lines[0]
                .contains("takes 31 s more (33 s at most); with the 10 s that have gone, -t 44s"),
            "{lines:?}"
        );
        let mut look = timed(0, "above", "x", false);
        look.look.due = Some(Due { left: Duration::from_secs(1), at_most: None });
        let mut below = tally("time-wait<1");
        drop(below.add(look));
        let lines = advice(&below, Duration::from_millis(501));
        assert!(lines[0].contains("(and may be 5.0 s late)"), "{lines:?}");
    }

    #[test]
    fn a_socket_file_that_is_refused_has_no_port() {
        let stale =
            reach(("refused", Some("ECONNREFUSED")), Condition::Up, "unix:/run/app.sock").unwrap();
        assert!(stale.starts_with("start the server; if its bind() says EADDRINUSE"), "{stale}");
        let name = reach(("refused", Some("ECONNREFUSED")), Condition::Up, "unix:@app").unwrap();
        assert!(name.contains("abstract name") && !name.contains("remove"), "{name}");
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
        assert!(
            free("in_use", &wish("udp://[::1]:53", false))[0]
                .contains("netkit bind [::1]:53 --udp")
        );
    }

    fn wish(text: &str, reuse_addr: bool) -> Wish {
        Wish::parse(text, UnixType::Stream, reuse_addr).unwrap()
    }

    #[test]
    fn an_option_that_was_given_is_not_advised() {
        let plain = free("leftover", &wish("127.0.0.1:80", false));
        assert!(plain[0].starts_with("--reuse-addr waits"), "{plain:?}");
        let given = free("leftover", &wish("127.0.0.1:80", true));
        assert!(given.iter().all(|it| !it.contains("--reuse-addr waits")), "{given:?}");
        assert!(given[0].starts_with("netkit bind 127.0.0.1:80 --reuse-addr"), "{given:?}");
    }

    #[test]
    fn what_no_wait_brings_is_told_with_what_does() {
        let mut port = tally(":80");
        port.watch.subject = Subject::Free(wish(":80", false));
        let mut look = timed(0, "denied", "x", false);
        look.look.is_final = true;
        look.look.seen.help = vec!["grant it".to_owned()];
        drop(port.add(look));
        let lines = advice(&port, Duration::from_millis(2));
        assert!(lines[0].starts_with("waiting does not help"), "{lines:?}");
        assert_eq!(lines[1], "grant it");
    }
}
