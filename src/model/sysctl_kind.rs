//! The kinds of sysctls: how the kernel reads a text for each, and which values it takes.
//!
//! Source: `kernel/sysctl.c`, by the handler named with each kind; every rule was measured on Linux
//! 6.18, and `tests/netkit/sysctl_values.rs` asks the running kernel. A text is judged as if a newline
//! followed it, as every program that sets sysctls writes it.
//!
//! What a setting demands beyond its kind is not known here: that a port range lies above
//! `ip_unprivileged_port_start`, that a congestion control exists.

use std::fmt;

use super::fastopen_keys::fastopen_keys;
use super::sysctl_number::{Number, number};
use super::sysctl_ports::port_list;
use super::{BadValue, Parsed, SysctlValue};

/// What the setting's handler in the kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlKind {
    /// A signed number of 32 bits (`proc_dointvec`, `proc_dointvec_minmax`).
    Integer {
        /// The least that is taken.
        low: i32,
        /// The greatest that is taken.
        high: i32,
    },
    /// A number of 8 bits (`proc_dou8vec_minmax`). A minus sign is refused, also before 0.
    Byte {
        /// The least that is taken.
        low: u8,
        /// The greatest that is taken.
        high: u8,
    },
    /// A number of 32 bits without a sign (`proc_douintvec`, `proc_douintvec_minmax`).
    Unsigned {
        /// The least that is taken.
        low: u32,
        /// The greatest that is taken.
        high: u32,
    },
    /// A number of 64 bits without a sign (`proc_doulongvec_minmax`; 32 bits on a 32-bit machine).
    Long {
        /// The least that is taken.
        low: u64,
        /// The greatest that is taken.
        high: u64,
    },
    /// A signed number of 32 bits, of which each bit has a meaning (`proc_dointvec`).
    Bitmask,
    /// Seconds, which the kernel keeps in ticks (`proc_dointvec_jiffies`), a sign allowed: it takes
    /// 2147483647 / `CONFIG_HZ` at most, from 2,147,483 at 1000 Hz to 21,474,836 at 100 Hz.
    Seconds {
        /// `CONFIG_HZ`; where it is not known, what some kernel takes is accepted.
        tick_hz: Option<u32>,
    },
    /// Two ports, the first not above the second (`ipv4_local_port_range`). One alone sets the first.
    RangePair,
    /// Ports and ranges, commas between them and no blanks (`proc_do_large_bitmap`); also none at all.
    PortList,
    /// Three signed numbers of 32 bits (`proc_dointvec_minmax`). They are stored one by one: fewer leave
    /// the others as they are, and so does a wrong one with those before it changed.
    Triple {
        /// The least that is taken for each.
        low: i32,
    },
    /// Three numbers of 64 bits without a sign (`proc_doulongvec_minmax`), stored one by one.
    LongTriple,
    /// Keys of TCP Fast Open (`proc_tcp_fastopen_key`).
    FastOpenKeys,
    /// The line (`proc_dostring` and what is built on it): blanks are part of it.
    Word,
}

