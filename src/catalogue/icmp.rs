//! ICMP messages that can end a connect(2): what each says, and the error number that Linux makes of
//! it.
//!
//! Sources: RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1, RFC 4443;
//! `net/ipv4/icmp.c`, `icmp_err_convert`; `net/ipv6/icmp.c`, `tab_unreach`; provoked on Linux 6.18.

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpEntry {
    /// Whether it is of ICMPv6.
    pub is_v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The C name of the error number.
    pub errno: &'static str,
    /// What the sender says.
    pub says: &'static str,
    /// Who sends it, and why.
    pub meaning: &'static str,
}

const fn v4(
    (kind, code): (u8, u8),
    errno: &'static str,
    says: &'static str,
    meaning: &'static str,
) -> IcmpEntry {
    IcmpEntry { is_v6: false, kind, code, errno, says, meaning }
}

const fn v6(
    (kind, code): (u8, u8),
    errno: &'static str,
    says: &'static str,
    meaning: &'static str,
) -> IcmpEntry {
    IcmpEntry { is_v6: true, kind, code, errno, says, meaning }
}

const NO_ROUTE: &str = "a router on the way has no route to it";
const NO_NEIGHBOUR: &str = "the last router finds nobody with this address: the host is off, or the \
                            address or the subnet's mask is wrong; some firewalls say the same";
const FIREWALL: &str = "a firewall on the way, or on the host itself, refuses it";
const LOOP: &str = "the packet was passed on too often: a routing loop, or a low --ttl";

/// Every message that Linux makes an error of.
pub const ICMP: [IcmpEntry; 27] = [
    v4((3, 0), "ENETUNREACH", "network unreachable", NO_ROUTE),
    v4((3, 1), "EHOSTUNREACH", "host unreachable", NO_NEIGHBOUR),
    v4((3, 2), "ENOPROTOOPT", "protocol unreachable", FIREWALL),
    v4(
        (3, 3),
        "ECONNREFUSED",
        "port unreachable",
        "of UDP, nobody has the port; of TCP, which answers by RST, a firewall rejects it",
    ),
    v4((3, 5), "EOPNOTSUPP", "source route failed", "a router refuses the source route"),
    v4((3, 6), "ENETUNREACH", "network unknown", NO_ROUTE),
    v4((3, 7), "EHOSTDOWN", "host unknown", NO_NEIGHBOUR),
    v4((3, 8), "ENONET", "source host isolated", "the first router lets this host no further"),
    v4((3, 9), "ENETUNREACH", "network administratively prohibited", FIREWALL),
    v4((3, 10), "EHOSTUNREACH", "host administratively prohibited", FIREWALL),
    v4((3, 11), "ENETUNREACH", "network unreachable for this type of service", NO_ROUTE),
    v4((3, 12), "EHOSTUNREACH", "host unreachable for this type of service", NO_ROUTE),
    v4((3, 13), "EHOSTUNREACH", "administratively prohibited", FIREWALL),
    v4((3, 14), "EHOSTUNREACH", "host precedence violation", FIREWALL),
    v4((3, 15), "EHOSTUNREACH", "precedence cut off", FIREWALL),
    v4((11, 0), "EHOSTUNREACH", "time to live exceeded", LOOP),
    v4((12, 0), "EPROTO", "parameter problem", "a router does not understand the packet"),
    v6((1, 0), "ENETUNREACH", "no route to destination", NO_ROUTE),
    v6((1, 1), "EACCES", "administratively prohibited", FIREWALL),
    v6((1, 2), "EHOSTUNREACH", "beyond scope of source address", NO_ROUTE),
    v6((1, 3), "EHOSTUNREACH", "address unreachable", NO_NEIGHBOUR),
    v6(
        (1, 4),
        "ECONNREFUSED",
        "port unreachable",
        "of UDP, nobody has the port; of TCP, which answers by RST, a firewall rejects it",
    ),
    v6((1, 5), "EACCES", "source address failed ingress/egress policy", FIREWALL),
    v6((1, 6), "EACCES", "reject route to destination", FIREWALL),
    v6((1, 7), "EPROTO", "error in source routing header", "a router refuses the source route"),
    v6((3, 0), "EHOSTUNREACH", "hop limit exceeded", LOOP),
    v6((4, 0), "EPROTO", "parameter problem", "a router does not understand the packet"),
];

/// The entry of a message; `None` if it is in no table.
pub fn find(is_v6: bool, kind: u8, code: u8) -> Option<&'static IcmpEntry> {
    ICMP.iter().find(|it| (it.is_v6, it.kind, it.code) == (is_v6, kind, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::errnos::ERRNOS;

    #[test]
    fn each_message_stands_once_and_its_errno_is_one() {
        for (index, entry) in ICMP.iter().enumerate() {
            assert_eq!(find(entry.is_v6, entry.kind, entry.code), ICMP.get(index));
            assert!(ERRNOS.iter().any(|(_, name, _)| *name == entry.errno), "{}", entry.errno);
        }
        assert_eq!(find(false, 3, 4), None, "an MTU is no error of connect(2)");
    }
}
