//! The program `netkit`: streams in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    netkit::run(std::env::args_os(), &mut netkit::Streams::standard()).into()
}
