//! Addresses as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::path::PathBuf;

use crate::model::UnixName;

/// What sun_path holds at most, without the zero byte at its end (`include/uapi/linux/un.h`).
const UNIX_PATH_MAX: usize = 107;

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
    /// The address in the family that was written: `::ffff:127.0.0.1` is one of IPv6.
    pub ip: IpAddr,
    /// The interface of a link-local address, by name or number.
    pub scope: Option<String>,
    port: Option<u16>,
}

impl InternetTarget {
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

impl Default for InternetTarget {
    /// Every IPv4 address.
    fn default() -> Self {
        Self { ip: Ipv4Addr::UNSPECIFIED.into(), scope: None, port: None }
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
        let scope = self.scope.as_ref().map(|scope| format!("%{scope}")).unwrap_or_default();
        match (self.ip, self.port) {
            (IpAddr::V4(ip), Some(port)) => write!(f, "{ip}:{port}"),
            (IpAddr::V4(ip), None) => write!(f, "{ip}"),
            (IpAddr::V6(ip), Some(port)) => write!(f, "[{ip}{scope}]:{port}"),
            (IpAddr::V6(ip), None) => write!(f, "{ip}{scope}"),
        }
    }
}

/// Reads `text`; in the error, what is wrong with it and what to write instead.
pub fn parse(text: &str) -> Result<Target, String> {
    if let Some(name) = text.strip_prefix("unix:") {
        return parse_unix(name).map(Target::Unix);
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

fn parse_unix(name: &str) -> Result<UnixName, String> {
    let (name, is_abstract) = match name.strip_prefix('@') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if name.is_empty() {
        return Err("the name is missing: write unix:/PATH or unix:@NAME".to_owned());
    }
    if name.len() > UNIX_PATH_MAX {
        return Err(format!(
            "the name has {} bytes, and a Unix socket's at most {UNIX_PATH_MAX}: use a shorter \
             path, or a relative one",
            name.len()
        ));
    }
    Ok(if is_abstract {
        UnixName::Abstract(name.as_bytes().to_vec())
    } else {
        UnixName::Path(PathBuf::from(name))
    })
}

fn parse_internet(text: &str) -> Result<InternetTarget, String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, port) = rest.split_once(']').ok_or("the `]` of the IPv6 address is missing")?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if port.is_empty() => None,
            None => return Err(format!("`{port}` after `]` is not a port: write [::1]:8080")),
        };
        return Ok(InternetTarget { port, ..parse_address(inner)? });
    }
    // More than one colon is an IPv6 address without brackets, and so without a port.
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => parse_address(text),
        Some((address, port)) => {
            Ok(InternetTarget { port: Some(parse_port(port)?), ..parse_address(address)? })
        }
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(InternetTarget { port: Some(parse_port(text)?), ..InternetTarget::default() })
        }
        None => parse_address(text),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is not a port: give a number from 0 to 65535"))
}

fn parse_address(text: &str) -> Result<InternetTarget, String> {
    if text.is_empty() || text == "*" {
        return Ok(InternetTarget::default());
    }
    let (address, scope) = match text.split_once('%') {
        Some((_, "")) => return Err(format!("`{text}`: the interface after the `%` is missing")),
        Some((address, scope)) => (address, Some(scope.to_owned())),
        None => (text, None),
    };
    match address.parse() {
        Ok(IpAddr::V4(_)) if scope.is_some() => {
            Err(format!("`{text}`: an IPv4 address has no scope; leave out what follows the `%`"))
        }
        Ok(ip) => Ok(InternetTarget { ip, scope, port: None }),
        Err(_) => Err(match address {
            "localhost" => {
                "bind(2) takes an address, not a name: localhost is 127.0.0.1 or [::1]".to_owned()
            }
            _ => format!(
                "`{address}` is not an IP address: write 127.0.0.1:8080, [::1]:8080, :8080 or \
                 unix:/path"
            ),
        }),
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

    #[test]
    fn a_scope_is_a_number_or_a_name() {
        let Ok(Target::Internet(it)) = parse("[fe80::1%eth0]:80") else { panic!() };
        let address = it.socket_address(80, |name| (name == "eth0").then_some(7)).unwrap();
        assert_eq!(address.to_string(), "[fe80::1%7]:80");
        assert_eq!(it.socket_address(80, |_| None), None);
    }
}
