//! What the client is asked for.

use clap::Args as ClapArgs;

/// Send to an echo server, and judge what comes back
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// HOST:PORT, tcp://, udp://, unix:/PATH or unix:@ABSTRACT
    #[arg(value_name = "TARGET", default_value = "127.0.0.1:8081")]
    pub(super) target: String,
    /// Messages to send
    #[arg(value_name = "MESSAGE")]
    pub(super) messages: Vec<String>,
}
