//! A network namespace beside the sandbox's own: the other end of a veth pair, a router or a host.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use ipnet::IpNet;

use super::net_ns::NetNs;
use super::new_route::{self, NewRoute};
use super::sandbox::{furnish, refused, set_sysctl};
use super::{KernelError, ProcRoot};

/// The namespace; it ends when this is dropped and nobody is in it.
#[derive(Debug)]
pub struct SecondNs {
    namespace: OwnedFd,
}

impl SecondNs {
    /// The one that `namespace` is the file of.
    pub(super) fn new(namespace: OwnedFd) -> Self {
        Self { namespace }
    }

    /// Gives its interface `name` these addresses and brings it up.
    pub fn furnish(&self, name: &str, addresses: &[IpNet]) -> Result<(), KernelError> {
        self.inside(|| furnish(name, addresses))
    }

    /// Adds a route there.
    pub fn add_route(&self, to: IpNet, route: NewRoute) -> Result<(), KernelError> {
        self.inside(|| {
            new_route::add_route(to, route)
                .map_err(|errno| refused(&format!("adding the route {to} {route}"), errno, None))
        })
    }

    /// Writes `value` to the sysctl `key` there.
    pub fn set(&self, key: &str, value: &str) -> Result<(), KernelError> {
        self.inside(|| set_sysctl(key, value))
    }

    /// Calls `act` on a thread that is there.
    fn inside(
        &self,
        act: impl FnOnce() -> Result<(), KernelError> + Send,
    ) -> Result<(), KernelError> {
        let file = Path::new("/proc/self/fd").join(self.namespace.as_raw_fd().to_string());
        NetNs::Path(file).enter(ProcRoot::live().path(), act)?
    }
}

impl From<SecondNs> for OwnedFd {
    fn from(second: SecondNs) -> Self {
        second.namespace
    }
}
