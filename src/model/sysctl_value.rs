//! Values of sysctls as the kernel reads them.
//!
//! `kernel/sysctl.c`, `proc_get_long` and its callers; every rule measured on Linux 6.18. The first
//! word counts, in base 0: `0x1e` and `036` are 30, `08` is an error. What follows it after a blank
//! is dropped without a word, what follows without one (`30;`, `30.5`, `30#x`) is an error.

use std::fmt;

use super::{PortRange, PortSet};

/// What a text means to the kernel. Two texts are the same setting if their values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SysctlValue {
    /// One number or several.
    Numbers(Vec<i64>),
    /// A set of ports.
    Ports(PortSet),
    /// A word, as of a congestion control.
    Text(String),
}

/// How the kernel reads a value, and which it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlKind {
    /// A number (`proc_dointvec`, `proc_dointvec_minmax`, `proc_dou8vec_minmax`), from `low` to
    /// `high`.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// The same, of which each bit has a meaning.
    Bitmask {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// Two ports, the first not above the second (`ipv4_local_port_range`).
    RangePair,
    /// Ports and ranges, with commas (`proc_do_large_bitmap`).
    PortList,
    /// Three numbers, each at least `low` (`proc_doulongvec_minmax`, or `proc_dointvec_minmax`).
    Triple {
        /// The least of each.
        low: i64,
    },
    /// A word.
    Word,
}

/// A text that the kernel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub value: SysctlValue,
    /// What the kernel drops: the words after those that it reads.
    pub dropped: Option<String>,
    /// Whether it has fewer numbers than the key: the others stay as they are.
    pub is_partial: bool,
}

/// A text that the kernel refuses, with EINVAL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Nothing: a write of no bytes changes nothing, and of blanks is refused.
    #[error("no value")]
    Empty,
    /// A word that is no number, or that goes on after one.
    #[error("`{0}` is not a number to the kernel")]
    NotANumber(String),
    /// A number that the key does not take.
    #[error("{value} is not from {low} to {high}")]
    OutOfRange {
        /// The number.
        value: i64,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// Ports that are no list of them.
    #[error("`{0}` is not a list of ports such as 8080,9000-9100, without blanks")]
    NotPorts(String),
    /// The ends of a range the wrong way round.
    #[error("the first port, {0}, is above the second, {1}")]
    Backwards(i64, i64),
}

impl SysctlKind {
    /// Reads `text` as the kernel would.
    pub fn parse(self, text: &str) -> Result<Parsed, BadValue> {
        match self {
            Self::Integer { low, high } | Self::Bitmask { low, high } => {
                numbers(text, 1, (low, high))
            }
            Self::Triple { low } => numbers(text, 3, (low, i64::MAX)),
            Self::RangePair => {
                let parsed = numbers(text, 2, (0, u16::MAX.into()))?;
                match &parsed.value {
                    SysctlValue::Numbers(ends) => match ends.as_slice() {
                        [low, high] if low > high => Err(BadValue::Backwards(*low, *high)),
                        _ => Ok(parsed),
                    },
                    SysctlValue::Ports(_) | SysctlValue::Text(_) => Ok(parsed),
                }
            }
            Self::PortList => ports(text).map(|ports| Parsed {
                value: SysctlValue::Ports(ports),
                dropped: None,
                is_partial: false,
            }),
            Self::Word => {
                let word = text.trim();
                let value = SysctlValue::Text(word.to_owned());
                if word.is_empty() { Err(BadValue::Empty) } else { Ok(whole(value)) }
            }
        }
    }

    /// Whether the kernel makes the same of both; a number that one leaves out does not count.
    pub fn is_same(self, one: &str, other: &str) -> bool {
        match (self.parse(one).map(|it| it.value), self.parse(other).map(|it| it.value)) {
            (Ok(SysctlValue::Numbers(a)), Ok(SysctlValue::Numbers(b))) => {
                a.iter().zip(&b).all(|(a, b)| a == b)
            }
            (Ok(a), Ok(b)) => a == b,
            _ => one.split_whitespace().eq(other.split_whitespace()),
        }
    }

    /// The word of JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Bitmask { .. } => "bitmask",
            Self::RangePair => "range_pair",
            Self::PortList => "port_list",
            Self::Triple { .. } => "triple",
            Self::Word => "word",
        }
    }
}

impl fmt::Display for SysctlKind {
    /// What it takes, as in `0 to 255`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { low, high } | Self::Bitmask { low, high } => {
                write!(f, "{low} to {high}")
            }
            Self::RangePair => f.write_str("two ports, low and high"),
            Self::PortList => f.write_str("ports and ranges, 8080,9000-9100"),
            Self::Triple { low } => write!(f, "three numbers of at least {low}"),
            Self::Word => f.write_str("a word"),
        }
    }
}

fn whole(value: SysctlValue) -> Parsed {
    Parsed { value, dropped: None, is_partial: false }
}

