//! An Internet address and what of the system decides about it.

use std::net::{IpAddr, SocketAddr};

use super::answer::Site;
use super::blockers::Blocker;
use super::remedies::{self, Privilege, Remedy, Unavailable};
use super::sharing::Asked;
use super::survey::{Survey, look};
use super::target::InternetTarget;
use crate::catalogue::{bind_errnos, errnos};
use crate::kernel::binding::{TcpOptions, Trial, own_uid};
use crate::kernel::if_inet6::Ipv6Entry;
use crate::kernel::tcp_settings::{TcpSettings, is_ipv6_disabled, unprivileged_port_start};
use crate::kernel::{KernelError, ProcRoot, if_inet6, interfaces};
use crate::model::{Endpoint, PortSet, Protocol};

/// Addresses that are named as those that are there.
const SUGGESTIONS: usize = 5;

/// Whether it cannot be bound as it is printed, without its interface.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// An Internet address and what surrounds it.
pub(super) struct Surroundings<'a> {
    pub(super) target: &'a InternetTarget,
    pub(super) address: SocketAddr,
    pub(super) settings: TcpSettings,
    /// The ports that connect(2) picks from; none where that is not known.
    pub(super) ephemeral: PortSet,
    pub(super) proc_root: &'a ProcRoot,
    /// How a command is run there, for advice.
    pub(super) prefix: &'a str,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(target: &'a InternetTarget, site: Site<'a>) -> Result<Self, KernelError> {
        let port = target.port().unwrap_or(0);
        let address = target.socket_address(port, interfaces::index);
        let Some(address) = address else {
            return Err(KernelError::NoInterface(target.scope().unwrap_or_default().to_owned()));
        };
        let Site { proc_root, prefix } = site;
        let settings = TcpSettings::read(proc_root);
        let ephemeral = settings.ephemeral_ports().unwrap_or_default();
        Ok(Self { target, address, settings, ephemeral, proc_root, prefix })
    }

    pub(super) fn asked(&self, protocol: Protocol, options: TcpOptions, judged: Trial) -> Asked {
        Asked {
            protocol,
            end: Endpoint::new(self.address.ip(), self.address.port()),
            v6only: judged.v6only,
            interface: self.interface(),
            reuse_addr: options.reuse_addr,
            reuse_port: options.reuse_port,
            uid: own_uid(),
        }
    }

    /// The sockets on the port, where they can be the reason for `code`. A privileged port says
    /// EACCES whoever has it.
    pub(super) fn survey(&self, asked: &Asked, code: i32) -> Result<Option<Survey>, KernelError> {
        let is_reason = code == errnos::EADDRINUSE || code == errnos::EACCES;
        if !is_reason || asked.end.port == 0 {
            return Ok(None);
        }
        look(asked, &self.settings, self.proc_root).map(Some)
    }

    /// Whether connect(2) may pick the port.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.ephemeral.contains(self.address.port())
    }

    /// What `code`, which is not the port's, means here where more is known than of the code alone,
    /// and what to do about it.
    pub(super) fn refusal(
        &self,
        code: i32,
        freebind: Option<bool>,
        (blockers, hidden_processes): (&[Blocker], u64),
    ) -> (Option<&'static str>, Vec<Remedy>) {
        match code {
            errnos::EACCES => {
                let port = self.address.port();
                let first_unprivileged = unprivileged_port_start(self.proc_root);
                if first_unprivileged.is_some_and(|first| port >= first) {
                    return (Some(bind_errnos::FORBIDDEN), remedies::forbidden());
                }
                let privilege = Privilege { first_unprivileged, port };
                (None, remedies::not_permitted(privilege, blockers, hidden_processes))
            }
            errnos::EADDRNOTAVAIL => {
                let why = self.unavailable();
                (Some(why.meaning()), remedies::not_available(&why, freebind))
            }
            errnos::EINVAL if self.lacks_scope() => (None, remedies::no_scope(&self.having())),
            code => (None, remedies::other(code)),
        }
    }

    /// The interface to which bind(2) binds the socket too: that of a link-local address.
    fn interface(&self) -> Option<u32> {
        match self.address {
            SocketAddr::V6(address) => Some(address.scope_id()).filter(|index| *index != 0),
            SocketAddr::V4(_) => None,
        }
    }

    fn lacks_scope(&self) -> bool {
        let SocketAddr::V6(address) = self.address else { return false };
        address.ip().is_unicast_link_local() && address.scope_id() == 0
    }

    /// The interfaces that have the address.
    fn having(&self) -> Vec<String> {
        let all = interfaces::addresses().into_iter();
        all.filter(|(_, ip)| *ip == self.address.ip()).map(|(name, _)| name).collect()
    }

    fn unavailable(&self) -> Unavailable {
        let ip = self.address.ip().to_canonical();
        let known = if_inet6::entries(self.proc_root);
        let here = || known.iter().filter(|it| ip == it.address);
        let asked = self.target.scope();
        let is_there = |it: &&Ipv6Entry| asked.is_none_or(|scope| scope == it.interface);
        if let (Some(entry), Some(_), false) =
            (here().next(), asked, here().any(|it| is_there(&it)))
        {
            return Unavailable::OtherScope(entry.interface.clone());
        }
        if let Some(entry) = here().find(|it| it.is_duplicate) {
            return Unavailable::Duplicate(entry.interface.clone());
        }
        if let Some(entry) = here().find(|it| it.is_tentative) {
            return Unavailable::Tentative(entry.interface.clone());
        }
        let is_off = |interface| is_ipv6_disabled(self.proc_root, interface) == Some(true);
        if ip.is_ipv6() && (is_off("all") || (ip.is_loopback() && is_off("lo"))) {
            return Unavailable::Ipv6Disabled;
        }
        let all = interfaces::addresses().into_iter().map(|(_, ip)| ip);
        let same_family = all.filter(|it| it.is_ipv4() == ip.is_ipv4() && !is_link_local(*it));
        Unavailable::NotLocal(same_family.take(SUGGESTIONS).map(|ip| ip.to_string()).collect())
    }
}
