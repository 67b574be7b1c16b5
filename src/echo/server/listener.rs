//! The server: its sockets, its threads, from the start to the end.

use std::sync::Arc;

use socket2::Socket;
use tokio::runtime::Handle;

use super::accept;
use super::guard::{Refusal, Rules};
use super::limits::Limits;
use super::options::{Datagrams, Options};
use super::tally::{DatagramTally, Tally};
use super::udp;
use crate::bind::Target;
use crate::echo::address::{Address, Carrier};
use crate::echo::reactor;
use crate::exit::Exit;
use crate::kernel::datagrams::{UdpEnd, UnixEnd};
use crate::kernel::interfaces;
use crate::kernel::serving::{self, CannotServe};
use crate::kernel::unix_binding::UnixType;
use crate::output::{Outcome, Screen};

/// What all connections of a server share.
pub struct Shared {
    pub(super) options: Options,
    pub(super) limits: Limits,
    /// One for each thread.
    pub(super) tallies: Vec<Tally>,
    pub(super) datagrams: DatagramTally,
}

/// A socket that serves, and its address: with the port that the kernel chose.
pub struct Bound {
    pub(super) address: Address,
    pub(super) socket: Socket,
}

impl Bound {
    fn udp_port(&self) -> Option<u16> {
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
    pub(super) options: serving::ServingOptions,
}

/// An echo server that listens.
pub struct Server {
    pub(super) bound: Vec<Bound>,
    pub(super) options: Options,
}

impl Server {
    /// Listens on `addresses`; all of them or none.
    pub fn bind(addresses: &[Address], options: Options) -> Result<Self, Refused> {
        let mut bound = Vec::new();
        for address in addresses {
            let socket = serve(address, &options).map_err(|why| Refused {
                address: address.clone(),
                why,
                options: options.sockets.clone(),
            })?;
            let address = with_port(address, &socket);
            bound.push(Bound { address, socket });
        }
        Ok(Self { bound, options })
    }

    /// Where it listens, with the ports that the kernel chose.
    pub fn addresses(&self) -> Vec<&Address> {
        self.bound.iter().map(|bound| &bound.address).collect()
    }

    /// Serves in the runtime that this is called in, until `stop` is there; then what is open is cut.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let shared = Arc::new(Shared::new(self.options));
        let mut tasks = tokio::task::JoinSet::new();
        let own_ports: Vec<u16> = self.bound.iter().filter_map(|bound| bound.udp_port()).collect();
        for Bound { address, socket } in self.bound {
            let shared = Arc::clone(&shared);
            match address.carrier {
                Carrier::Udp => {
                    let end = UdpEnd::new(socket)?;
                    let rules = shared.rules(&end, &own_ports);
                    tasks.spawn(udp::serve_udp(reactor::register(end)?, rules, shared));
                }
                Carrier::UnixDgram => {
                    let end = reactor::register(UnixEnd::new(socket))?;
                    tasks.spawn(udp::serve_unix(end, shared));
                }
                Carrier::Tcp | Carrier::UnixStream | Carrier::UnixSeqpacket => {
                    let hands = vec![Handle::current()];
                    tasks.spawn(accept::accept(reactor::register(socket)?, shared, hands));
                }
            }
        }
        stop.await;
        tasks.shutdown().await;
        Ok(())
    }
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        let limits = Limits::new(options.max_connections, options.max_per_address);
        let tallies = (0..options.threads.max(1)).map(|_| Tally::default()).collect();
        Self { options, limits, tallies, datagrams: DatagramTally::default() }
    }

    /// Counts a datagram of so many bytes, and how many were sent back.
    pub(super) fn datagram(&self, length: usize, answered: Result<usize, Refusal>) {
        self.datagrams.add(length, answered);
    }

    /// The rules for a UDP socket at `local`, of a server with these ports.
    fn rules(&self, end: &UdpEnd, own_ports: &[u16]) -> Rules {
        let is_strict = match self.options.datagrams {
            Datagrams::Strict => true,
            Datagrams::All => false,
            Datagrams::ByAddress => !end.local().ip().to_canonical().is_loopback(),
        };
        Rules { own_ports: own_ports.to_vec(), is_strict, default_hops: end.default_hops() }
    }
}

fn serve(address: &Address, options: &Options) -> Result<Socket, CannotServe> {
    let sockets = &options.sockets;
    match (&address.target, address.carrier) {
        (Target::Unix(name), carrier) => {
            let kind = match carrier {
                Carrier::UnixDgram => UnixType::Dgram,
                Carrier::UnixSeqpacket => UnixType::Seqpacket,
                Carrier::UnixStream | Carrier::Tcp | Carrier::Udp => UnixType::Stream,
            };
            serving::serve_unix(name, kind, sockets)
        }
        (Target::Internet(it), carrier) => {
            let port = it.port().unwrap_or(0);
            let address = it.socket_address(port, interfaces::index);
            let address = address.ok_or(serving::NO_INTERFACE)?;
            if carrier == Carrier::Udp {
                serving::bind_udp(address, sockets)
            } else {
                serving::listen_tcp(address, sockets)
            }
        }
    }
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

impl Server {
    /// Serves until a signal ends it.
    pub fn run_to_its_end(self, _: &mut Screen<'_>) -> anyhow::Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(1024)
            .build()?;
        runtime.block_on(self.serve(async {
            drop(tokio::signal::ctrl_c().await);
        }))?;
        Ok(Outcome { exit: Exit::Fine, messages: Vec::new() })
    }
}
