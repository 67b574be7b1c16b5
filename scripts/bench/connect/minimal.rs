//! The least that a Rust program can do to say whether a port is open: the limit for `netkit connect`.

use std::net::TcpStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    let target = std::env::args().nth(1).unwrap_or_default();
    match TcpStream::connect(&target) {
        Ok(_) => {
            println!("{target} open");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{target} {error}");
            ExitCode::FAILURE
        }
    }
}
