//! Network interfaces: their names, indexes and addresses.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{Interface, InterfaceFlags, if_nameindex, if_nametoindex};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::IpMtu;

/// The names by index in the calling thread's network namespace. An answer that fails is an empty
/// one: indexes are then shown as numbers.
pub fn names() -> HashMap<u32, String> {
    let Ok(list) = if_nameindex() else {
        return HashMap::new();
    };
    let name = |interface: &Interface| {
        (interface.index(), interface.name().to_string_lossy().into_owned())
    };
    list.iter().map(name).collect()
}

/// The index of the interface `name`; `None` if there is none.
pub fn index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// Whether the interface `name` is up, and whether it has a carrier; `None` if there is none, or it
/// cannot be asked.
pub fn is_up(name: &str) -> Option<(bool, bool)> {
    let mut all = getifaddrs().ok()?;
    let flags = all.find(|it| it.interface_name == name)?.flags;
    Some((flags.contains(InterfaceFlags::IFF_UP), flags.contains(InterfaceFlags::IFF_RUNNING)))
}

/// The MTU of the way to 127.0.0.1, which is that of `lo`; `None` if there is no such way. Nothing is
/// sent.
pub fn loopback_mtu() -> Option<u32> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.connect((Ipv4Addr::LOCALHOST, 9)).ok()?;
    u32::try_from(getsockopt(&socket, IpMtu).ok()?).ok()
}

/// The names of the interfaces that are down, but for `lo`; empty if they cannot be read.
pub fn down() -> Vec<String> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    let is_down = |flags: InterfaceFlags| {
        !flags.intersects(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_LOOPBACK)
    };
    let down = all.filter(|it| is_down(it.flags)).map(|it| it.interface_name);
    down.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The addresses of the calling thread's network namespace, each with its interface's name; empty
/// if they cannot be read.
pub fn addresses() -> Vec<(String, IpAddr)> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    let address = |it: nix::ifaddrs::InterfaceAddress| {
        let storage = it.address?;
        let v4 = || storage.as_sockaddr_in().map(|end| IpAddr::V4(end.ip()));
        let v6 = || storage.as_sockaddr_in6().map(|end| IpAddr::V6(end.ip()));
        Some((it.interface_name, v4().or_else(v6)?))
    };
    all.filter_map(address).collect()
}
