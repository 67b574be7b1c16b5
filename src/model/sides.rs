//! Which side of a connection this host was: did it open it (client) or accept it (server)?
//!
//! The kernel does not tell, and for TIME_WAIT nobody is left to ask. The rules, in this order:
//! a local end that listens is a server's; a local port that connect(2) could have picked, to a
//! remote port that it could not, is a client's; and for the rest the end that more connections
//! share is the service.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{Address, Endpoint, PortRange, PortSet, Socket};

/// What is known of a connection's sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Accepted here; the service is the listener's end, or the local end of one that is gone.
    Server(Endpoint),
    /// Opened here.
    Client,
    /// The rules for a single connection do not tell.
    Open,
}

/// The listening sockets of this host.
#[derive(Debug, Default)]
pub struct Listeners {
    ports: PortSet,
    by_port: HashMap<u16, Vec<Listener>, RandomState>,
}

#[derive(Clone, Copy, Debug)]
struct Listener {
    end: Endpoint,
    takes_ipv4: bool,
}

impl Listeners {
    /// Adds a listening socket. A wildcard IPv6 listener takes IPv4 connections too, unless the
    /// kernel says that it is `IPV6_V6ONLY`; /proc does not say it.
    pub fn add(&mut self, socket: &Socket) {
        self.ports.insert(socket.local.port);
        let is_any_v6 = socket.local.address == Address::ANY_IPV6;
        let takes_ipv4 = is_any_v6 && socket.v6_only != Some(true);
        let listener = Listener { end: socket.local, takes_ipv4 };
        self.by_port.entry(socket.local.port).or_default().push(listener);
    }

    /// The listener that connections of the local end `local` belong to: the one of that very
    /// address, else the wildcard of its family, else the dual-stack wildcard.
    pub fn accepting(&self, local: Endpoint) -> Option<Endpoint> {
        if !self.ports.contains(local.port) {
            return None;
        }
        let is_ipv4 = local.address.is_ipv4();
        let any = if is_ipv4 { Address::ANY_IPV4 } else { Address::ANY_IPV6 };
        let listeners = self.by_port.get(&local.port)?;
        let of_address =
            |address| listeners.iter().find(|listener| listener.end.address == address);
        let dual_stack = || listeners.iter().find(|it| it.takes_ipv4 && is_ipv4);
        let found = of_address(local.address).or_else(|| of_address(any)).or_else(dual_stack);
        found.map(|listener| listener.end)
    }

    /// Whether the end `remote` of a connection from `local` is a listener of this host. That its address is this host's is sure for
    /// loopback and for the connection's own address.
    pub fn is_own(&self, remote: Endpoint, local: Endpoint) -> bool {
        let is_local_address = remote.address.is_loopback() || remote.address == local.address;
        match self.accepting(remote) {
            Some(listener) => listener.address == remote.address || is_local_address,
            None => false,
        }
    }
}

/// The rules.
#[derive(Debug, Default)]
pub struct Sides {
    /// The listening sockets; to be complete before the first question.
    pub listeners: Listeners,
    range: Option<PortRange>,
    former_services: HashSet<Endpoint, RandomState>,
}

impl Sides {
    /// The rules for a host whose connect(2) picks from `range`.
    pub fn new(range: Option<PortRange>) -> Self {
        Self { range, ..Self::default() }
    }

    /// The ports that connect(2) picks from, where they are known.
    pub fn range(&self) -> Option<PortRange> {
        self.range
    }

    /// The side of the connection from `local` to `remote`, as far as it tells by itself.
    #[inline]
    pub fn of(&self, local: Endpoint, remote: Endpoint) -> Side {
        if let Some(listener) = self.listeners.accepting(local) {
            return Side::Server(listener);
        }
        if let Some(range) = self.range
            && range.contains(local.port)
            && (!range.contains(remote.port) || self.listeners.is_own(remote, local))
        {
            return Side::Client;
        }
        if self.former_services.contains(&local) {
            return Side::Server(local);
        }
        Side::Open
    }

