//! Amounts as people write them on the command line: `100k`, `1.5m`, `64-1400`, `64KiB`, `0.1%`, `5ms`.
//! Each reader says what is wrong with what it was given. Pure.
//!
//! Counts and rates go in thousands, bytes in 1,024s, as dd(1), iperf3(1) and head(1) have them.

use std::time::Duration;

use crate::kernel::clock;
use crate::output::numbers::{float, thousands};

/// The most bytes that a message may have.
const LARGEST: u64 = 64 << 20;
/// Above, the moments of a rate are closer than a nanosecond.
const FASTEST: f64 = 1e9;

/// What may stand behind a number, in lower case, and how many each is.
type Suffixes = [(&'static str, u64)];

const OF_COUNTS: [(&str, u64); 3] = [("k", 1000), ("m", 1_000_000), ("g", 1_000_000_000)];
const OF_BYTES: [(&str, u64); 6] = [
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// A time: `250ms`, `5s`, `1m 30s`; a bare number is one of seconds, as everywhere in netkit.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if text.starts_with('-') { Err(negative(text).to_owned()) } else { clock::parse_time(text) }
}

/// How long a message may take, or is held up: with its unit, since a bare number would be meant as
/// milliseconds and read as seconds.
pub fn parse_latency(text: &str) -> Result<Duration, String> {
    let latency = parse_duration(text)?;
    let has_unit = text.ends_with(|it: char| it.is_ascii_alphabetic());
    if has_unit || latency.is_zero() {
        Ok(latency)
    } else {
        Err(format!("write it with its unit: {text}s, or {text}ms"))
    }
}

/// A time above 0.
pub fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    positive(parse_duration(text)?)
}

/// A latency above 0.
pub fn parse_positive_latency(text: &str) -> Result<Duration, String> {
    positive(parse_latency(text)?)
}

fn positive(duration: Duration) -> Result<Duration, String> {
    if duration.is_zero() { Err("it has to be a time above 0".to_owned()) } else { Ok(duration) }
}

/// A number of bytes: `512`, `64k`, `1.5m`, `2g`, each suffix 1,024 times the one before. `KiB`, `MiB` and
/// `GiB` say the same.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    Written::read(text, &OF_BYTES, "of bytes, k, m and g (or KiB, MiB, GiB) are 1,024s")?
        .exact("a whole number of bytes")
}

/// What is wrong with a value that has a sign: where no number follows, it is the next option.
fn negative(text: &str) -> &'static str {
    let rest = text.trim_start_matches('-');
    if rest.starts_with(|it: char| it == '.' || it.is_ascii_digit()) {
        "it cannot be negative"
    } else {
        "a value is missing before it"
    }
}

/// A number of things: `500`, `10k`, `1.5m`, each suffix a thousand times the one before.
pub fn parse_count(text: &str) -> Result<u64, String> {
    Written::read(text, &OF_COUNTS, "k, m and g are thousands")?.exact("a whole number")
}

/// A reader of a number of things from `least` to `most`.
pub fn parse_between(least: u64, most: u64) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| match parse_count(text)? {
        number if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("it has to be from {least} to {}", thousands(most))),
    }
}

/// A number of things, one at least.
pub fn parse_positive_count(text: &str) -> Result<u64, String> {
    match parse_count(text)? {
        0 => Err("it has to be at least 1".to_owned()),
        count => Ok(count),
    }
}

/// A number of things a second: `1000`, `2.5k`, `0.5`, `10/s`.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = Written::read(number, &OF_COUNTS, "k, m and g are thousands")?.near();
    if rate <= 0.0 {
        Err("it has to be more than 0 a second".to_owned())
    } else if rate > FASTEST {
        Err("it is more than one a nanosecond (1g)".to_owned())
    } else {
        Ok(rate)
    }
}

