//! Names to addresses: getaddrinfo(3), under a deadline.
//!
//! The call can take as long as /etc/resolv.conf lets it (5 s for one dead server) and cannot be
//! ended, so it has a thread of its own, which is left to its fate when the deadline comes. Never
//! with `AI_ADDRCONFIG`: where only `lo` is up, that flag hides even 127.0.0.1 (getaddrinfo(3);
//! measured).
//!
//! The code is kept, which the standard library loses.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;

use dns_lookup::{AddrInfoHints, getaddrinfo};
use nix::libc::{AF_INET, AF_INET6, AF_UNSPEC, SOCK_STREAM};

use super::patience::{Event, Patience, Waited};
use crate::model::Family;

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The code of getaddrinfo(3), as in `EAI_NONAME` (-2).
    Code(i32),
    /// The deadline came first.
    Late,
    /// The user interrupted.
    Interrupted,
    /// There could be no thread to ask in: the errno.
    NoThread(i32),
}

/// The code where the answer cannot be read: `EAI_FAIL`.
const UNREADABLE: i32 = -4;

/// The addresses of `name` with `port`, each once, in the order of the C library (RFC 6724), of one
/// `family` or of both.
pub fn resolve(
    name: &str,
    port: u16,
    family: Option<Family>,
    patience: &Patience<'_>,
) -> Result<Vec<SocketAddr>, Unresolved> {
    let no_thread = |error: std::io::Error| Unresolved::NoThread(error.raw_os_error().unwrap_or(0));
    let (done, at_end) = UnixStream::pair().map_err(no_thread)?;
    let (answer, answers) = mpsc::sync_channel(1);
    let name = name.to_owned();
    thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            // Nobody is there to hear it after the deadline.
            drop(answer.send(ask(&name, family)));
            drop(at_end);
        })
        .map_err(no_thread)?;
    match patience.wait(done.as_fd(), Event::Readable) {
        Ok(Waited::Ready) => {}
        Ok(Waited::Late) => return Err(Unresolved::Late),
        Ok(Waited::Interrupted) => return Err(Unresolved::Interrupted),
        Err(errno) => return Err(no_thread(errno.into())),
    }
    let mut addresses = answers.recv().unwrap_or(Err(UNREADABLE)).map_err(Unresolved::Code)?;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

fn ask(name: &str, family: Option<Family>) -> Result<Vec<SocketAddr>, i32> {
    let address = match family {
        None => AF_UNSPEC,
        Some(Family::Ipv4) => AF_INET,
        Some(Family::Ipv6) => AF_INET6,
    };
    // One type, or each address comes once for every type there is.
    let hints = AddrInfoHints { address, socktype: SOCK_STREAM, ..AddrInfoHints::default() };
    let found =
        getaddrinfo(Some(name), None, Some(hints)).map_err(|error| match error.error_num() {
            0 => UNREADABLE,
            code => code,
        })?;
    let mut addresses = Vec::new();
    for address in found.flatten().map(|it| it.sockaddr) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_of_the_hosts_file_has_its_address_and_port() {
        let patience = Patience::of(Duration::from_secs(10));
        let found = resolve("localhost", 80, Some(Family::Ipv4), &patience).unwrap();
        assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
    }

    #[test]
    fn a_name_that_cannot_be_has_a_code() {
        let patience = Patience::of(Duration::from_secs(10));
        let found = resolve("..", 80, None, &patience);
        assert!(matches!(found, Err(Unresolved::Code(..0))), "{found:?}");
    }
}
