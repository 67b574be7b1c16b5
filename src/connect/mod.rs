//! `netkit connect`: which code connect(2) gives for an address, what it means, who said so, and what
//! to do about it.
//!
//! For the commands above: [`Target::parse`] reads a target, [`attempt`] tries it once, and
//! [`Attempt::reason`] says in words what came of it. No tables are walked and nothing is guessed
//! there; that is for [`run`].

mod attempt;
mod outcome;
mod probe;
mod reason;
mod resolve;
mod target;

pub use attempt::{Attempt, Destination, Stage};
pub use outcome::{OUTCOMES, Outcome};
pub use probe::{Close, Hear, Mode, Options, Talk};
use resolve::NoAddress;
pub use target::{Host, Target};

pub use crate::kernel::patience::Patience;

/// Tries `target` once: the addresses of a name one after the other, until one takes the connection,
/// all under the one deadline of `patience`. Gives the attempt that succeeded, or the last one.
///
/// `None` if the descriptor that `patience` may have has ended it.
pub fn attempt(target: &Target, options: &Options, patience: &Patience<'_>) -> Option<Attempt> {
    let destinations = match resolve::addresses(target, options.family, patience) {
        Ok(destinations) => destinations,
        Err(NoAddress::Failed(attempt)) => return Some(*attempt),
        Err(NoAddress::Interrupted) => return None,
    };
    let mut last = None;
    for destination in &destinations {
        let attempt = probe::try_once(destination, options, patience)?;
        if attempt.is_connected() {
            return Some(attempt);
        }
        last = Some(attempt);
    }
    last
}
