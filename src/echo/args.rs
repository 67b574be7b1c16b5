//! What was asked for.

use clap::{Args as ClapArgs, Subcommand};

use super::{client, selftest, server};

const EXAMPLES: &str = "\
Examples:
  netkit echo                              does traffic go round on this machine, and if not, why
  netkit echo server                       a server on tcp://127.0.0.1:8081
  netkit echo client 127.0.0.1:8081 hello  send a message and print the reply

Exit codes: 0 as it should be, 1 something did not come back, 2 wrong arguments, 3 could not look";

/// Sends traffic round: an echo server, an echo client with load, a test of this machine
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub(super) action: Option<Action>,
    #[command(flatten)]
    pub(super) selftest: selftest::Args,
}

/// What there is to do.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Send back what comes, over TCP, UDP and Unix sockets
    Server(Box<server::Args>),
    /// Send to an echo server, and judge what comes back
    Client(Box<client::Args>),
}
