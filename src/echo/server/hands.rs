//! The threads of a server: this one, which takes connections and serves its share, and others.
//!
//! Each has a runtime of its own, so that a connection never moves between threads, and none waits for
//! another's lock. One thread is the default: with a lock or a wake-up in between, two serve a thousand
//! connections hardly faster than one.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// Tasks that run before epoll(7) is asked again. tokio's 61 cost a thousand busy connections a tenth
/// of their rate; what is in the queue is one read and one write each.
const EVENTS: u32 = 1024;

/// The threads.
pub struct Hands {
    runtime: Runtime,
    others: Vec<Other>,
}

struct Other {
    handle: Handle,
    /// Ends the thread when it is dropped.
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Hands {
    /// So many threads, this one included.
    pub fn new(threads: usize) -> io::Result<Self> {
        let others = (1..threads).map(|_| Other::start()).collect::<Result<_, _>>()?;
        Ok(Self { runtime: runtime()?, others })
    }

    /// What connections are given to.
    pub fn handles(&self) -> Vec<Handle> {
        let own = std::iter::once(self.runtime.handle());
        own.chain(self.others.iter().map(|other| &other.handle)).cloned().collect()
    }

    /// Runs `work` on this thread.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        for Other { stop, thread, .. } in self.others.drain(..) {
            drop(stop);
            drop(thread.join());
        }
    }
}

impl Other {
    fn start() -> io::Result<Self> {
        let runtime = runtime()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("netkit-echo".to_owned()).spawn(move || {
            drop(runtime.block_on(stopped));
        })?;
        Ok(Self { handle, stop, thread })
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().event_interval(EVENTS).build()
}
