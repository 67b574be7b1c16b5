//! Waiting for the kernel, which ends a close in its own time: an acknowledgement may be delayed, or
//! meet a socket that is busy. A condition and a deadline, no plain sleep.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::{bail, ensure};

use crate::kernel::clock::{Stopwatch, sleep};
use crate::kernel::counters::SockStat;
use crate::kernel::sockets::{Wanted, scan};
use crate::kernel::{KernelError, ProcRoot};
use crate::model::{Protocol, StateClass, StateSet, TcpState};
use crate::output::numbers::{count, thousands};

/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until the kernel counts `sockets` in TIME_WAIT, and in FIN_WAIT2 of no program.
pub fn wait_for_time_waits(sockets: u64) -> anyhow::Result<()> {
    wait("TIME_WAIT", sockets, || Ok(SockStat::read(&ProcRoot::live())?.time_wait.unwrap_or(0)))
}

/// Waits until `sockets` are in TIME_WAIT, and no other end still waits for its last acknowledgement.
pub fn wait_for_all_closed(sockets: u64) -> anyhow::Result<()> {
    wait_for_state(TcpState::TIME_WAIT, sockets)?;
    wait_for_state(TcpState::LAST_ACK, 0)
}

/// Waits until `sockets` are in `state`; those in FIN_WAIT2 that no program holds do not count.
pub fn wait_for_state(state: TcpState, sockets: u64) -> anyhow::Result<()> {
    wait(&state.to_string(), sockets, || {
        let wanted = Wanted::all(vec![Protocol::Tcp], StateSet::only(state));
        let mut seen = 0;
        scan(None, &ProcRoot::live(), &wanted, &mut |socket| {
            seen += u64::from(socket.class() == StateClass::State(state));
            ControlFlow::Continue(())
        })?;
        Ok(seen)
    })
}

/// Waits until `is_so`; `what` is named if it does not come.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let stopwatch = Stopwatch::start();
    while !is_so() {
        ensure!(stopwatch.elapsed() < PATIENCE, "{what} did not come in {PATIENCE:?}");
        sleep(PAUSE);
    }
    Ok(())
}

fn wait(
    name: &str,
    sockets: u64,
    count_them: impl Fn() -> Result<u64, KernelError>,
) -> anyhow::Result<()> {
    let stopwatch = Stopwatch::start();
    loop {
        let seen = count_them()?;
        if seen == sockets {
            return Ok(());
        }
        if stopwatch.elapsed() >= PATIENCE {
            let seen = count(seen, "socket");
            bail!(
                "{seen} came to {name}, and not {}; there are: {}",
                thousands(sockets),
                all_states()?
            );
        }
        sleep(PAUSE);
    }
}

/// All sockets of TCP by state, in words: `19,999 TIME_WAIT, 1 LISTEN`.
fn all_states() -> Result<String, KernelError> {
    let wanted = Wanted::all(vec![Protocol::Tcp], StateSet::ALL);
    let mut seen = BTreeMap::new();
    scan(None, &ProcRoot::live(), &wanted, &mut |socket| {
        *seen.entry(socket.class().place()).or_insert(0) += 1;
        ControlFlow::Continue(())
    })?;
    let words: Vec<_> = seen
        .into_iter()
        .map(|(place, sockets)| format!("{} {}", thousands(sockets), StateClass::at(place).name()))
        .collect();
    Ok(if words.is_empty() { "no sockets".to_owned() } else { words.join(", ") })
}
