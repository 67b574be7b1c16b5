//! What the server is asked for.

use clap::Args as ClapArgs;

use super::options::Options;
use crate::echo::address::{Address, Carrier};
use crate::echo::transform::Transform;

/// Send back what comes, over TCP, UDP and Unix sockets
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// ADDRESS:PORT, tcp://…, udp://…, unix:/PATH, unix:@ABSTRACT [default: tcp://127.0.0.1:8081]
    #[arg(value_name = "ADDR")]
    addresses: Vec<String>,
    /// Serve addresses without a scheme by UDP
    #[arg(long, short)]
    udp: bool,
    /// Serve addresses without a scheme by TCP; with --udp, by both
    #[arg(long, short)]
    tcp: bool,
    /// Serve on a Unix socket
    #[arg(long, value_name = "PATH")]
    unix: Vec<String>,
    /// What is done to what is sent back
    #[arg(long, value_enum, default_value_t)]
    transform: Transform,
}

impl Args {
    /// Where to serve, or what is wrong with it.
    pub fn addresses(&self) -> Result<Vec<Address>, String> {
        let plain = match (self.tcp, self.udp) {
            (true, true) => &[Carrier::Tcp, Carrier::Udp][..],
            (false, true) => &[Carrier::Udp],
            (_, false) => &[Carrier::Tcp],
        };
        let default = ["127.0.0.1:8081".to_owned()];
        let given = if self.addresses.is_empty() && self.unix.is_empty() {
            &default[..]
        } else {
            &self.addresses
        };
        let mut addresses: Vec<Address> = Vec::new();
        for text in given {
            for carrier in plain {
                let address =
                    Address::parse(text, *carrier).map_err(|why| format!("`{text}`: {why}"))?;
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        for name in &self.unix {
            let text = format!("unix:{name}");
            let address = Address::parse(&text, Carrier::UnixStream);
            addresses.push(address.map_err(|why| format!("--unix {name}: {why}"))?);
        }
        Ok(addresses)
    }

    /// How the server is to behave.
    pub fn options(&self) -> Options {
        Options { transform: self.transform, ..Options::default() }
    }
}
