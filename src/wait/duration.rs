//! Times as people write them: `500ms`, `30s`, `2m`, `1m 30s`; a bare number is seconds.

use std::time::Duration;

use crate::kernel::clock::parse_duration;

/// More than this is a mistake.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads a time of 0 to a year.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a time: write 500ms, 30s or 2m; a bare number is seconds");
    let is_bare =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let duration = if is_bare {
        text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    } else {
        parse_duration(text)
    };
    let duration = duration.ok_or_else(wrong)?;
    if duration > LONGEST {
        return Err(format!(
            "`{text}` is more than a year: a bare number is seconds; 0 is no limit"
        ));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_a_bare_number_is_seconds() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1m30s", 90_000),
            ("1h", 3_600_000),
            ("15", 15_000),
            ("0.5", 500),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_named() {
        for text in ["", "-5s", "-5", "soon", "5 parsecs", ".", "1.2.3", "1e3"] {
            assert!(
                parse(text).unwrap_err().contains(&format!("`{text}` is not a time")),
                "{text}"
            );
        }
        assert!(parse("99999999999").unwrap_err().contains("more than a year"));
    }
}
