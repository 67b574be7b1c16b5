//! What things are: sockets, states, addresses, findings. No I/O, no words for people.

mod endpoint;
mod fastopen_keys;
mod finding;
mod host_port;
mod kernel_release;
mod ports;
mod sides;
mod socket;
mod state;
mod sysctl_key;
mod sysctl_kind;
mod sysctl_number;
mod sysctl_ports;
mod sysctl_value;
#[cfg(test)]
pub(crate) mod test_sockets;
mod unix_name;

pub use endpoint::{Address, Endpoint};
pub use finding::{Finding, Severity};
pub use host_port::{BadIp, HostPort, ScopedIp};
pub use kernel_release::{KernelRelease, TargetKernel};
pub use ports::{BadPorts, PortRange, PortSet};
pub use sides::{Listeners, Side, Sides};
pub use socket::{Family, Protocol, Socket, TIME_WAIT_MS, Timer, TimerKind};
pub use state::{StateClass, StateSet, TcpState, UnknownState};
pub use sysctl_key::{BadKey, KeyPattern, SysctlKey};
pub use sysctl_kind::SysctlKind;
pub use sysctl_value::{BadValue, Parsed, SysctlValue, numbers};
pub use unix_name::UnixName;
