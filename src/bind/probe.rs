//! The questions put to bind(2), in an order that leaves the port as it was.
//!
//! The kernel notes at a port's bind bucket which options its sockets have in common
//! (`inet_csk_update_fastreuse`), and takes a new socket that matches without a look at the others.
//! A probe that is accepted beside another socket changes the note: one without `SO_REUSEPORT`
//! clears it, one with both options beside a socket without `SO_REUSEPORT` sets it, so that every
//! later `SO_REUSEPORT` bind succeeds (measured on Linux 6.18). So `SO_REUSEPORT` is asked for
//! before `SO_REUSEADDR`, both together only where neither will do alone, and what a probe changed
//! is changed back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::catalogue::errnos;
use crate::kernel::KernelError;
use crate::kernel::binding::{Stage, TcpOptions, Trial, try_tcp};

/// How many ports after the one asked for are tried as another.
const OTHER_PORTS: usize = 10;
/// Addresses that are on every machine and that hardly anybody binds.
const QUIET: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(127, 84, 119, 107)), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// One combination of options and what the kernel said to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionTrial {
    /// `SO_REUSEADDR`.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// The answer.
    pub trial: Trial,
    /// Whether it was asked, and does not follow from another answer.
    pub verified: bool,
}

/// The answers for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trials {
    /// None, `SO_REUSEADDR`, `SO_REUSEPORT`, both.
    pub options: [OptionTrial; 4],
    /// What listen(2) said, where it was tried.
    pub listened: Option<Trial>,
    /// What [::] says at the same port, where all of IPv4 can be bound.
    pub dual_stack_code: Option<i32>,
    /// What else was tried, where a plain bind is refused.
    pub extra: Extra,
}

/// What might be bound instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// The next port at the same address that can be bound.
    pub another_port: Option<u16>,
    /// Another loopback address with the same port, and whether it can be bound.
    pub another_address: Option<(SocketAddr, bool)>,
    /// Whether `IPV6_V6ONLY` makes the difference.
    pub v6only: Option<bool>,
    /// Whether `IP_FREEBIND` makes the difference.
    pub freebind: Option<bool>,
}

impl Trials {
    /// The answer of bind(2) to the combination.
    pub fn of(&self, reuse_addr: bool, reuse_port: bool) -> Trial {
        combination(&self.options, reuse_addr, reuse_port)
    }
}

fn combination(options: &[OptionTrial; 4], reuse_addr: bool, reuse_port: bool) -> Trial {
    let [none, addr, port, both] = options.map(|option| option.trial);
    match (reuse_addr, reuse_port) {
        (false, false) => none,
        (true, false) => addr,
        (false, true) => port,
        (true, true) => both,
    }
}

/// Asks for `address` with every combination of options, with those of `judged` for listen(2) if
/// they say so, and for what might be bound instead.
pub fn try_all(address: SocketAddr, judged: TcpOptions) -> Result<Trials, KernelError> {
    let ask = |reuse_addr, reuse_port| ask_at(address, judged, reuse_addr, reuse_port);
    let none = ask(false, false)?;
    if none.code != errnos::EADDRINUSE {
        // Accepted, options change nothing; refused before the port was looked at, neither.
        let options = combinations([(none, true), (none, false), (none, false), (none, false)]);
        let listened = try_listen(address, judged, none)?;
        let extra = Extra { freebind: try_freebind(address, none)?, ..Extra::default() };
        let dual_stack_code = try_dual_stack(address, none)?;
        return Ok(Trials { options, listened, dual_stack_code, extra });
    }
    let (bucket, port) = Note::of(address, judged)?;
    let addr = ask(true, false)?;
    let both = match (addr.is_accepted(), port.is_accepted()) {
        (true, _) => (addr, false),
        (_, true) => (port, false),
        (false, false) => {
            let both = ask(true, true)?;
            if both.is_accepted() {
                forget_both(address)?;
            }
            (both, true)
        }
    };
    let options = combinations([(none, true), (addr, true), (port, true), both]);
    let bound = combination(&options, judged.reuse_addr, judged.reuse_port);
    let listened = try_listen(address, judged, bound)?;
    let extra = alternatives(address, judged.v6only, none)?;
    bucket.restore()?;
    Ok(Trials { options, listened, dual_stack_code: None, extra })
}

fn ask_at(
    address: SocketAddr,
    judged: TcpOptions,
    reuse_addr: bool,
    reuse_port: bool,
) -> Result<Trial, KernelError> {
    try_tcp(address, TcpOptions { reuse_addr, reuse_port, listen: false, ..judged })
}

/// Where the port is open to `SO_REUSEPORT`, of the addresses that netkit asks about: whoever bound
/// with both options may have opened it, and the probes close it.
struct Note {
    open: Vec<SocketAddr>,
    judged: TcpOptions,
}

