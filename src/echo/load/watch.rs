//! What is told while a load runs: a line on a terminal, or a JSON object for each interval.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::run::nanoseconds;
use super::tally::Tally;
use crate::output::numbers::{bar, float, rate, ratio, rounded, short_duration, whole};
use crate::output::{Aside, LiveLine, ndjson_rows};

/// How often the line on a terminal changes.
const LINE_NS: u64 = 200_000_000;
/// Columns of its bar.
const BAR: u16 = 20;

/// What is told, and to whom.
pub struct Watch<'a> {
    line: Option<LiveLine<'a>>,
    rows: Option<&'a mut (dyn Write + Send)>,
    width: u16,
    period_ns: u64,
    total: Total,
    from_ns: u64,
    before: Counts,
}

/// What the whole will be, if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// Messages.
    pub count: Option<u64>,
    /// The time.
    pub duration: Option<Duration>,
}

impl Total {
    /// What is done of it, from 0 to 1.
    fn share(self, received: u64, now_ns: u64) -> Option<f64> {
        let (done, whole) = match self {
            Self { count: Some(count), .. } => (received, count),
            Self { duration: Some(duration), .. } => (now_ns, nanoseconds(duration)),
            Self { count: None, duration: None } => return None,
        };
        (whole > 0).then(|| ratio(done, whole).min(1.0))
    }
}

/// What was counted since the last interval's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    sent: u64,
    received: u64,
    corrupted: u64,
    bytes_received: u64,
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        Self {
            sent: tally.sent,
            received: tally.received,
            corrupted: tally.corrupted,
            bytes_received: tally.bytes_received,
        }
    }
}

/// An interval; the JSON of docs/schema/echo.json, `interval`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Interval {
    /// `interval`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// From the end of the warm-up to its beginning.
    from_ms: u64,
    /// From the end of the warm-up to its end.
    to_ms: u64,
    /// Messages that were begun in it.
    sent: u64,
    /// Replies that came in it.
    received: u64,
    /// Of these, the wrong ones.
    corrupted: u64,
    /// Bytes that came back in it.
    bytes_received: u64,
    /// Replies a second.
    rate_per_s: f64,
    /// Half took at most so long; `None` if none came.
    p50_us: Option<f64>,
    /// 99 % took at most so long.
    p99_us: Option<f64>,
    /// The longest.
    max_us: Option<f64>,
}

impl<'a> Watch<'a> {
    /// Tells nothing.
    pub fn nothing() -> Self {
        Self {
            line: None,
            rows: None,
            width: 0,
            period_ns: u64::MAX,
            total: Total { count: None, duration: None },
            from_ns: 0,
            before: Counts::default(),
        }
    }

    /// Tells a person, on a line of the terminal.
    pub fn line(aside: &'a mut Aside<'_>, total: Total) -> Self {
        let width = aside.style.width;
        let line = Some(LiveLine::on(aside));
        Self { line, width, period_ns: LINE_NS, total, ..Self::nothing() }
    }

    /// Tells a program, in lines of JSON, one for each `period`.
    pub fn rows(out: &'a mut (dyn Write + Send), period: Duration) -> Self {
        let period_ns = nanoseconds(period).max(1_000_000);
        Self { rows: Some(out), period_ns, ..Self::nothing() }
    }

    /// Whether the times of each interval are wanted.
    pub fn wants_intervals(&self) -> bool {
        self.line.is_some() || self.rows.is_some()
    }

    /// Tells of the interval that ends at `now_ns` after the warm-up, if it is over.
    pub fn tell(&mut self, now_ns: u64, tally: &mut Tally) -> io::Result<()> {
        if now_ns < self.from_ns.saturating_add(self.period_ns) {
            return Ok(());
        }
        self.tell_now(now_ns, tally)
    }

    fn tell_now(&mut self, now_ns: u64, tally: &mut Tally) -> io::Result<()> {
        let interval = self.interval(now_ns, tally);
        if let Some(line) = &mut self.line {
            line.draw(&match self.total.share(tally.received, now_ns) {
                Some(share) => progress(share, &words(&interval), self.width),
                None => words(&interval),
            });
        }
        if let Some(rows) = &mut self.rows {
            ndjson_rows(rows, [interval])?;
            rows.flush()?;
        }
        self.from_ns = now_ns;
        self.before = Counts::of(tally);
        if let Some(recent) = &mut tally.recent {
            recent.clear();
        }
        Ok(())
    }

