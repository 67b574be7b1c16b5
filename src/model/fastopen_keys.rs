//! Keys of TCP Fast Open, as `tcp_fastopen_key` has them (`net/ipv4/sysctl_net_ipv4.c`,
//! `proc_tcp_fastopen_key`): one, or two with a comma between them, each of four hexadecimal numbers
//! with dashes.

use super::{BadValue, Parsed, SysctlValue};

/// What the kernel keeps of a line: two keys, their dashes and the comma.
const MOST_BYTES: usize = 73;

/// Reads the keys, which [`SysctlValue::Text`] then has as the kernel writes them: eight digits each.
pub(super) fn fastopen_keys(line: &str) -> Result<Parsed, BadValue> {
    let kept = line.get(..MOST_BYTES).unwrap_or(line);
    let (first, second) = match kept.split_once(',') {
        Some((first, second)) => (first, Some(second)),
        None => (kept, None),
    };
    let bad = || BadValue::NotKeys(line.trim().to_owned());
    let (mut keys, mut rest) = key(first).ok_or_else(bad)?;
    if let Some(second) = second {
        let (backup, after) = key(second).ok_or_else(bad)?;
        keys += &format!(",{backup}");
        rest = after;
    }
    let dropped = rest.trim();
    Ok(Parsed {
        value: SysctlValue::Text(keys),
        dropped: (!dropped.is_empty()).then(|| dropped.to_owned()),
        is_partial: false,
    })
}

/// The key at the head of `text`, and what follows it, which the kernel drops.
fn key(text: &str) -> Option<(String, &str)> {
    let (first, rest) = word(text)?;
    let (second, rest) = word(rest.strip_prefix('-')?)?;
    let (third, rest) = word(rest.strip_prefix('-')?)?;
    let (fourth, rest) = word(rest.strip_prefix('-')?)?;
    Some((format!("{first:08x}-{second:08x}-{third:08x}-{fourth:08x}"), rest))
}

/// A number as `%x` of sscanf() reads it (`lib/vsprintf.c`): blanks before it, `0x` or none, and of too
/// many digits the last eight.
fn word(text: &str) -> Option<(u32, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\u{b}', '\u{c}', '\r']);
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = prefixed.unwrap_or(text);
    let end = digits.find(|c| !is_hex(c)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    // A prefix alone is 0.
    if digits.is_empty() && prefixed.is_none() {
        return None;
    }
    let number = digits.chars().filter_map(|c| c.to_digit(16));
    Some((number.fold(0, |number: u32, digit| (number << 4) | digit), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_that_linux_takes() {
        let one = "00000001-0000000a-000000ff-12345678";
        let other = "00000000-00000000-00000000-00000002";
        let both = format!("{one},{other}");
        for (text, keys) in [
            (one, one),
            ("1-a-FF-12345678", one),
            ("0x1- a-0xff-912345678", one),
            (&both, &both),
            ("1-a-ff-12345678,0-0x-0-2", &both),
            ("1-a-ff-12345678 # mine", one),
        ] {
            let parsed = fastopen_keys(text).unwrap();
            assert_eq!(parsed.value, SysctlValue::Text(keys.to_owned()), "{text}");
            assert_eq!(parsed.dropped.is_some(), text.contains('#'), "{text}");
        }
        for text in ["1", "1-2-3", "1-2-3-", "x-2-3-4", "-1-2-3-4", "1 -2-3-4", "1-2-3-4,", ""] {
            assert!(fastopen_keys(text).is_err(), "{text}");
        }
    }
}
