//! What things are: sockets, states, addresses, findings. No I/O, no words for people.

mod endpoint;
mod finding;
mod ports;
mod socket;
mod state;

pub use endpoint::{Address, Endpoint};
pub use finding::{Finding, Severity};
pub use ports::{BadPorts, PortRange, PortSet};
pub use socket::{Family, Protocol, Socket, Timer, TimerKind};
pub use state::{StateClass, StateSet, TcpState, UnknownState};
