//! What comes back of the datagrams of a load: replies, refusals, the end of a peer.

use super::sending::length_of;
use super::{Datagrams, SEQUENCE_BITS};
use crate::catalogue::errnos::ECONNREFUSED;
use crate::echo::address::Carrier;
use crate::echo::client::trouble::{Failure, Step, Why};
use crate::echo::datagram::Header;
use crate::echo::load::sequence::Arrived;
use crate::echo::load::tally::Reply;

impl Datagrams<'_, '_> {
    /// Takes the datagram of `length` bytes that flow `index` has received.
    pub(super) fn take(&mut self, index: usize, length: usize) {
        let now_ns = self.run.now_ns();
        let Some(flow) = self.flows.get_mut(index) else { return };
        let came = self.buffer.get(..length).unwrap_or_default();
        let tally = &mut self.run.tally;
        let flow_bits = u64::try_from(index).unwrap_or(0);
        let header = Header::of(came).filter(|header| {
            header.run_id == self.run_id && header.number >> SEQUENCE_BITS == flow_bits
        });
        let Some(header) = header else {
            tally.datagrams.stray += 1;
            return;
        };
        let number = header.number & ((1 << SEQUENCE_BITS) - 1);
        // Of one that was given up long ago, its own word is all there is.
        let sent_ns = flow.sent_ns(number).unwrap_or(header.sent_ns);
        let is_right = !self.run.plan.verify
            || (header.is_intact(came, length_of(self.run.plan.sizes, number))
                && header.sent_ns == sent_ns);
        let counts = flow.counts(number);
        match flow.sequence.arrive(number) {
            Arrived::Unknown => tally.datagrams.stray += 1,
            Arrived::Again => tally.datagrams.duplicated += u64::from(counts),
            Arrived::First { extent } => {
                self.has_answer = true;
                self.last_ns = now_ns;
                let transit_ns = now_ns.saturating_sub(sent_ns);
                self.longest_ns = self.longest_ns.max(transit_ns);
                let intended_ns = flow.answered(number);
                self.under_way -= usize::from(intended_ns.is_some());
                if counts {
                    tally.corrupted += u64::from(!is_right);
                    tally.bytes_received += u64::try_from(length).unwrap_or(0);
                    tally.datagrams.reordered += u64::from(extent > 0);
                    tally.datagrams.deepest = tally.datagrams.deepest.max(extent);
                    tally.datagrams.jitter.arrive(transit_ns);
                    if intended_ns.is_none() {
                        tally.came_late();
                    }
                    let intended_ns = intended_ns.unwrap_or(sent_ns);
                    tally.reply(&Reply { intended_ns, sent_ns, now_ns });
                }
                self.make_idle(index);
            }
        }
    }

    pub(super) fn failed(&mut self, index: usize, failure: Failure) {
        self.run.tally.fail(failure);
        if failure.code() == Some(ECONNREFUSED) {
            self.refused += 1;
        }
        // A Unix socket whose peer is gone has none any more.
        if self.carrier != Carrier::Udp {
            return self.end_flow(index);
        }
        let Some(flow) = self.flows.get_mut(index) else { return };
        // The kernel does not say which datagram it was; the first is as good as any.
        let given_up = flow.give_up_first();
        self.under_way -= given_up.all;
        self.run.tally.refused += given_up.counted;
        self.make_idle(index);
    }

    /// The peer has closed flow `index`.
    pub(super) fn closed(&mut self, index: usize) {
        self.run.tally.fail(Failure { step: Step::Receive, why: Why::Closed });
        self.end_flow(index);
    }

    /// Nothing more comes on flow `index`.
    pub(super) fn end_flow(&mut self, index: usize) {
        let Some(flow) = self.flows.get_mut(index).filter(|flow| !flow.is_over) else { return };
        flow.is_over = true;
        let lost = flow.give_up(u64::MAX);
        self.under_way -= lost.all;
        self.run.tally.cut += lost.counted;
    }
}
