//! What of a load was counted, as it is told.

use serde::Serialize;

use crate::echo::load::tally::Tally;
use crate::output::numbers::{float, rounded};

/// What was counted.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counts {
    /// Messages that were begun.
    pub sent: u64,
    /// Replies that came whole.
    pub received: u64,
    /// Messages that were due, begun or not, for people.
    #[serde(skip)]
    pub due: u64,
    /// Messages without a reply, those that could not be begun included: the sum of `timed_out`, `refused`,
    /// `cut` and `unsent`.
    pub lost: u64,
    /// The same in percent.
    pub loss_percent: Option<f64>,
    /// Replies that were not as expected.
    pub corrupted: u64,
    /// Messages without a reply within the timeout, and none later.
    pub timed_out: u64,
    /// Datagrams whose end an error has told.
    pub refused: u64,
    /// Messages whose connection broke.
    pub cut: u64,
    /// Messages that were due and could not be begun.
    pub unsent: u64,
    /// Those of them that found no room, for people.
    #[serde(skip)]
    pub behind: u64,
    /// Messages under way when the user interrupted: not answered, and not lost.
    pub under_way: u64,
    /// Messages that were sent once more.
    pub resent: u64,
    /// Bytes that nobody had asked for.
    pub unexpected_bytes: u64,
    /// Bytes of messages.
    pub bytes_sent: u64,
    /// Bytes of replies.
    pub bytes_received: u64,
    /// Replies a second.
    pub rate_per_s: f64,
    /// Connections that could not be opened.
    pub not_opened: u64,
}

impl Counts {
    pub(super) fn of(tally: &Tally, measured_ns: u64) -> Self {
        let rate =
            if measured_ns == 0 { 0.0 } else { float(tally.received) * 1e9 / float(measured_ns) };
        Self {
            sent: tally.sent,
            received: tally.received,
            due: tally.due(),
            lost: tally.lost(),
            loss_percent: tally.loss_percent().map(|it| rounded(it, 4)),
            corrupted: tally.corrupted,
            timed_out: tally.timed_out,
            refused: tally.refused,
            cut: tally.cut,
            unsent: tally.unsent,
            behind: tally.behind,
            under_way: tally.under_way,
            resent: tally.resent,
            unexpected_bytes: tally.unexpected_bytes,
            bytes_sent: tally.bytes_sent,
            bytes_received: tally.bytes_received,
            rate_per_s: rounded(rate, 1),
            not_opened: tally.not_opened,
        }
    }
}

/// What can happen to datagrams alone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DatagramReport {
    /// Came after the timeout; they are among those received.
    pub late: u64,
    /// Came once more.
    pub duplicated: u64,
    /// Came after one that was sent later.
    pub reordered: u64,
    /// By how many arrivals at most.
    pub reorder_depth: usize,
    /// Were of another run, or none of netkit's.
    pub stray: u64,
    /// RFC 3550; `None` of fewer than two.
    pub jitter_us: Option<f64>,
}

impl DatagramReport {
    pub(super) fn of(tally: &Tally) -> Self {
        let it = &tally.datagrams;
        Self {
            late: it.late,
            duplicated: it.duplicated,
            reordered: it.reordered,
            reorder_depth: it.deepest,
            stray: it.stray,
            jitter_us: it.jitter.us(),
        }
    }
}
