//! From a target to its addresses: what is written in numbers first, names by the resolver.

use super::attempt::{Attempt, Destination, Stage};
use super::outcome::Outcome;
use super::target::{Host, Target};
use crate::catalogue::eai;
use crate::kernel::clock::Stopwatch;
use crate::kernel::interfaces;
use crate::kernel::patience::Patience;
use crate::kernel::resolver::{self, Unresolved};
use crate::model::Family;

/// Why there is no address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// The attempt ended there.
    Failed(Box<Attempt>),
    /// The user interrupted.
    Interrupted,
}

/// The addresses of `target`, of one `family` if that is asked for.
pub fn addresses(
    target: &Target,
    family: Option<Family>,
    patience: &Patience<'_>,
) -> Result<Vec<Destination>, NoAddress> {
    let stopwatch = Stopwatch::start();
    let attempt = |code| Attempt {
        outcome: Outcome::ResolveFailed,
        code,
        stage: Stage::Resolve,
        elapsed: stopwatch.elapsed(),
        ..Attempt::new(None)
    };
    let failed = |code| NoAddress::Failed(Box::new(attempt(code)));
    // What getaddrinfo(3) says of servers that do not answer, as it would have. Nothing was connected
    // to, so that it is no timeout of connect(2): Python would have raised.
    let late = || {
        let late = Attempt { deadline: true, ..attempt(eai::EAI_AGAIN) };
        NoAddress::Failed(Box::new(late))
    };
    match target {
        Target::Unix { name, kind } => Ok(vec![Destination::Unix(name.clone(), *kind)]),
        Target::Internet { protocol, host: Host::Ip(ip), port } => {
            let address = ip.socket_address(*port, interfaces::index);
            // What getaddrinfo(3) says of a scope that is no interface.
            let address = address.ok_or_else(|| failed(eai::EAI_NONAME))?;
            Ok(vec![Destination::Internet(*protocol, address)])
        }
        Target::Internet { protocol, host: Host::Name(name), port } => {
            let found = resolver::resolve(name, *port, family, patience);
            match &found {
                Ok(found) => tracing::debug!(name, ?found, took = ?stopwatch.elapsed(), "resolved"),
                Err(why) => {
                    tracing::debug!(name, ?why, took = ?stopwatch.elapsed(), "not resolved");
                }
            }
            let found = found.map_err(|why| match why {
                Unresolved::Code(code) => failed(code),
                Unresolved::Late => late(),
                Unresolved::NoThread(_) => failed(eai::EAI_SYSTEM),
                Unresolved::Interrupted => NoAddress::Interrupted,
            })?;
            Ok(found.into_iter().map(|it| Destination::Internet(*protocol, it)).collect())
        }
    }
}