impl Note {
    /// Asks for `SO_REUSEPORT` alone, at all addresses of the family first, so that it is the widest
    /// that is opened again; and gives the answer at `address`.
    fn of(address: SocketAddr, judged: TcpOptions) -> Result<(Self, Trial), KernelError> {
        let any = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut open = Vec::new();
        let mut ask = |place| {
            let trial = ask_at(place, judged, false, true)?;
            open.extend(trial.is_accepted().then_some(place));
            Ok::<Trial, KernelError>(trial)
        };
        if address.ip() != any {
            ask(SocketAddr::new(any, address.port()))?;
        }
        let trial = ask(address)?;
        Ok((Self { open, judged }, trial))
    }

    /// Opens again what was open and is not any more.
    fn restore(&self) -> Result<(), KernelError> {
        for place in &self.open {
            if !ask_at(*place, self.judged, false, true)?.is_accepted() {
                ask_at(*place, self.judged, true, true)?;
            }
        }
        Ok(())
    }
}

fn combinations(answers: [(Trial, bool); 4]) -> [OptionTrial; 4] {
    let [none, addr, port, both] = answers;
    let option = |(trial, verified), reuse_addr, reuse_port| OptionTrial {
        reuse_addr,
        reuse_port,
        trial,
        verified,
    };
    [
        option(none, false, false),
        option(addr, true, false),
        option(port, false, true),
        option(both, true, true),
    ]
}

/// Takes back what an accepted bind with both options left at the bucket: an accepted one without
/// `SO_REUSEPORT` clears it, at an address where nothing is in its way.
fn forget_both(address: SocketAddr) -> Result<(), KernelError> {
    let reuse_addr = TcpOptions { reuse_addr: true, ..TcpOptions::default() };
    for quiet in QUIET {
        let quiet = SocketAddr::new(quiet, address.port());
        if try_tcp(quiet, TcpOptions::default())?.is_accepted()
            || try_tcp(quiet, reuse_addr)?.is_accepted()
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Of all IPv4 addresses, what those of IPv6 say: many servers bind [::] where people write `:8080`.
fn try_dual_stack(address: SocketAddr, none: Trial) -> Result<Option<i32>, KernelError> {
    let is_any = address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && address.port() != 0;
    if !is_any || !none.is_accepted() {
        return Ok(None);
    }
    let dual = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port());
    try_tcp(dual, TcpOptions::default()).map(|trial| Some(trial.code))
}

fn try_freebind(address: SocketAddr, none: Trial) -> Result<Option<bool>, KernelError> {
    if none.code != errnos::EADDRNOTAVAIL {
        return Ok(None);
    }
    let freebind = TcpOptions { freebind: true, ..TcpOptions::default() };
    Ok(Some(try_tcp(address, freebind)?.is_accepted()))
}

fn alternatives(address: SocketAddr, v6only: bool, none: Trial) -> Result<Extra, KernelError> {
    let is_dual = address.ip().is_ipv6() && address.ip().is_unspecified() && !none.v6only;
    let with_v6only = TcpOptions { v6only: true, ..TcpOptions::default() };
    let same = TcpOptions { v6only, ..TcpOptions::default() };
    Ok(Extra {
        another_port: next_port(address, |other| Ok(try_tcp(other, same)?.is_accepted()))?,
        another_address: match another_loopback(address) {
            Some(other) => Some((other, try_tcp(other, TcpOptions::default())?.is_accepted())),
            None => None,
        },
        v6only: if is_dual { Some(try_tcp(address, with_v6only)?.is_accepted()) } else { None },
        freebind: None,
    })
}

/// The next port that `is_free`; it is given the address with another port.
pub fn next_port(
    address: SocketAddr,
    is_free: impl Fn(SocketAddr) -> Result<bool, KernelError>,
) -> Result<Option<u16>, KernelError> {
    let Some(first) = address.port().checked_add(1) else { return Ok(None) };
    for port in (first..=u16::MAX).take(OTHER_PORTS) {
        let mut other = address;
        other.set_port(port);
        if is_free(other)? {
            return Ok(Some(port));
        }
    }
    Ok(None)
}

/// Of an IPv4 loopback address, or all of them, one that is another.
fn another_loopback(address: SocketAddr) -> Option<SocketAddr> {
    let IpAddr::V4(ip) = address.ip() else { return None };
    let two = Ipv4Addr::new(127, 0, 0, 2);
    let other = if ip == two { Ipv4Addr::new(127, 0, 0, 3) } else { two };
    let is_fit = ip.is_loopback() || ip.is_unspecified();
    is_fit.then(|| SocketAddr::new(other.into(), address.port()))
}

/// Asks whether listen(2) would succeed with these options: not with `SO_REUSEPORT`, and only where
/// the bind did.
fn try_listen(
    address: SocketAddr,
    options: TcpOptions,
    bound: Trial,
) -> Result<Option<Trial>, KernelError> {
    if !options.listen || options.reuse_port || bound.stage != Stage::Bind || !bound.is_accepted() {
        return Ok(None);
    }
    try_tcp(address, options).map(Some)
}
