//! How the load of datagrams ends: what is under way then, and what comes late, or once more.

use super::Datagrams;

/// How long late ones have at least: a timeout may be shorter than what it is to show.
const SHORTEST_NS: u64 = 200_000_000;
/// How long a duplicate of the last has at least. It goes the way of others, and is not behind them by
/// more than the longest took, which is waited for too.
const AGAIN_NS: u64 = 100_000_000;

impl Datagrams<'_, '_> {
    /// Datagrams that are due and have found no room.
    pub(super) fn pending(&self) -> usize {
        // Each is on a flow whose queue is full; where any is under way, nothing ends yet.
        if self.under_way > 0 {
            return 0;
        }
        self.flows.iter().filter(|flow| flow.pending.is_some() && !flow.is_over).count()
    }

    /// Says what becomes of those that are under way at the end: had the user not interrupted, they have
    /// had their time.
    pub(super) fn settle(&mut self) {
        let now_ns = self.run.now_ns();
        let is_interrupted = self.run.is_interrupted;
        let tally = &mut self.run.tally;
        for flow in &mut self.flows {
            let rest = flow.give_up(u64::MAX);
            self.under_way -= rest.all;
            let pending = flow.pending.take().filter(|waiting| waiting.due.counts);
            if is_interrupted {
                tally.under_way += rest.counted;
                continue;
            }
            tally.leave(u64::from(pending.is_some()));
            if tally.is_given_up {
                tally.refused += rest.counted;
            } else if rest.counted > 0 {
                tally.timed_out += rest.counted;
                self.gave_up_ns = now_ns;
            }
        }
    }

    /// Takes what still comes: else it were chance which of the last are told as late and which as lost,
    /// and whether they are told as duplicated.
    pub(super) fn wait_for_stragglers(&mut self) -> std::io::Result<()> {
        loop {
            let now_ns = self.run.now_ns();
            let until_ns = self.late_until_ns().max(self.again_until_ns());
            if now_ns >= until_ns || self.run.is_interrupted || self.run.tally.is_given_up {
                return Ok(());
            }
            self.turn(now_ns, until_ns)?;
        }
    }

    /// Those that were given up last have as long again to come late, however short the timeout.
    fn late_until_ns(&self) -> u64 {
        match self.run.tally.timed_out {
            0 => 0,
            _ => self.gave_up_ns.saturating_add(self.run.timeout_ns().max(SHORTEST_NS)),
        }
    }

    /// What has come last may come once more. Where nobody has answered, nothing can, and no longer than
    /// the timeout is waited in any case.
    fn again_until_ns(&self) -> u64 {
        let is_over = self.flows.iter().all(|flow| flow.is_over);
        if !self.has_answer || is_over {
            return 0;
        }
        let patience_ns = self.longest_ns.max(AGAIN_NS).min(self.run.timeout_ns());
        self.last_ns.saturating_add(patience_ns)
    }
}
