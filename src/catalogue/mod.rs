//! What is known: tables, each entry with its source. Commands judge by them and print from them.

pub mod bind_errnos;
pub mod counters;
pub mod errnos;
pub mod findings;
pub mod guides;
pub mod layers;
pub mod sockets;
pub mod states;
pub mod sysctls;
pub mod time_wait;
