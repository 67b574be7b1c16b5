//! Amounts as people write them on the command line: times, bytes, counts.

use std::time::Duration;

use crate::kernel::clock;

/// Longer than anything here may take.
const A_YEAR: Duration = Duration::from_secs(365 * 86_400);

/// `5s`, `250ms`, `1m`, `0`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || "give a time such as 250ms, 5s or 1m, with its unit".to_owned();
    clock::parse_duration(text).filter(|it| *it <= A_YEAR).ok_or_else(wrong)
}

/// The same, and more than nothing.
pub fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("give a time above 0".to_owned()),
        duration => Ok(duration),
    }
}

/// `100`, `64k`, `1m`, `2g`: of bytes, each 1,024 times the one before. `KiB`, `MiB` and `GiB` say the
/// same.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    scaled(text, 1024).ok_or_else(|| "give a number of bytes such as 512, 64k or 1m".to_owned())
}

/// `100`, `10k`, `1m`: of things, each a thousand times the one before.
pub fn parse_count(text: &str) -> Result<u64, String> {
    scaled(text, 1000).ok_or_else(|| "give a number such as 500, 10k or 1m".to_owned())
}

fn scaled(text: &str, step: u64) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let text = lower.strip_suffix("ib").unwrap_or(&lower);
    let digits = text.trim_end_matches(['k', 'm', 'g']);
    let power = match text.get(digits.len()..)? {
        "" if text.len() == lower.len() => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        _ => return None,
    };
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_plain)?;
    number.checked_mul(step.pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for wrong in ["5", "-1s", "", "s", "2000000h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert!(parse_positive_duration("0s").is_err());
    }

    #[test]
    fn bytes_and_counts_have_their_own_thousands() {
        assert_eq!(parse_bytes("64k"), Ok(65_536));
        assert_eq!(parse_bytes("1MiB"), Ok(1 << 20));
        assert_eq!(parse_count("64k"), Ok(64_000));
        assert_eq!(parse_count("1m"), Ok(1_000_000));
        assert_eq!(parse_bytes("0"), Ok(0));
        for wrong in ["", "k", "-1", "+1", "1kk", "1.5k", "1ib", "99999999999999g"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
