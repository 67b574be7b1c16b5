//! What the tests are made with: the program run, namespaces, sockets in every state, captures,
//! files that set sysctls.

pub mod binding;
pub mod boot;
pub mod capture;
pub mod command;
pub mod conditions;
pub mod connecting;
pub mod echoing;
pub mod judgement;
pub mod live;
pub mod loading;
pub mod needs;
pub mod nobody;
pub mod other;
pub mod schema;
pub mod seccomp;
pub mod sockets;
pub mod ss;
pub mod sysctl;
pub mod terminal;
pub mod verdict;
pub mod waiting;
pub mod zoo;

pub use capture::Capture;
pub use command::{Answer, Netkit, netkit};
pub use live::live;
pub use needs::Need;
pub use nobody::Nobody;
pub use other::{Other, within};
pub use schema::Schema;
pub use waiting::eventually;
