//! `netkit sysctl`: what the kernel's settings are, who sets them, and what they will be after a
//! reboot.

pub mod danger;
pub mod expectation;
pub mod files;
pub mod profile;
mod profile_file;
