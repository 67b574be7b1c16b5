//! `netkit echo client`: sends, and judges what comes back.
//!
//! Messages of the command line, standard input as a stream, a prompt on a terminal; or a load, which
//! is [`crate::echo::load`]'s.

mod args;
mod comparison;
mod earlier;
mod exchange;
mod expected;
pub mod failure;
pub mod failure_row;
mod interactive;
pub mod link;
mod message_report;
mod messages;
mod pipe;
mod quote;
pub mod replies;
pub mod target;
pub mod trouble;
mod typing;

pub use args::Args;
use link::Link;
use target::{Peer, connect_any};
use trouble::{Trouble, Why};

use super::address::Carrier;
use super::load;
use crate::exit::Exit;
use crate::kernel::ending_signals::{EndingSignals, number};
use crate::kernel::patience::Patience;
use crate::kernel::standard_input::{StandardInput, output_is_terminal};
use crate::kernel::terminal_mode::HeldStop;
use crate::kernel::{Place, ProcRoot};
use crate::output::{Aside, Outcome, Screen};

/// Answers `args` for `place` on `screen`, and tells `aside` how far a load is.
pub fn run(
    args: &Args,
    place: &Place,
    screen: &mut Screen<'_>,
    aside: &mut Aside<'_>,
) -> anyhow::Result<Outcome> {
    let wrong = |problem| Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    let target = match args.target() {
        Ok(target) => target,
        Err(problem) => return wrong(problem),
    };
    if let Some(problem) = args.contradiction(target.carrier, screen.format) {
        return wrong(problem);
    }
    if target.is_path()
        && let Some(problem) = place.lacks_path(&target, "echo client")
    {
        return wrong(problem);
    }
    // Before any thread is made, one of which is entering a namespace. A stream has nothing to say at its
    // end, and dies of them by itself.
    let has_last_words = args.is_load() || speaks_lines(args)?;
    let signals = has_last_words.then(EndingSignals::hold).transpose()?;
    let is_prompt = has_last_words && !args.is_load() && args.messages.is_empty();
    let _stop = is_prompt.then(HeldStop::hold).transpose()?;
    let outcome = place.inside(|proc_root| {
        let timeout = args.timeout(target.carrier);
        let interrupt = signals.as_ref().map(EndingSignals::descriptor);
        let patience = Patience::of(timeout).or(interrupt);
        let peers = match target.resolve(args.family(), &patience) {
            Ok(peers) => peers,
            Err(trouble) => return unconnected(args, &trouble, screen),
        };
        let addresses = peers.iter().map(Peer::to_string).collect::<Vec<_>>().join(", ");
        tracing::info!(target = args.target, addresses, "resolved");
        match &signals {
            Some(signals) if args.is_load() => {
                load_one(args, &peers, (proc_root, signals), (screen, aside))
            }
            signals => speak(args, &peers, signals.as_ref(), screen),
        }
    })??;
    let ended_by = signals.and_then(|signals| signals.take());
    Ok(match ended_by {
        Some(signal) => Outcome { exit: Exit::Signal(number(signal)), ..outcome },
        None => outcome,
    })
}

/// What the user has interrupted is told by the signal.
fn failed(trouble: &Trouble) -> Outcome {
    let is_told = trouble.failure.why != Why::Interrupted;
    Outcome {
        exit: Exit::Found,
        messages: is_told.then(|| trouble.message()).into_iter().collect(),
    }
}

/// The same, and of messages their rows: what reads an answer is to find one.
fn unconnected(args: &Args, trouble: &Trouble, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    if args.is_load() || args.messages.is_empty() {
        return Ok(failed(trouble));
    }
    messages::without_connection(args, trouble, screen)
}

/// Loads the first of `peers` that takes a connection.
fn load_one(
    args: &Args,
    peers: &[Peer],
    (proc_root, signals): (&ProcRoot, &EndingSignals),
    (screen, aside): (&mut Screen<'_>, &mut Aside<'_>),
) -> anyhow::Result<Outcome> {
    let carrier = peers.first().map_or(Carrier::Tcp, |peer| peer.carrier);
    let plan = args.plan(carrier);
    let chosen = match peers {
        [only] => only.clone(),
        several => {
            let patience = Patience::ENDLESS.or(Some(signals.descriptor()));
            match connect_any(several, &plan.socket, plan.timeout, &patience) {
                Ok((peer, socket)) => {
                    // It was a question, and is to leave no TIME_WAIT.
                    socket.set_linger(Some(std::time::Duration::ZERO)).unwrap_or_default();
                    peer
                }
                Err(trouble) => return Ok(failed(&trouble)),
            }
        }
    };
    load::run(&plan, (&args.target, &chosen), (proc_root, signals), (screen, aside))
}

/// Whether it is messages or a prompt, and no stream.
fn speaks_lines(args: &Args) -> std::io::Result<bool> {
    let is_typed = || Ok(StandardInput::open()?.is_terminal() && output_is_terminal());
    if args.messages.is_empty() { is_typed() } else { Ok(true) }
}

/// Speaks lines until one of `signals` comes; without them, streams standard input.
fn speak(
    args: &Args,
    peers: &[Peer],
    signals: Option<&EndingSignals>,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let carrier = peers.first().map_or(Carrier::Tcp, |peer| peer.carrier);
    let problem = match signals {
        None => args.wrong_with_stream(carrier, screen.format),
        Some(_) if args.messages.is_empty() => args.wrong_with_prompt(screen.format),
        Some(_) => None,
    };
    if let Some(problem) = problem {
        return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] });
    }
    let patience = Patience::ENDLESS.or(signals.map(EndingSignals::descriptor));
    let timeout = args.timeout(carrier);
    let (peer, socket) = match connect_any(peers, &args.socket(), timeout, &patience) {
        Ok(found) => found,
        Err(trouble) => return unconnected(args, &trouble, screen),
    };
    let link = Link::new(peer, socket).with_source(args.source());
    match signals {
        Some(signals) if args.messages.is_empty() => {
            interactive::run(args, (peers, link), signals, screen)
        }
        Some(signals) => messages::run(args, &link, signals, screen),
        None => pipe::run(args, &link, &mut StandardInput::open()?, screen),
    }
}
