//! Saying that a server is there: to people, to scripts that wait for its port, to what started it.

use std::io;

use super::clash;
use super::listener::Server;
use super::options::Datagrams;
use crate::bind::Target;
use crate::catalogue::errnos;
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
        ready::can_write(fd).map_err(|error| {
            format!(
                "--ready-fd {fd}: cannot be written to: {}\nhint: whoever starts the server has to \
                 open it for writing, as in `netkit echo server --ready-fd 3 3>ready`",
                said(&error)
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

    /// Whether standard output has the statistics of the end, or why an address could not be had: with
    /// --print-address, which is to have the addresses alone there, only if a format was asked for.
    pub fn has_answer(&self, format: Format) -> bool {
        !self.print_address || format != Format::Table
    }

    /// Tells whoever started this process. A warning for each who could not be told: the server serves all
    /// the same, but whoever waits for the news waits in vain.
    pub fn tell_others(&self, addresses: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(fd) = self.ready_fd
            && let Err(error) = ready::write_and_close(fd, &lines(addresses))
        {
            let why = said(&error);
            warnings.push(format!("--ready-fd {fd} could not be told where it serves: {why}"));
        }
        let shown: Vec<_> = addresses.iter().map(|address| sanitize(address)).collect();
        // One line each: what follows a newline would be another message to the manager.
        let state = format!("READY=1\nSTATUS=serving on {}", shown.join(", "));
        if let Err(error) = ready::notify(&state) {
            let why = said(&error);
            warnings.push(format!("the service manager at NOTIFY_SOCKET was not told: {why}"));
        }
        warnings
    }
}

/// `EBADF (Bad file descriptor)`.
fn said(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::WouldBlock {
        let seconds = ready::PATIENCE.as_secs();
        return format!("EAGAIN (it is full, and nobody has read from it for {seconds} s)");
    }
    let known =
        error.raw_os_error().map(|code| format!("{} ({})", errnos::name(code), errnos::text(code)));
    known.unwrap_or_else(|| error.to_string())
}

/// An address a line, for programs. The name of a Unix socket may hold anything: what would be taken for
/// an end of the line, or would move a cursor, is written by its number, and a backslash twice, so that
/// no two names are written alike.
fn lines(addresses: &[String]) -> String {
    let line = |address: &String| sanitize(&address.replace('\\', r"\\")) + "\n";
    addresses.iter().map(line).collect()
}

/// Warnings about the addresses: UDP that answers anybody or can be reached from elsewhere, and `[::]` that
/// goes without IPv4; and what the kernel did not give in full.
pub fn warnings(server: &Server) -> Vec<String> {
    let addresses = server.addresses().filter(|it| it.carrier == Carrier::Udp);
    let warning = |address: &Address| match (server.options.datagrams, is_on_loopback(address)) {
        (Datagrams::All, false) => Some(format!(
            "{address} answers any datagram, whatever source address it claims: it can be made to \
             send to others, and to talk to another echo server without end"
        )),
        (Datagrams::All, true) => Some(format!(
            "{address} answers any datagram, whatever source port it claims: a program of this \
             machine can make it send to another"
        )),
        (Datagrams::ByAddress | Datagrams::Strict, false) => Some(format!(
            "{address} answers netkit's own datagrams alone, since it is not on loopback; \
             --rfc862 answers all"
        )),
        (Datagrams::ByAddress | Datagrams::Strict, true) => None,
    };
    let alone = server.addresses().filter_map(|it| without_ipv4(it, server));
    let has_lines = server.addresses().any(|it| it.carrier.is_connected());
    let mute = (server.options.log.is_some() && !has_lines)
        .then(|| "--log has a line for each connection, and datagrams have none".to_owned());
    addresses
        .filter_map(warning)
        .chain(alone)
        .chain(mute)
        .chain(server.capped.iter().cloned())
        .collect()
}

/// What is said of `address` if it is `[::]` and takes IPv6 alone, since another one has been given for
/// IPv4 which is not all of that.
fn without_ipv4(address: &Address, server: &Server) -> Option<String> {
    let all: Vec<Address> = server.addresses().cloned().collect();
    let other = clash::takes_ipv4_instead(address, &all)?;
    let is_all =
        matches!(&other.target, Target::Internet(it) if it.ip().to_canonical().is_unspecified());
    (!is_all).then(|| {
        format!("{address} takes IPv6 alone, since {other} is served too: of IPv4, only that is")
    })
}

/// Whether nobody else can reach it.
fn is_on_loopback(address: &Address) -> bool {
    matches!(&address.target, Target::Internet(it) if it.ip().to_canonical().is_loopback())
}
