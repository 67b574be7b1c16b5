//! Interfaces made and changed without ip(8).
//!
//! ioctl(SIOCSIFFLAGS) would bring them up as well, but has no safe wrapper.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use nix::net::if_::if_nametoindex;

use super::rtnetlink::{CHANGE, MAKE, ask, attribute, text};

/// `include/uapi/linux/rtnetlink.h`
const RTM_NEWLINK: u16 = 16;
const RTM_SETLINK: u16 = 19;
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
/// `include/uapi/linux/neighbour.h`
const NDTA_NAME: u16 = 1;
const NDTA_PARMS: u16 = 6;
const NDTPA_IFINDEX: u16 = 1;
const NDTPA_RETRANS_TIME: u16 = 6;
const NDTPA_MCAST_PROBES: u16 = 11;

/// Brings the interface `name` up. Fails with ENODEV where there is no such interface.
pub(super) fn up(name: &str) -> nix::Result<()> {
    ask(RTM_SETLINK, CHANGE, &[interface(if_nametoindex(name)?, IFF_UP)])
}

/// Makes a veth pair: `name` here, `peer` in the network namespace `there`. Fails with EOPNOTSUPP
/// where the kernel has no veth.
pub(super) fn veth(name: &str, peer: &str, there: BorrowedFd<'_>) -> nix::Result<()> {
    let there = attribute(IFLA_NET_NS_FD, &there.as_raw_fd().to_ne_bytes())?;
    let peer = [interface(0, 0), text(IFLA_IFNAME, peer)?, there].concat();
    let data = attribute(IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer)?)?;
    let info = [text(IFLA_INFO_KIND, "veth")?, data].concat();
    let body = [interface(0, 0), text(IFLA_IFNAME, name)?, attribute(IFLA_LINKINFO, &info)?];
    ask(RTM_NEWLINK, MAKE, &body)
}

/// How ARP asks on the interface `name`: once, and gives up after `patience`. By default it asks
/// three times in three seconds. (The sysctls for it are hidden from user namespaces:
/// `net/core/neighbour.c`, `neigh_sysctl_register`.)
pub(super) fn ask_for_neighbours_once(name: &str, patience: Duration) -> nix::Result<()> {
    let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    let parameters = [
        attribute(NDTPA_IFINDEX, &if_nametoindex(name)?.to_ne_bytes())?,
        attribute(NDTPA_MCAST_PROBES, &1_u32.to_ne_bytes())?,
        attribute(NDTPA_RETRANS_TIME, &patience.to_ne_bytes())?,
    ];
    let parameters = attribute(NDTA_PARMS, &parameters.concat())?;
    // `struct ndtmsg`: any family.
    let body = [vec![0; 4], text(NDTA_NAME, "arp_cache")?, parameters];
    ask(RTM_SETNEIGHTBL, CHANGE, &body)
}

/// `struct ifinfomsg`: set these flags of the interface, and no other. Index 0 is one to be made.
fn interface(index: u32, flags: u32) -> Vec<u8> {
    // Family and type: any.
    let mut bytes = vec![0; 4];
    bytes.extend(index.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes
}
