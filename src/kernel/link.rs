//! Interfaces brought up without ip(8).
//!
//! ioctl(SIOCSIFFLAGS) would do the same, but has no safe wrapper.

use nix::net::if_::if_nametoindex;

use super::rtnetlink::{ACKNOWLEDGE, ask};

/// `include/uapi/linux/rtnetlink.h`
const RTM_SETLINK: u16 = 19;
/// `include/uapi/linux/if.h`
const IFF_UP: u32 = 1;

/// Brings the interface `name` up. Fails with the kernel's refusal: EPERM where the user namespace
/// has no capabilities, ENODEV where there is no such interface.
pub(super) fn up(name: &str) -> nix::Result<()> {
    ask((RTM_SETLINK, ACKNOWLEDGE), &request(if_nametoindex(name)?)).map(drop)
}

/// "Set the flag `IFF_UP` of this interface, and no other flag": `struct ifinfomsg`.
fn request(index: u32) -> Vec<u8> {
    // Family and type: any.
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_as_long_as_the_structure() {
        assert_eq!(request(1).len(), 16);
    }
}
