//! Targets as people write them.

use std::fmt;
use std::net::IpAddr;

use super::meant::of_url;
use crate::kernel::unix_binding::UnixType;
use crate::model::{BadIp, HostPort, Protocol, ScopedIp, UnixName};

/// The longest name that DNS can hold, in the form with dots (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;

/// What is to be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A host and a port.
    Internet {
        /// TCP or UDP.
        protocol: Protocol,
        /// Where.
        host: Host,
        /// The port, from 1.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its name.
        name: UnixName,
        /// Its type.
        kind: UnixType,
    },
}

/// A host as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address, which nothing has to be asked about.
    Ip(ScopedIp),
    /// A name to be resolved.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip @ ScopedIp { ip: IpAddr::V6(_), .. }) => write!(f, "[{ip}]"),
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Target {
    /// `db.internal:5432`, `udp://[::1]:53`, `unix:/run/app.sock`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet { protocol: Protocol::Tcp, host, port } => write!(f, "{host}:{port}"),
            Self::Internet { protocol: Protocol::Udp, host, port } => {
                write!(f, "udp://{host}:{port}")
            }
            Self::Unix { name, .. } => name.fmt(f),
        }
    }
}

impl Target {
    /// Reads `text`; in the error, what is wrong with it and what to write instead. A Unix socket is
    /// one of `SOCK_STREAM`; [`Self::of_type`] makes it another.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(bad) = text.chars().find(|it| it.is_control()) {
            return Err(format!(
                "there is the control character {} in it: leave it out",
                bad.escape_unicode()
            ));
        }
        if let Some(name) = text.strip_prefix("unix:") {
            return Ok(Self::Unix { name: UnixName::parse(name)?, kind: UnixType::Stream });
        }
        let types = ["stream", "dgram", "seqpacket"];
        let of_type = |kind| Some((kind, text.strip_prefix("unix-")?.strip_prefix(kind)?));
        if let Some((kind, name)) = types.into_iter().find_map(of_type)
            && let Some(name) = name.strip_prefix(':')
        {
            return Err(format!(
                "the type of a Unix socket is an option: write unix:{name} --type {kind}"
            ));
        }
        if text.is_empty() {
            return Err("the target is empty: write HOST:PORT, as in localhost:8080".to_owned());
        }
        if let Some((scheme @ ("tcp" | "udp"), end)) = text.split_once(':')
            && end.contains(':')
            && !end.starts_with("//")
        {
            return Err(format!("after {scheme}: two slashes are missing: write {scheme}://{end}"));
        }
        if text.starts_with(['/', '.', '@']) {
            return Err(format!("for a Unix socket write unix:{text}"));
        }
        let (protocol, end) = match text.split_once("://") {
            None => (Protocol::Tcp, text),
            Some(("tcp", end)) => (Protocol::Tcp, end),
            Some(("udp", end)) => (Protocol::Udp, end),
            Some((scheme, _)) => {
                let target = of_url(text).unwrap_or_else(|| "tcp://HOST:PORT".to_owned());
                return Err(format!("netkit does not speak {scheme}: write {target}"));
            }
        };
        parse_internet(end).map(|(host, port)| Self::Internet { protocol, host, port })
    }

    /// The same, of this type if it is a Unix socket.
    #[must_use]
    pub fn of_type(self, kind: UnixType) -> Self {
        match self {
            Self::Unix { name, .. } => Self::Unix { name, kind },
            internet @ Self::Internet { .. } => internet,
        }
    }

    /// The address, where it was written as one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Internet { host: Host::Ip(ip), .. } => Some(ip.ip),
            Self::Internet { .. } | Self::Unix { .. } => None,
        }
    }

    /// Whether it is a Unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self, Self::Unix { .. })
    }

    /// `tcp`, `udp` or `unix`.
    pub fn protocol(&self) -> &'static str {
        match self {
            Self::Internet { protocol, .. } => protocol.name(),
            Self::Unix { .. } => "unix",
        }
    }
}

fn parse_internet(text: &str) -> Result<(Host, u16), String> {
    let HostPort { host, port, is_bracketed } = HostPort::split(text)?;
    let port = match port {
        Some(port) => parse_port(port)?,
        None if !is_bracketed && host.contains(':') => {
            return Err(format!(
                "an IPv6 address with a port has brackets: write {}",
                with_brackets(host)
            ));
        }
        None => return Err(format!("the port is missing: write {text}:PORT")),
    };
    let host = match ScopedIp::parse(host) {
        Ok(ScopedIp { ip, .. }) if is_bracketed && ip.is_ipv4() => {
            return Err(format!("only an IPv6 address has brackets: write {ip}:{port}"));
        }
        Ok(ip) => Host::Ip(ip),
        Err(BadIp::NotAnAddress) if is_bracketed => {
            return Err(format!("`{host}` in brackets is not an IPv6 address"));
        }
        Err(BadIp::NotAnAddress) => Host::Name(parse_name(host)?),
        Err(problem) => return Err(format!("`{host}`: {problem}")),
    };
    Ok((host, port))
}