/// The bytes of a message, or the fewest and the most: `64`, `4k`, `64-1400`.
pub fn parse_sizes(text: &str) -> Result<(usize, usize), String> {
    match text.split_once('-') {
        None => size(text).map(|size| (size, size)),
        Some(("", _)) => Err("the shortest is missing: write LO-HI, as in 64-1400".to_owned()),
        Some((_, "")) => Err("the longest is missing: write LO-HI, as in 64-1400".to_owned()),
        Some((shortest, longest)) => match (size(shortest)?, size(longest)?) {
            sizes if sizes.0 <= sizes.1 => Ok(sizes),
            _ => Err(format!("the shortest comes first: write {longest}-{shortest}")),
        },
    }
}

fn size(text: &str) -> Result<usize, String> {
    let bytes = parse_bytes(text)?;
    if bytes == 0 {
        return Err("a message has at least 1 byte".to_owned());
    }
    let size = usize::try_from(bytes).ok().filter(|_| bytes <= LARGEST);
    size.ok_or_else(|| format!("a message has at most {}m", LARGEST >> 20))
}

/// A share in percent: `0.1%`, `0.1`.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    let share = Written::read(number, &[], "a share is in percent, as in 0.1%")?.near();
    if share <= 100.0 { Ok(share) } else { Err("it is more than 100 %".to_owned()) }
}

/// A number as it is written: `digits` times `scale`, of which the last `decimals` are behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    digits: u64,
    decimals: u32,
    scale: u64,
}

impl Written {
    /// Reads `text`; `rule` says what may stand behind the number.
    fn read(text: &str, suffixes: &Suffixes, rule: &str) -> Result<Self, String> {
        let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (before, behind) = number.split_once('.').unwrap_or((number, ""));
        if text.is_empty() {
            return Err("it is empty: write a number".to_owned());
        }
        if text.starts_with('-') {
            return Err(negative(text).to_owned());
        }
        if (before.is_empty() && behind.is_empty()) || behind.contains('.') {
            return Err("it is no number".to_owned());
        }
        let lower = suffix.to_ascii_lowercase();
        let scale = match suffixes.iter().find(|(name, _)| *name == lower) {
            _ if suffix.is_empty() => 1,
            Some((_, scale)) => *scale,
            None => return Err(format!("unknown suffix `{suffix}`: {rule}")),
        };
        let behind = behind.trim_end_matches('0');
        let digits = format!("0{before}{behind}").parse().map_err(|_| too_large())?;
        let decimals = u32::try_from(behind.len()).unwrap_or(u32::MAX);
        Ok(Self { digits, decimals, scale })
    }

    /// As `what`, which is a whole number.
    fn exact(self, what: &str) -> Result<u64, String> {
        let scaled = u128::from(self.digits) * u128::from(self.scale);
        // A part that is too small for a u128 leaves a rest of any number that is not 0.
        let parts = 10_u128.checked_pow(self.decimals).filter(|parts| scaled % parts == 0);
        let parts = parts.ok_or_else(|| format!("it is not {what}"))?;
        u64::try_from(scaled / parts).map_err(|_| too_large())
    }

    /// As the nearest number that a computer has.
    fn near(self) -> f64 {
        let decimals = i32::try_from(self.decimals).unwrap_or(i32::MAX);
        float(self.digits) * float(self.scale) / 10_f64.powi(decimals)
    }
}

