//! Which sockets were asked for.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Address, Endpoint, Family, PortRange, Socket, StateClass, StateSet};

/// Conditions on a socket; all of those that are given must hold. Addresses are compared as they
/// are on the wire: an IPv4 connection of an IPv6 socket is an IPv4 connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The states; empty for any.
    pub states: StateSet,
    /// IPv4 or IPv6 on the wire.
    pub wire: Option<Family>,
    /// Ports of either end.
    pub ports: Vec<PortRange>,
    /// Ports of this end.
    pub local_ports: Vec<PortRange>,
    /// Ports of the other end.
    pub remote_ports: Vec<PortRange>,
    /// Networks of this end.
    pub local: Vec<IpNet>,
    /// Networks of the other end.
    pub remote: Vec<IpNet>,
}

impl Filter {
    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `socket` was asked for.
    #[inline]
    pub fn matches(&self, class: StateClass, socket: &Socket) -> bool {
        (self.states.is_empty() || self.states.matches(class)) && self.matches_ends(socket)
    }

    #[inline]
    fn matches_ends(&self, socket: &Socket) -> bool {
        let (local, remote) = (socket.local, socket.remote);
        self.wire.is_none_or(|wire| wire == wire_family(local.address))
            && (within(&self.ports, local.port) || within(&self.ports, remote.port))
            && within(&self.local_ports, local.port)
            && within(&self.remote_ports, remote.port)
            && inside(&self.local, local.address)
            && inside(&self.remote, remote.address)
    }

    /// Whether the verdict shall speak of connections from `source` to `destination`. They use
    /// many local ports, so a condition on the local port chooses services, and no destination.
    pub fn matches_destination(&self, source: Address, destination: Endpoint) -> bool {
        self.local_ports.is_empty()
            && self.wire.is_none_or(|wire| wire == wire_family(source))
            && within(&self.ports, destination.port)
            && within(&self.remote_ports, destination.port)
            && inside(&self.local, source)
            && inside(&self.remote, destination.address)
    }

    /// Whether the verdict shall speak of the service at `local`. It has many remote ends, so a
    /// condition on the remote end chooses destinations, and no service.
    pub fn matches_service(&self, local: Endpoint) -> bool {
        self.remote_ports.is_empty()
            && self.remote.is_empty()
            && self.wire.is_none_or(|wire| wire == wire_family(local.address))
            && within(&self.ports, local.port)
            && within(&self.local_ports, local.port)
            && inside(&self.local, local.address)
    }
}

fn wire_family(address: Address) -> Family {
    if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
}

fn within(ranges: &[PortRange], port: u16) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| range.contains(port))
}

fn inside(networks: &[IpNet], address: Address) -> bool {
    networks.is_empty() || networks.iter().any(|network| network.contains(&address.to_ip()))
}

/// Reads an address or a network. IPv4-mapped ones become the IPv4 ones that they stand for.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| {
        format!("`{text}` is neither an address nor a network such as 10.0.0.0/8 or fd00::/8")
    })?;
    Ok(match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => ipnet::Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(network, IpNet::V4),
            None => network,
        },
        IpNet::V4(_) | IpNet::V6(_) => network,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_sockets::socket;

    #[test]
    fn conditions_are_joined_by_and() {
        let row = socket("TIME_WAIT", "10.0.0.1:40000", "10.0.0.2:5432");
        let matches = |change: fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.matches(row.class(), &row)
        };
        assert!(matches(|_| {}));
        assert!(matches(|filter| filter.states = "bucket".parse().unwrap()));
        assert!(!matches(|filter| filter.states = "listen".parse().unwrap()));
        assert!(matches(|filter| filter.ports = vec!["5000-6000".parse().unwrap()]));
        assert!(!matches(|filter| filter.local_ports = vec!["5432".parse().unwrap()]));
        assert!(matches(|filter| filter.remote_ports = vec!["5432".parse().unwrap()]));
        assert!(matches(|filter| filter.remote = vec![parse_network("10.0.0.0/30").unwrap()]));
        assert!(!matches(|filter| filter.local = vec![parse_network("10.0.0.2").unwrap()]));
        assert!(!matches(|filter| filter.wire = Some(Family::Ipv6)));
    }

    #[test]
    fn mapped_networks_are_ipv4_networks() {
        assert_eq!(parse_network("::ffff:10.0.0.0/104"), Ok("10.0.0.0/8".parse().unwrap()));
        assert_eq!(parse_network("::ffff:10.0.0.1"), Ok("10.0.0.1/32".parse().unwrap()));
        assert_eq!(parse_network("fd00::/8"), Ok("fd00::/8".parse().unwrap()));
        assert!(parse_network("10.0.0.0/33").unwrap_err().contains("`10.0.0.0/33`"));
    }
}
