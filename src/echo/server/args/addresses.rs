//! What the command line says of where to serve, and what is wrong with that.

use std::time::Duration;

use super::Args;
use crate::bind::Target;
use crate::echo::address::{Address, Carrier, split_carrier};
use crate::echo::server::clash::Clash;

/// Where a server is without an address.
const DEFAULT: &str = "127.0.0.1:8081";

/// The kernel's `MAX_TCP_KEEPIDLE` and `MAX_TCP_KEEPINTVL` (include/net/tcp.h).
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(32_767);

impl Args {
    /// Where to serve, or what is wrong with it.
    pub fn addresses(&self) -> Result<Vec<Address>, String> {
        let plain = match (self.tcp, self.udp) {
            (true, true) => &[Carrier::Tcp, Carrier::Udp][..],
            (false, true) => &[Carrier::Udp],
            (_, false) => &[Carrier::Tcp],
        };
        let default = self.wants_default().then_some(DEFAULT);
        let mut addresses: Vec<Address> = Vec::new();
        for text in self.addresses.iter().map(String::as_str).chain(default) {
            let mut own: Vec<Address> = Vec::new();
            for carrier in plain {
                let address = Address::parse(text, *carrier)
                    .map_err(|why| about(&format!("`{text}`"), why))?;
                // One with a scheme of its own is the same for both.
                if !own.contains(&address) {
                    own.push(address);
                }
            }
            for address in own {
                add(&mut addresses, address);
            }
        }
        for name in &self.unix {
            let address = Address::parse(&format!("unix:{name}"), Carrier::UnixStream);
            add(&mut addresses, address.map_err(|why| about(&format!("--unix {name}"), why))?);
        }
        let clash = || Clash::among(&addresses, self.reuse_port).map(|clash| clash.to_string());
        match self.contradiction(&addresses).or_else(clash) {
            Some(problem) => Err(problem),
            None => Ok(addresses),
        }
    }

    /// Whether the default address is served: where there is no other, or --tcp or --udp have none that is
    /// without a scheme.
    fn wants_default(&self) -> bool {
        let has_scheme = |text: &String| matches!(split_carrier(text), Ok((Some(_), _)));
        if self.tcp || self.udp {
            self.addresses.iter().all(has_scheme)
        } else {
            self.addresses.is_empty() && self.unix.is_empty()
        }
    }

    fn contradiction(&self, addresses: &[Address]) -> Option<String> {
        let has = |is_it: fn(Carrier) -> bool| addresses.iter().any(|it| is_it(it.carrier));
        let no_udp = |option| format!("{option} is for UDP: give an address by udp:// or --udp");
        let connections = [
            (self.reset_after.is_some(), "--reset-after"),
            (self.close_first, "--close-first"),
            (self.half_close, "--half-close"),
            (self.slice.is_some(), "--slice"),
            (self.max_connections.is_some(), "--max-connections"),
            (self.max_per_address.is_some(), "--max-per-address"),
            (self.max_bytes.is_some(), "--max-bytes"),
            (self.linger.is_some(), "--linger"),
            (self.keepalive.is_some(), "--keepalive"),
        ];
        let times = [(self.linger, "--linger"), (self.keepalive, "--keepalive")];
        let is_in_parts =
            |time: Option<Duration>| time.is_some_and(|time| time.subsec_nanos() != 0);
        let of_connections = connections.iter().find(|(is_given, _)| *is_given);
        if !has(|it| it == Carrier::Udp) && self.strict {
            Some(no_udp("--strict"))
        } else if !has(|it| it == Carrier::Udp) && self.rfc862 {
            Some(no_udp("--rfc862"))
        } else if let Some((_, option)) = times.iter().find(|(time, _)| is_in_parts(*time)) {
            Some(format!("{option}: the kernel counts whole seconds here: give 1s, 2s and so on"))
        } else if self.keepalive.is_some_and(|time| time > LONGEST_KEEPALIVE) {
            let most = LONGEST_KEEPALIVE.as_secs();
            Some(format!("--keepalive: the kernel takes at most {most}s between probes"))
        } else if let Some(mapped) = addresses.iter().find(|it| self.v6only && is_mapped(it)) {
            Some(format!("--v6only: `{mapped}` is an IPv4 address, on an IPv6 socket"))
        } else if self.v6only && !addresses.iter().any(is_ipv6) {
            Some("--v6only is for IPv6: give an address such as [::]:8081".to_owned())
        } else if !has(Carrier::is_connected)
            && let Some((_, option)) = of_connections
        {
            Some(format!("{option} is for connections, and datagrams have none"))
        } else {
            None
        }
    }
}

fn is_mapped(address: &Address) -> bool {
    matches!(&address.target, Target::Internet(it) if it.ip().is_ipv6() && it.ip().to_canonical().is_ipv4())
}

fn is_ipv6(address: &Address) -> bool {
    matches!(&address.target, Target::Internet(it) if it.ip().is_ipv6())
}

/// What is wrong with `input`, which is named once.
fn about(input: &str, why: String) -> String {
    if why.starts_with(input) { why } else { format!("{input}: {why}") }
}

/// Adds `address`, if it is not there already: what is given twice is served once. Port 0 is another one
/// each time.
fn add(addresses: &mut Vec<Address>, address: Address) {
    let is_choice = matches!(&address.target, Target::Internet(it) if it.port() == Some(0));
    if is_choice || !addresses.contains(&address) {
        addresses.push(address);
    }
}
