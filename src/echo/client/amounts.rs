//! Numbers as people write them: `100k`, `1.5m`, `64-1400`, `0.1%`, `5ms`. Pure.

use std::time::Duration;

use crate::kernel::clock;
use crate::output::numbers::{float, whole};

/// The most bytes that a message may have.
const LARGEST: u64 = 64 << 20;

/// A count: `1000`, `100k`, `1.5m`.
pub fn parse_count(text: &str) -> Result<u64, String> {
    let number = scaled(text, 1000.0)?;
    if number < 1.0 || number > float(1 << 53) || number.fract() != 0.0 {
        return Err("write a whole number from 1, as in 1000, 100k or 1.5m".to_owned());
    }
    Ok(whole(number))
}

/// A number of things a second: `1000`, `2.5k`, `0.5`.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let number = scaled(text.strip_suffix("/s").unwrap_or(text), 1000.0)?;
    // Above, the moments are closer than a nanosecond.
    if number > 0.0 && number <= 1e9 {
        Ok(number)
    } else {
        Err("write how many a second, as in 1000, 2.5k or 0.5".to_owned())
    }
}

/// A size, or the shortest and the longest: `64`, `64-1400`, `4k`, of 1,024 bytes each.
pub fn parse_sizes(text: &str) -> Result<(usize, usize), String> {
    let wrong = || {
        format!(
            "write bytes from 1 to {} MiB, as in 64, 4k, 1m, or the shortest and the longest: 64-1400",
            LARGEST >> 20
        )
    };
    let size = |text: &str| {
        let number = scaled(text, 1024.0).ok().filter(|it| *it >= 1.0 && it.fract() == 0.0);
        let number = whole(number?);
        usize::try_from(number).ok().filter(|_| number <= LARGEST)
    };
    let sizes = match text.split_once('-') {
        Some((shortest, longest)) => size(shortest).zip(size(longest)),
        None => size(text).map(|size| (size, size)),
    };
    let sizes = sizes.ok_or_else(wrong)?;
    if sizes.0 > sizes.1 {
        return Err(format!("the shortest comes first: write {}-{}", sizes.1, sizes.0));
    }
    Ok(sizes)
}

/// A share in percent: `0.1%`, `0.1`.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    number
        .filter(|it| (0.0..=100.0).contains(it))
        .ok_or_else(|| "write a share from 0 to 100, as in 0.1%".to_owned())
}

/// A length of time above 0: `500ms`, `10s`, `1m 30s`.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let time = clock::parse_duration(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| "write a time with its unit, as in 500ms, 10s or 2m".to_owned())
}

/// A number, with `k` or `m` for the thousand, or whatever it is, and its square.
fn scaled(text: &str, thousand: f64) -> Result<f64, String> {
    let (number, scale) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (text.get(..at), thousand),
        Some((at, 'm' | 'M')) => (text.get(..at), thousand * thousand),
        _ => (Some(text), 1.0),
    };
    let is_plain = |it: &&str| it.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: Option<f64> = number.filter(is_plain).and_then(|it| it.parse().ok());
    number.map(|number| number * scale).ok_or_else(|| "it is not a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        assert_eq!(parse_count("1000"), Ok(1000));
        assert_eq!(parse_count("100k"), Ok(100_000));
        assert_eq!(parse_count("1.5M"), Ok(1_500_000));
        assert_eq!(parse_rate("2.5k"), Ok(2500.0));
        assert_eq!(parse_rate("0.5/s"), Ok(0.5));
        assert_eq!(parse_sizes("64"), Ok((64, 64)));
        assert_eq!(parse_sizes("1k-1m"), Ok((1024, 1 << 20)));
        assert_eq!(parse_percent("0.1%"), Ok(0.1));
        assert_eq!(parse_percent("5"), Ok(5.0));
        assert_eq!(parse_time("5ms"), Ok(Duration::from_millis(5)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "0", "-1", "1.5", "k", "1e9", "inf", "1kk", "99999999999m", "ten"] {
            assert!(parse_count(text).is_err(), "{text}");
        }
        for text in ["", "0", "-1", "nan", "inf", "1e3", "2000m"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
        for text in ["", "0", "-", "64-", "-64", "0-5", "100m", "1.5"] {
            assert!(parse_sizes(text).is_err(), "{text}");
        }
        assert!(parse_sizes("9-5").unwrap_err().contains("5-9"));
        for text in ["", "-1%", "101", "nan", "%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
        for text in ["", "0s", "5", "-1s"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
