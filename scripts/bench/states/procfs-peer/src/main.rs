//! Counts the sockets in TIME_WAIT as a Rust program does today: with `procfs::net::tcp()`, which reads /proc/net/tcp
//! into a vector. A contender in the benchmark of `netkit states`, and no part of netkit.

use procfs::net::{self, TcpState};

fn main() -> procfs::ProcResult<()> {
    let rows = net::tcp()?;
    let waiting = rows.iter().filter(|row| row.state == TcpState::TimeWait).count();
    println!("{waiting}");
    Ok(())
}