/// What may follow a number (`proc_wspace_sep`).
const AFTER_NUMBER: &[char] = &[' ', '\t', '\n'];
/// What is passed over before one (`proc_skip_spaces`, `isspace`).
const BLANKS: &[char] = &[' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

impl SysctlKind {
    /// Reads `text` as the kernel does; fails where the kernel refuses it.
    pub fn parse(self, text: &str) -> Result<Parsed, BadValue> {
        match self {
            Self::Word => line(text),
            Self::FastOpenKeys => match line(text)? {
                Parsed { value: SysctlValue::Text(keys), .. } => fastopen_keys(&keys),
                parsed => Ok(parsed),
            },
            Self::PortList => {
                let value = SysctlValue::Ports(port_list(text)?);
                Ok(Parsed { value, dropped: None, is_partial: false })
            }
            Self::RangePair => match self.numbers(text)? {
                Parsed { value: SysctlValue::Numbers(ends), .. } if is_backwards(&ends) => {
                    Err(backwards(&ends))
                }
                parsed => Ok(parsed),
            },
            Self::Integer { .. }
            | Self::Byte { .. }
            | Self::Unsigned { .. }
            | Self::Long { .. }
            | Self::Bitmask
            | Self::Seconds { .. }
            | Self::Triple { .. }
            | Self::LongTriple => self.numbers(text),
        }
    }

    /// Whether its values are single numbers, of which one is the greater.
    pub fn has_one_number(self) -> bool {
        self.count() == 1
    }

    /// Whether both texts set the same. A number that one of them leaves out does not count; texts that
    /// cannot be read are compared word by word.
    pub fn is_same(self, one: &str, other: &str) -> bool {
        match (self.parse(one).map(|it| it.value), self.parse(other).map(|it| it.value)) {
            (Ok(SysctlValue::Numbers(a)), Ok(SysctlValue::Numbers(b))) => {
                a.iter().zip(&b).all(|(a, b)| a == b)
            }
            (Ok(a), Ok(b)) => a == b,
            _ => one.split_whitespace().eq(other.split_whitespace()),
        }
    }

    /// The least and the greatest of its numbers. Ports for a pair and a list; 0 to 0 for text.
    pub fn range(self) -> (i64, i64) {
        match self {
            Self::Integer { low, high } => (low.into(), high.into()),
            Self::Byte { low, high } => (low.into(), high.into()),
            Self::Unsigned { low, high } => (low.into(), high.into()),
            Self::Long { low, high } => (signed(low), signed(high)),
            Self::Bitmask => (i32::MIN.into(), i32::MAX.into()),
            Self::Seconds { tick_hz } => {
                let most = i64::from(i32::MAX) / i64::from(tick_hz.unwrap_or(SLOWEST_HZ).max(1));
                (-most, most)
            }
            Self::RangePair => (1, u16::MAX.into()),
            Self::PortList => (0, u16::MAX.into()),
            Self::Triple { low } => (low.into(), i32::MAX.into()),
            Self::LongTriple => (0, i64::MAX),
            Self::FastOpenKeys | Self::Word => (0, 0),
        }
    }

    /// How many numbers the setting has; none for ports and text.
    pub fn count(self) -> usize {
        match self {
            Self::Integer { .. }
            | Self::Byte { .. }
            | Self::Unsigned { .. }
            | Self::Long { .. }
            | Self::Bitmask
            | Self::Seconds { .. } => 1,
            Self::RangePair => 2,
            Self::Triple { .. } | Self::LongTriple => 3,
            Self::PortList | Self::FastOpenKeys | Self::Word => 0,
        }
    }

    /// The word of JSON and of tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer { .. }
            | Self::Byte { .. }
            | Self::Unsigned { .. }
            | Self::Long { .. } => "integer",
            Self::Bitmask => "bitmask",
            Self::Seconds { .. } => "seconds",
            Self::RangePair => "range_pair",
            Self::PortList => "port_list",
            Self::Triple { .. } | Self::LongTriple => "triple",
            Self::FastOpenKeys => "keys",
            Self::Word => "word",
        }
    }

    /// Whether a minus sign may stand before a number.
    fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Integer { .. }
                | Self::Bitmask
                | Self::Seconds { .. }
                | Self::RangePair
                | Self::Triple { .. }
        )
    }

    fn stores_one_by_one(self) -> bool {
        matches!(self, Self::Triple { .. } | Self::LongTriple)
    }

    /// The greatest magnitude that fits where the kernel keeps it: `INT_MIN` has one more than `INT_MAX`.
    fn most(self, is_negative: bool) -> u64 {
        if self.is_signed() {
            let most = if is_negative { i32::MIN } else { i32::MAX };
            return most.unsigned_abs().into();
        }
        let is_long = matches!(self, Self::Long { .. } | Self::LongTriple);
        if is_long { u64::MAX } else { u32::MAX.into() }
    }

    fn numbers(self, text: &str) -> Result<Parsed, BadValue> {
        let mut values = Vec::with_capacity(self.count());
        let mut rest = text.trim_start_matches(BLANKS);
        while values.len() < self.count() && !rest.is_empty() {
            let set_before = if self.stores_one_by_one() { values.len() } else { 0 };
            let (value, after) = self.next(rest, set_before)?;
            values.push(value);
            rest = after.trim_start_matches(BLANKS);
        }
        if values.is_empty() {
            return Err(BadValue::Empty);
        }
        let dropped = rest.trim_end_matches(BLANKS);
        Ok(Parsed {
            dropped: (!dropped.is_empty()).then(|| dropped.to_owned()),
            is_partial: values.len() < self.count(),
            value: SysctlValue::Numbers(values),
        })
    }

    /// The number at the head of `text` and what follows it; `set_before` others are stored by then.
    fn next(self, text: &str, set_before: usize) -> Result<(i64, &str), BadValue> {
        let word = || text.split(AFTER_NUMBER).next().unwrap_or_default().to_owned();
        let Some(Number { magnitude, is_negative, rest }) = number(text, AFTER_NUMBER) else {
            return Err(BadValue::NotANumber { word: word(), set_before });
        };
        if is_negative && !self.is_signed() {
            return Err(BadValue::Signed { word: word(), set_before });
        }
        if magnitude > self.most(is_negative) {
            return Err(BadValue::TooLarge { word: word(), set_before });
        }
        let size = signed(magnitude);
        let value = if is_negative { -size } else { size };
        let (low, high) = self.range();
        if !(low..=high).contains(&value) {
            return Err(BadValue::OutOfRange { value, low, high, set_before });
        }
        Ok((value, rest))
    }
}