fn too_large() -> String {
    format!("it is too large: at most {}", thousands(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_of_seconds_and_latencies_have_one() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_latency("0.5ms"), Ok(Duration::from_micros(500)));
        assert_eq!(parse_latency("0"), Ok(Duration::ZERO));
        for (text, words) in [
            ("-1s", "negative"),
            ("--for", "a value is missing"),
            ("", "not a time"),
            ("s", "not a time"),
            ("9000h", "more than a year"),
            ("99999999999999999h", "more than a year"),
        ] {
            for error in [parse_duration(text).unwrap_err(), parse_latency(text).unwrap_err()] {
                assert!(error.contains(words), "{text}: {error}");
            }
        }
        for text in ["5", "0.5"] {
            let error = parse_latency(text).unwrap_err();
            assert!(error.contains(&format!("its unit: {text}s, or {text}ms")), "{error}");
        }
        assert_eq!(parse_positive_duration("5ms"), Ok(Duration::from_millis(5)));
        for text in ["0", "0s"] {
            assert!(parse_positive_duration(text).unwrap_err().contains("above 0"), "{text}");
            assert!(parse_positive_latency(text).unwrap_err().contains("above 0"), "{text}");
        }
    }

    #[test]
    fn counts_go_in_thousands() {
        for (text, number) in [
            ("0", 0),
            ("1000", 1000),
            ("100k", 100_000),
            ("1.5M", 1_500_000),
            ("2g", 2_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_count(text), Ok(number), "{text}");
        }
        assert_eq!(parse_positive_count("1.0"), Ok(1));
        assert!(parse_positive_count("0").unwrap_err().contains("at least 1"));
        assert_eq!(parse_between(1, 256)("256"), Ok(256));
        for (text, words) in [("0", "from 1 to 256"), ("257", "from 1 to 256"), ("x", "no number")]
        {
            assert!(parse_between(1, 256)(text).unwrap_err().contains(words), "{text}");
        }
    }

    #[test]
    fn bytes_go_in_1024s() {
        for (text, number) in
            [("0", 0), ("64k", 1 << 16), ("64K", 1 << 16), ("1MiB", 1 << 20), ("1.5kib", 1536)]
        {
            assert_eq!(parse_bytes(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_number_is_said() {
        for (text, words) in [
            ("", "empty"),
            ("-1", "negative"),
            ("-n", "a value is missing before it"),
            ("ten", "no number"),
            ("k", "no number"),
            ("+1", "no number"),
            (".", "no number"),
            ("1.2.3", "no number"),
            ("inf", "no number"),
            ("10KiB", "unknown suffix `KiB`: k, m and g are thousands"),
            ("1kk", "unknown suffix `kk`"),
            ("1e9", "unknown suffix `e9`"),
            ("1.50", "not a whole number"),
            ("1.0005k", "not a whole number"),
            ("99999999999999g", "too large"),
            ("18446744073709551616", "too large"),
            ("0.0000000000000000000000000000000000000001", "not a whole number"),
        ] {
            let error = parse_count(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        for (text, words) in
            [("10KB", "unknown suffix `KB`: of bytes"), ("1ib", "unknown suffix `ib`")]
        {
            let error = parse_bytes(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn rates_are_a_second() {
        assert_eq!(parse_rate("2.5k"), Ok(2500.0));
        assert_eq!(parse_rate("0.5/s"), Ok(0.5));
        for (text, words) in [
            ("0", "more than 0"),
            ("2g", "nanosecond"),
            ("10/m", "unknown suffix `/m`"),
            ("nan", "no number"),
        ] {
            let error = parse_rate(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_one_or_two() {
        assert_eq!(parse_sizes("64"), Ok((64, 64)));
        assert_eq!(parse_sizes("1k-1MiB"), Ok((1024, 1 << 20)));
        for (text, words) in [
            ("0", "at least 1 byte"),
            ("0-5", "at least 1 byte"),
            ("64-", "the longest is missing"),
            ("-64", "the shortest is missing"),
            ("9-5", "write 5-9"),
            ("100m", "at most 64m"),
            ("1.5", "not a whole number of bytes"),
        ] {
            let error = parse_sizes(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn shares_are_in_percent() {
        assert_eq!(parse_percent("0.1%"), Ok(0.1));
        assert_eq!(parse_percent("100"), Ok(100.0));
        for (text, words) in [
            ("100.1", "more than 100 %"),
            ("-1%", "negative"),
            ("%", "empty"),
            ("1k", "unknown suffix `k`: a share is in percent"),
        ] {
            let error = parse_percent(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
