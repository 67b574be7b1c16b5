//! Values of sysctls, and why a text is none.

use std::fmt;

use super::sysctl_number::number;
use super::{PortRange, PortSet};

/// What a text means to the kernel: two texts set the same if their values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SysctlValue {
    /// The numbers, in their order. One from 2⁶³ on, which a setting in an unsigned long can have, is
    /// kept as 2⁶³−1.
    Numbers(Vec<i64>),
    /// A set of ports.
    Ports(PortSet),
    /// A word, as of a congestion control.
    Text(String),
}

impl SysctlValue {
    /// The only number, where there is one.
    pub fn number(&self) -> Option<i64> {
        match self.numbers() {
            [number] => Some(*number),
            _ => None,
        }
    }

    /// The first number, of one or of several.
    pub fn first(&self) -> Option<i64> {
        self.numbers().first().copied()
    }

    /// The range of two ports, the lower one first.
    pub fn port_range(&self) -> Option<PortRange> {
        let [low, high] = self.numbers() else { return None };
        let (low, high) = (u16::try_from(*low).ok()?, u16::try_from(*high).ok()?);
        (low <= high).then_some(PortRange { low, high })
    }

    /// The ports, of a list of them.
    pub fn ports(self) -> Option<PortSet> {
        match self {
            Self::Ports(ports) => Some(ports),
            Self::Numbers(_) | Self::Text(_) => None,
        }
    }

    /// The numbers; none for ports and text.
    pub fn numbers(&self) -> &[i64] {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Ports(_) | Self::Text(_) => &[],
        }
    }
}

impl fmt::Display for SysctlValue {
    /// As the kernel writes it: tabs between numbers, commas between ports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: Vec<String>, separator| parts.join(separator);
        match self {
            Self::Numbers(numbers) => {
                f.write_str(&joined(numbers.iter().map(ToString::to_string).collect(), "\t"))
            }
            Self::Ports(ports) => {
                f.write_str(&joined(ports.ranges().map(|range| range.to_string()).collect(), ","))
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The numbers of `text`, however many, where there is nothing else: to compare values whatever range
/// a setting has. `None` if a word is no number of 64 bits, or there is none.
pub fn numbers(text: &str) -> Option<Vec<i64>> {
    let words = text.split_ascii_whitespace().map(|word| {
        let number = number(word, &[])?;
        let magnitude = i64::try_from(number.magnitude).ok()?;
        Some(if number.is_negative { -magnitude } else { magnitude })
    });
    let numbers = words.collect::<Option<Vec<_>>>()?;
    (!numbers.is_empty()).then_some(numbers)
}

/// A text that the kernel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub value: SysctlValue,
    /// What the kernel drops without a word: all after the last number that it reads, as the `# for
    /// nginx` of `30 # for nginx`.
    pub dropped: Option<String>,
    /// Whether there are fewer numbers than the setting has: the others keep their running values.
    pub is_partial: bool,
}

/// A text that the kernel refuses, with EINVAL.
///
/// `set_before` is how many numbers are set although the write fails: those of a triple are stored one
/// by one, and a wrong third leaves the first two changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Nothing but blanks.
    #[error("there is no value")]
    Empty,
    /// A word that is no number, or that goes on after one.
    #[error("`{}` is not a number to the kernel", .word.escape_debug())]
    NotANumber {
        /// The word.
        word: String,
        /// How many numbers before it are set all the same.
        set_before: usize,
    },
    /// A minus sign where the setting has none.
    #[error("`{}` has a sign, and this setting takes none", .word.escape_debug())]
    Signed {
        /// The word.
        word: String,
        /// How many numbers before it are set all the same.
        set_before: usize,
    },
    /// A number that does not fit where the kernel keeps it.
    #[error("`{}` is too large for this setting", .word.escape_debug())]
    TooLarge {
        /// The word.
        word: String,
        /// How many numbers before it are set all the same.
        set_before: usize,
    },
    /// A number below the least or above the greatest.
    #[error("{value} is not from {low} to {high}")]
    OutOfRange {
        /// The number.
        value: i64,
        /// The least that is taken.
        low: i64,
        /// The greatest that is taken.
        high: i64,
        /// How many numbers before it are set all the same.
        set_before: usize,
    },
    /// Ports that are no list of them.
    #[error(
        "`{}` is not a list of ports such as 8080,9000-9100, without blanks",
        .0.escape_debug()
    )]
    NotPorts(String),
    /// Keys of TCP Fast Open that are none.
    #[error(
        "`{}` is no key: four hexadecimal numbers with dashes, a second key after a comma",
        .0.escape_debug()
    )]
    NotKeys(String),
    /// The ends of a range the wrong way round.
    #[error("the first port, {0}, is above the second, {1}")]
    Backwards(u16, u16),
}

impl BadValue {
    /// How many numbers are set although the write fails.
    pub fn set_before(&self) -> usize {
        match self {
            Self::NotANumber { set_before, .. }
            | Self::Signed { set_before, .. }
            | Self::TooLarge { set_before, .. }
            | Self::OutOfRange { set_before, .. } => *set_before,
            Self::Empty | Self::NotPorts(_) | Self::NotKeys(_) | Self::Backwards(..) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_a_range() {
        assert_eq!(numbers("0x1e"), Some(vec![30]));
        assert_eq!(numbers("4096\t-1 9223372036854775807"), Some(vec![4096, -1, i64::MAX]));
        for text in ["", " ", "08", "30 # x", "+1", "9223372036854775808", "cubic"] {
            assert_eq!(numbers(text), None, "{text:?}");
        }
    }

    #[test]
    fn two_ports_are_a_range() {
        let range = |low, high| SysctlValue::Numbers(vec![low, high]).port_range();
        assert_eq!(range(80, 90), Some(PortRange { low: 80, high: 90 }));
        assert_eq!((range(90, 80), range(80, 65_536), range(-1, 80)), (None, None, None));
        assert_eq!(SysctlValue::Numbers(vec![80]).port_range(), None);
    }
}
