//! A number at the head of a text, as the kernel reads it (`kernel/sysctl.c`, `proc_get_long`).
//!
//! Base 0, as in C: `0x1e` and `036` are 30, and `08` is none. A minus sign may stand at the front, a
//! plus sign may not. What follows has to be one of the separators of the setting.

/// One less than this many characters, sign and `0x` with them, is the longest number that is read
/// (`TMPBUFLEN`), whatever its size.
const TOO_LONG: usize = 21;

/// A number, and what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<'a> {
    /// Its size without the sign.
    pub magnitude: u64,
    /// Whether a minus sign stands before it; `-0` has one too.
    pub is_negative: bool,
    /// The rest of the text, beginning with a separator or empty.
    pub rest: &'a str,
}

/// The number at the head of `text`; `None` where the kernel answers EINVAL.
pub(super) fn number<'a>(text: &'a str, separators: &[char]) -> Option<Number<'a>> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, radix) = in_base(unsigned);
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let length = text.len() - rest.len();
    if digits.is_empty() || length >= TOO_LONG || !(rest.is_empty() || rest.starts_with(separators))
    {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    Some(Number { magnitude, is_negative: text.starts_with('-'), rest })
}

/// The digits after a prefix, and its base. `0x` is one before a hexadecimal digit alone, else its 0
/// is a number and the `x` what follows (`lib/kstrtox.c`, `_parse_integer_fixup_radix`).
fn in_base(text: &str) -> (&str, u32) {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hexadecimal.filter(|digits| digits.starts_with(|c: char| c.is_ascii_hexdigit())) {
        Some(digits) => (digits, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<i128> {
        let number = number(text, &[' '])?;
        let magnitude = i128::from(number.magnitude);
        Some(if number.is_negative { -magnitude } else { magnitude })
    }

    #[test]
    fn numbers_are_those_that_linux_takes() {
        for (text, number) in [
            ("30", 30),
            ("0x1e", 30),
            ("0X1E", 30),
            ("036", 30),
            ("0", 0),
            ("-0", 0),
            ("-1", -1),
            ("-0x10", -16),
            ("30 x", 30),
            ("00000000000000000005", 5),
            ("18446744073709551615", 18_446_744_073_709_551_615),
        ] {
            assert_eq!(value(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "--1",
            "- 1",
            "+30",
            "08",
            "0x",
            "0xg",
            "x",
            "30;",
            "30.5",
            "1e3",
            "1_000",
            "30\r",
            "0b1",
            "0o7",
            "٣",
            " 30",
            "000000000000000000005",
            "18446744073709551616",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
