//! What is counted while a load runs. Pure.

use super::jitter::Jitter;
use super::latency::Latencies;
use crate::echo::client::trouble::Failure;
use crate::output::numbers::percent;

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages that were begun.
    pub sent: u64,
    /// Replies that came whole.
    pub received: u64,
    /// Bytes of messages that were begun.
    pub bytes_sent: u64,
    /// Bytes that came back.
    pub bytes_received: u64,
    /// Replies that were not as expected.
    pub corrupted: u64,
    /// Messages without a reply within the timeout, and none later.
    pub timed_out: u64,
    /// Datagrams whose end an error has told, such as a refusal.
    pub refused: u64,
    /// Messages that were neither answered nor given up when the user interrupted.
    pub under_way: u64,
    /// Messages that were sent once more: the peer had closed their connection in order.
    pub resent: u64,
    /// Messages that were under way when their connection broke.
    pub cut: u64,
    /// Messages that were due and could not be begun before the end.
    pub unsent: u64,
    /// Those of them that found no room in an open loop: more was asked for than could be offered.
    pub behind: u64,
    /// Bytes that nobody had asked for.
    pub unexpected_bytes: u64,
    /// From the moment a message was due to its reply.
    pub latencies: Latencies,
    /// From the moment it was sent to its reply: with a rate, where the two differ.
    pub from_send: Option<Latencies>,
    /// Those since the last interval, if intervals are told.
    pub recent: Option<Latencies>,
    /// How long connecting took.
    pub connects: Latencies,
    /// Connections that could not be opened.
    pub not_opened: u64,
    /// What failed, and how often.
    pub failures: Vec<(Failure, u64)>,
    /// Of datagrams.
    pub datagrams: Datagrams,
    /// Whether it has ended before its time, since nobody was there any more.
    pub is_given_up: bool,
}

/// What can happen to datagrams alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Datagrams {
    /// Came after the timeout.
    pub late: u64,
    /// Came once more.
    pub duplicated: u64,
    /// Came after one that was sent later.
    pub reordered: u64,
    /// By how many arrivals at most.
    pub deepest: usize,
    /// Of another run, or none of netkit's.
    pub stray: u64,
    /// How much transits differ.
    pub jitter: Jitter,
}

/// A reply that came whole.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// When its message was due.
    pub intended_ns: u64,
    /// When it was sent.
    pub sent_ns: u64,
    /// When the reply was there.
    pub now_ns: u64,
}

impl Tally {
    /// Counts a reply and its times.
    pub fn reply(&mut self, reply: &Reply) {
        self.received += 1;
        let latency = reply.now_ns.saturating_sub(reply.intended_ns);
        self.latencies.record(latency);
        if let Some(from_send) = &mut self.from_send {
            from_send.record(reply.now_ns.saturating_sub(reply.sent_ns));
        }
        if let Some(recent) = &mut self.recent {
            recent.record(latency);
        }
    }

    /// So many messages of so many bytes were begun and not sent: there was no connection for them.
    pub fn take_back(&mut self, messages: u64, bytes: u64) {
        self.sent = self.sent.saturating_sub(messages);
        self.bytes_sent = self.bytes_sent.saturating_sub(bytes);
        self.leave(messages);
    }

    /// So many messages were due, and are not begun any more.
    pub fn leave(&mut self, messages: u64) {
        // A rate over many years is more than can be counted.
        self.unsent = self.unsent.saturating_add(messages);
    }

    /// Messages that were due.
    pub fn due(&self) -> u64 {
        self.sent.saturating_add(self.unsent)
    }

    /// A datagram that had been given up has come after all. The kernel does not say which one an error
    /// was of, so that the sum alone is certain of those.
    pub fn came_late(&mut self) {
        self.datagrams.late += 1;
        let parts = [&mut self.timed_out, &mut self.refused, &mut self.cut];
        if let Some(part) = parts.into_iter().find(|it| **it > 0) {
            *part -= 1;
        }
    }

    /// Counts a failure.
    pub fn fail(&mut self, failure: Failure) {
        self.fail_times(failure, 1);
    }

    /// Counts a failure that came so often.
    pub fn fail_times(&mut self, failure: Failure, times: u64) {
        match self.failures.iter_mut().find(|(known, _)| *known == failure) {
            Some((_, all)) => *all += times,
            None => self.failures.push((failure, times)),
        }
    }

    /// Messages that should have come back by now and have not: what was under way when the user
    /// interrupted had no time to. The sum of what timed out, was refused, was cut and was not sent.
    pub fn lost(&self) -> u64 {
        self.due().saturating_sub(self.received + self.under_way)
    }

    /// The same in percent of all; `None` if there were none.
    pub fn loss_percent(&self) -> Option<f64> {
        (self.due() > 0).then(|| percent(self.lost(), self.due()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::client::trouble::{Step, Why};

    #[test]
    fn loss_is_of_what_was_due() {
        let mut tally = Tally::default();
        assert_eq!(tally.loss_percent(), None);
        tally.sent = 8;
        tally.unsent = 2;
        (0..7).for_each(|_| tally.reply(&Reply { intended_ns: 0, sent_ns: 0, now_ns: 9 }));
        assert_eq!((tally.lost(), tally.loss_percent()), (3, Some(30.0)));
        // That it was never sent makes it no less lost.
        tally.take_back(1, 64);
        assert_eq!((tally.sent, tally.unsent, tally.lost()), (7, 3, 3));
        tally.leave(u64::MAX);
        assert_eq!(tally.lost(), u64::MAX - 7);
    }

    #[test]
    fn both_latencies_are_kept_where_they_differ() {
        let mut tally = Tally { from_send: Some(Latencies::default()), ..Tally::default() };
        tally.reply(&Reply { intended_ns: 0, sent_ns: 900_000, now_ns: 1_000_000 });
        let us = |it: &Latencies| crate::output::numbers::whole(it.percentile_us(50.0).unwrap());
        assert!((1000..=1001).contains(&us(&tally.latencies)));
        assert_eq!(us(&tally.from_send.unwrap()), 100);
    }

    #[test]
    fn failures_are_told_apart() {
        let mut tally = Tally::default();
        let failure = |step, why| Failure { step, why };
        for _ in 0..2 {
            tally.fail(failure(Step::Connect, Why::Errno(111, None)));
            tally.fail(failure(Step::Receive, Why::Closed));
        }
        tally.fail(failure(Step::Send, Why::Errno(111, None)));
        assert_eq!(tally.failures.iter().map(|(_, times)| *times).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[test]
    fn what_comes_late_or_is_under_way_is_no_loss() {
        let mut tally =
            Tally { sent: 5, timed_out: 1, refused: 1, under_way: 2, ..Tally::default() };
        tally.received = 1;
        let parts = |it: &Tally| it.timed_out + it.refused + it.cut + it.unsent;
        assert_eq!((tally.lost(), parts(&tally)), (2, 2));
        for lost in [1, 0] {
            tally.came_late();
            tally.received += 1;
            assert_eq!((tally.lost(), parts(&tally)), (lost, lost));
        }
        assert_eq!(tally.datagrams.late, 2);
    }
}
