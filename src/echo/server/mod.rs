//! `netkit echo server`: sends back what comes.
//!
//! [`Server`] is the server itself, for whoever needs one in its own process; [`run`] is the command.

mod accept;
mod args;
mod bucket;
mod connection;
mod guard;
mod limits;
mod listener;
mod options;
mod refused;
mod tally;
mod udp;

pub use args::Args;
pub use listener::{Refused, Server};
pub use options::Options;
pub use tally::{End, Tally};

use crate::exit::Exit;
use crate::kernel::Place;
use crate::output::{Outcome, Screen};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    let addresses = match args.addresses() {
        Ok(addresses) => addresses,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
    };
    let bound = place.inside(|_| Server::bind(&addresses, args.options()))?;
    let server = match bound {
        Ok(server) => server,
        Err(refused) => return refused.explained(place, screen),
    };
    server.run_to_its_end(screen)
}
