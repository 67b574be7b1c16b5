//! Addresses of echo servers, as people write them.

use std::fmt;

use crate::bind::{Target, parse_target};
use crate::model::UnixName;

/// What carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// A Unix socket of type `SOCK_STREAM`.
    UnixStream,
    /// A Unix socket of type `SOCK_DGRAM`.
    UnixDgram,
    /// A Unix socket of type `SOCK_SEQPACKET`.
    UnixSeqpacket,
}

/// How a carrier is written, the longer ones first where one begins as another.
const SCHEMES: [(&str, Carrier); 6] = [
    ("tcp://", Carrier::Tcp),
    ("udp://", Carrier::Udp),
    ("unix-dgram:", Carrier::UnixDgram),
    ("unix-seqpacket:", Carrier::UnixSeqpacket),
    ("unix://", Carrier::UnixStream),
    ("unix:", Carrier::UnixStream),
];

impl Carrier {
    /// `tcp`, `udp`, `unix`, `unix-dgram`, `unix-seqpacket`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UnixStream => "unix",
            Self::UnixDgram => "unix-dgram",
            Self::UnixSeqpacket => "unix-seqpacket",
        }
    }

    /// Whether it has connections.
    pub fn is_connected(self) -> bool {
        matches!(self, Self::Tcp | Self::UnixStream | Self::UnixSeqpacket)
    }

    /// Whether each message is kept apart from the next.
    pub fn keeps_messages(self) -> bool {
        matches!(self, Self::Udp | Self::UnixDgram | Self::UnixSeqpacket)
    }
}

/// Takes the carrier off the head of `text`, if it is written there: `udp://[::1]:7` is UDP and
/// `[::1]:7`. A name that begins with `/`, `.` or `@` is a Unix stream socket's. In the error, that what
/// is behind `tcp://` or `udp://` has a scheme too.
pub fn split_carrier(text: &str) -> Result<(Option<Carrier>, &str), String> {
    let scheme_of = |text: &str| SCHEMES.into_iter().find(|(scheme, _)| text.starts_with(scheme));
    let Some((scheme, carrier)) = scheme_of(text) else {
        let is_path = text.starts_with(['/', '.', '@']);
        return Ok((is_path.then_some(Carrier::UnixStream), text));
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    match (carrier, scheme_of(rest)) {
        (Carrier::Tcp | Carrier::Udp, Some((second, _))) => {
            Err(format!("it has a scheme before `{second}`: write `{rest}` alone"))
        }
        _ => Ok((Some(carrier), rest)),
    }
}

/// An address that a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What carries the bytes.
    pub carrier: Carrier,
    /// The address.
    pub target: Target,
}

impl Address {
    /// Whether it is a path of the file system.
    pub fn is_path(&self) -> bool {
        matches!(self.target, Target::Unix(UnixName::Path(_)))
    }

    /// Reads `text`; without a scheme, it is one of `plain`. In the error, what is wrong with it and
    /// what to write instead.
    pub fn parse(text: &str, plain: Carrier) -> Result<Self, String> {
        let (carrier, rest) = split_carrier(text)?;
        let carrier = carrier.unwrap_or(plain);
        let target = match carrier {
            Carrier::Tcp | Carrier::Udp => {
                is_no_url(rest)?;
                parse_target(rest)?
            }
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => {
                parse_target(&format!("unix:{rest}"))?
            }
        };
        match &target {
            Target::Internet(it) if it.port().is_none() => Err(
                "the port is missing: write ADDRESS:PORT, as in 127.0.0.1:8081 or [::1]:8081; port 0 \
                 lets the kernel choose"
                    .to_owned(),
            ),
            Target::Internet(_) | Target::Unix(_) => Ok(Self { carrier, target }),
        }
    }
}

/// That `rest` has no scheme, which would be none of ours.
fn is_no_url(rest: &str) -> Result<(), String> {
    let Some((scheme, _)) = rest.split_once("://") else { return Ok(()) };
    Err(format!(
        "`{scheme}` is none of the schemes: they are tcp://, udp://, unix:, unix-dgram: and \
         unix-seqpacket:"
    ))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.carrier) {
            (Target::Internet(it), carrier) => write!(f, "{}://{it}", carrier.name()),
            (Target::Unix(name), carrier) => write_unix(carrier, name, f),
        }
    }
}

/// The name of a Unix socket behind its carrier, as it can be given again.
pub fn write_unix(carrier: Carrier, name: &UnixName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match name {
        UnixName::Path(path) => write!(f, "{}:{}", carrier.name(), path.display()),
        UnixName::Abstract(name) => {
            write!(f, "{}:@{}", carrier.name(), String::from_utf8_lossy(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, shown) in [
            ("127.0.0.1:80", "tcp://127.0.0.1:80"),
            ("tcp://[::1]:0", "tcp://[::1]:0"),
            ("udp://:53", "udp://0.0.0.0:53"),
            ("8081", "tcp://0.0.0.0:8081"),
            ("/run/a", "unix:/run/a"),
            ("./a", "unix:./a"),
            ("unix:///run/a", "unix:/run/a"),
            ("unix:a", "unix:a"),
            ("@a", "unix:@a"),
            ("unix-dgram:@a", "unix-dgram:@a"),
            ("unix-seqpacket:/a", "unix-seqpacket:/a"),
        ] {
            let parsed = Address::parse(text, Carrier::Tcp).map(|it| it.to_string());
            assert_eq!(parsed, Ok(shown.to_owned()), "{text}");
        }
        let plain = Address::parse("[::1]:7", Carrier::Udp).unwrap();
        assert_eq!(plain.to_string(), "udp://[::1]:7");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("localhost:80", "localhost is 127.0.0.1 or [::1]"),
            ("tcp://127.0.0.1", "the port is missing"),
            ("udp://127.0.0.1:99999", "`99999` is not a port"),
            ("@", "name is missing"),
            ("unix-dgram:", "name is missing"),
            ("tcp://unix:/x", "a scheme before `unix:`: write `unix:/x` alone"),
            ("udp://unix-dgram:@x", "write `unix-dgram:@x` alone"),
            ("tcp://tcp://127.0.0.1:90", "write `tcp://127.0.0.1:90` alone"),
            ("http://127.0.0.1:80", "`http` is none of the schemes"),
            ("UDP://127.0.0.1:5", "`UDP` is none of the schemes: they are tcp://, udp://"),
            ("tcp:///x", "unix:/x"),
        ] {
            let error = Address::parse(text, Carrier::Tcp).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
