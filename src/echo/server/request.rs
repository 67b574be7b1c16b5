//! A datagram whose reply is under way, for --delay holds it back, or it is sent twice: in the books until
//! it is known what has become of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::guard::Refusal;
use super::shared::Shared;

/// The way back to who sent a datagram.
pub trait Way: Send + Sync + 'static {
    /// Sends `reply`; says whether it could.
    fn send(&self, reply: &[u8]) -> bool;
    /// Who that is, as it is told.
    fn name(&self) -> String;
}

/// The datagram. It is answered when the first reply has gone, and refused if none has when this is
/// dropped.
pub struct Request<W: Way> {
    shared: Arc<Shared>,
    length: usize,
    way: W,
    is_sent: AtomicBool,
    /// Why a reply has not gone. None where the server ended before it was tried.
    why: Mutex<Option<Refusal>>,
}

impl<W: Way> Request<W> {
    /// One of `length` bytes, which came just now.
    pub fn new(shared: Arc<Shared>, length: usize, way: W) -> Self {
        shared.datagrams.came(length);
        Self { shared, length, way, is_sent: AtomicBool::new(false), why: Mutex::new(None) }
    }

    /// Sends `reply` when it has waited, if there is room for one more that waits.
    pub fn send_after(self: &Arc<Self>, wait: Duration, reply: &[u8]) {
        if wait.is_zero() {
            self.send(reply);
        } else if self.shared.limits.one_waits() {
            self.shared.one_is_answered();
            let (request, reply) = (Arc::clone(self), reply.to_vec());
            drop(tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                request.send(&reply);
                let shared = Arc::clone(&request.shared);
                // So that it is counted when the last one has waited.
                drop(request);
                shared.limits.one_has_waited();
            }));
        } else {
            self.is_refused(Refusal::Waiting);
        }
    }

    fn send(&self, reply: &[u8]) {
        if !self.way.send(reply) {
            self.is_refused(Refusal::NotSent);
        } else if !self.is_sent.swap(true, Ordering::Relaxed) {
            self.shared.settle(self.length, Ok(reply.len()), || self.way.name());
        }
    }

    fn is_refused(&self, why: Refusal) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

impl<W: Way> Drop for Request<W> {
    fn drop(&mut self) {
        if !self.is_sent.load(Ordering::Relaxed) {
            let why =
                self.why.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(Refusal::Cut);
            self.shared.settle(self.length, Err(why), || self.way.name());
        }
    }
}
