//! What a load is to be.

use std::time::Duration;

use super::thresholds::Thresholds;
use crate::echo::transform::Transform;
use crate::kernel::connecting::SocketOptions;

/// How a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Close {
    /// By FIN: the end that closes first keeps a TIME_WAIT
    Fin,
    /// By RST, which leaves no TIME_WAIT
    Rst,
}

/// The load.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Connections, or flows of datagrams.
    pub connections: usize,
    /// Messages after the warm-up.
    pub count: Option<u64>,
    /// How long, after the warm-up.
    pub duration: Option<Duration>,
    /// Messages a second, of all connections together.
    pub rate: Option<f64>,
    /// The shortest message and the longest.
    pub sizes: (usize, usize),
    /// Messages that a connection may have under way.
    pub pipeline: usize,
    /// Whether each message has a connection of its own.
    pub reconnect: bool,
    /// How connections are closed.
    pub close: Close,
    /// Connections that are opened in a second.
    pub connect_rate: Option<f64>,
    /// What is not measured.
    pub warmup: Duration,
    /// How long a reply may take.
    pub timeout: Duration,
    /// Whether each byte is compared.
    pub verify: bool,
    /// What the server does to what it sends back.
    pub transform: Transform,
    /// What is demanded.
    pub thresholds: Thresholds,
    /// How often what was measured so far is told.
    pub interval: Duration,
    /// What sockets are given.
    pub socket: SocketOptions,
}
