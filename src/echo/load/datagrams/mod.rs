//! The load over what keeps messages apart: UDP, and Unix sockets of type `SOCK_DGRAM` and
//! `SOCK_SEQPACKET`.
//!
//! Each datagram says in its head which it is, so that what is lost, late, duplicated or reordered is
//! told apart. The number has the flow in its upper bits.

mod arrivals;
mod ending;
mod sending;

use std::collections::VecDeque;
use std::io;

use super::flow::Flow;
use super::run::{Run, Woken};
use crate::echo::address::Carrier;
use crate::echo::client::target::{self, Peer};
use crate::echo::client::trouble::{Failure, Step, Why};
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
/// Refusals of a flow without a single answer to anybody, after which nobody is there; and those of the
/// kernel without a single datagram sent, after which it lets none out.
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
    /// Datagrams that the kernel has refused to send.
    kept: u64,
    has_sent: bool,
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
            kept: 0,
            has_sent: false,
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
                    self.flows.push(Flow::new(socket, self.carrier));
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
            if self.run.ends(now_ns, next, self.under_way + self.pending()) {
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
        let most = MOST_REFUSALS * flows;
        let is_refused = !self.has_answer && self.refused >= most;
        let is_kept = !self.has_sent && self.kept >= most;
        self.flows.iter().all(|flow| flow.is_over) || is_refused || is_kept
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
