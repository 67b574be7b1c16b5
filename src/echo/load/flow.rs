//! One flow of datagrams: a socket, and what is under way on it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsFd as _;

use socket2::Socket;

use super::schedule::Due;
use super::sequence::Sequence;
use crate::catalogue::errnos::ECONNREFUSED;
use crate::echo::address::Carrier;
use crate::echo::client::trouble::{Failure, Step, Why};

/// A datagram that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    intended_ns: u64,
    sent_ns: u64,
    is_done: bool,
}

/// A datagram that is due and waits for room.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// When it was due.
    pub due: Due,
    /// Since when it waits.
    pub since_ns: u64,
}

/// What has become of a datagram that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is on its way.
    Done,
    /// There is no room now.
    NoRoom,
    /// The kernel has refused it: it was not sent, and will not be.
    Refused(Failure),
}

/// Datagrams that are waited for no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// How many.
    pub all: usize,
    /// Those of them that count.
    pub counted: u64,
}

/// A flow.
#[derive(Debug)]
pub struct Flow {
    socket: Socket,
    carrier: Carrier,
    /// What came and what did not.
    pub sequence: Sequence,
    /// The latest datagrams, from the oldest whose fate is not known; `first` is the number of that.
    sent: VecDeque<Sent>,
    first: u64,
    /// The number of the first that counts.
    first_counted: Option<u64>,
    /// How many of them are neither answered nor given up.
    pub under_way: usize,
    /// A datagram that is due and found no room.
    pub pending: Option<Waiting>,
    /// Whether it is among those that have room.
    pub is_idle: bool,
    /// Whether its peer has closed it.
    pub is_over: bool,
}

impl Flow {
    /// One over `socket`, of this kind.
    pub fn new(socket: Socket, carrier: Carrier) -> Self {
        Self {
            socket,
            carrier,
            sequence: Sequence::default(),
            sent: VecDeque::new(),
            first: 0,
            first_counted: None,
            under_way: 0,
            pending: None,
            is_idle: false,
            is_over: false,
        }
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends `datagram`, the next of the sequence.
    ///
    /// What an earlier datagram has met is told by the next call, and goes to `earlier`; this one is then
    /// tried again.
    pub fn send(&mut self, datagram: &[u8], earlier: &mut Vec<Failure>) -> Sending {
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            let Err(error) = self.socket.send(datagram) else { return Sending::Done };
            #[expect(clippy::wildcard_enum_match_arm, reason = "all others are errors")]
            match error.kind() {
                ErrorKind::WouldBlock => return Sending::NoRoom,
                ErrorKind::Interrupted => {}
                _ => {
                    let failure = self.failure(Step::Send, &error);
                    if !self.is_of_an_earlier_one(failure) {
                        return Sending::Refused(failure);
                    }
                    earlier.push(failure);
                }
            }
        }
        // While refusals come faster than it is tried, it has to wait.
        Sending::NoRoom
    }

    /// Whether `failure` is not of the datagram that was to be sent, but of one that is on its way: of what
    /// is known from outside, by an ICMP message. Where the queue of these is full, the number alone is
    /// known of a refusal. A Unix socket has nothing on its way.
    fn is_of_an_earlier_one(&self, failure: Failure) -> bool {
        let is_known = failure.icmp().is_some() || failure.code() == Some(ECONNREFUSED);
        self.carrier == Carrier::Udp && is_known
    }

    /// Notes that the next datagram was sent, and whether it counts. Of those after one that does, all do.
    pub fn note(&mut self, due: Due, sent_ns: u64, counts: bool) {
        if counts && self.first_counted.is_none() {
            self.first_counted = Some(self.first + u64::try_from(self.sent.len()).unwrap_or(0));
        }
        self.under_way += 1;
        self.sent.push_back(Sent { intended_ns: due.intended_ns, sent_ns, is_done: false });
    }

