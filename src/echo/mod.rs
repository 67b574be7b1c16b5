//! `netkit echo`: does traffic go round? A server, a client with load, and both at once as a test of
//! this machine.
//!
//! - [`address`]: where to serve or to connect to, as people write it.
//! - [`datagram`]: the form of netkit's own datagrams, which the client sends and a strict server
//!   answers.
//! - [`transform`]: what a server may do to what it sends back, and a client expects.
//! - [`server`], [`client`], [`load`], [`selftest`].

pub mod address;
mod amounts;
mod args;
pub mod client;
pub mod datagram;
pub mod load;
mod reactor;
pub mod selftest;
pub mod server;
pub mod transform;

use args::Action;
pub use args::Args;

use crate::kernel::Place;
use crate::output::{Aside, Outcome, Screen};

/// Answers `args` for `place` on `screen`, and tells `aside` how the work goes.
pub fn run(
    args: &Args,
    place: &Place,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Outcome> {
    match &args.action {
        None => selftest::run(&args.selftest, place, screen),
        Some(Action::Server(args)) => server::run(args, place, screen, aside),
        Some(Action::Client(args)) => client::run(args, place, screen, aside),
    }
}
