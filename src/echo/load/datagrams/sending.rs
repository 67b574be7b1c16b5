//! How the datagrams of a load are sent, and what becomes of one that cannot be.

use super::{Datagrams, SEQUENCE_BITS};
use crate::echo::address::Carrier;
use crate::echo::client::trouble::Failure;
use crate::echo::datagram::Header;
use crate::echo::load::flow::{Sending, Waiting};
use crate::kernel::epoll::Interest;

impl Datagrams<'_, '_> {
    /// Sends what is due on flows that have room.
    pub(super) fn hand_out(&mut self) {
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
    pub(super) fn send(&mut self, index: usize, waiting: Waiting) {
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
        let mut earlier = Vec::new();
        // By the moment of sending, which its reply says again.
        let counts = now_ns >= self.run.warmup_ns();
        match flow.send(&self.message, &mut earlier) {
            Sending::Done => {
                flow.note(waiting.due, now_ns, counts);
                self.under_way += 1;
                self.has_sent = true;
                self.last_ns = now_ns;
                if counts {
                    self.run.tally.sent += 1;
                    self.run.tally.bytes_sent += u64::try_from(length).unwrap_or(0);
                }
            }
            Sending::NoRoom => {
                flow.sequence.take_back();
                flow.pending = Some(waiting);
                let number = u64::try_from(index).unwrap_or(u64::MAX);
                // Without it the sweep tries again.
                self.run.poller.change(flow.socket(), number, Interest::Both).unwrap_or_default();
            }
            Sending::Refused(failure) => {
                flow.sequence.take_back();
                self.kept(index, failure, counts);
            }
        }
        for failure in earlier {
            self.failed(index, failure);
        }
        self.make_idle(index);
    }

    /// Flow `index` is idle if it has room.
    pub(super) fn make_idle(&mut self, index: usize) {
        // With a rate, nothing that is not answered holds the next one back.
        let most = if self.run.plan.rate.is_some() { usize::MAX } else { self.run.plan.pipeline };
        let Some(flow) = self.flows.get_mut(index) else { return };
        let has_room = flow.pending.is_none() && flow.under_way < most && !flow.is_over;
        if has_room && !flow.is_idle {
            flow.is_idle = true;
            self.idle.push_back(index);
        }
    }

    /// Tries again to send what waits for room on flow `index`, unless it has waited for too long.
    pub(super) fn send_pending(&mut self, index: usize, now_ns: u64) {
        let patience_ns = self.run.patience_ns(now_ns);
        let Some(flow) = self.flows.get_mut(index) else { return };
        let Some(waiting) = flow.pending.take() else { return };
        if now_ns.saturating_sub(waiting.since_ns) > patience_ns {
            self.run.tally.leave(u64::from(waiting.due.counts));
        } else {
            self.send(index, waiting);
        }
    }

    /// The kernel has not sent a datagram of flow `index`.
    fn kept(&mut self, index: usize, failure: Failure, counts: bool) {
        self.run.tally.fail(failure);
        self.run.tally.leave(u64::from(counts));
        self.kept += 1;
        if self.carrier != Carrier::Udp {
            self.end_flow(index);
        }
    }
}

/// The length of the datagram of this number: the same to whoever asks.
pub(super) fn length_of((shortest, longest): (usize, usize), number: u64) -> usize {
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
