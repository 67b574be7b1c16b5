//! What is waited for: targets as people write them, each with its condition.

use std::fmt;
use std::net::IpAddr;

use clap::ValueEnum;
use serde::Serialize;

use crate::bind::Wish;
use crate::connect;
use crate::kernel::unix_binding::UnixType;
use crate::model::{Address, Endpoint, Family, HostPort};

/// What has to become so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It accepts connections; over UDP, it answers
    Up,
    /// It does not, for whatever reason
    Down,
    /// The host refuses: it is there, and nobody listens
    Refused,
    /// It can be bound: nobody has it, and no TIME_WAIT is left
    Free,
    /// It sends back what was sent to it
    Echo,
    /// So few sockets are in TIME_WAIT
    #[value(skip)]
    Below,
}

impl Condition {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Free => "free",
            Self::Echo => "echo",
            Self::Below => "below",
        }
    }
}

/// A target and its condition.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The target as it was written.
    pub text: String,
    /// What has to become so.
    pub condition: Condition,
    /// What is looked at.
    pub subject: Subject,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An address to connect to.
    Reach(connect::Target),
    /// An address to bind.
    Free(Wish),
    /// A listener in this host's table.
    Listener(Listener),
    /// The sockets in TIME_WAIT.
    TimeWait(TimeWait),
}

/// Which listener: one on this port; with an address, one that takes connections to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub address: Option<Address>,
    /// The port.
    pub port: u16,
}

/// How many sockets in TIME_WAIT are few, and which of them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait {
    /// There have to be fewer.
    pub below: u64,
    /// Their other end.
    pub address: Option<Address>,
    /// Its port.
    pub port: Option<u16>,
}

impl TimeWait {
    /// Whether a socket with this other end counts.
    pub fn counts(&self, remote: Endpoint) -> bool {
        self.address.is_none_or(|address| address == remote.address)
            && self.port.is_none_or(|port| port == remote.port)
    }
}

/// What all targets have in common, as far as it decides how they are read.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// What has to become so.
    pub condition: Condition,
    /// Type of a Unix socket.
    pub unix_type: UnixType,
    /// Whether the address is to be bound with `SO_REUSEADDR`.
    pub reuse_addr: bool,
}

impl Watch {
    /// Reads a target; in the error, what is wrong with it and what to write instead.
    pub fn parse(text: &str, manner: Manner) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("time-wait") {
            let subject = Subject::TimeWait(time_wait(rest)?);
            return Ok(Self { text: text.to_owned(), condition: Condition::Below, subject });
        }
        let condition = manner.condition;
        let subject = match (text.strip_prefix("listen:"), condition) {
            (Some(rest), Condition::Up | Condition::Down) => Subject::Listener(listener(rest)?),
            (Some(rest), Condition::Free) => {
                return Err(format!("to wait until it can be bound, leave out `listen:`: {rest}"));
            }
            (Some(_), _) => {
                return Err(format!(
                    "it is looked up in the table of listeners, which shows up and down, not {}",
                    condition.name()
                ));
            }
            (None, Condition::Free) => {
                Subject::Free(Wish::parse(text, manner.unix_type, manner.reuse_addr)?)
            }
            (None, _) => Subject::Reach(connect::Target::parse(text)?.of_type(manner.unix_type)),
        };
        Ok(Self { text: text.to_owned(), condition, subject })
    }
}

impl Watch {
    /// The same, if it can be of `family`, which leaves out the addresses of the other.
    pub fn of_family(self, family: Option<Family>) -> Result<Self, String> {
        let Some(family) = family else { return Ok(self) };
        let ip = match &self.subject {
            Subject::Reach(target) => target.ip(),
            Subject::Free(_) => {
                return Err("-4 and -6 are not for --for free: name the address, as in \
                            127.0.0.1:8080 or [::1]:8080"
                    .to_owned());
            }
            // They stand beside others that are connected to.
            Subject::Listener(_) | Subject::TimeWait(_) => None,
        };
        match ip.and_then(|ip| family.leaves_out(ip)) {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(self),
        }
    }
}

/// `8080`, `127.0.0.1:8080`, `[::1]:8080`, `:8080`.
fn listener(text: &str) -> Result<Listener, String> {
    let (address, port) = end(text)?;
    match port {
        Some(port) => Ok(Listener { address, port }),
        None => Err("the port is missing: write listen:8080 or listen:127.0.0.1:8080".to_owned()),
    }
}

/// `<1000`, `:10.0.9.20:5432<1000`, `:10.0.9.20<1000`, `::5432<1000`.
fn time_wait(text: &str) -> Result<TimeWait, String> {
    const QUOTE: &str = "the limit is missing: write 'time-wait<1000' or \
                         'time-wait:10.0.9.20:5432<1000', in quotes, for `<` is the shell's";
    let (of, limit) = text.split_once('<').ok_or(QUOTE)?;
    if limit.is_empty() {
        return Err(QUOTE.to_owned());
    }
    let (limit, more) = match limit.strip_prefix('=') {
        Some(limit) => (limit, 1),
        None => (limit, 0),
    };
    let number: Option<u64> = limit.replace(['_', ','], "").parse().ok();
    let below = number
        .and_then(|number| number.checked_add(more))
        .ok_or_else(|| format!("`{limit}` is not a number of sockets: write 'time-wait<1000'"))?;
    if below == 0 {
        return Err(
            "there are never fewer than none: write 'time-wait<1' or 'time-wait<=0'".to_owned()
        );
    }
    let (address, port) = match of.strip_prefix(':') {
        Some(of) => end(of)?,
        None if of.is_empty() => (None, None),
        None => {
            return Err(format!("`{of}` before the `<`: write 'time-wait:ADDRESS:PORT<1000'"));
        }
    };
    Ok(TimeWait { below, address, port })
}