    fn interval(&self, now_ns: u64, tally: &Tally) -> Interval {
        let (now, before) = (Counts::of(tally), self.before);
        let percentile = |percent| tally.recent.as_ref().and_then(|it| it.percentile_us(percent));
        let received = now.received - before.received;
        // A message whose connection could not be opened is taken back, and may have been begun before.
        let sent = now.sent.saturating_sub(before.sent);
        let seconds = float(now_ns - self.from_ns) / 1e9;
        Interval {
            kind: "interval",
            from_ms: self.from_ns / 1_000_000,
            to_ms: now_ns / 1_000_000,
            sent,
            received,
            corrupted: now.corrupted - before.corrupted,
            bytes_received: now.bytes_received - before.bytes_received,
            rate_per_s: rounded(float(received) / seconds, 1),
            p50_us: percentile(50.0),
            p99_us: percentile(99.0),
            max_us: percentile(100.0),
        }
    }

    /// Tells a program what came since the last whole interval, until `now_ns`, if anything did, and
    /// leaves a screen as it was.
    pub fn end(mut self, now_ns: u64, tally: &mut Tally) -> io::Result<()> {
        let is_news = Counts::of(tally) != self.before;
        if self.rows.is_some() && now_ns > self.from_ns && is_news {
            self.tell_now(now_ns, tally)?;
        }
        drop(self.line);
        Ok(())
    }
}

/// A bar, as long as there is room for beside what is said, and that, as far as it can be said whole.
fn progress(share: f64, words: &str, width: u16) -> String {
    // The share, and a column that stays free.
    const BESIDE: usize = 9;
    let room = usize::from(width).saturating_sub(BESIDE);
    let mut words = words;
    while words.chars().count() > room
        && let Some((shorter, _)) = words.rsplit_once(", ")
    {
        words = shorter;
    }
    let rest = u16::try_from(room.saturating_sub(words.chars().count())).unwrap_or(BAR).min(BAR);
    let filled = bar(share, rest);
    let rest = usize::from(rest);
    format!("{filled:<rest$} {:>3} %  {words}", whole(share * 100.0)).trim_start().to_owned()
}

/// `170,699 a second, p50 21 µs, p99 139 µs`
fn words(interval: &Interval) -> String {
    let time = |name, us: Option<f64>| {
        us.map(|us| format!(", {name} {}", short_duration(whole(us.round())))).unwrap_or_default()
    };
    let (p50, p99) = (time("p50", interval.p50_us), time("p99", interval.p99_us));
    format!("{} a second{p50}{p99}", rate(interval.rate_per_s))
}

#[cfg(test)]
mod tests {
    use super::super::latency::Latencies;
    use super::super::tally::Reply;
    use super::*;

    #[test]
    fn each_interval_is_of_its_own() {
        let mut out = Vec::new();
        let mut watch = Watch::rows(&mut out, Duration::from_secs(1));
        let mut tally = Tally { recent: Some(Latencies::default()), ..Tally::default() };
        let reply = |us: u64| Reply { intended_ns: 0, sent_ns: 0, now_ns: us * 1000 };
        tally.sent = 2;
        tally.reply(&reply(10));
        watch.tell(999_999_999, &mut tally).unwrap();
        watch.tell(1_000_000_000, &mut tally).unwrap();
        tally.reply(&reply(500));
        watch.tell(3_000_000_000, &mut tally).unwrap();
        tally.reply(&reply(20));
        watch.end(3_500_000_000, &mut tally).unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 3, "{text}");
        assert_eq!((&rows[2]["to_ms"], &rows[2]["received"]), (&3500.into(), &1.into()));
        assert_eq!(
            (&rows[0]["sent"], &rows[0]["received"], &rows[0]["rate_per_s"]),
            (&2.into(), &1.into(), &1.0.into())
        );
        assert_eq!((&rows[1]["from_ms"], &rows[1]["to_ms"]), (&1000.into(), &3000.into()));
        assert_eq!((&rows[1]["sent"], &rows[1]["received"]), (&0.into(), &1.into()));
        assert!(rows[1]["p50_us"].as_f64().unwrap() > 490.0, "{text}");
    }

    #[test]
    fn the_line_of_a_terminal_is_as_wide_as_that() {
        let words = "170,699 a second, p50 21 µs, p99 139 µs";
        assert_eq!(progress(0.5, words, 40), "██    50 %  170,699 a second, p50 21 µs");
        assert_eq!(progress(1.0, words, 80).chars().filter(|it| *it == '█').count(), 20);
        for width in 30..100 {
            assert!(progress(1.0, words, width).chars().count() < usize::from(width), "{width}");
        }
    }

    #[test]
    fn what_is_taken_back_may_be_of_an_interval_before() {
        let mut out = Vec::new();
        let mut watch = Watch::rows(&mut out, Duration::from_secs(1));
        let mut tally = Tally { sent: 1, ..Tally::default() };
        watch.tell(1_000_000_000, &mut tally).unwrap();
        tally.take_back(1, 64);
        watch.tell(2_000_000_000, &mut tally).unwrap();
        drop(watch);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("\"sent\":0,").count(), 1, "{text}");
    }
}