    /// Receives into `buffer`; `None` if there is nothing now.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        let mut reader: &Socket = &self.socket;
        match reader.read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(self.failure(Step::Receive, &error)),
        }
    }

    fn failure(&self, step: Step, error: &io::Error) -> Failure {
        Failure { step, why: Why::on(self.socket.as_fd(), error) }
    }

    /// Whether datagram `number` counts.
    pub fn counts(&self, number: u64) -> bool {
        self.first_counted.is_some_and(|first| number >= first)
    }

    /// When datagram `number` was sent; `None` if that is not known any more.
    pub fn sent_ns(&self, number: u64) -> Option<u64> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.sent.get(index).map(|sent| sent.sent_ns)
    }

    /// Takes the reply to datagram `number`: when it was due, if it is still waited for.
    pub fn answered(&mut self, number: u64) -> Option<u64> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let sent = self.sent.get_mut(index).filter(|sent| !sent.is_done)?;
        sent.is_done = true;
        let intended_ns = sent.intended_ns;
        self.under_way -= 1;
        self.forget_done();
        Some(intended_ns)
    }

    /// Gives up what was sent before `before_ns`; how many those are.
    pub fn give_up(&mut self, before_ns: u64) -> GivenUp {
        let mut given_up = GivenUp::default();
        while let Some(sent) = self.sent.front().copied()
            && sent.sent_ns < before_ns
        {
            let is_waited_for = !sent.is_done;
            given_up.all += usize::from(is_waited_for);
            given_up.counted += u64::from(is_waited_for && self.counts(self.first));
            self.sent.pop_front();
            self.first += 1;
        }
        self.under_way -= given_up.all;
        self.forget_done();
        given_up
    }

    /// Gives up the first that is waited for, if there is one: its fate is known.
    pub fn give_up_first(&mut self) -> GivenUp {
        let counted = u64::from(self.counts(self.first));
        let Some(sent) = self.sent.front_mut() else { return GivenUp::default() };
        sent.is_done = true;
        self.under_way -= 1;
        self.forget_done();
        GivenUp { all: 1, counted }
    }

    fn forget_done(&mut self) {
        while self.sent.front().is_some_and(|sent| sent.is_done) {
            self.sent.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn flow() -> (Flow, UnixDatagram) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let socket = Socket::from(std::os::fd::OwnedFd::from(ours));
        (Flow::new(socket, Carrier::UnixDgram), theirs)
    }

    fn sent(flow: &mut Flow, moments: &[u64]) {
        for moment in moments {
            // The first two are of the warm-up.
            flow.note(Due { intended_ns: moment - 1, counts: true }, *moment, *moment > 20);
        }
    }

    #[test]
    fn what_is_answered_or_given_up_is_under_way_no_more() {
        let (mut flow, _theirs) = flow();
        sent(&mut flow, &[10, 20, 30, 40]);
        assert_eq!((flow.sent_ns(1), flow.sent_ns(4)), (Some(20), None));
        assert_eq!(flow.answered(1), Some(19));
        assert_eq!(flow.answered(1), None);
        assert_eq!(flow.under_way, 3);
        assert_eq!(flow.give_up(35), GivenUp { all: 2, counted: 1 });
        assert_eq!([0, 1, 2, 9].map(|number| flow.counts(number)), [false, false, true, true]);
        assert_eq!((flow.answered(0), flow.answered(3), flow.under_way), (None, Some(39), 0));
        assert_eq!((flow.answered(4), flow.sent_ns(0)), (None, None));
        sent(&mut flow, &[50, 60]);
        assert_eq!(flow.give_up_first(), GivenUp { all: 1, counted: 1 });
        assert_eq!((flow.answered(4), flow.answered(5)), (None, Some(59)));
        assert_eq!(flow.give_up_first(), GivenUp::default());
    }

    #[test]
    fn a_peer_that_is_gone_is_an_error_with_a_number() {
        let (mut flow, theirs) = flow();
        drop(theirs);
        let mut earlier = Vec::new();
        // The kernel takes the peer away with the first error (`unix_dgram_sendmsg`).
        for code in [111, 107] {
            let failure = Failure { step: Step::Send, why: Why::Errno(code, None) };
            assert_eq!(flow.send(b"x", &mut earlier), Sending::Refused(failure));
        }
        assert_eq!(earlier, []);
    }
}
