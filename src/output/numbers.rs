//! Numbers as people read them: thousands, plurals, shares, bars, durations.

use std::time::Duration;

/// `27,702`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 socket`, `2 sockets`, `27,702 sockets`
pub fn count(number: u64, noun: &str) -> String {
    plural(number, noun, &format!("{noun}s"))
}

/// [`count`] for a noun that does not take a plain `s`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `part` of `whole` in percent; 0 of nothing.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { ratio(part, whole) * 100.0 }
}

/// `part / whole` as a fraction.
pub fn ratio(part: u64, whole: u64) -> f64 {
    float(part) / float(whole)
}

/// The nearest `f64`; exact below 2⁵³, which no count here reaches.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "std has no other way")]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// `number` rounded down to a whole one; 0 for what is negative or no number.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "std has no other way; the conversion saturates"
)]
pub fn whole(number: f64) -> u64 {
    number as u64
}

/// `number` rounded to `digits` decimals.
pub fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

/// `99 %`; `< 1 %` for what is there and rounds to nothing, and never `100 %` for less than all.
pub fn percent_text(percent: f64) -> String {
    if percent > 0.0 && percent < 1.0 {
        "< 1 %".to_owned()
    } else if percent > 99.0 && percent < 100.0 {
        "> 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// The same, with one decimal within 1 % of nothing and of all: of a loss, that is what counts.
pub fn small_percent_text(percent: f64) -> String {
    let is_small = percent > 0.0 && percent < 1.0;
    let is_large = percent > 99.0 && percent < 100.0;
    match rounded(percent, 1) {
        _ if !is_small && !is_large => percent_text(percent),
        0.0 => "< 0.1 %".to_owned(),
        100.0 => "> 99.9 %".to_owned(),
        rounded => format!("{rounded:.1} %"),
    }
}

/// A bar of at most `width` characters for a share of 0 to 1, in eighths of a character.
pub fn bar(share: f64, width: u16) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let filled = whole((share.clamp(0.0, 1.0) * f64::from(width) * 8.0).ceil());
    let full = "█".repeat(usize::try_from(filled / 8).unwrap_or(0));
    let rest = usize::try_from(filled % 8).ok().and_then(|eighth| EIGHTHS.get(eighth));
    format!("{full}{}", rest.unwrap_or(&""))
}

/// One character of `▁▂▃▄▅▆▇█` for each value, the largest being full; a space for 0.
pub fn histogram(values: &[u64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = values.iter().copied().max().unwrap_or(0).max(1);
    let level = |value: &u64| match value {
        0 => ' ',
        value => {
            let eighths = value.saturating_mul(8).div_ceil(largest).clamp(1, 8);
            let index = usize::try_from(eighths - 1).unwrap_or(0);
            LEVELS.get(index).copied().unwrap_or('█')
        }
    };
    values.iter().map(level).collect()
}

/// A time as people say it: `250 ms`, `41 s`, `12 min`, `3 h`.
pub fn duration(seconds: f64) -> String {
    match whole(seconds) {
        0 => format!("{} ms", whole(seconds * 1000.0)),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", thousands(seconds / 3600)),
    }
}

/// `duration` in whole microseconds.
pub fn microseconds_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A short time as people read it, from microseconds: `58 µs`, `1.2 ms`, `350 ms`, `3.0 s`, `135 s`.
pub fn short_duration(microseconds: u64) -> String {
    let milliseconds = float(microseconds) / 1000.0;
    match microseconds {
        0..1000 => format!("{microseconds} µs"),
        1000..100_000 => format!("{milliseconds:.1} ms"),
        100_000..1_000_000 => format!("{milliseconds:.0} ms"),
        1_000_000..60_000_000 => format!("{:.1} s", milliseconds / 1000.0),
        _ => duration(milliseconds / 1000.0),
    }
}

/// A rate: one decimal below 1,000, thousands above.
pub fn rate(per_second: f64) -> String {
    if per_second < 1000.0 { format!("{per_second:.1}") } else { thousands(whole(per_second)) }
}

/// A number of bytes: `5 B`, `1.4 KiB`, `3.2 GiB`.
pub fn bytes(number: u64) -> String {
    let mut size = float(number);
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            let decimals = usize::from(unit != "B" && size < 100.0);
            return format!("{size:.decimals$} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "socket"), "1 socket");
        assert_eq!(count(2, "socket"), "2 sockets");
        assert_eq!(percent_text(0.2), "< 1 %");
        assert_eq!(percent_text(99.7), "> 99 %");
        assert_eq!(percent_text(0.0), "0 %");
        let small = [0.0, 0.01, 0.2, 0.96, 1.0, 12.4, 99.0, 99.75, 99.99, 100.0];
        assert_eq!(
            small.map(small_percent_text),
            [
                "0 %", "< 0.1 %", "0.2 %", "1.0 %", "1 %", "12 %", "99 %", "99.8 %", "> 99.9 %",
                "100 %"
            ]
        );
        assert_eq!(duration(0.25), "250 ms");
        assert_eq!(duration(119.9), "119 s");
        assert_eq!(duration(600.0), "10 min");
        let short = [999, 1200, 350_400, 3_004_000, 134_900_000].map(short_duration);
        assert_eq!(short, ["999 µs", "1.2 ms", "350 ms", "3.0 s", "2 min"]);
        assert_eq!(rate(470.53), "470.5");
        assert_eq!(rate(28_232.0), "28,232");
        assert_eq!([0, 1023, 1024, 1_500_000].map(bytes), ["0 B", "1023 B", "1.0 KiB", "1.4 MiB"]);
        assert_eq!(bytes(200 << 40), "200.0 TiB");
    }

    #[test]
    fn bars_and_histograms_show_what_is_there() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(0.001, 4), "▏");
        assert_eq!(histogram(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(histogram(&[]), "");
    }
}
