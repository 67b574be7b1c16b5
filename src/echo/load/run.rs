//! What every kind of load has: the clock, the schedule, the counts, what is watched.

use std::io;
use std::time::{Duration, Instant};

use super::plan::Plan;
use super::schedule::{Due, HICCUP_NS, Next, Schedule};
use super::tally::Tally;
use super::watch::Watch;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::epoll::{Interest, Poller};

/// The number that the interrupt is watched as.
const INTERRUPT: u64 = u64::MAX;
/// Events that are taken at a time.
const EVENTS: usize = 1024;
/// How long a wait is at most: sweeps and intervals come between.
const LONGEST_WAIT_NS: u64 = 20_000_000;

/// A run.
pub struct Run<'a> {
    /// What it is to be.
    pub plan: &'a Plan,
    /// What is counted.
    pub tally: Tally,
    /// What sockets are watched with.
    pub poller: Poller,
    /// Whether the user has interrupted.
    pub is_interrupted: bool,
    schedule: Schedule,
    has_begun: bool,
    start: Instant,
    ended_ns: u64,
    told_ns: u64,
    watch: Watch<'a>,
}

/// What a wait has ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// So many descriptors.
    By(usize),
    /// The user.
    Interrupted,
}

impl<'a> Run<'a> {
    /// One that is about to begin.
    pub fn new(plan: &'a Plan, watch: Watch<'a>, signals: &EndingSignals) -> io::Result<Self> {
        let poller = Poller::new(EVENTS)?;
        poller.add(signals.descriptor(), INTERRUPT, Interest::Reading)?;
        let mut tally = Tally::default();
        if plan.rate.is_some() {
            tally.from_send = Some(super::latency::Latencies::default());
        }
        if watch.wants_intervals() {
            tally.recent = Some(super::latency::Latencies::default());
        }
        let duration = plan.duration.map(nanoseconds);
        let schedule = Schedule::new(plan.count, duration, plan.rate, nanoseconds(plan.warmup));
        Ok(Self {
            plan,
            tally,
            poller,
            schedule,
            watch,
            has_begun: false,
            start: Instant::now(),
            ended_ns: 0,
            told_ns: 0,
            is_interrupted: false,
        })
    }

    /// Starts the clock anew: what came before was connecting, in which nothing is due and nothing told.
    pub fn begin(&mut self) {
        self.has_begun = true;
        self.start = Instant::now();
    }

    /// Stops it: every message has its reply, or will have none. What was asked for takes its time, also
    /// where the last message is due before its end.
    pub fn finish(&mut self) {
        self.told_ns = self.now_ns();
        self.ended_ns = self.told_ns.max(self.planned_end_ns().unwrap_or(0));
    }

    /// The same of datagrams, where nothing was under way any more at `over_ns`, and the last was sent or
    /// came at `last_ns`: what was waited for after that is none of the time, nor is the wait for those that
    /// are lost one of the time that was asked for.
    pub fn finish_at(&mut self, over_ns: u64, last_ns: u64) {
        self.told_ns = over_ns.max(last_ns);
        self.ended_ns = self.planned_end_ns().unwrap_or(over_ns).max(last_ns);
    }

    /// When what was asked for is over; `None` where no time was, or where it ended before.
    fn planned_end_ns(&self) -> Option<u64> {
        let is_cut_short = self.is_interrupted || self.tally.is_given_up;
        let span_ns = self.schedule.span_ns().filter(|_| !is_cut_short)?;
        Some(self.schedule.warmup_ns.saturating_add(span_ns))
    }

    /// The time on it.
    pub fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// What is due, without taking it.
    pub fn peek(&self, now_ns: u64) -> Next {
        match (self.is_interrupted, self.has_begun) {
            (true, _) => Next::Over,
            (false, true) => self.schedule.peek(now_ns),
            (false, false) => Next::At(u64::MAX),
        }
    }

    /// Takes what is due.
    pub fn take(&mut self, now_ns: u64) -> Option<Due> {
        let Next::Now(due) = self.peek(now_ns) else { return None };
        self.schedule.take(now_ns);
        Some(due)
    }

    /// Whether it ends here, where `next` is due and so many messages are under way: nothing more is due, and the time that
    /// was asked for is over.
    pub fn ends(&self, now_ns: u64, next: Next, under_way: usize) -> bool {
        let is_done = next == Next::Over && self.schedule.is_past(now_ns);
        self.is_interrupted || (is_done && under_way == 0)
    }

    /// Leaves what was due by the end of an open loop and has found no room, and counts it: begun later, it
    /// were a load of another time, and of another rate.
    pub fn leave_what_is_behind(&mut self, now_ns: u64) {
        if !self.is_interrupted && self.schedule.is_behind(now_ns) {
            let rest = self.schedule.rest();
            self.tally.leave(rest);
            self.tally.behind = rest;
            self.schedule.close();
        }
    }

    /// How long a message that is due may wait for room.
    pub fn patience_ns(&self, now_ns: u64) -> u64 {
        let is_past = self.schedule.end_ns.is_some_and(|end_ns| now_ns >= end_ns);
        if is_past && self.plan.rate.is_some() { HICCUP_NS } else { self.timeout_ns() }
    }

    /// Gives up what was never begun: nobody is there any more. Counts what a count or a rate had asked
    /// for.
    pub fn abandon(&mut self) {
        self.tally.is_given_up = true;
        self.tally.leave(self.schedule.rest());
    }

    /// The plan's timeout.
    pub fn timeout_ns(&self) -> u64 {
        nanoseconds(self.plan.timeout)
    }

    /// When the warm-up is over.
    pub fn warmup_ns(&self) -> u64 {
        self.schedule.warmup_ns
    }

    /// Waits for descriptors, or until `until_ns`; tells what is to be told meanwhile.
    pub fn wait(&mut self, now_ns: u64, until_ns: u64) -> io::Result<Woken> {
        // At its end there is something to decide.
        let end_ns = self.schedule.end_ns.filter(|end_ns| *end_ns > now_ns).unwrap_or(u64::MAX);
        let until_ns = until_ns.min(end_ns);
        let nanoseconds = until_ns.saturating_sub(now_ns).min(LONGEST_WAIT_NS);
        let timeout = Duration::from_nanos(nanoseconds);
        // What is due at a moment is measured from there.
        let count = match self.plan.rate {
            Some(_) => self.poller.wait_exactly(timeout)?,
            None => self.poller.wait(timeout)?,
        };
        if self.has_begun {
            self.watch.tell(now_ns.saturating_sub(self.schedule.warmup_ns), &mut self.tally)?;
        }
        let is_interrupt = |index| self.poller.number(index) == Some(INTERRUPT);
        if (0..count).any(is_interrupt) {
            self.is_interrupted = true;
            return Ok(Woken::Interrupted);
        }
        Ok(Woken::By(count))
    }

    /// The time that was measured, from the end of the warm-up to the end of what was asked for or of the
    /// last message: what a server does not answer any more is part of its rate.
    pub fn measured_ns(&self) -> u64 {
        self.ended_ns.saturating_sub(self.schedule.warmup_ns)
    }

    /// Ends it: the counts.
    pub fn end(mut self) -> io::Result<Tally> {
        let until_ns = self.told_ns.saturating_sub(self.schedule.warmup_ns);
        self.watch.end(until_ns, &mut self.tally)?;
        Ok(self.tally)
    }
}

/// `duration` in nanoseconds; 584 years at most.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