/// From here on a greatest number says nothing.
const LARGEST: u64 = i64::MAX.unsigned_abs();

/// The tick of the slowest kernels; it makes the greatest range.
const SLOWEST_HZ: u32 = 100;

fn signed(magnitude: u64) -> i64 {
    i64::try_from(magnitude).unwrap_or(i64::MAX)
}

fn is_backwards(ends: &[i64]) -> bool {
    matches!(ends, [low, high] if low > high)
}

/// Why two ports that are in range are none of one.
fn backwards(ends: &[i64]) -> BadValue {
    let port = |at: usize| ends.get(at).and_then(|port| u16::try_from(*port).ok());
    BadValue::Backwards(port(0).unwrap_or_default(), port(1).unwrap_or_default())
}

impl fmt::Display for SysctlKind {
    /// What is taken, as in `0 to 255`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.range();
        match self {
            Self::Seconds { tick_hz: None } => {
                f.write_str("up to 2147483647 / CONFIG_HZ, which is 100 to 1000, also below 0")
            }
            Self::Bitmask => f.write_str("a sum of bits"),
            Self::RangePair => f.write_str("two ports, low and high"),
            Self::PortList => f.write_str("ports and ranges, as in 8080,9000-9100"),
            Self::Triple { .. } | Self::LongTriple => write!(f, "three numbers of at least {low}"),
            Self::FastOpenKeys => f.write_str("one or two keys, as in 1-2-3-4,5-6-7-8 in base 16"),
            Self::Word => f.write_str("a word"),
            Self::Integer { low: i32::MIN, high: i32::MAX } => {
                f.write_str("any number of 32 bits, also below 0")
            }
            Self::Long { high: LARGEST.., .. } => write!(f, "{low} or more"),
            Self::Integer { .. }
            | Self::Byte { .. }
            | Self::Unsigned { .. }
            | Self::Long { .. }
            | Self::Seconds { .. } => write!(f, "{low} to {high}"),
        }
    }
}

