//! The IPv6 addresses of this network namespace and whether they can be used yet:
//! /proc/net/if_inet6 (`net/ipv6/addrconf.c`, `if6_seq_show`).

use std::net::Ipv6Addr;

use super::ProcRoot;
use super::proc_root::read_text;

/// `IFA_F_TENTATIVE`: duplicate address detection is not through.
const TENTATIVE: u32 = 0x40;
/// `IFA_F_DADFAILED`: another host has the address.
const DAD_FAILED: u32 = 0x08;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv6Entry {
    /// The address.
    pub address: Ipv6Addr,
    /// The interface's name.
    pub interface: String,
    /// Whether it cannot be bound yet: no one has vouched that no other host has it.
    pub is_tentative: bool,
    /// Whether another host was found to have it.
    pub is_duplicate: bool,
}

/// The addresses; none where there is no IPv6.
pub fn entries(proc_root: &ProcRoot) -> Vec<Ipv6Entry> {
    let text = read_text(&proc_root.net("if_inet6")).unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

/// `fe80…01 02 40 20 80   eth0`: address, index, prefix length, scope, flags, name; numbers in
/// hexadecimal.
fn parse(line: &str) -> Option<Ipv6Entry> {
    let mut fields = line.split_whitespace();
    let address = u128::from_str_radix(fields.next()?, 16).ok()?;
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    Some(Ipv6Entry {
        address: Ipv6Addr::from_bits(address),
        interface: fields.next()?.to_owned(),
        is_tentative: flags & TENTATIVE != 0,
        is_duplicate: flags & DAD_FAILED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_a_bad_one_left_out() {
        let line = "fe80000000000000584a01fffed8b34e 02 40 20 c0     eth0";
        let entry = parse(line).unwrap();
        assert_eq!(entry.address.to_string(), "fe80::584a:1ff:fed8:b34e");
        assert!(entry.is_tentative && !entry.is_duplicate && entry.interface == "eth0");
        assert_eq!(parse("fe80 02 40"), None);
    }
}
