//! `netkit sysctl`: what the kernel's settings are, who sets them, and what they will be after a
//! reboot.

pub mod apply;
mod apply_report;
pub mod danger;
mod deed;
mod drop_in;
pub mod expectation;
mod failure;
pub mod files;
mod judge;
mod outranked;
pub mod profile;
mod profile_file;
mod saved;
pub mod undo;
