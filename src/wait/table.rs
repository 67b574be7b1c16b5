//! What the kernel's tables of sockets show: listeners, and sockets in TIME_WAIT. No packet is sent.

use std::ops::ControlFlow;
use std::time::Duration;

use super::interval::Reach;
use super::look::{Due, Look, Seen};
use super::target::{Condition, Listener, TimeWait};
use crate::kernel::sock_diag::Detail;
use crate::kernel::sockets::{Wanted, scan};
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{Endpoint, Listeners, Protocol, StateSet, TcpState};
use crate::output::numbers::thousands;

/// Whether there is such a listener.
pub fn listener(
    wanted: Listener,
    condition: Condition,
    proc_root: &ProcRoot,
) -> Result<Look, KernelError> {
    let mut listeners = Listeners::default();
    let mut first = None;
    let rows = Wanted {
        detail: Detail { local_port: Some(wanted.port), tcp_info: false },
        ..Wanted::all(vec![Protocol::Tcp], StateSet::only(TcpState::LISTEN))
    };
    scan(None, proc_root, &rows, &mut |socket| {
        if socket.state == TcpState::LISTEN && socket.local.port == wanted.port {
            listeners.add(socket);
            first.get_or_insert(socket.local);
        }
        ControlFlow::Continue(())
    })?;
    let found = match wanted.address {
        Some(address) => listeners.accepting(Endpoint::new(address.to_ip(), wanted.port)),
        None => first,
    };
    Ok(of_listener(wanted, condition, found, first))
}

/// `found` is the listener that was asked for, `other` one on the same port.
fn of_listener(
    wanted: Listener,
    condition: Condition,
    found: Option<Endpoint>,
    other: Option<Endpoint>,
) -> Look {
    let (outcome, words) = match (found, other) {
        (Some(end), _) => ("listening", format!("a listener at {end}")),
        (None, Some(end)) => ("not_listening", format!("no listener there, but one at {end}")),
        (None, None) => ("not_listening", format!("no listener on port {}", wanted.port)),
    };
    let meaning = match found {
        Some(_) => "a TCP socket of this network namespace listens there",
        None => "no TCP socket of this network namespace listens there",
    };
    let by = found.or(other).map(|end| end.to_string());
    let meaning = meaning.to_owned();
    let seen = Seen { outcome, code: None, name: None, by, words, meaning, help: Vec::new() };
    let is_met = found.is_some() == (condition == Condition::Up);
    Look { is_met, is_telling: true, is_final: false, seen, due: None, reach: Reach::AtHand }
}

/// Whether so few sockets are in TIME_WAIT.
pub fn time_wait(wanted: TimeWait, proc_root: &ProcRoot) -> Result<Look, KernelError> {
    let mut timers = Vec::new();
    let rows = Wanted::all(vec![Protocol::Tcp], StateSet::only(TcpState::TIME_WAIT));
    scan(None, proc_root, &rows, &mut |socket| {
        if socket.state == TcpState::TIME_WAIT && wanted.counts(socket.remote) {
            timers.push(socket.timer.map_or(0, |timer| timer.expires_ms));
        }
        ControlFlow::Continue(())
    })?;
    Ok(of_timers(wanted.below, &mut timers))
}

/// `timers` has the milliseconds that are left to each.
fn of_timers(below: u64, timers: &mut [u32]) -> Look {
    let count = u64::try_from(timers.len()).unwrap_or(u64::MAX);
    // So many have to go before there are few enough; the timer of the last of them decides.
    let surplus = (count + 1).checked_sub(below).and_then(|it| usize::try_from(it).ok());
    let last = surplus.and_then(|it| it.checked_sub(1)).filter(|last| *last < timers.len());
    let left = last.map(|last| *timers.select_nth_unstable(last).1);
    let due = left.map(|left| Due { left: Duration::from_millis(left.into()), at_most: None });
    let is_met = count < below;
    let seen = Seen {
        outcome: if is_met { "below" } else { "above" },
        code: None,
        name: None,
        by: None,
        words: format!("{} in TIME_WAIT", thousands(count)),
        meaning: "closed by this side first, and kept by the kernel for 60 s".to_owned(),
        help: Vec::new(),
    };
    Look { is_met, is_telling: true, is_final: false, seen, due, reach: Reach::Afar }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Address;
    use std::net::Ipv4Addr;

    fn end(port: u16) -> Endpoint {
        Endpoint::new(Address::from_ipv4(Ipv4Addr::LOCALHOST), port)
    }

    #[test]
    fn a_listener_elsewhere_on_the_port_is_named_and_is_none() {
        let wanted = Listener { address: Some(Address::ANY_IPV4), port: 80 };
        let look = of_listener(wanted, Condition::Up, None, Some(end(80)));
        assert!(!look.is_met && look.seen.words.ends_with("but one at 127.0.0.1:80"));
        assert!(of_listener(wanted, Condition::Down, None, None).is_met);
        assert!(of_listener(wanted, Condition::Up, Some(end(80)), Some(end(80))).is_met);
        assert!(!of_listener(wanted, Condition::Down, Some(end(80)), Some(end(80))).is_met);
    }

    #[test]
    fn the_timer_that_decides_is_that_of_the_last_that_has_to_go() {
        let timers = [41_000, 7_000, 59_000, 23_000];
        let due = |below| of_timers(below, &mut timers.clone()).due.map(|due| due.left.as_millis());
        assert_eq!(due(1), Some(59_000), "all four have to go");
        assert_eq!(due(2), Some(41_000));
        assert_eq!(due(4), Some(7_000), "one has to go");
        assert_eq!(due(5), None, "there are fewer now");
        let look = |below| of_timers(below, &mut timers.clone());
        assert!(look(5).is_met && !look(4).is_met);
        assert_eq!(look(4).seen.words, "4 in TIME_WAIT");
        assert!(of_timers(1, &mut []).is_met && of_timers(1, &mut []).due.is_none());
    }
}
