//! Saying that a server is there: to people, to scripts that wait for its port, to what started it.

use std::io;

use anyhow::Context as _;

use super::listener::Server;
use super::options::Datagrams;
use crate::bind::Target;
use crate::echo::address::{Address, Carrier};
use crate::kernel::ready;
use crate::output::{Format, sanitize};

/// Who is to be told, and how.
#[derive(Clone, Debug, Default)]
pub struct Announcement {
    /// Print the addresses alone, one a line, before anything else.
    pub print_address: bool,
    /// The descriptor that the addresses are written to.
    pub ready_fd: Option<i32>,
    /// Whether a live line is shown on the terminal.
    pub has_status: bool,
}

impl Announcement {
    /// Whether the descriptor can be written to; found out before anything is bound.
    pub fn check(&self) -> Result<(), String> {
        let Some(fd) = self.ready_fd else { return Ok(()) };
        ready::can_write(fd).map_err(|error: io::Error| {
            format!(
                "--ready-fd {fd}: cannot be written to: {error}\nhint: open it for the server, as in \
                 `netkit echo server --ready-fd 3 3>ready`, as a file or a pipe"
            )
        })
    }

    /// What is written to standard output at the start.
    pub fn text(&self, addresses: &[String], format: Format) -> Option<String> {
        if self.print_address {
            return Some(lines(addresses));
        }
        (format == Format::Table).then(|| {
            let shown: Vec<_> = addresses.iter().map(|address| sanitize(address)).collect();
            format!("Serving on {}\n", shown.join(", "))
        })
    }

    /// Tells whoever started this process.
    pub fn tell_others(&self, addresses: &[String]) -> anyhow::Result<()> {
        if let Some(fd) = self.ready_fd {
            ready::write_and_close(fd, &lines(addresses))
                .with_context(|| format!("cannot write to --ready-fd {fd}"))?;
        }
        let state = format!("READY=1\nSTATUS=serving on {}", addresses.join(", "));
        if let Err(error) = ready::notify(&state) {
            tracing::warn!(%error, "the service manager at NOTIFY_SOCKET was not told");
        }
        Ok(())
    }
}

/// An address a line.
fn lines(addresses: &[String]) -> String {
    addresses.iter().fold(String::new(), |text, address| text + address + "\n")
}

/// What has to be known about a server that is reached from elsewhere by UDP.
pub fn warnings(server: &Server) -> Vec<String> {
    let addresses = server.addresses().filter(|it| is_open_udp(it));
    let warning = |address: &Address| match server.options.datagrams {
        Datagrams::All => format!(
            "{address} answers any datagram, whoever's source address it has: it can be made to \
             send to others, and to talk to another echo server without end"
        ),
        Datagrams::ByAddress | Datagrams::Strict => format!(
            "{address} answers netkit's own datagrams alone, since it is not on loopback; \
             --rfc862 answers all"
        ),
    };
    addresses.map(warning).collect()
}

/// Whether it is UDP and not on loopback.
fn is_open_udp(address: &Address) -> bool {
    match &address.target {
        Target::Internet(it) => {
            address.carrier == Carrier::Udp && !it.ip().to_canonical().is_loopback()
        }
        Target::Unix(_) => false,
    }
}
