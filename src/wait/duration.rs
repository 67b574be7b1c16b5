//! Times as people write them: `500ms`, `30s`, `2m`, `1m 30s`; a bare number is seconds.

use std::time::Duration;

use crate::kernel::clock::parse_duration_or_seconds;

/// More than this is a mistake.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads a time of 0 to a year.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a time: write 500ms, 30s or 2m; a bare number is seconds");
    let duration = parse_duration_or_seconds(text).ok_or_else(wrong)?;
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
    fn what_is_no_time_is_named() {
        assert_eq!(parse("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        assert!(parse("soon").unwrap_err().contains("`soon` is not a time"));
        assert!(parse("99999999999").unwrap_err().contains("more than a year"));
    }
}
