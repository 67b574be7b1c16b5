//! The scenarios, a file each: how its condition is made, and what netkit has to say of it.

pub mod buckets_overflow;
pub mod close_wait_leak;
pub mod fin_wait2;
mod loopback;
pub mod ports_exhausted;
pub mod syn_backlog;
pub mod time_wait_pileup;
pub mod time_wait_server;
