//! An address and a port.

use std::fmt;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

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

    /// Appends `127.0.0.1:80`, `[::1]:80` or, for port 0, `0.0.0.0:*`.
    ///
    /// This is the inner loop of `states --list`: [`fmt`] costs five times as much for IPv4.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match self.address {
            IpAddr::V4(address) => append_ipv4(address, out),
            IpAddr::V6(address) => {
                out.push(b'[');
                append_display(address, out);
                out.push(b']');
            }
        }
        out.push(b':');
        match self.port {
            0 => out.push(b'*'),
            port => append_integer(port, out),
        }
    }

    /// Appends the address alone, without brackets.
    pub fn append_address_to(&self, out: &mut Vec<u8>) {
        match self.address {
            IpAddr::V4(address) => append_ipv4(address, out),
            IpAddr::V6(address) => append_display(address, out),
        }
    }
}

fn append_ipv4(address: Ipv4Addr, out: &mut Vec<u8>) {
    let [a, b, c, d] = address.octets();
    append_integer(a, out);
    for octet in [b, c, d] {
        out.push(b'.');
        append_integer(octet, out);
    }
}

fn append_integer(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn append_display(value: impl fmt::Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a Vec takes every write");
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(48);
        self.append_to(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
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
