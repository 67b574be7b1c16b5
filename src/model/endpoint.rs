//! An address and a port.

use std::fmt;
use std::net::IpAddr;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// One end of a socket. Port 0 is "any" (the remote end of a listener).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The address; a v4-mapped IPv6 address is kept as the IPv4 address that it stands for.
    pub address: IpAddr,
    /// The port, in host order.
    pub port: u16,
}

impl Endpoint {
    /// The endpoint of `address` and `port`.
    pub fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }
}

impl fmt::Display for Endpoint {
    /// `127.0.0.1:80`, `[::1]:80` or, for port 0, `0.0.0.0:*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        match self.port {
            0 => f.pad(&format!("{address}:*")),
            port => f.pad(&format!("{address}:{port}")),
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut endpoint = serializer.serialize_struct("Endpoint", 2)?;
        endpoint.serialize_field("address", &self.address)?;
        endpoint.serialize_field("port", &self.port)?;
        endpoint.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_people_type() {
        let text = |address: &str, port| Endpoint::new(address.parse().unwrap(), port).to_string();
        assert_eq!(text("127.0.0.1", 80), "127.0.0.1:80");
        assert_eq!(text("255.10.0.99", 65535), "255.10.0.99:65535");
        assert_eq!(text("::1", 443), "[::1]:443");
        assert_eq!(text("0.0.0.0", 0), "0.0.0.0:*");
    }
}