/// The first `count` words as numbers.
fn numbers(text: &str, count: usize, (low, high): (i64, i64)) -> Result<Parsed, BadValue> {
    let mut words = text.split_ascii_whitespace();
    let mut values = Vec::with_capacity(count);
    for word in words.by_ref().take(count) {
        let value = number(word).ok_or_else(|| BadValue::NotANumber(word.to_owned()))?;
        if !(low..=high).contains(&value) {
            return Err(BadValue::OutOfRange { value, low, high });
        }
        values.push(value);
    }
    if values.is_empty() {
        return Err(BadValue::Empty);
    }
    let rest = words.collect::<Vec<_>>().join(" ");
    Ok(Parsed {
        is_partial: values.len() < count,
        value: SysctlValue::Numbers(values),
        dropped: (!rest.is_empty()).then_some(rest),
    })
}

/// A number in base 0, with a minus sign or none.
fn number(word: &str) -> Option<i64> {
    let (digits, is_negative) = match word.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (word, false),
    };
    let magnitude = unsigned(digits).and_then(|number| i64::try_from(number).ok())?;
    Some(if is_negative { -magnitude } else { magnitude })
}

fn unsigned(digits: &str) -> Option<u64> {
    let in_base = |digits: &str, radix| {
        // The parser of the standard library takes a plus sign.
        let is_plain = digits.chars().all(|c| c.is_digit(radix));
        if is_plain { u64::from_str_radix(digits, radix).ok() } else { None }
    };
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => in_base(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => in_base(digits, 8),
        None => in_base(digits, 10),
    }
}

/// `80,90-100`; a comma or a line's end between them, and one at the end.
fn ports(text: &str) -> Result<PortSet, BadValue> {
    let wrong = || BadValue::NotPorts(text.trim().to_owned());
    let port = |word: &str| unsigned(word).and_then(|port| u16::try_from(port).ok());
    let mut set = PortSet::new();
    let list = text.trim_end_matches('\n').trim_end_matches(',');
    for part in list.split([',', '\n']).filter(|_| !list.is_empty()) {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high) = (port(low).ok_or_else(wrong)?, port(high).ok_or_else(wrong)?);
        if low > high {
            return Err(BadValue::Backwards(low.into(), high.into()));
        }
        set.insert_range(PortRange { low, high });
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANY: SysctlKind = SysctlKind::Integer { low: -2_147_483_648, high: 2_147_483_647 };

    fn one(text: &str) -> Option<i64> {
        match ANY.parse(text).ok()?.value {
            SysctlValue::Numbers(numbers) => numbers.first().copied(),
            SysctlValue::Ports(_) | SysctlValue::Text(_) => None,
        }
    }

    #[test]
    fn numbers_are_read_as_linux_6_18_reads_them() {
        for text in ["30", "0x1e", "036", " 30", "\t30\n", "30 # x", "30\n40", "0X1E"] {
            assert_eq!(one(text), Some(30), "{text:?}");
        }
        assert_eq!(one("-5"), Some(-5));
        for text in ["08", "30#x", "30;", "30.5", "+30", "", " ", "abc", "0x", "-", "- 5", "--5"] {
            assert_eq!(one(text), None, "{text:?}");
        }
        assert_eq!(one("99999999999999999999"), None);
        let byte = SysctlKind::Integer { low: 0, high: 255 };
        assert!(
            byte.parse("255").is_ok() && byte.parse("256").is_err() && byte.parse("-1").is_err()
        );
        assert_eq!(byte.parse("1 # on").unwrap().dropped.as_deref(), Some("# on"));
    }

    #[test]
    fn ranges_lists_and_triples_too() {
        let pair = SysctlKind::RangePair;
        assert!(pair.is_same("32768\t60999", "0x8000 60999 # wide"));
        assert!(pair.parse("40000").unwrap().is_partial && pair.is_same("40000", "40000 60999"));
        for text in ["50000 40000", "40000 70000", "40000,41000", "40001 x"] {
            assert!(pair.parse(text).is_err(), "{text}");
        }
        let list = SysctlKind::PortList;
        assert!(list.is_same("80,90-92", "80,90,91,92") && list.is_same("", "\n"));
        for text in ["80", "80,", "0x50", "80\n", "80,80"] {
            assert!(list.is_same(text, "80"), "{text:?}");
        }
        for text in ["80, 90", "80 90", ",80", "100-90", "70000", "80;", "1-2-3", "080"] {
            assert!(list.parse(text).is_err(), "{text}");
        }
        let triple = SysctlKind::Triple { low: 1 };
        assert!(triple.is_same("4096\t131072\t6291456", "4096 131072 6291456"));
        assert!(triple.parse("0 0 0").is_err() && triple.parse("1 2").unwrap().is_partial);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            for kind in [ANY, SysctlKind::RangePair, SysctlKind::PortList, SysctlKind::Word] {
                drop(kind.parse(&text));
            }
        }
    }
}