/// The text to the first end of a line, or to a zero byte (`_proc_do_string`).
fn line(text: &str) -> Result<Parsed, BadValue> {
    let (line, after) = text.split_once(['\n', '\0']).unwrap_or((text, ""));
    if line.trim_matches(BLANKS).is_empty() {
        return Err(BadValue::Empty);
    }
    let dropped = after.trim_matches(BLANKS);
    Ok(Parsed {
        value: SysctlValue::Text(line.to_owned()),
        dropped: (!dropped.is_empty()).then(|| dropped.to_owned()),
        is_partial: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTEGER: SysctlKind = SysctlKind::Integer { low: i32::MIN, high: i32::MAX };
    const BYTE: SysctlKind = SysctlKind::Byte { low: 0, high: u8::MAX };
    const TRIPLE: SysctlKind = SysctlKind::Triple { low: 1 };
    const EVERY: [SysctlKind; 12] = [
        INTEGER,
        BYTE,
        SysctlKind::Unsigned { low: 0, high: u32::MAX },
        SysctlKind::Long { low: 0, high: u64::MAX },
        SysctlKind::Bitmask,
        SysctlKind::Seconds { tick_hz: None },
        SysctlKind::RangePair,
        SysctlKind::PortList,
        TRIPLE,
        SysctlKind::LongTriple,
        SysctlKind::FastOpenKeys,
        SysctlKind::Word,
    ];

    /// The value as the kernel would show it; `None` where it refuses.
    fn taken(kind: SysctlKind, text: &str) -> Option<String> {
        Some(kind.parse(text).ok()?.value.to_string())
    }

    fn table(kind: SysctlKind, taken_as: &[(&str, &str)], refused: &[&str]) {
        for (text, value) in taken_as {
            assert_eq!(taken(kind, text).as_deref(), Some(*value), "{kind:?} {text:?}");
        }
        for text in refused {
            assert_eq!(taken(kind, text), None, "{kind:?} {text:?}");
        }
    }

    #[test]
    fn the_first_word_of_a_number_counts() {
        let as_30 = ["30", "0x1e", "036", " 30", "\t30\n", "\u{b}30", "30 # x", "30\n2"];
        table(
            INTEGER,
            &as_30.map(|text| (text, "30")),
            &["", " ", "\n", "30;", "30.5", "+30", "x"],
        );
        table(
            INTEGER,
            &[("-1", "-1"), ("-2147483648", "-2147483648"), ("-0", "0")],
            &["-2147483649"],
        );
        table(
            INTEGER,
            &[("2147483647", "2147483647")],
            &["2147483648", "30\r\n", "30\0", "30\u{a0}"],
        );
        table(BYTE, &[("255", "255"), ("1 2", "1")], &["256", "-1", "-0", "", "4294967296"]);
        let reuse = SysctlKind::Byte { low: 0, high: 2 };
        table(reuse, &[("2", "2")], &["3", "30 # x"]);
        let large = SysctlKind::Unsigned { low: 0, high: u32::MAX };
        table(large, &[("4294967295", "4294967295")], &["4294967296", "-0"]);
        table(
            SysctlKind::Long { low: 0, high: u64::MAX },
            &[("4294967296", "4294967296")],
            &["-5"],
        );
        let seconds = |tick_hz| SysctlKind::Seconds { tick_hz };
        table(seconds(None), &[("-5", "-5"), ("21474836", "21474836")], &["21474837"]);
        table(seconds(Some(250)), &[("-8589934", "-8589934")], &["8589935", "-8589935"]);
    }

    #[test]
    fn what_is_dropped_is_said() {
        let dropped = |kind: SysctlKind, text: &str| kind.parse(text).unwrap().dropped;
        assert_eq!(dropped(INTEGER, "30 # for nginx\n").as_deref(), Some("# for nginx"));
        assert_eq!(dropped(INTEGER, "30 \n"), None);
        assert_eq!(dropped(TRIPLE, "1 2 3 4").as_deref(), Some("4"));
        assert_eq!(dropped(SysctlKind::Word, "reno\nbbr").as_deref(), Some("bbr"));
        assert_eq!(dropped(SysctlKind::Word, "reno\n"), None);
    }

    #[test]
    fn pairs_and_triples_may_be_given_in_part() {
        let pair = SysctlKind::RangePair;
        let both = [("20000\t30000\n", "20000\t30000"), ("0x4000 0x5000 x", "16384\t20480")];
        table(pair, &both, &["30000 20000", "0 9", "9 65536", "1-2", "1,2", "1 2x", "x 9", "1 x"]);
        table(pair, &[("20000", "20000"), ("40000 40000", "40000\t40000")], &["", "70000"]);
        assert!(pair.parse("20000").unwrap().is_partial);
        table(TRIPLE, &[("5000 6000 7000", "5000\t6000\t7000"), ("9 5 1", "9\t5\t1")], &["0 1 1"]);
        table(TRIPLE, &[("5000 6000", "5000\t6000")], &["5000,6000,7000", "5000 6000 7000x"]);
        table(
            SysctlKind::LongTriple,
            &[("5000000000 1 2", "5000000000\t1\t2")],
            &["-1 1 1", "1 x"],
        );
    }

    #[test]
    fn a_refused_triple_is_set_up_to_the_wrong_number() {
        let set = |text: &str| TRIPLE.parse(text).unwrap_err().set_before();
        assert_eq!(set("5000 6000 7000x"), 2);
        assert_eq!(set("5000 0 x"), 1, "the 0 was refused before");
        assert_eq!(set("x"), 0);
        assert_eq!((set("5000 0 7000"), set("5000 6000 -1"), set("0 1 1")), (1, 2, 0));
        assert_eq!(SysctlKind::RangePair.parse("20000 x").unwrap_err().set_before(), 0);
    }

    #[test]
    fn blanks_are_part_of_a_text() {
        let taken = [("reno", "reno"), ("reno\n", "reno"), ("reno ", "reno "), ("reno\0x", "reno")];
        table(SysctlKind::Word, &taken, &["", "\n", " \n"]);
    }

    #[test]
    fn texts_are_compared_by_what_they_set() {
        assert!(INTEGER.is_same("0x1e", "30 # x") && !INTEGER.is_same("30", "31"));
        assert!(SysctlKind::RangePair.is_same("32768\t60999", "0x8000 60999"));
        assert!(SysctlKind::RangePair.is_same("32768", "32768 60999"));
        assert!(SysctlKind::PortList.is_same("80,90-92", "90-92,80\n"));
        assert!(INTEGER.is_same("x", " x ") && !INTEGER.is_same("x", "30"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[-0-9x, \t\n\0]{0,40}") {
            for kind in EVERY {
                drop(kind.parse(&text));
            }
        }

        #[test]
        fn what_is_shown_is_read_back(text in "[-0-9x,]{0,12}([ \t][-0-9x]{0,12}){0,3}") {
            for kind in EVERY {
                if let Ok(parsed) = kind.parse(&text) {
                    let again = kind.parse(&parsed.value.to_string());
                    prop_assert_eq!(again.map(|it| it.value), Ok(parsed.value), "{:?}", kind);
                }
            }
        }

        #[test]
        fn every_number_reads_as_itself(number: i32) {
            let parsed = INTEGER.parse(&number.to_string()).unwrap();
            prop_assert_eq!(parsed.value.number(), Some(number.into()));
        }
    }
}
