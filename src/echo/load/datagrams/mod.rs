//! The load over what keeps messages apart: UDP, and Unix sockets of type `SOCK_DGRAM` and
//! `SOCK_SEQPACKET`.
//!
//! Each datagram says in its head which it is, so that what is lost, late, duplicated or reordered is
//! told apart. The number has the flow in its upper bits.

mod arrivals;
mod ending;

use std::collections::VecDeque;
use std::io;

use super::flow::{Flow, Waiting};
use super::run::{Run, Woken};
use crate::echo::address::Carrier;
use crate::echo::client::target::{self, Peer};
use crate::echo::client::trouble::{Failure, Step, Why};
use crate::echo::datagram::Header;
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::epoll::Interest;

/// Bits of a number that are of the flow's own sequence.
const SEQUENCE_BITS: u32 = 40;
/// A datagram of 64 KiB and one byte more.
const BUFFER: usize = 65_537;
/// How often flows are looked over for what is overdue.
const SWEEP_NS: u64 = 10_000_000;
/// Datagrams that are received of a flow before others get their turn.
const BURST: usize = 256;
/// Refusals of a flow without a single answer to anybody, after which nobody is there.
const MOST_REFUSALS: u64 = 3;

/// A load over datagrams.
pub struct Datagrams<'a, 'b> {
    run: &'a mut Run<'b>,
    carrier: Carrier,
    flows: Vec<Flow>,
    idle: VecDeque<usize>,
    under_way: usize,
    run_id: u64,
    message: Vec<u8>,
    buffer: AlignedBuffer,
    next_sweep_ns: u64,
    refused: u64,
    has_answer: bool,
    /// When the last was sent, or came.
    last_ns: u64,
    /// When the last that counts was given up for want of a reply.
    gave_up_ns: u64,
    /// The longest way there and back.
    longest_ns: u64,
}

impl<'a, 'b> Datagrams<'a, 'b> {
    /// Loads `peer`, to the end; `run_id` tells its datagrams from those of other runs.
    pub fn drive(peer: &'a Peer, run: &'a mut Run<'b>, run_id: u64) -> io::Result<()> {
        let mut datagrams = Self {
            carrier: peer.carrier,
            flows: Vec::new(),
            idle: VecDeque::new(),
            under_way: 0,
            run_id,
            message: Vec::new(),
            buffer: AlignedBuffer::new(BUFFER),
            next_sweep_ns: SWEEP_NS,
            refused: 0,
            has_answer: false,
            last_ns: 0,
            gave_up_ns: 0,
            longest_ns: 0,
            run,
        };
        datagrams.open(peer)?;
        datagrams.run.begin();
        datagrams.go_round()?;
        datagrams.settle();
        let over_ns = datagrams.run.now_ns();
        datagrams.wait_for_stragglers()?;
        let last_ns = datagrams.last_ns;
        datagrams.run.finish_at(over_ns, last_ns);
        let tally = &mut datagrams.run.tally;
        if tally.timed_out > 0 {
            let silence = Failure { step: Step::Receive, why: Why::Late };
            tally.fail_times(silence, tally.timed_out);
        }
        Ok(())
    }

    fn open(&mut self, peer: &Peer) -> io::Result<()> {
        for _ in 0..self.run.plan.connections {
            let began_ns = self.run.now_ns();
            let failed = |why| Failure { step: Step::Connect, why };
            let opened =
                peer.begin(&self.run.plan.socket).and_then(|connecting| match connecting.first() {
                    0 => Ok(connecting.into_socket()),
                    code => Err(failed(Why::Errno(code, connecting.icmp()))),
                });
            match opened {
                Ok(socket) => {
                    target::set_nodelay(self.carrier, &socket);
                    let index = self.flows.len();
                    let number = u64::try_from(index).unwrap_or(u64::MAX);
                    self.run.poller.add(&socket, number, Interest::Reading)?;
                    self.flows.push(Flow::new(socket));
                    let took_ns = self.run.now_ns() - began_ns;
                    self.run.tally.connects.record(took_ns);
                    self.make_idle(index);
                }
                Err(failure) => {
                    self.run.tally.not_opened += 1;
                    self.run.tally.fail(failure);
                }
            }
        }
        Ok(())
    }

    fn go_round(&mut self) -> io::Result<()> {
        loop {
            let now_ns = self.run.now_ns();
            self.hand_out();
            self.run.leave_what_is_behind(now_ns);
            let next = self.run.peek(now_ns);
            if self.run.ends(next, self.under_way + self.pending()) {
                return Ok(());
            }
            if self.is_hopeless() {
                self.run.abandon();
                return Ok(());
            }
            // Without room, what is due waits for a reply.
            let due_ns = if self.idle.is_empty() { u64::MAX } else { next.moment_ns(now_ns) };
            let until_ns = due_ns.min(self.next_sweep_ns);
            self.turn(now_ns, until_ns)?;
            self.sweep();
        }
    }

    /// One wait, and what it has brought.
    fn turn(&mut self, now_ns: u64, until_ns: u64) -> io::Result<()> {
        let Woken::By(count) = self.run.wait(now_ns, until_ns)? else { return Ok(()) };
        for index in 0..count {
            let number = self.run.poller.number(index);
            if let Some(index) = number.and_then(|it| usize::try_from(it).ok()) {
                self.go_on(index)?;
            }
        }
        Ok(())
    }

