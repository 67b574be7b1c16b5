//! The sockets of a server, before it serves: all that were asked for, or none.

use std::path::Path;

use socket2::Socket;

use super::options::Options;
use super::{caps, clash};
use crate::bind::{self, Target};
use crate::echo::address::{Address, Carrier};
use crate::kernel::own_file::OwnFile;
use crate::kernel::serving::{self, CannotServe, ServingOptions};
use crate::kernel::unix_binding::{self, UnixType};
use crate::kernel::{Errno, ProcRoot, interfaces};
use crate::model::UnixName;

/// A socket that serves, and its address: with the port that the kernel chose.
pub struct Bound {
    pub(super) address: Address,
    /// The file that it has made. Before the socket, so that it goes first: whoever finds a file finds
    /// a server.
    pub(super) file: Option<OwnFile>,
    pub(super) socket: Socket,
}

impl Bound {
    /// `socket`, which was bound to `address` just now.
    fn new(address: &Address, socket: Socket) -> Self {
        let file = match &address.target {
            Target::Unix(UnixName::Path(path)) => Some(OwnFile::at(path)),
            Target::Unix(UnixName::Abstract(_)) | Target::Internet(_) => None,
        };
        Self { address: with_port(address, &socket), file, socket }
    }

    /// Its port, if it is a UDP socket.
    pub(super) fn udp_port(&self) -> Option<u16> {
        match &self.address.target {
            Target::Internet(it) if self.address.carrier == Carrier::Udp => it.port(),
            Target::Internet(_) | Target::Unix(_) => None,
        }
    }
}

/// An address that could not be had.
#[derive(Debug)]
pub struct Refused {
    /// The address.
    pub address: Address,
    /// What the kernel said.
    pub why: CannotServe,
    /// What its socket was to have.
    pub(super) options: ServingOptions,
    /// The other addresses, if they were in its way: without them it can be had.
    pub(super) by_own: Vec<Address>,
}

impl Refused {
    /// Closes the `others`, which the server has already, and tries once more, to see whether they were in
    /// the way: that two names are of one file, or of one interface, cannot be seen before.
    fn beside(mut self, others: Vec<Bound>, proc_root: &ProcRoot) -> Self {
        let is_one = |other: &Bound| match (&other.address.target, &self.address.target) {
            (Target::Internet(it), Target::Internet(own)) => {
                other.address.carrier == self.address.carrier && it.port() == own.port()
            }
            (Target::Unix(UnixName::Path(_)), Target::Unix(UnixName::Path(_))) => true,
            _ => false,
        };
        let like_it = others.iter().filter(|it| is_one(it)).map(|it| it.address.clone());
        let like_it: Vec<Address> = like_it.collect();
        drop(others);
        let is_in_use = self.why.errno == Errno::EADDRINUSE && !like_it.is_empty();
        if is_in_use && let Ok(socket) = serve(&self.address, &self.options, proc_root) {
            drop(Bound::new(&self.address, socket));
            self.by_own = like_it;
        }
        self
    }
}

/// An echo server that listens.
pub struct Server {
    pub(super) bound: Vec<Bound>,
    pub(super) options: Options,
    /// What the kernel did not give in full.
    pub(super) capped: Vec<String>,
}

impl Server {
    /// Listens on `addresses`; all of them or none. The file of a Unix socket that nobody has open any
    /// more is replaced, as far as `proc_root` shows who has one.
    pub fn bind(
        addresses: &[Address],
        options: Options,
        proc_root: &ProcRoot,
    ) -> Result<Self, Box<Refused>> {
        let mut server = Self { bound: Vec::new(), options, capped: Vec::new() };
        for address in addresses {
            let mut sockets = server.options.sockets.clone();
            sockets.v6only |= clash::takes_ipv4_instead(address, addresses).is_some();
            match serve(address, &sockets, proc_root) {
                Ok(socket) => {
                    let bound = Bound::new(address, socket);
                    tracing::info!(address = %bound.address, "listening");
                    server.bound.push(bound);
                }
                Err(why) => {
                    let others = std::mem::take(&mut server.bound);
                    let refused = Refused {
                        address: address.clone(),
                        why,
                        options: sockets,
                        by_own: Vec::new(),
                    };
                    return Err(Box::new(refused.beside(others, proc_root)));
                }
            }
        }
        server.capped = caps::warnings(&server.bound, &server.options, proc_root);
        Ok(server)
    }

    /// Where it listens, with the ports that the kernel chose.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.bound.iter().map(|bound| &bound.address)
    }
}

fn serve(
    address: &Address,
    options: &ServingOptions,
    proc_root: &ProcRoot,
) -> Result<Socket, CannotServe> {
    match (&address.target, address.carrier) {
        (Target::Unix(name), carrier) => {
            let kind = match carrier {
                Carrier::UnixDgram => UnixType::Dgram,
                Carrier::UnixSeqpacket => UnixType::Seqpacket,
                Carrier::UnixStream | Carrier::Tcp | Carrier::Udp => UnixType::Stream,
            };
            let refused = match (serving::serve_unix(name, kind, options), name) {
                (Err(why), UnixName::Path(path)) if why.errno == Errno::EADDRINUSE => (why, path),
                (result, _) => return result,
            };
            if replace_stale(name, refused.1, kind, proc_root) {
                serving::serve_unix(name, kind, options)
            } else {
                Err(refused.0)
            }
        }
        (Target::Internet(it), carrier) => {
            let address = it.socket_address(it.port().unwrap_or(0), interfaces::index);
            let address = address.ok_or(serving::NO_INTERFACE)?;
            if carrier == Carrier::Udp {
                serving::bind_udp(address, options)
            } else {
                serving::listen_tcp(address, options)
            }
        }
    }
}

/// Removes the file of `name` if nobody has it open any more; says whether it did. When in doubt, it
/// stays.
fn replace_stale(name: &UnixName, path: &Path, kind: UnixType, proc_root: &ProcRoot) -> bool {
    let before = unix_binding::file_kind(path);
    let is_stale = bind::is_stale(name, kind, proc_root).unwrap_or(false);
    is_stale && unix_binding::remove_socket(path, before).is_ok()
}

fn with_port(address: &Address, socket: &Socket) -> Address {
    let port = socket.local_addr().ok().and_then(|it| it.as_socket()).map(|it| it.port());
    match (&address.target, port) {
        (Target::Internet(it), Some(port)) => {
            Address { target: Target::Internet(it.clone().with_port(port)), ..address.clone() }
        }
        _ => address.clone(),
    }
}
