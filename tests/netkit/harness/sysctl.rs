//! /proc/sys, which inside a live test is that test's own.

use std::fs;
use std::path::{Path, PathBuf};

/// The file of `key`.
pub fn file(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key.replace('.', "/"))
}

/// Sets `net.ipv4.KEY`.
#[track_caller]
pub fn set(key: &str, value: &str) {
    let file = file(&format!("net.ipv4.{key}"));
    fs::write(&file, value).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
