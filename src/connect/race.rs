//! Happy Eyeballs (RFC 8305): the addresses of a name against one another, families in turn, each a
//! little later than the one before; the first to connect wins, and ends the others.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::attempt::{Attempt, Destination};
use super::probe::{Options, try_once};
use crate::kernel::patience::{Patience, Stop};

/// "Connection Attempt Delay": 250 ms are recommended (RFC 8305, section 5).
const DELAY: Duration = Duration::from_millis(250);

/// The attempts that came to an end, the winner last. `None` if the user interrupted.
pub fn race(
    destinations: &[Destination],
    options: &Options,
    patience: &Patience<'_>,
) -> Option<Vec<Attempt>> {
    let order = interleaved(destinations);
    let Ok(stop) = Stop::new() else {
        // No descriptor for it: one after the other is what is left.
        return order.into_iter().map(|it| try_once(it, options, patience)).collect();
    };
    let patience = patience.or(Some(stop.descriptor()));
    thread::scope(|scope| {
        let (tell, told) = channel();
        let mut waiting = order.into_iter();
        let mut running = 0_usize;
        let mut ended = Vec::new();
        loop {
            let next = waiting.next();
            let is_last = next.is_none();
            if let Some(destination) = next {
                let tell = tell.clone();
                running += 1;
                // Nobody listens any more once there is a winner.
                scope.spawn(move || tell.send(try_once(destination, options, &patience)).is_ok());
            }
            if running == 0 {
                return Some(ended);
            }
            let heard = if is_last {
                told.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                told.recv_timeout(DELAY)
            };
            match heard {
                Ok(None) => return None,
                Ok(Some(attempt)) => {
                    running -= 1;
                    let has_won = attempt.is_connected();
                    ended.push(attempt);
                    if has_won {
                        stop.stop();
                        return Some(ended);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Some(ended),
            }
        }
    })
}

/// The addresses in the resolver's order, a family taking turns with the other.
fn interleaved(destinations: &[Destination]) -> Vec<&Destination> {
    let is_v4 = |it: &&Destination| it.ip().is_some_and(|ip| ip.is_ipv4());
    let first_is_v4 = destinations.first().is_some_and(|it| is_v4(&it));
    let (preferred, others): (Vec<_>, Vec<_>) =
        destinations.iter().partition(|it| is_v4(it) == first_is_v4);
    let mut others = others.into_iter();
    let mut order = Vec::with_capacity(destinations.len());
    for destination in preferred {
        order.push(destination);
        order.extend(others.next());
    }
    order.extend(others);
    order
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;
    use crate::kernel::unix_binding::UnixType;
    use crate::model::{Protocol, UnixName};

    #[test]
    fn families_take_turns() {
        let all = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"];
        let all = all.map(|it| Destination::Internet(Protocol::Tcp, it.parse().unwrap()));
        let order: Vec<_> = interleaved(&all).iter().map(ToString::to_string).collect();
        assert_eq!(order, ["::1", "127.0.0.1", "::2", "::3"]);
    }

    #[test]
    fn a_refusal_lets_the_next_begin_at_once_and_the_first_to_connect_ends_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("open");
        let _server = UnixListener::bind(&path).unwrap();
        let at = |path: PathBuf| Destination::Unix(UnixName::Path(path), UnixType::Stream);
        let all = [at(directory.path().join("gone")), at(path.clone()), at(path)];
        let patience = Patience::of(Duration::from_secs(10));
        let ended = race(&all, &Options::default(), &patience).unwrap();
        let codes: Vec<_> = ended.iter().map(|it| it.code).collect();
        assert_eq!(codes, [2, 0]);
    }
}
