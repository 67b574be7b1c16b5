//! The ways that traffic can go on a machine by itself. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::echo::address::Carrier;

/// Where the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address of loopback, with a port of the kernel's choice.
    Internet(IpAddr),
    /// At a file in a directory that is made for it.
    File,
    /// At an abstract name.
    Abstract,
}

/// How to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// IPv4 on an IPv6 socket.
    Mapped,
    /// Unix.
    Unix,
}

/// A path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// What carries the bytes.
    pub carrier: Carrier,
    /// Where the server is.
    pub place: Place,
    /// The family.
    pub family: Family,
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// `::ffff:127.0.0.1`
const MAPPED: IpAddr = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());

/// All of them, in the order of the table.
pub fn all() -> Vec<Path> {
    let internet =
        [Carrier::Tcp, Carrier::Udp].into_iter().flat_map(|carrier| {
            [(V4, Family::V4), (V6, Family::V6), (MAPPED, Family::Mapped)]
                .map(|(ip, family)| Path { carrier, place: Place::Internet(ip), family })
        });
    let unix = [Carrier::UnixStream, Carrier::UnixDgram, Carrier::UnixSeqpacket]
        .into_iter()
        .flat_map(|carrier| {
            [Place::File, Place::Abstract].map(|place| Path {
                carrier,
                place,
                family: Family::Unix,
            })
        });
    internet.chain(unix).collect()
}

impl Path {
    /// `tcp`, `udp`, `unix`.
    pub fn protocol(&self) -> &'static str {
        match self.carrier {
            Carrier::Tcp => "tcp",
            Carrier::Udp => "udp",
            Carrier::UnixStream | Carrier::UnixDgram | Carrier::UnixSeqpacket => "unix",
        }
    }

    /// `127.0.0.1`, `[::1]`, `stream`, `datagram @abstract`.
    pub fn where_to(&self) -> String {
        let kind = match self.carrier {
            Carrier::UnixDgram => "datagram",
            Carrier::UnixSeqpacket => "seqpacket",
            Carrier::UnixStream | Carrier::Tcp | Carrier::Udp => "stream",
        };
        match self.place {
            Place::Internet(IpAddr::V4(ip)) => ip.to_string(),
            Place::Internet(IpAddr::V6(ip)) => format!("[{ip}]"),
            Place::File => kind.to_owned(),
            Place::Abstract => format!("{kind} @abstract"),
        }
    }

    /// Whether it goes over the interface `lo`.
    pub fn is_on_lo(&self) -> bool {
        self.family != Family::Unix
    }

    /// Bytes of a message that this path takes at a time.
    pub fn piece(&self) -> usize {
        match self.carrier {
            // Any loopback has this much: less than one packet of 64 KiB.
            Carrier::Udp | Carrier::UnixDgram | Carrier::UnixSeqpacket => 32 * 1024,
            Carrier::Tcp | Carrier::UnixStream => 128 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carrier_and_family_is_tried_once() {
        let all = all();
        assert_eq!(all.len(), 12);
        for (index, path) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == path), Some(index));
        }
        let shown: Vec<_> =
            all.iter().map(|it| format!("{} {}", it.protocol(), it.where_to())).collect();
        for expected in [
            "tcp 127.0.0.1",
            "udp [::1]",
            "tcp [::ffff:127.0.0.1]",
            "unix stream",
            "unix seqpacket @abstract",
        ] {
            assert!(shown.contains(&expected.to_owned()), "{shown:?}");
        }
    }
}