/// An address, a port, or both.
fn end(text: &str) -> Result<(Option<Address>, Option<u16>), String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((None, Some(port(text)?)));
    }
    let parts = HostPort::split(text)?;
    let number = parts.port.map(port).transpose()?;
    let address = match parts.host {
        "" | "*" if number.is_some() => None,
        host => Some(host.parse::<IpAddr>().map_err(|_| {
            format!("`{host}` is not an IP address: write 8080, 127.0.0.1:8080 or [::1]:8080")
        })?),
    };
    Ok((address.map(Address::from), number))
}

fn port(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|port| *port != 0);
    number.ok_or_else(|| format!("`{text}` is not a port: give a number from 1 to 65535"))
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, condition: Condition) -> Result<Watch, String> {
        Watch::parse(text, Manner { condition, unix_type: UnixType::Stream, reuse_addr: false })
    }

    fn listener_of(text: &str) -> Option<Listener> {
        let watch = parsed(text, Condition::Up).ok()?;
        if let Subject::Listener(listener) = watch.subject { Some(listener) } else { None }
    }

    fn time_wait_of(text: &str) -> Option<(u64, Option<String>, Option<u16>)> {
        let watch = parsed(text, Condition::Echo).ok()?;
        assert_eq!(watch.condition, Condition::Below, "whatever the others wait for");
        let Subject::TimeWait(it) = watch.subject else { return None };
        Some((it.below, it.address.map(|at| at.to_string()), it.port))
    }

    #[test]
    fn listeners_are_ports_with_or_without_an_address() {
        let loopback: Address = IpAddr::from([127, 0, 0, 1]).into();
        assert_eq!(listener_of("listen:80"), Some(Listener { address: None, port: 80 }));
        assert_eq!(listener_of("listen::80"), Some(Listener { address: None, port: 80 }));
        let with_address = Some(Listener { address: Some(loopback), port: 80 });
        assert_eq!(listener_of("listen:127.0.0.1:80"), with_address);
        let v6 = listener_of("listen:[::1]:80").unwrap();
        assert_eq!(v6.address.unwrap().to_string(), "::1");
    }

    #[test]
    fn time_waits_are_counted_with_or_without_a_destination() {
        assert_eq!(time_wait_of("time-wait<1000"), Some((1000, None, None)));
        assert_eq!(time_wait_of("time-wait<=9"), Some((10, None, None)));
        assert_eq!(time_wait_of("time-wait<28,232"), Some((28_232, None, None)));
        let db = |port| (5, Some("10.0.9.20".to_owned()), port);
        assert_eq!(time_wait_of("time-wait:10.0.9.20:5432<5"), Some(db(Some(5432))));
        assert_eq!(time_wait_of("time-wait:10.0.9.20<5"), Some(db(None)));
        assert_eq!(time_wait_of("time-wait::5432<5"), Some((5, None, Some(5432))));
        assert_eq!(
            time_wait_of("time-wait:[::1]:80<5"),
            Some((5, Some("::1".to_owned()), Some(80)))
        );
    }

    #[test]
    fn addresses_are_those_of_the_condition() {
        assert!(matches!(parsed("db:1", Condition::Up).unwrap().subject, Subject::Reach(_)));
        assert!(matches!(parsed(":80", Condition::Free).unwrap().subject, Subject::Free(_)));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (text, condition, words) in [
            ("listen:", Condition::Up, "is not an IP address"),
            ("listen:0", Condition::Up, "`0` is not a port"),
            ("listen:65536", Condition::Up, "`65536` is not a port"),
            ("listen:localhost:80", Condition::Up, "`localhost` is not an IP address"),
            ("listen:127.0.0.1", Condition::Up, "the port is missing"),
            ("listen:[::1:80", Condition::Up, "`]`"),
            ("listen:80", Condition::Free, "leave out `listen:`"),
            ("listen:80", Condition::Echo, "not echo"),
            ("time-wait", Condition::Up, "in quotes"),
            ("time-wait<", Condition::Up, "in quotes"),
            ("time-wait<many", Condition::Up, "`many` is not a number"),
            ("time-wait<0", Condition::Up, "never fewer than none"),
            ("time-wait:db:1<5", Condition::Up, "`db` is not an IP address"),
            ("time-waits<5", Condition::Up, "`s` before the `<`"),
            (":80", Condition::Up, "the host is missing"),
            ("db:0", Condition::Up, "port 0"),
            ("localhost:80", Condition::Free, "127.0.0.1 or [::1]"),
        ] {
            let error = parsed(text, condition).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
