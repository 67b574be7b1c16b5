//! Addresses of one server that the kernel gives to one socket alone: found before it is asked, which
//! could only say that the server is in its own way. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::bind::{InternetTarget, Target};
use crate::echo::address::{Address, Carrier};
use crate::model::UnixName;

/// Two addresses that cannot be served together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash<'a> {
    one: &'a Address,
    other: &'a Address,
    why: Why,
}

/// Why they cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The first is every address of its family.
    Wildcard,
    /// They are one address, written in two ways.
    SameAddress,
    /// They are one file.
    SameFile,
}

impl<'a> Clash<'a> {
    /// The first two of `addresses` that clash; with `SO_REUSEPORT` on each socket, Internet addresses
    /// do not.
    pub fn among(addresses: &'a [Address], has_reuse_port: bool) -> Option<Self> {
        let pairs = addresses
            .iter()
            .enumerate()
            .flat_map(|(index, other)| addresses.iter().take(index).map(move |one| (one, other)));
        let clash = |(one, other): (&'a Address, &'a Address)| match (&one.target, &other.target) {
            (Target::Unix(UnixName::Path(path)), Target::Unix(UnixName::Path(same))) => {
                (path == same).then_some(Self { one, other, why: Why::SameFile })
            }
            (Target::Internet(a), Target::Internet(b))
                if one.carrier == other.carrier && a.port() == b.port() && !has_reuse_port =>
            {
                of_internet(one, other, (a, b))
            }
            // A name of the abstract namespace is one for each type of socket.
            _ => None,
        };
        pairs.filter(|(one, _)| !has_choice(one)).find_map(clash)
    }
}

fn of_internet<'a>(
    one: &'a Address,
    other: &'a Address,
    (a, b): (&InternetTarget, &InternetTarget),
) -> Option<Clash<'a>> {
    let (ip, other_ip) = (a.ip().to_canonical(), b.ip().to_canonical());
    if ip.is_ipv4() != other_ip.is_ipv4() {
        None
    } else if ip == other_ip {
        (a.scope() == b.scope()).then_some(Clash { one, other, why: Why::SameAddress })
    } else if ip.is_unspecified() {
        Some(Clash { one, other, why: Why::Wildcard })
    } else {
        other_ip.is_unspecified().then_some(Clash { one: other, other: one, why: Why::Wildcard })
    }
}

/// Whether the kernel chooses the port, and another one for each.
fn has_choice(address: &Address) -> bool {
    matches!(&address.target, Target::Internet(it) if it.port() == Some(0))
}

/// Which of `all` takes IPv4 at the carrier and port of `address`, which is `[::]`: that then has to
/// take IPv6 alone, since the kernel gives a port of IPv4 to one of them.
pub fn takes_ipv4_instead<'a>(address: &Address, all: &'a [Address]) -> Option<&'a Address> {
    const ANY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let Target::Internet(own) = &address.target else { return None };
    if own.ip() != ANY || has_choice(address) {
        return None;
    }
    all.iter().find(|it| match &it.target {
        Target::Internet(other) => {
            it.carrier == address.carrier
                && other.port() == own.port()
                && other.ip().to_canonical().is_ipv4()
        }
        Target::Unix(_) => false,
    })
}

impl fmt::Display for Clash<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { one, other, why } = self;
        write!(f, "`{one}` and `{other}` cannot be served together: ")?;
        match why {
            Why::Wildcard => {
                let family = match &one.target {
                    Target::Internet(it) if it.ip().to_canonical().is_ipv4() => "IPv4",
                    Target::Internet(_) | Target::Unix(_) => "IPv6",
                };
                write!(f, "the first is every {family} address, the second among them")
            }
            Why::SameAddress => write!(f, "they are the same address"),
            Why::SameFile => write!(f, "a file is one socket's"),
        }?;
        match one.carrier {
            Carrier::Tcp | Carrier::Udp => {
                write!(f, "\nhint: leave one out, give it another port, or use --reuse-port")
            }
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => {
                write!(f, "\nhint: give one of them another path")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(line: &str) -> Vec<Address> {
        line.split(' ').map(|text| Address::parse(text, Carrier::Tcp).unwrap()).collect()
    }

    fn clash(line: &str) -> Option<String> {
        Clash::among(&addresses(line), false).map(|clash| clash.to_string())
    }

    #[test]
    fn what_the_kernel_gives_to_one_alone_is_named() {
        for (line, words) in [
            ("0.0.0.0:1 127.0.0.1:1", "`tcp://0.0.0.0:1` and `tcp://127.0.0.1:1` cannot"),
            // The wildcard is the first, whichever was given first.
            ("127.0.0.1:1 :1", "`tcp://0.0.0.0:1` and `tcp://127.0.0.1:1` cannot"),
            ("0.0.0.0:1 127.0.0.1:1", "every IPv4 address"),
            ("[::]:1 [::1]:1", "every IPv6 address"),
            ("127.0.0.1:1 [::ffff:127.0.0.1]:1", "the same address"),
            ("@a unix:/a udp://:1 unix-dgram:/a", "`unix:/a` and `unix-dgram:/a` cannot"),
            ("udp://:1 udp://127.0.0.1:1", "--reuse-port"),
        ] {
            let said = clash(line).unwrap_or_else(|| panic!("{line} passes"));
            assert!(said.contains(words), "{line}: {said}");
        }
    }

    #[test]
    fn what_goes_together_passes() {
        for line in [
            "0.0.0.0:1 [::]:1",
            "127.0.0.1:1 127.0.0.2:1",
            "127.0.0.1:1 127.0.0.1:2",
            "0.0.0.0:0 127.0.0.1:0",
            "0.0.0.0:1 udp://127.0.0.1:1",
            "0.0.0.0:1 [::1]:1",
            "[fe80::1%a]:1 [fe80::1%b]:1",
            "@a unix-dgram:@a",
        ] {
            assert_eq!(clash(line), None, "{line}");
        }
        assert_eq!(Clash::among(&addresses("0.0.0.0:1 127.0.0.1:1"), true), None);
    }

    #[test]
    fn the_wildcard_of_ipv6_leaves_ipv4_to_whom_it_was_given() {
        let taken = |line| {
            let all = addresses(line);
            let taken: Vec<_> = all.iter().map(|it| takes_ipv4_instead(it, &all)).collect();
            taken.into_iter().map(|it| it.map(ToString::to_string)).collect::<Vec<_>>()
        };
        assert_eq!(taken("0.0.0.0:1 [::]:1"), [None, Some("tcp://0.0.0.0:1".to_owned())]);
        assert_eq!(taken("[::]:1 127.0.0.1:1"), [Some("tcp://127.0.0.1:1".to_owned()), None]);
        for line in ["[::]:1 udp://:1", "[::]:1 :2", "[::]:0 :0", "[::1]:1 :1", "[::]:1 unix:/a"] {
            assert!(taken(line).iter().all(Option::is_none), "{line}");
        }
    }
}
