//! A server at work: in a runtime that is there already, as a test of this machine has one, or in those
//! of `netkit echo server`.

use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::accept;
use super::guard::Rules;
use super::listener::{Bound, Server};
use super::log::Log;
use super::options::Datagrams;
use super::shared::{Local, Shared};
use super::udp;
use crate::echo::address::Carrier;
use crate::echo::reactor;
use crate::kernel::datagrams::{UdpEnd, UnixEnd};
use crate::kernel::own_file::OwnFile;

/// A server that serves, until this is dropped: then it takes nothing more. Connections that it has
/// taken end with their clients, or with the runtime.
pub struct Running {
    pub(super) shared: Arc<Shared>,
    /// Before the sockets, which the tasks have, so that they go first.
    files: Vec<OwnFile>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Serves in the runtime that this is called in.
    pub fn start(self) -> io::Result<Running> {
        self.start_with(&[Handle::current()], None)
    }

    /// Takes what comes in the runtime that this is called in, and has connections served by `hands`.
    pub(super) fn start_with(self, hands: &[Handle], log: Option<Log>) -> io::Result<Running> {
        let own_ports: Vec<u16> = self.bound.iter().filter_map(Bound::udp_port).collect();
        let mut running = Running {
            shared: Arc::new(Shared::new(self.options, log)),
            files: Vec::new(),
            tasks: JoinSet::new(),
        };
        for Bound { address, file, socket } in self.bound {
            running.files.extend(file);
            let shared = Arc::clone(&running.shared);
            match address.carrier {
                Carrier::Udp => {
                    let end = UdpEnd::new(socket)?;
                    let rules = rules(&shared, &end, &own_ports);
                    let end = Arc::new(end);
                    running.tasks.spawn(udp::serve_udp(
                        reactor::register_for_reading(end)?,
                        rules,
                        shared,
                    ));
                }
                Carrier::UnixDgram => {
                    let end = reactor::register_for_reading(Arc::new(UnixEnd::new(socket)?))?;
                    running.tasks.spawn(udp::serve_unix(end, shared));
                }
                Carrier::Tcp | Carrier::UnixStream | Carrier::UnixSeqpacket => {
                    let listener = reactor::register_for_reading(socket)?;
                    let local = Local {
                        name: address.to_string().into(),
                        keeps_messages: address.carrier.keeps_messages(),
                    };
                    running.tasks.spawn(accept::accept(listener, local, shared, hands.to_vec()));
                }
            }
        }
        Ok(running)
    }
}

impl Running {
    /// Takes nothing more, and removes the files of Unix sockets, before the sockets are closed: whoever
    /// finds a file finds a server.
    pub async fn stop_taking(&mut self) {
        self.files.clear();
        self.tasks.shutdown().await;
    }

    /// Waits until the last connection has ended, and the last reply that waits for its time was sent.
    pub async fn all_end(&self) {
        self.shared.limits.until(|| self.shared.limits.are_all_done()).await;
    }
}

/// The rules for `end`, of a server with these ports.
fn rules(shared: &Shared, end: &UdpEnd, own_ports: &[u16]) -> Rules {
    let is_strict = match shared.options.datagrams {
        Datagrams::Strict => true,
        Datagrams::All => false,
        Datagrams::ByAddress => !end.local().ip().to_canonical().is_loopback(),
    };
    Rules { own_ports: own_ports.to_vec(), is_strict, default_hops: end.default_hops() }
}