    /// The sides of connections that [`Self::of`] leaves open, by counting: the end that more of
    /// them share is the service. `known` tells how many connections that are decided already share
    /// the local end and the remote one. What ties is unknown (`Side::Open`).
    ///
    /// Ends found to be services are remembered for connections to come.
    pub fn by_fan_out(
        &mut self,
        connections: &[(Endpoint, Endpoint)],
        known: impl Fn(Endpoint, Endpoint) -> (u64, u64),
    ) -> Vec<Side> {
        let mut shared_local: HashMap<Endpoint, u64, RandomState> = HashMap::default();
        let mut shared_remote: HashMap<Endpoint, u64, RandomState> = HashMap::default();
        for (local, remote) in connections {
            *shared_local.entry(*local).or_default() += 1;
            *shared_remote.entry(*remote).or_default() += 1;
        }
        let mut sides = Vec::with_capacity(connections.len());
        for (local, remote) in connections {
            let (known_local, known_remote) = known(*local, *remote);
            let here = known_local + shared_local.get(local).copied().unwrap_or(0);
            let there = known_remote + shared_remote.get(remote).copied().unwrap_or(0);
            sides.push(match here.cmp(&there) {
                std::cmp::Ordering::Greater => {
                    self.former_services.insert(*local);
                    Side::Server(*local)
                }
                std::cmp::Ordering::Less => Side::Client,
                std::cmp::Ordering::Equal => Side::Open,
            });
        }
        sides
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_sockets::{end, socket};

    fn sides(listeners: &[&str]) -> Sides {
        let mut sides =
            Sides { range: Some(PortRange { low: 32768, high: 60999 }), ..Sides::default() };
        for listener in listeners {
            sides.listeners.add(&socket("LISTEN", listener, "0.0.0.0:0"));
        }
        sides
    }

    #[test]
    fn a_listening_end_is_a_servers() {
        let sides = sides(&["0.0.0.0:443", "10.0.0.1:8080", "[::]:80", "[::1]:22"]);
        let of = |local| sides.of(end(local), end("192.0.2.1:50000"));
        assert_eq!(of("10.0.0.1:443"), Side::Server(end("0.0.0.0:443")));
        assert_eq!(of("10.0.0.1:8080"), Side::Server(end("10.0.0.1:8080")));
        assert_eq!(of("10.0.0.2:8080"), Side::Open, "a listener on another address");
        assert_eq!(of("10.0.0.1:80"), Side::Server(end("[::]:80")), "dual-stack");
        assert_eq!(of("10.0.0.1:22"), Side::Open, "IPv6 loopback takes no IPv4");
    }

    #[test]
    fn an_ipv6_only_listener_takes_no_ipv4() {
        let mut sides = sides(&[]);
        let listener = socket("LISTEN", "[::]:80", "[::]:0");
        sides.listeners.add(&Socket { v6_only: Some(true), ..listener });
        assert_eq!(sides.of(end("10.0.0.1:80"), end("192.0.2.1:50000")), Side::Open);
    }

    #[test]
    fn a_picked_port_is_a_clients() {
        let sides = sides(&["127.0.0.1:40000", "0.0.0.0:41000"]);
        let of = |local, remote| sides.of(end(local), end(remote));
        assert_eq!(of("10.0.0.1:50000", "10.0.0.2:5432"), Side::Client);
        assert_eq!(of("127.0.0.1:50000", "127.0.0.1:40000"), Side::Client, "our own listener");
        assert_eq!(of("127.0.0.1:50000", "127.0.0.1:41000"), Side::Client, "our own wildcard");
        assert_eq!(of("10.0.0.1:50000", "10.0.0.2:41000"), Side::Open, "somebody else's port");
        assert_eq!(of("10.0.0.1:9000", "10.0.0.2:50000"), Side::Open, "a former server's port");
    }

    #[test]
    fn the_shared_end_is_the_service() {
        let mut sides = sides(&[]);
        let mut connections = Vec::new();
        for port in 50_000..50_010 {
            connections.push((end("10.0.0.1:9000"), end(&format!("10.0.0.2:{port}"))));
            connections.push((end(&format!("10.0.0.1:{port}")), end("10.0.0.2:40000")));
        }
        connections.push((end("10.0.0.1:45000"), end("10.0.0.3:45000")));
        let found = sides.by_fan_out(&connections, |_, _| (0, 0));
        let count = |side| found.iter().filter(|found| **found == side).count();
        assert_eq!(count(Side::Server(end("10.0.0.1:9000"))), 10);
        assert_eq!((count(Side::Client), count(Side::Open)), (10, 1));
        let later = sides.of(end("10.0.0.1:9000"), end("10.0.0.9:50000"));
        assert_eq!(later, Side::Server(end("10.0.0.1:9000")), "remembered");
    }

    #[test]
    fn connections_decided_before_count_too() {
        let mut sides = sides(&[]);
        let one = [(end("10.0.0.1:1000"), end("10.0.0.2:5432"))];
        assert_eq!(sides.by_fan_out(&one, |_, _| (0, 0)), [Side::Open]);
        assert_eq!(sides.by_fan_out(&one, |_, _| (0, 7)), [Side::Client]);
    }
}
