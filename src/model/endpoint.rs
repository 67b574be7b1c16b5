//! Addresses and ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

/// An IP address as it is on the wire, in the 128 bits of IPv6: IPv4 is `::ffff:a.b.c.d`
/// (RFC 4291 section 2.5.5.2), so that the address of an IPv4 connection is the same whichever kind
/// of socket carries it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(u128);

/// What stands above the 32 bits of an IPv4 address.
const MAPPED: u128 = 0xffff;

impl Address {
    /// `0.0.0.0`.
    pub const ANY_IPV4: Self = Self::from_ipv4(Ipv4Addr::UNSPECIFIED);
    /// `::`.
    pub const ANY_IPV6: Self = Self(0);

    /// The IPv4 address.
    #[inline]
    pub const fn from_ipv4(address: Ipv4Addr) -> Self {
        Self(address.to_ipv6_mapped().to_bits())
    }

    /// The IPv6 address, or the IPv4 address that it maps.
    #[inline]
    pub const fn from_ipv6(address: Ipv6Addr) -> Self {
        Self(address.to_bits())
    }

    /// Whether it is an IPv4 address.
    #[inline]
    pub const fn is_ipv4(self) -> bool {
        self.0 >> 32 == MAPPED
    }

    /// Whether it is in 127.0.0.0/8, or `::1`.
    #[inline]
    pub const fn is_loopback(self) -> bool {
        self.0 >> 24 == MAPPED << 8 | 127 || self.0 == 1
    }

    /// The IPv4 address, if it is one.
    #[inline]
    pub fn ipv4(self) -> Option<Ipv4Addr> {
        let low = u32::try_from(self.0 & 0xffff_ffff).unwrap_or(0);
        self.is_ipv4().then(|| Ipv4Addr::from_bits(low))
    }

    /// The address in the type of the standard library.
    #[inline]
    pub fn to_ip(self) -> IpAddr {
        self.ipv4().map_or_else(|| IpAddr::V6(Ipv6Addr::from_bits(self.0)), IpAddr::V4)
    }
}

impl From<IpAddr> for Address {
    #[inline]
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::from_ipv4(address),
            IpAddr::V6(address) => Self::from_ipv6(address),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_ip().serialize(serializer)
    }
}

/// One end of a socket. Port 0 is "any" (the remote end of a listener).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port, in host order.
    pub port: u16,
}

impl Endpoint {
    /// The endpoint of `address` and `port`.
    #[inline]
    pub fn new(address: impl Into<Address>, port: u16) -> Self {
        Self { address: address.into(), port }
    }
}

impl fmt::Display for Endpoint {
    /// `127.0.0.1:80`, `[::1]:80` or, for port 0, `0.0.0.0:*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match self.address.to_ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        match self.port {
            0 => f.pad(&format!("{address}:*")),
            port => f.pad(&format!("{address}:{port}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn text_is_what_people_type() {
        let text = |text: &str, port| Endpoint::new(address(text), port).to_string();
        assert_eq!(text("127.0.0.1", 80), "127.0.0.1:80");
        assert_eq!(text("255.10.0.99", 65535), "255.10.0.99:65535");
        assert_eq!(text("::1", 443), "[::1]:443");
        assert_eq!(text("0.0.0.0", 0), "0.0.0.0:*");
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_eq!(address("::ffff:10.0.0.1").to_string(), "10.0.0.1");
        assert!(address("10.0.0.1").is_ipv4() && !address("::a00:1").is_ipv4());
        assert!(address("0.0.0.0") == Address::ANY_IPV4 && address("::") == Address::ANY_IPV6);
    }

    #[test]
    fn loopback_is_a_whole_network_in_ipv4_and_one_address_in_ipv6() {
        assert!(address("127.0.0.1").is_loopback() && address("127.255.0.9").is_loopback());
        assert!(address("::1").is_loopback() && address("::ffff:127.0.0.1").is_loopback());
        for other in ["128.0.0.1", "126.0.0.1", "::", "::2", "0.0.0.0", "::127.0.0.1"] {
            assert!(!address(other).is_loopback(), "{other}");
        }
    }
}