    fn is_hopeless(&self) -> bool {
        let flows = u64::try_from(self.flows.len()).unwrap_or(u64::MAX);
        let is_refused = !self.has_answer && self.refused >= MOST_REFUSALS * flows;
        self.flows.iter().all(|flow| flow.is_over) || is_refused
    }

    fn hand_out(&mut self) {
        let turns = self.idle.len().saturating_mul(self.run.plan.pipeline);
        for _ in 0..turns {
            let Some(index) = self.idle.pop_front() else { return };
            if self.flows.get(index).is_none_or(|flow| flow.is_over) {
                continue;
            }
            let now_ns = self.run.now_ns();
            let Some(due) = self.run.take(now_ns) else {
                self.idle.push_front(index);
                return;
            };
            if let Some(flow) = self.flows.get_mut(index) {
                flow.is_idle = false;
            }
            self.send(index, Waiting { due, since_ns: now_ns });
        }
    }

    /// Sends what is due on flow `index`, or keeps it until there is room.
    fn send(&mut self, index: usize, waiting: Waiting) {
        let now_ns = self.run.now_ns();
        let Some(flow) = self.flows.get_mut(index) else { return };
        let sequence = flow.sequence.send();
        let flow_bits = u64::try_from(index).unwrap_or(0) << SEQUENCE_BITS;
        let header = Header {
            is_request: true,
            run_id: self.run_id,
            number: flow_bits | sequence,
            sent_ns: now_ns,
        };
        let length = length_of(self.run.plan.sizes, sequence);
        header.write(length, &mut self.message);
        let mut errors = Vec::new();
        if flow.send(&self.message, &mut errors) {
            // By the moment of sending, which its reply says again.
            let counts = now_ns >= self.run.warmup_ns();
            flow.note(waiting.due, now_ns, counts);
            self.under_way += 1;
            self.last_ns = now_ns;
            if counts {
                self.run.tally.sent += 1;
                self.run.tally.bytes_sent += u64::try_from(length).unwrap_or(0);
            }
        } else {
            flow.sequence.take_back();
            flow.pending = Some(waiting);
            let number = u64::try_from(index).unwrap_or(u64::MAX);
            // Without it the sweep tries again.
            self.run.poller.change(flow.socket(), number, Interest::Both).unwrap_or_default();
        }
        for failure in errors {
            self.failed(index, failure);
        }
        self.make_idle(index);
    }

    fn make_idle(&mut self, index: usize) {
        // With a rate, nothing that is not answered holds the next one back.
        let most = if self.run.plan.rate.is_some() { usize::MAX } else { self.run.plan.pipeline };
        let Some(flow) = self.flows.get_mut(index) else { return };
        let has_room = flow.pending.is_none() && flow.under_way < most && !flow.is_over;
        if has_room && !flow.is_idle {
            flow.is_idle = true;
            self.idle.push_back(index);
        }
    }

    fn go_on(&mut self, index: usize) -> io::Result<()> {
        if let Some(waiting) = self.flows.get_mut(index).and_then(|flow| flow.pending.take()) {
            self.send(index, waiting);
            if let Some(flow) = self.flows.get(index)
                && flow.pending.is_none()
            {
                let number = u64::try_from(index).unwrap_or(u64::MAX);
                self.run.poller.change(flow.socket(), number, Interest::Reading)?;
            }
        }
        for _ in 0..BURST {
            let Some(flow) = self.flows.get(index) else { return Ok(()) };
            match flow.receive(&mut self.buffer) {
                Ok(None) => return Ok(()),
                Ok(Some(0)) if self.carrier == Carrier::UnixSeqpacket => {
                    self.closed(index);
                    return Ok(());
                }
                Ok(Some(length)) => self.take(index, length),
                Err(failure) => self.failed(index, failure),
            }
            if self.run.plan.rate.is_none() {
                self.hand_out();
            }
        }
        // Edge-triggered: what is left has to be told again.
        let Some(flow) = self.flows.get(index) else { return Ok(()) };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let interest = if flow.pending.is_some() { Interest::Both } else { Interest::Reading };
        self.run.poller.change(flow.socket(), number, interest)
    }

    /// Gives up what is overdue.
    fn sweep(&mut self) {
        let now_ns = self.run.now_ns();
        if now_ns < self.next_sweep_ns {
            return;
        }
        self.next_sweep_ns = now_ns + SWEEP_NS;
        let before_ns = now_ns.saturating_sub(self.run.timeout_ns());
        for index in 0..self.flows.len() {
            let Some(flow) = self.flows.get_mut(index) else { return };
            let given_up = flow.give_up(before_ns);
            self.under_way -= given_up.all;
            self.run.tally.timed_out += given_up.counted;
            if given_up.counted > 0 {
                self.gave_up_ns = now_ns;
            }
            self.send_pending(index, now_ns);
            self.make_idle(index);
        }
    }
}

/// The length of the datagram of this number: the same to whoever asks.
fn length_of((shortest, longest): (usize, usize), number: u64) -> usize {
    let many = u64::try_from(longest - shortest + 1).unwrap_or(1);
    // The golden ratio's fraction in 64 bits: successive numbers are spread over the range.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    shortest + usize::try_from(spread % many).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_of_the_whole_range() {
        let lengths: std::collections::BTreeSet<_> =
            (0..200).map(|number| length_of((32, 36), number)).collect();
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [32, 33, 34, 35, 36]);
        assert_eq!(length_of((64, 64), 9), 64);
    }
}