/// What may be meant by an address without brackets, whose port may stand behind it.
fn with_brackets(text: &str) -> String {
    match text.rsplit_once(':') {
        Some((ip, port)) if ScopedIp::parse(ip).is_ok() && parse_port(port).is_ok() => {
            format!("[{ip}]:{port}")
        }
        _ => format!("[{text}]:PORT"),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    // The standard library reads a sign too.
    let is_number = text.bytes().all(|it| it.is_ascii_digit());
    let port = text.parse().ok().filter(|_| is_number);
    match port.ok_or_else(|| format!("`{text}` is not a port: give a number from 1 to 65535"))? {
        0 => Err("nothing can listen on port 0: give a number from 1 to 65535".to_owned()),
        port => Ok(port),
    }
}

/// A host name is what a resolver may be asked for. What it means there is not judged: names of
/// /etc/hosts may have an underscore.
fn parse_name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("the host is missing: write HOST:PORT, as in localhost:8080".to_owned());
    }
    if name.len() > NAME_MAX {
        return Err(format!(
            "the host name has {} characters, and DNS knows none of more than {NAME_MAX}",
            name.len()
        ));
    }
    let parts: Vec<_> = name.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    if parts.len() >= 4 && parts.iter().all(is_number) {
        return Err(format!("`{name}` is not an IPv4 address: that is four numbers from 0 to 255"));
    }
    match name.chars().find(|it| it.is_whitespace() || "/@%?#\\\"'`".contains(*it)) {
        Some(bad) => Err(format!("`{name}` is not a host name: it has `{bad}` in it")),
        None => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("tcp://127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"),
            ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80"),
            ("db.internal:5432", "db.internal:5432"),
            ("my_host:1", "my_host:1"),
            ("udp://127.0.0.1:53", "udp://127.0.0.1:53"),
            ("udp://[::1]:53", "udp://[::1]:53"),
            ("unix:/run/a", "unix:/run/a"),
            ("unix:@a", "unix:@a"),
        ] {
            assert_eq!(Target::parse(text).map(|it| it.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("localhost:0", "port 0"),
            ("localhost:65536", "`65536` is not a port"),
            ("localhost:http", "`http` is not a port"),
            ("localhost:", "`` is not a port"),
            ("localhost", "write localhost:PORT"),
            ("", "the target is empty"),
            ("localhost:+80", "`+80` is not a port"),
            ("256.0.0.1:80", "not an IPv4 address"),
            ("1.2.3.4.5:80", "four numbers"),
            ("udp:127.0.0.1:53", "write udp://127.0.0.1:53"),
            ("::1:80", "write [::1]:80"),
            (":80", "the host is missing"),
            ("[::1:80", "`]`"),
            ("[::1]80", "after `]`"),
            ("[::1]", "the port is missing"),
            ("[localhost]:80", "is not an IPv6 address"),
            ("[127.0.0.1]:80", "write 127.0.0.1:80"),
            ("::1", "write [::1]:PORT"),
            ("[fe80::1%]:80", "interface after the `%` is missing"),
            ("10.0.0.1%eth0:80", "no scope"),
            ("http://example.org:80", "does not speak http: write example.org:80"),
            ("gopher://example.org", "does not speak gopher: write tcp://HOST:PORT"),
            ("example.org/x:80", "has `/` in it"),
            ("a b:80", "has ` ` in it"),
            ("a\u{1b}[31m:80", "control character \\u{1b}"),
            ("unix:/a\nb", "control character"),
            ("unix:", "name is missing"),
            ("/run/x.sock", "write unix:/run/x.sock"),
            ("unix-dgram:/run/x", "write unix:/run/x --type dgram"),
            ("unix-seqpacket:@x", "write unix:@x --type seqpacket"),
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        let long = format!("unix:/{}", "a".repeat(107));
        assert!(Target::parse(&long).unwrap_err().contains("108 bytes"));
        assert!(Target::parse(&long[..long.len() - 1]).is_ok());
        let name = format!("{}:80", "a".repeat(254));
        assert!(Target::parse(&name).unwrap_err().contains("254 characters"));
    }
}
