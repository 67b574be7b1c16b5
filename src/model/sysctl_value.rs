//! Values of sysctls, and why a text is none.

use std::fmt;

use super::PortSet;

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

/// A text that the kernel takes, as far as its form goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub value: SysctlValue,
    /// What the kernel drops without a word: all after the last number that it reads, as the `# for
    /// nginx` of `30 # for nginx`.
    pub ignored: Option<String>,
    /// Whether there are fewer numbers than the setting has: the others keep their running values.
    pub is_partial: bool,
}

/// A text that the kernel refuses, whatever range the setting has.
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
    /// Ports that are no list of them.
    #[error(
        "`{}` is not a list of ports such as 8080,9000-9100, without blanks",
        .0.escape_debug()
    )]
    NotPorts(String),
    /// The ends of a range of a list the wrong way round.
    #[error("{0}-{1} runs backwards: the lower port comes first")]
    Backwards(u16, u16),
}

impl BadValue {
    /// The error of write(2): EINVAL.
    pub fn errno(&self) -> i32 {
        EINVAL
    }

    /// How many numbers are set although the write fails: the kernel stores those of a triple one by
    /// one, and a wrong third leaves the first two changed.
    pub fn set_before(&self) -> usize {
        match self {
            Self::NotANumber { set_before, .. }
            | Self::Signed { set_before, .. }
            | Self::TooLarge { set_before, .. } => *set_before,
            Self::Empty | Self::NotPorts(_) | Self::Backwards(..) => 0,
        }
    }
}

/// A value that the setting does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfRange {
    /// A number below the least or above the greatest.
    #[error("{value} is not from {low} to {high}")]
    Number {
        /// The number.
        value: i64,
        /// The least that is taken.
        low: i64,
        /// The greatest that is taken.
        high: i64,
        /// How many numbers before it are set all the same.
        set_before: usize,
    },
    /// Two ports of which the first is above the second.
    #[error("the first port, {0}, is above the second, {1}")]
    Backwards(i64, i64),
}

impl OutOfRange {
    /// The error of write(2): EINVAL.
    pub fn errno(&self) -> i32 {
        EINVAL
    }

    /// How many numbers are set although the write fails; see [`BadValue::set_before`].
    pub fn set_before(&self) -> usize {
        match self {
            Self::Number { set_before, .. } => *set_before,
            Self::Backwards(..) => 0,
        }
    }
}

/// `include/uapi/asm-generic/errno-base.h`.
const EINVAL: i32 = 22;
