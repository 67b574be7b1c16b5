//! What a server does besides sending back what comes: limits, transformations, faults.

use std::time::Duration;

use super::bucket::Rate;
use super::faults::Faults;
use super::log::LogFormat;
use crate::echo::transform::Transform;
use crate::kernel::serving::ServingOptions;

/// Which datagrams are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Datagrams {
    /// On loopback all, elsewhere netkit's own.
    #[default]
    ByAddress,
    /// netkit's own alone.
    Strict,
    /// All, wherever they come from.
    All,
}

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What its sockets are given.
    pub sockets: ServingOptions,
    /// What it does to what it sends back.
    pub transform: Transform,
    /// Whether it answers line by line.
    pub by_line: bool,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Where chance begins, so that faults can be had again.
    pub seed: u64,
    /// How connections are logged.
    pub log: Option<LogFormat>,
    /// Connections at the same time; at the limit it stops accepting.
    pub max_connections: Option<usize>,
    /// Connections of one address at the same time; one more is reset.
    pub max_per_address: Option<usize>,
    /// How long a connection may say nothing and take nothing.
    pub idle_timeout: Option<Duration>,
    /// Bytes that a connection may send.
    pub max_bytes: Option<u64>,
    /// Datagrams of one source that are answered.
    pub rate_per_source: Option<Rate>,
    /// Datagrams of all sources together that are answered.
    pub rate_total: Option<Rate>,
    /// Which datagrams are answered.
    pub datagrams: Datagrams,
    /// How long connections may go on after the server was told to stop.
    pub drain: Duration,
    /// When it stops by itself.
    pub lifetime: Option<Duration>,
    /// Whether it stops after one connection or one datagram.
    pub one_off: bool,
    /// Threads that serve connections.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sockets: ServingOptions::default(),
            transform: Transform::None,
            by_line: false,
            faults: Faults::default(),
            seed: 0,
            log: None,
            max_connections: None,
            max_per_address: None,
            idle_timeout: Some(Duration::from_secs(60)),
            max_bytes: None,
            rate_per_source: Some(Rate { per_second: 1000, burst: 2000 }),
            rate_total: Some(Rate { per_second: 20_000, burst: 40_000 }),
            datagrams: Datagrams::ByAddress,
            drain: Duration::from_secs(5),
            lifetime: None,
            one_off: false,
            threads: 1,
        }
    }
}
