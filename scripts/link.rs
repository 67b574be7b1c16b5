//! How the program is linked, as Cargo's build script: for a start as short as a short-lived program
//! needs. A library that is loaded, and a word that the loader has to correct, is a page fault or
//! several, and a health check is started thousands of times.

#![expect(clippy::print_stdout, reason = "a build script speaks to Cargo that way")]

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=scripts/link.rs");
    let is = |key, value| var(key).is_ok_and(|it| it == value);
    let is_native = var("HOST") == var("TARGET");
    if is_native && is("PROFILE", "release") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        unwind_without_a_shared_library();
        // No address of the image is corrected when it is loaded: with -pie that is done to each of
        // some forty pages of tables, whether they are used or not.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

/// The unwinder from libgcc's archive, if the compiler has it, before Rust's own `-lgcc_s` is looked
/// at, which then is not needed: measured, a tenth of the time of `netkit --version`.
fn unwind_without_a_shared_library() {
    const ARCHIVE: &str = "libgcc_eh.a";
    let compiler = var("CC").unwrap_or_else(|_| "cc".to_owned());
    let Ok(answer) = Command::new(compiler).arg(format!("-print-file-name={ARCHIVE}")).output()
    else {
        return;
    };
    let path = String::from_utf8_lossy(&answer.stdout);
    // What it does not have it gives back as it was asked.
    if let Some(directory) = Path::new(path.trim()).parent().filter(|it| it.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
