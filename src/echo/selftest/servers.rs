//! The servers of the self-test: netkit's own, one for each path, in a thread of theirs.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::directories;
use super::happened::Failed;
use super::paths::{Path, Place};
use crate::bind::Target;
use crate::echo::address::{Address, Carrier};
use crate::echo::client::target::{End, Peer};
use crate::echo::server::{Options, Server};
use crate::kernel::scratch_directory::{OfNoUse, ScratchDirectory, VARIABLE};
use crate::kernel::{ProcRoot, clock};
use crate::model::UnixName;

/// The servers.
pub struct Servers {
    /// How to get to each, in the order of the paths; or why it is not there.
    peers: Vec<Result<Peer, Failed>>,
    bound: Vec<Server>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// Where the files are.
    directory: Option<ScratchDirectory>,
    /// Where they could not be.
    of_no_use: Vec<OfNoUse>,
}

impl Servers {
    /// Binds one for each of `paths`; that some fail is an answer.
    pub fn new(paths: &[Path], proc_root: &ProcRoot) -> Self {
        let number = clock::distinct();
        let (directory, of_no_use) = ScratchDirectory::new(number, std::env::var_os(VARIABLE));
        let mut servers =
            Self { peers: Vec::new(), bound: Vec::new(), thread: None, directory, of_no_use };
        for (index, path) in paths.iter().enumerate() {
            let peer = match servers.target(path, number, index) {
                Some(target) => servers.bind(path, target, proc_root),
                None => Err(Failed::NoDirectory(servers.of_no_use.clone())),
            };
            servers.peers.push(peer);
        }
        servers
    }

    /// What has to be known about where they are.
    pub fn notes(&self) -> Vec<String> {
        let used = self.directory.as_ref().map(ScratchDirectory::place);
        used.map(|used| directories::notes(&self.of_no_use, used)).unwrap_or_default()
    }

    fn target(&mut self, path: &Path, number: u64, index: usize) -> Option<Target> {
        Some(match path.place {
            Place::Internet(_) => {
                let text = format!("{}:0", path.where_to());
                Address::parse(&text, Carrier::Tcp).ok()?.target
            }
            Place::File => {
                Target::Unix(UnixName::Path(self.directory.as_mut()?.file(&index.to_string())))
            }
            Place::Abstract => {
                let name = format!("netkit-{number:x}-{index}");
                Target::Unix(UnixName::Abstract(name.into_bytes()))
            }
        })
    }

    fn bind(&mut self, path: &Path, target: Target, proc_root: &ProcRoot) -> Result<Peer, Failed> {
        let address = Address { carrier: path.carrier, target };
        let server = Server::bind(&[address], Options::default(), proc_root);
        let server = server.map_err(|refused| Failed::Serving {
            call: refused.why.stage.name(),
            code: std::io::Error::from(refused.why.errno).raw_os_error().unwrap_or(0),
        })?;
        let end = server.addresses().next().and_then(|it| end(path, &it.target));
        self.bound.push(server);
        end.map(|end| Peer { carrier: path.carrier, end })
            .ok_or(Failed::Serving { call: "getsockname", code: 0 })
    }

    /// Lets them serve, in a thread that this one's network namespace is also that of.
    pub fn start(&mut self) -> std::io::Result<()> {
        let (stop, stopped) = oneshot::channel();
        let bound = std::mem::take(&mut self.bound);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("servers".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let running: Vec<_> = bound.into_iter().map(Server::start).collect();
                // The one who waits is gone: all the same.
                drop(stopped.await);
                drop(running);
            });
        })?;
        self.thread = Some((stop, thread));
        Ok(())
    }

    /// How to get to each.
    pub fn peers(&self) -> &[Result<Peer, Failed>] {
        &self.peers
    }

    /// Ends them, and waits for that.
    pub fn stop(mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            // A thread that has ended already needs no telling.
            stop.send(()).unwrap_or_default();
            drop(thread.join());
        }
    }
}

fn end(path: &Path, target: &Target) -> Option<End> {
    match (path.place, target) {
        (Place::Internet(ip), Target::Internet(bound)) => {
            Some(End::Internet(SocketAddr::new(ip, bound.port()?)))
        }
        (_, Target::Unix(name)) => Some(End::Unix(name.clone())),
        (Place::File | Place::Abstract, Target::Internet(_)) => None,
    }
}
