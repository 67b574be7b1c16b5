//! One connection to a peer, used one step at a time, each under a deadline.

use std::io::{self, ErrorKind, Read as _};
use std::net::{IpAddr, Shutdown};
use std::os::fd::AsFd as _;

use socket2::{SockAddr, Socket};

use super::target::Peer;
use super::trouble::{Failure, Step, Trouble, Why};
use crate::kernel::patience::{Event, Patience, Waited};

/// A connection.
#[derive(Debug)]
pub struct Link {
    /// To whom.
    pub peer: Peer,
    socket: Socket,
    source: Option<IpAddr>,
}

impl Link {
    /// Over a socket that is connected and does not block.
    pub fn new(peer: Peer, socket: Socket) -> Self {
        Self { peer, socket, source: None }
    }

    /// The same, whose source was asked for: what goes wrong is told with it.
    #[must_use]
    pub fn with_source(self, source: Option<IpAddr>) -> Self {
        tracing::info!(local = self.local(), remote = self.remote(), "speaking");
        Self { source, ..self }
    }

    /// Sends all of `bytes`; as one datagram where messages are kept apart.
    pub fn send(&self, bytes: &[u8], patience: &Patience<'_>) -> Result<(), Trouble> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.send_some(rest, patience)?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends as much of `bytes` as there is room for, once there is any.
    pub fn send_some(&self, bytes: &[u8], patience: &Patience<'_>) -> Result<usize, Trouble> {
        loop {
            match self.socket.send(bytes) {
                Ok(taken) => return Ok(taken),
                Err(error) => self.wait(&error, (Step::Send, Event::Writable), patience)?,
            }
        }
    }

    /// Receives what there is into `buffer`; 0 at the end of a stream.
    pub fn receive(&self, buffer: &mut [u8], patience: &Patience<'_>) -> Result<usize, Trouble> {
        loop {
            let mut reader: &Socket = &self.socket;
            match reader.read(buffer) {
                Ok(came) => return Ok(came),
                Err(error) => self.wait(&error, (Step::Receive, Event::Readable), patience)?,
            }
        }
    }

    /// Waits until the step that gave `error` can be tried again, if it can.
    fn wait(
        &self,
        error: &io::Error,
        (step, event): (Step, Event),
        patience: &Patience<'_>,
    ) -> Result<(), Trouble> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are final")]
        let why = match error.kind() {
            ErrorKind::Interrupted => return Ok(()),
            ErrorKind::WouldBlock => match patience.wait(self.socket.as_fd(), event) {
                Ok(Waited::Ready) => return Ok(()),
                Ok(Waited::Late) => Why::Late,
                Ok(Waited::Interrupted) => Why::Interrupted,
                Err(errno) => Why::of(&errno.into()),
            },
            _ => Why::on(self.socket.as_fd(), error),
        };
        Err(self.trouble(step, why))
    }

    /// A trouble with its peer.
    pub fn trouble(&self, step: Step, why: Why) -> Trouble {
        Trouble {
            address: self.peer.to_string(),
            failure: Failure { step, why },
            carrier: self.peer.carrier,
            source: self.source,
        }
    }

    /// How the peer has ended it, if it has: nothing is taken from what there is to read.
    pub fn ended(&self) -> Option<Failure> {
        let failed = |why| Some(Failure { step: Step::Receive, why });
        match self.socket.peek(&mut [std::mem::MaybeUninit::uninit()]) {
            Ok(0) if self.peer.carrier.is_connected() => failed(Why::Closed),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) => failed(Why::of(&error)),
        }
    }

    /// Waits until the peer is gone, and not only has nothing more to say.
    pub fn wait_for_end(&self, patience: &Patience<'_>) -> Waited {
        // What cannot be waited for is over.
        patience.wait(self.socket.as_fd(), Event::Gone).unwrap_or(Waited::Ready)
    }

    /// Says that nothing more will be sent (FIN).
    pub fn end_sending(&self) -> io::Result<()> {
        tracing::info!(peer = %self.peer, "all is sent: shutdown(2) of this direction");
        self.socket.shutdown(Shutdown::Write)
    }

    /// Ends both directions, for another thread that waits for one of them.
    pub fn cut(&self) {
        // A socket that is down already has what was wanted.
        self.socket.shutdown(Shutdown::Both).unwrap_or_default();
    }

    /// This end's address, by getsockname(2).
    pub fn local(&self) -> String {
        shown(self.socket.local_addr())
    }

    /// The other end's, by getpeername(2).
    pub fn remote(&self) -> String {
        shown(self.socket.peer_addr())
    }
}

fn shown(address: io::Result<SockAddr>) -> String {
    let Ok(address) = address else { return "unknown".to_owned() };
    if let Some(internet) = address.as_socket() {
        return internet.to_string();
    }
    if let Some(path) = address.as_pathname() {
        return path.display().to_string();
    }
    match address.as_abstract_namespace() {
        Some(name) => format!("@{}", String::from_utf8_lossy(name)),
        None => "an unnamed socket".to_owned(),
    }
}
