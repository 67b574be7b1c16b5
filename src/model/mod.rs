//! What things are: sockets, states, addresses, findings. No I/O, no words for people.

mod endpoint;
mod finding;
mod ports;
mod sides;
mod socket;
mod state;
#[cfg(test)]
pub(crate) mod test_sockets;
mod unix_name;

pub use endpoint::{Address, Endpoint};
pub use finding::{Finding, Severity};
pub use ports::{BadPorts, PortRange, PortSet};
pub use sides::{Listeners, Side, Sides};
pub use socket::{Family, Protocol, Socket, TIME_WAIT_MS, Timer, TimerKind};
pub use state::{StateClass, StateSet, TcpState, UnknownState};
pub use unix_name::UnixName;
