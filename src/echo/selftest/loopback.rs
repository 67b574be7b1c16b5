//! What is known of `lo`, over which the traffic goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kernel::{ProcRoot, interfaces, tcp_settings};

/// The least MTU with which the kernel does IPv6 (`IPV6_MIN_MTU`, include/uapi/linux/ipv6.h).
const LEAST_MTU: u32 = 1280;

/// What is known; `None` is what could not be asked.
#[derive(Clone, Debug, Default)]
pub struct Loopback {
    /// Whether it is up.
    pub is_up: Option<bool>,
    /// Whether 127.0.0.1 is there.
    pub has_v4: Option<bool>,
    /// Whether ::1 is there.
    pub has_v6: Option<bool>,
    /// net.ipv6.conf.lo.disable_ipv6
    pub is_v6_disabled: Option<bool>,
    /// Its MTU.
    pub mtu: Option<u32>,
}

impl Loopback {
    /// Asks for all of it.
    pub fn look(proc_root: &ProcRoot) -> Self {
        let is_up = interfaces::is_up("lo").map(|(is_up, _)| is_up);
        let addresses = interfaces::addresses();
        let has = |ip: IpAddr| is_up.map(|_| addresses.iter().any(|(_, it)| *it == ip));
        Self {
            is_up,
            has_v4: has(Ipv4Addr::LOCALHOST.into()),
            has_v6: has(Ipv6Addr::LOCALHOST.into()),
            is_v6_disabled: tcp_settings::is_ipv6_disabled(proc_root, "lo"),
            mtu: interfaces::loopback_mtu(),
        }
    }

    /// Whether it is known to be down.
    pub fn is_down(&self) -> bool {
        self.is_up == Some(false)
    }

    /// Why there is no ::1.
    pub fn why_no_v6(&self) -> String {
        if self.is_v6_disabled == Some(true) {
            return "IPv6 is switched off on lo (net.ipv6.conf.lo.disable_ipv6)".to_owned();
        }
        if let Some(mtu) = self.mtu.filter(|mtu| *mtu < LEAST_MTU) {
            return format!(
                "IPv6 takes an MTU of {LEAST_MTU} at least, and that of lo is {mtu}: `ip link set lo mtu \
                 65536`, and then down and up"
            );
        }
        if self.has_v6 == Some(false) {
            return "lo has no ::1, though IPv6 is not switched off: `ip address add ::1/128 dev lo`"
                .to_owned();
        }
        let or_down = if self.is_up == Some(true) { "" } else { ", or lo is down" };
        format!(
            "there is no ::1 here: IPv6 is switched off (net.ipv6.conf.lo.disable_ipv6, or \
             ipv6.disable=1){or_down}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_ipv6_is_what_is_known() {
        let up = || Loopback { is_up: Some(true), has_v6: Some(false), ..Loopback::default() };
        for (lo, words) in [
            (Loopback { is_v6_disabled: Some(true), ..up() }, "lo.disable_ipv6"),
            (Loopback { mtu: Some(1279), ..up() }, "that of lo is 1279"),
            (Loopback { mtu: Some(1280), ..up() }, "lo has no ::1"),
            (Loopback::default(), "or lo is down"),
        ] {
            let why = lo.why_no_v6();
            assert!(why.contains(words), "{why}");
            assert_eq!(why.contains("lo is down"), lo.is_up.is_none(), "{why}");
        }
    }
}
