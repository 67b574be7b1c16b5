//! What is known: tables, each entry with its source. Commands judge by them and print from them.

pub mod bind_errnos;
pub mod connect_errnos;
pub mod counters;
pub mod eai;
pub mod errnos;
pub mod findings;
pub mod guides;
pub mod icmp;
pub mod layers;
pub mod sockets;
pub mod states;
pub mod sysctls;
pub mod time_wait;
