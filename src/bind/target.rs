//! Addresses as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::model::{BadIp, HostPort, ScopedIp, UnixName};

/// An address that a program would bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An Internet address.
    Internet(InternetTarget),
    /// A Unix socket's name.
    Unix(UnixName),
}

/// An address, its scope and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetTarget {
    address: ScopedIp,
    port: Option<u16>,
}

impl InternetTarget {
    /// The address in the family that was written: `::ffff:127.0.0.1` is one of IPv6.
    pub fn ip(&self) -> IpAddr {
        self.address.ip
    }

    /// The interface of a link-local address, by name or number.
    pub fn scope(&self) -> Option<&str> {
        self.address.scope.as_deref()
    }

    /// The port, if one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The same address and scope with another port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// What bind(2) takes, with the scope's interface looked up by `index`; `None` if there is no such
    /// interface.
    pub fn socket_address(
        &self,
        port: u16,
        index: impl FnOnce(&str) -> Option<u32>,
    ) -> Option<SocketAddr> {
        self.address.socket_address(port, index)
    }
}

impl Default for InternetTarget {
    /// Every IPv4 address.
    fn default() -> Self {
        Self { address: IpAddr::from(Ipv4Addr::UNSPECIFIED).into(), port: None }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(it) => it.fmt(f),
            Self::Unix(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for InternetTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.port) {
            (address @ ScopedIp { ip: IpAddr::V6(_), .. }, Some(port)) => {
                write!(f, "[{address}]:{port}")
            }
            (address, Some(port)) => write!(f, "{address}:{port}"),
            (address, None) => write!(f, "{address}"),
        }
    }
}

/// Reads `text`; in the error, what is wrong with it and what to write instead.
pub fn parse(text: &str) -> Result<Target, String> {
    if let Some(name) = text.strip_prefix("unix:") {
        return UnixName::parse(name).map(Target::Unix);
    }
    if let Some(address) = text.strip_prefix("udp://") {
        return Err(format!("write {address} --udp"));
    }
    if text.starts_with(['/', '.', '@']) {
        return Err(format!("for a Unix socket write unix:{text}"));
    }
    let text = text.strip_prefix("tcp://").unwrap_or(text);
    parse_internet(text).map(Target::Internet)
}

fn parse_internet(text: &str) -> Result<InternetTarget, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(InternetTarget { port: Some(parse_port(text)?), ..InternetTarget::default() });
    }
    let HostPort { host, port, .. } = HostPort::split(text)?;
    let port = port.map(parse_port).transpose()?;
    Ok(InternetTarget { port, ..parse_address(host)? })
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is not a port: give a number from 0 to 65535"))
}

fn parse_address(text: &str) -> Result<InternetTarget, String> {
    if text.is_empty() || text == "*" {
        return Ok(InternetTarget::default());
    }
    match ScopedIp::parse(text) {
        Ok(address) => Ok(InternetTarget { address, port: None }),
        Err(BadIp::NotAnAddress) => Err(match text {
            "localhost" => {
                "bind(2) takes an address, not a name: localhost is 127.0.0.1 or [::1]".to_owned()
            }
            _ => format!(
                "`{text}` is not an IP address: write 127.0.0.1:8080, [::1]:8080, :8080 or \
                 unix:/path"
            ),
        }),
        Err(problem) => Err(format!("`{text}`: {problem}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            (":80", "0.0.0.0:80"),
            ("80", "0.0.0.0:80"),
            ("*:80", "0.0.0.0:80"),
            ("tcp://127.0.0.1:80", "127.0.0.1:80"),
            ("[::]:80", "[::]:80"),
            ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"),
            ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80"),
            ("::1", "::1"),
            ("unix:/run/a", "unix:/run/a"),
            ("unix:@a", "unix:@a"),
        ] {
            assert_eq!(
                parse(text).map(|target| target.to_string()),
                Ok(shown.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("localhost:80", "localhost is 127.0.0.1 or [::1]"),
            ("127.0.0.1:99999", "`99999` is not a port"),
            ("[::1:80", "`]`"),
            ("[::1]80", "after `]`"),
            ("10.0.0.1%eth0:80", "no scope"),
            ("example.org:80", "`example.org` is not an IP address"),
            ("unix:", "name is missing"),
            ("udp://127.0.0.1:53", "write 127.0.0.1:53 --udp"),
            ("/run/x.sock", "write unix:/run/x.sock"),
            ("[fe80::1%]:80", "interface after the `%` is missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(parse(&format!("unix:/{}", "a".repeat(107))).unwrap_err().contains("108 bytes"));
    }
}
