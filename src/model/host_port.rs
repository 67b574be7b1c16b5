//! Internet addresses as people write them, taken apart: `HOST:PORT`, `[IPV6%SCOPE]:PORT`, `HOST`.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// The parts of `HOST:PORT`, not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// What stands before the port, without brackets; may be empty.
    pub host: &'a str,
    /// What stands behind the last colon, if there is one that can be a port's.
    pub port: Option<&'a str>,
    /// Whether the host stood in brackets, as only an IPv6 address does.
    pub is_bracketed: bool,
}

impl<'a> HostPort<'a> {
    /// Takes `text` apart; in the error, what is wrong with its brackets.
    pub fn split(text: &'a str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('[') {
            let (host, port) =
                rest.split_once(']').ok_or("the `]` of the IPv6 address is missing")?;
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port),
                None if port.is_empty() => None,
                None => return Err(format!("`{port}` after `]` is not a port: write [::1]:8080")),
            };
            return Ok(Self { host, port, is_bracketed: true });
        }
        // More than one colon is an IPv6 address without brackets, and so without a port.
        Ok(match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => {
                Self { host, port: Some(port), is_bracketed: false }
            }
            _ => Self { host: text, port: None, is_bracketed: false },
        })
    }
}

/// An IP address, and the interface that a link-local one is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedIp {
    /// The address in the family that was written: `::ffff:127.0.0.1` is one of IPv6.
    pub ip: IpAddr,
    /// The interface, by name or number.
    pub scope: Option<String>,
}

/// Why a text is no [`ScopedIp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIp {
    /// `fe80::1%`
    #[error("the interface after the `%` is missing")]
    NoScope,
    /// `10.0.0.1%eth0`
    #[error("an IPv4 address has no scope; leave out what follows the `%`")]
    Ipv4Scope,
    /// A name, or nothing at all that is known.
    #[error("it is not an IP address")]
    NotAnAddress,
}

impl ScopedIp {
    /// Reads `ADDRESS` or `ADDRESS%INTERFACE`.
    pub fn parse(text: &str) -> Result<Self, BadIp> {
        let (address, scope) = match text.split_once('%') {
            Some((address, scope)) => (address, Some(scope)),
            None => (text, None),
        };
        match (address.parse(), scope) {
            (_, Some("")) => Err(BadIp::NoScope),
            (Err(_), _) => Err(BadIp::NotAnAddress),
            (Ok(IpAddr::V4(_)), Some(_)) => Err(BadIp::Ipv4Scope),
            (Ok(ip), scope) => Ok(Self { ip, scope: scope.map(str::to_owned) }),
        }
    }

    /// What the calls take, with the scope's interface looked up by `index`; `None` if there is no
    /// such interface.
    pub fn socket_address(
        &self,
        port: u16,
        index: impl FnOnce(&str) -> Option<u32>,
    ) -> Option<SocketAddr> {
        let scope = match &self.scope {
            None => 0,
            Some(name) => name.parse().ok().or_else(|| index(name))?,
        };
        Some(match self.ip {
            IpAddr::V4(_) => SocketAddr::new(self.ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, scope).into(),
        })
    }
}

impl From<IpAddr> for ScopedIp {
    fn from(ip: IpAddr) -> Self {
        Self { ip, scope: None }
    }
}

impl fmt::Display for ScopedIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ip)?;
        self.scope.as_ref().map_or(Ok(()), |scope| write!(f, "%{scope}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_told_apart() {
        let split = |text| HostPort::split(text).map(|it| (it.host, it.port));
        assert_eq!(split("a.example:80"), Ok(("a.example", Some("80"))));
        assert_eq!(split("[fe80::1%eth0]:80"), Ok(("fe80::1%eth0", Some("80"))));
        assert_eq!(split("[::1]"), Ok(("::1", None)));
        assert_eq!(split("::1"), Ok(("::1", None)));
        assert_eq!(split("::1:80"), Ok(("::1:80", None)));
        assert_eq!(split("80"), Ok(("80", None)));
        assert_eq!(split(":"), Ok(("", Some(""))));
        assert!(split("[::1:80").unwrap_err().contains("`]`"));
        assert!(split("[::1]80").unwrap_err().contains("`80`"));
    }

    #[test]
    fn a_scope_is_a_number_or_a_name() {
        let ip = ScopedIp::parse("fe80::1%eth0").unwrap();
        let address = ip.socket_address(80, |name| (name == "eth0").then_some(7)).unwrap();
        assert_eq!(address.to_string(), "[fe80::1%7]:80");
        assert_eq!(ip.socket_address(80, |_| None), None);
        assert_eq!(ScopedIp::parse("fe80::1%7").unwrap().to_string(), "fe80::1%7");
        assert_eq!(ScopedIp::parse("fe80::1%"), Err(BadIp::NoScope));
        assert_eq!(ScopedIp::parse("10.0.0.1%eth0"), Err(BadIp::Ipv4Scope));
        assert_eq!(ScopedIp::parse("localhost"), Err(BadIp::NotAnAddress));
    }
}
