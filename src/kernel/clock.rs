//! The one place that asks what time it is.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use nix::time::{ClockId, clock_getres};

use crate::model::TIME_WAIT_MS;

/// The wall clock to the millisecond, as RFC 3339 writes it.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// A length of time as people write it: `3s`, `500ms`, `1m 30s`. `None` for what is none, or negative.
pub fn parse_duration(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok()?.try_into().ok()
}

/// The same; a bare number is one of seconds, as ping(8), nc(1) and wait-for-it take it.
pub fn parse_duration_or_seconds(text: &str) -> Option<Duration> {
    let is_bare = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_bare {
        Duration::try_from_secs_f64(text.parse().ok()?).ok()
    } else {
        parse_duration(text)
    }
}

/// The same, or what is wrong with it.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let time = parse_duration_or_seconds(text).ok_or_else(|| {
        // What is a time with small numbers in their place has numbers that are too large.
        let mut small: Vec<_> =
            text.bytes().map(|it| if it.is_ascii_digit() { b'1' } else { it }).collect();
        small.dedup_by(|next, last| *next == b'1' && *last == b'1');
        let small = String::from_utf8_lossy(&small);
        if parse_duration_or_seconds(&small).is_some() {
            too_long(text)
        } else {
            format!("`{text}` is not a time: write 500ms, 30s or 2m; a bare number is seconds")
        }
    })?;
    if time > LONGEST { Err(too_long(text)) } else { Ok(time) }
}

/// More than this is a mistake.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

fn too_long(text: &str) -> String {
    format!("`{text}` is more than a year: a bare number is seconds")
}

/// A stopwatch that does not jump with the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to run.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits for `duration`; a signal that ends the process ends this too.
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Lets the waits of this thread end when they are to, and not up to 50 µs later (`PR_SET_TIMERSLACK`).
pub fn wake_exactly() {
    // Without it, waits are a little longer: what is measured says so itself.
    nix::sys::prctl::set_timerslack(1).unwrap_or_default();
}

/// A number that no other run has: of the wall clock, in nanoseconds.
pub fn distinct() -> u64 {
    let nanoseconds = Timestamp::now().as_nanosecond().unsigned_abs();
    u64::try_from(nanoseconds & u128::from(u64::MAX)).unwrap_or(0)
}

/// `moment` and so many milliseconds later.
pub fn later(moment: Timestamp, milliseconds: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    moment.saturating_add(span).unwrap_or(moment)
}

/// The time of day of `moment` where this machine is, as in `13:42:07 CET`.
pub fn time_of_day(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::system()).strftime("%H:%M:%S %Z").to_string()
}

/// How late, in milliseconds, the timer of a TIME_WAIT may be at most: the kernel keeps timers that
/// are far off in slots of 512 or 4,096 ticks (`kernel/time/timer.c`, `LVL_GRAN`).
pub fn time_wait_slack_ms() -> u64 {
    /// From this many ticks on the slots are the larger ones (`LVL_START(4)`).
    const LARGE_SLOTS: u64 = 63 << 9;
    // The coarse clock moves with the tick.
    let tick = clock_getres(ClockId::CLOCK_MONOTONIC_COARSE).map_or(TICK, Duration::from);
    let tick_us = u64::try_from(tick.as_micros()).unwrap_or(1000).max(1000);
    let ticks = u64::from(TIME_WAIT_MS) * 1000 / tick_us;
    let slot = if ticks < LARGE_SLOTS { 512 } else { 4096 };
    (tick_us * slot).div_ceil(1000)
}

/// `CONFIG_HZ` of the running kernel. The coarse clock moves with the tick
/// (`kernel/time/posix-timers.c`, `posix_get_coarse_res`), so that no file of the build is needed.
pub fn tick_hz() -> Option<u32> {
    let tick = Duration::from(clock_getres(ClockId::CLOCK_MONOTONIC_COARSE).ok()?).as_nanos();
    // `TICK_NSEC` is rounded: 3,333,333 ns are 300 Hz.
    let hz = (1_000_000_000 + tick / 2).checked_div(tick)?;
    u32::try_from(hz).ok().filter(|hz| (MIN_HZ..=MAX_HZ).contains(hz))
}

/// What kernels are built with; a clock that moves at another pace is not the tick.
const MIN_HZ: u32 = 24;
const MAX_HZ: u32 = 1200;

/// The tick of most kernels.
const TICK: Duration = Duration::from_millis(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_one_of_seconds() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1m30s", 90_000),
            ("1m 30s", 90_000),
            ("1h", 3_600_000),
            ("15", 15_000),
            ("0.5", 500),
            ("0", 0),
        ] {
            assert_eq!(parse_duration_or_seconds(text), Some(Duration::from_millis(ms)), "{text}");
        }
        let wrong = ["", "-1", "-1s", "nan", "inf", "soon", "3 parsecs", ".", "1.2.3", "1e3", "+1"];
        for text in wrong {
            assert_eq!(parse_duration_or_seconds(text), None, "{text}");
        }
        assert_eq!(parse_duration("15"), None, "without a unit");
    }

    #[test]
    fn what_is_no_time_is_named() {
        assert_eq!(parse_time("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("0"), Ok(Duration::ZERO));
        for text in ["soon", "-1", ""] {
            assert!(parse_time(text).unwrap_err().contains("is not a time"), "{text}");
        }
        for text in ["99999999999", "99999999999999999999999", "9000h"] {
            assert!(parse_time(text).unwrap_err().contains("more than a year"), "{text}");
        }
    }
}
