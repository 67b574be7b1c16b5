//! Interfaces of a namespace of our own: made, given addresses and brought up without ip(8).
//!
//! ioctl(SIOCSIFFLAGS) would do a part of it, but has no safe wrapper.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use ipnet::IpNet;
use nix::net::if_::if_nametoindex;

use super::new_route::{bytes, family};
use super::rtnetlink::{ACKNOWLEDGE, MAKE, ask, put_attribute};

/// `include/uapi/linux/rtnetlink.h`
const RTM_NEWLINK: u16 = 16;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
const RTM_SETNEIGHTBL: u16 = 67;
/// `include/uapi/linux/if.h`
const IFF_UP: u32 = 1;
/// `include/uapi/linux/if_link.h`
const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
/// `include/uapi/linux/veth.h`
const VETH_INFO_PEER: u16 = 1;
/// `include/uapi/linux/if_addr.h`
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// No second is spent on looking whether another host has the address (RFC 4862, 5.4).
const IFA_F_NODAD: u8 = 2;
/// `include/uapi/linux/neighbour.h`
const NDTA_NAME: u16 = 1;
const NDTA_PARMS: u16 = 6;
const NDTPA_IFINDEX: u16 = 1;
const NDTPA_RETRANS_TIME: u16 = 5;
const NDTPA_MCAST_PROBES: u16 = 11;

/// Brings the interface `name` up. Fails with the kernel's refusal: EPERM where the user namespace
/// has no capabilities, ENODEV where there is no such interface.
pub(super) fn up(name: &str) -> nix::Result<()> {
    ask((RTM_SETLINK, ACKNOWLEDGE), &interface(if_nametoindex(name)?, IFF_UP)).map(drop)
}

/// Makes a veth pair: `name` here, `peer` in the network namespace `there`. Fails with EOPNOTSUPP
/// where the kernel has no veth.
pub(super) fn veth(name: &str, peer: &str, there: BorrowedFd<'_>) -> nix::Result<()> {
    let mut end = interface(0, 0);
    put_text(&mut end, IFLA_IFNAME, peer);
    put_attribute(&mut end, IFLA_NET_NS_FD, &there.as_raw_fd().to_ne_bytes());
    let mut data = Vec::new();
    put_attribute(&mut data, VETH_INFO_PEER, &end);
    let mut info = Vec::new();
    put_text(&mut info, IFLA_INFO_KIND, "veth");
    put_attribute(&mut info, IFLA_INFO_DATA, &data);
    let mut body = interface(0, 0);
    put_text(&mut body, IFLA_IFNAME, name);
    put_attribute(&mut body, IFLA_LINKINFO, &info);
    ask((RTM_NEWLINK, ACKNOWLEDGE | MAKE), &body).map(drop)
}

/// Gives the interface `name` an address, and so a route to the network that it is in.
pub(super) fn add_address(name: &str, address: IpNet) -> nix::Result<()> {
    // `struct ifaddrmsg`: family, length, flags, scope, index.
    let mut body = vec![family(address.addr()), address.prefix_len(), IFA_F_NODAD, 0];
    body.extend(if_nametoindex(name)?.to_ne_bytes());
    put_attribute(&mut body, IFA_LOCAL, &bytes(address.addr()));
    put_attribute(&mut body, IFA_ADDRESS, &bytes(address.addr()));
    ask((RTM_NEWADDR, ACKNOWLEDGE | MAKE), &body).map(drop)
}

/// Lets ARP ask once on the interface `name`, and give up after `patience`. By default it asks
/// three times in three seconds. (The sysctls for it are hidden from user namespaces:
/// `net/core/neighbour.c`, `neigh_sysctl_register`.)
pub(super) fn ask_for_neighbours_once(name: &str, patience: Duration) -> nix::Result<()> {
    let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    let mut parameters = Vec::new();
    put_attribute(&mut parameters, NDTPA_IFINDEX, &if_nametoindex(name)?.to_ne_bytes());
    put_attribute(&mut parameters, NDTPA_MCAST_PROBES, &1_u32.to_ne_bytes());
    put_attribute(&mut parameters, NDTPA_RETRANS_TIME, &patience.to_ne_bytes());
    // `struct ndtmsg`: any family.
    let mut body = vec![0; 4];
    put_text(&mut body, NDTA_NAME, "arp_cache");
    put_attribute(&mut body, NDTA_PARMS, &parameters);
    ask((RTM_SETNEIGHTBL, ACKNOWLEDGE), &body).map(drop)
}

/// `struct ifinfomsg`: these flags of the interface, and no other, are to be set. Index 0 is one
/// that is to be made.
fn interface(index: u32, flags: u32) -> Vec<u8> {
    // Family and type: any.
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(flags.to_ne_bytes());
    body.extend(flags.to_ne_bytes());
    body
}

/// An attribute that is text, with the zero at its end.
fn put_text(message: &mut Vec<u8>, kind: u16, text: &str) {
    put_attribute(message, kind, &[text.as_bytes(), &[0]].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_as_long_as_the_structure() {
        assert_eq!(interface(1, IFF_UP).len(), 16);
    }

    #[test]
    fn text_ends_with_zero() {
        let mut bytes = Vec::new();
        put_text(&mut bytes, IFLA_IFNAME, "lo");
        assert_eq!(bytes, [7, 0, 3, 0, b'l', b'o', 0, 0]);
    }
}
