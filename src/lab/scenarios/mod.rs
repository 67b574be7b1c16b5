//! The scenarios, a file each: how its condition is made, and what netkit has to say of it.

pub mod address_in_use_bound;
pub mod address_in_use_dual_stack;
pub mod address_in_use_listener;
pub mod address_in_use_outgoing;
pub mod address_in_use_time_wait;
pub mod address_in_use_unix_stale;
pub mod buckets_overflow;
pub mod close_wait_leak;
pub mod fin_wait2;
mod loopback;
pub mod ports_exhausted;
mod server;
pub mod syn_backlog;
pub mod time_wait_pileup;
pub mod time_wait_server;
