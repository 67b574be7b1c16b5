//! What is known of a neighbour on a link, ARP's and ND's table: `RTM_GETNEIGH` for one address
//! (`net/core/neighbour.c`, `neigh_get`; Linux 5.0).

use std::net::IpAddr;

use nix::errno::Errno;

use super::rtnetlink::{ask, put_attribute};

/// `include/uapi/linux/rtnetlink.h`
const RTM_GETNEIGH: u16 = 30;
/// `include/uapi/linux/neighbour.h`
const NDA_DST: u16 = 1;
/// `struct ndmsg`.
const NEIGHBOUR: usize = 12;

/// What the kernel knows (`NUD_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourState {
    /// It is being asked for.
    Incomplete,
    /// It answered, lately or some time ago, or is written down, or needs no asking.
    Known,
    /// It was asked for and did not answer.
    Failed,
    /// Nobody has asked yet, or the entry is gone.
    Absent,
}

/// The state of `address` on the interface with this index; `None` where it cannot be asked.
pub fn state(address: IpAddr, interface: u32) -> Option<NeighbourState> {
    match ask((RTM_GETNEIGH, 0), &request(address, interface)) {
        Ok(answer) => parse(&answer),
        Err(Errno::ENOENT) => Some(NeighbourState::Absent),
        Err(_) => None,
    }
}

fn request(address: IpAddr, interface: u32) -> Vec<u8> {
    // Family and padding; the interface; state, flags and type.
    let mut body = vec![if address.is_ipv4() { 2 } else { 10 }, 0, 0, 0];
    body.extend(interface.to_ne_bytes());
    body.extend([0; 4]);
    match address {
        IpAddr::V4(ip) => put_attribute(&mut body, NDA_DST, &ip.octets()),
        IpAddr::V6(ip) => put_attribute(&mut body, NDA_DST, &ip.octets()),
    }
    body
}

fn parse(body: &[u8]) -> Option<NeighbourState> {
    const INCOMPLETE: u16 = 0x01;
    const FAILED: u16 = 0x20;
    let header: &[u8; NEIGHBOUR] = body.first_chunk()?;
    Some(match u16::from_ne_bytes([header[8], header[9]]) {
        0 => NeighbourState::Absent,
        state if state & FAILED != 0 => NeighbourState::Failed,
        state if state & INCOMPLETE != 0 => NeighbourState::Incomplete,
        _ => NeighbourState::Known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_apart() {
        let body = |state: u8| [2, 0, 0, 0, 2, 0, 0, 0, state, 0, 0, 1];
        let expected = [
            (0x01, NeighbourState::Incomplete),
            (0x02, NeighbourState::Known),
            (0x04, NeighbourState::Known),
            (0x20, NeighbourState::Failed),
            (0x80, NeighbourState::Known),
            (0, NeighbourState::Absent),
        ];
        for (number, state) in expected {
            assert_eq!(parse(&body(number)), Some(state));
        }
        assert_eq!(parse(&[2; 11]), None);
    }
}
