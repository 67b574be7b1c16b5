//! One path tried: a small message, and then 1 MiB, there and back.

use std::time::Duration;

use super::happened::{Failed, Happened, Small};
use crate::echo::client::link::Link;
use crate::echo::client::target::Peer;
use crate::echo::client::trouble::{Failure, Step, Why};
use crate::echo::load::pattern::{Pattern, Piece};
use crate::kernel::clock::Stopwatch;
use crate::kernel::connecting::SocketOptions;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::patience::Patience;

/// Bytes of the small message.
pub const SMALL: usize = 64;
/// Times that it is sent; the shortest round trip is told, the first ones being of a cold start.
pub const TIMES: u64 = 5;
/// Bytes of the large transfer.
const LARGE: usize = 1 << 20;
/// How long each step may take at first: a thousand times what it takes.
const STEP: Duration = Duration::from_millis(50);
/// And where nothing is expected to come, since the interface is down.
const SHORT: Duration = Duration::from_millis(20);
/// How long those that were late may take together in their second trial, each from its beginning to
/// its end: as long as a busy machine may let them wait.
const SECOND: Duration = Duration::from_millis(1500);

/// What ends a wait.
pub struct Limits<'a> {
    whole: Patience<'a>,
    step: Duration,
}

impl<'a> Limits<'a> {
    /// Those of a first trial: the time that a step may take, or one of `signals`.
    pub fn first(is_lo_down: bool, signals: &'a EndingSignals) -> Self {
        let whole = Patience::ENDLESS.or(Some(signals.descriptor()));
        Self { whole, step: if is_lo_down { SHORT } else { STEP } }
    }

    /// Those of a second trial, which begins now.
    pub fn second(signals: &'a EndingSignals) -> Self {
        Self { whole: Patience::of(SECOND).or(Some(signals.descriptor())), step: SECOND }
    }

    fn patience(&self) -> Patience<'a> {
        self.whole.at_most(self.step)
    }
}

/// Tries `peer`, with messages of `pattern` of `piece` bytes at most.
pub fn try_path(peer: &Peer, pattern: &Pattern, piece: usize, limits: &Limits<'_>) -> Happened {
    let mut small = Small::default();
    let large = connect(peer, limits).and_then(|link| {
        for number in 0..TIMES {
            let stopwatch = Stopwatch::start();
            round_trip(&link, pattern, pattern.piece_of(number, SMALL), limits)?;
            small.add(stopwatch.elapsed());
        }
        let stopwatch = Stopwatch::start();
        for number in (0..).take(LARGE.div_ceil(piece)) {
            round_trip(&link, pattern, pattern.piece_of(number, piece), limits)?;
        }
        Ok(stopwatch.elapsed())
    });
    match large {
        Ok(large) => Happened::Came { small: small.shortest.unwrap_or_default(), large },
        Err(failed) => Happened::Failed { failed, small },
    }
}

fn connect(peer: &Peer, limits: &Limits<'_>) -> Result<Link, Failed> {
    let socket = peer.connect(&SocketOptions::default(), &limits.patience());
    let socket = socket.map_err(Failed::Client)?;
    // It is on loopback, in a moment, and not worth a TIME_WAIT.
    socket.set_linger(Some(Duration::ZERO)).unwrap_or_default();
    Ok(Link::new(peer.clone(), socket))
}

fn round_trip(
    link: &Link,
    pattern: &Pattern,
    piece: Piece,
    limits: &Limits<'_>,
) -> Result<(), Failed> {
    let client = |trouble: crate::echo::client::trouble::Trouble| Failed::Client(trouble.failure);
    let patience = limits.patience();
    link.send(pattern.rest(piece, 0), &patience).map_err(client)?;
    let mut buffer = vec![0; piece.length + 1];
    let mut came = 0;
    while came < piece.length {
        let length = link.receive(&mut buffer, &patience).map_err(client)?;
        if length == 0 {
            return Err(Failed::Client(Failure { step: Step::Receive, why: Why::Closed }));
        }
        let bytes = buffer.get(..length).unwrap_or_default();
        if came + length > piece.length || !pattern.is_next(piece, came, bytes) {
            return Err(Failed::Wrong);
        }
        came += length;
    }
    Ok(())
}
