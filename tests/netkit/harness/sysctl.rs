//! /proc/sys, which inside a live test is that test's own.

use std::fs;
use std::path::{Path, PathBuf};

/// The file of `key`. A dot within an interface's name cannot be told from one between names.
pub fn file(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key.replace('.', "/"))
}

/// Sets `net.ipv4.KEY`.
#[track_caller]
pub fn set(key: &str, value: &str) {
    write(&format!("net.ipv4.{key}"), value);
}

/// Sets a sysctl by its whole name.
#[track_caller]
pub fn write(key: &str, value: &str) {
    let file = file(key);
    fs::write(&file, value).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
