//! `net.core.somaxconn>=4096`: what a running value has to be.
//!
//! Values are compared as the kernel reads them, so that `0x1e` is 30 and a tab is a blank. What has
//! several numbers is equal if all are; which of two is the greater, nobody can say.

use std::fmt;
use std::str::FromStr;

use crate::model::{SysctlKey, SysctlKind, SysctlValue, numbers};

/// What the value of a key has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The key.
    pub key: SysctlKey,
    /// How its value has to stand to [`Self::value`].
    pub relation: Relation,
    /// What it is compared with, as it was written.
    pub value: String,
    written: String,
}

/// How one value stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `=` or `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
}

/// The longer ones first, since each is read at the first place where one begins.
const RELATIONS: [(&str, Relation); 7] = [
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    ("=", Relation::Equal),
    (">", Relation::Above),
    ("<", Relation::Below),
];

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let text = text.escape_debug();
            Err(format!("`{text}`: {why}; write KEY=VALUE or net.core.somaxconn>=4096"))
        };
        let Some((key, rest)) = text.find(['=', '!', '<', '>']).map(|at| text.split_at(at)) else {
            return wrong("nothing is compared");
        };
        let key = SysctlKey::parse(key.trim()).map_err(|bad| bad.to_string())?;
        let found = RELATIONS
            .into_iter()
            .find_map(|(sign, relation)| Some((relation, rest.strip_prefix(sign)?.trim())));
        match found {
            None => wrong("`!` alone is no comparison, `!=` is"),
            Some((_, value)) if value.starts_with(['=', '!', '<', '>']) => {
                wrong("the comparisons are =, ==, !=, >=, <=, > and <")
            }
            Some((_, value)) if value.chars().any(|c| c.is_control() && c != '\t') => {
                wrong("the value has control characters")
            }
            Some((relation, "")) if relation.is_order() => wrong("there is no number"),
            Some((relation, value)) => {
                Ok(Self { key, relation, value: value.to_owned(), written: text.to_owned() })
            }
        }
    }
}

impl fmt::Display for Expectation {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Relation {
    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::Below => "<",
        }
    }
}

impl Expectation {
    /// The expectation of `key` that `rest` states, as in `>=4096`; a value alone is to be equal.
    pub fn of(key: &SysctlKey, rest: &str) -> Result<Self, String> {
        let rest = rest.trim();
        let sign = if rest.starts_with(['=', '!', '<', '>']) { "" } else { "=" };
        format!("{key}{sign}{rest}").parse()
    }

    /// Whether `running`, a value of a key of `kind`, is as expected. Fails if the two cannot be
    /// compared, with the reason; a key that is not in the catalogue is a [`SysctlKind::Word`].
    pub fn is_met(&self, running: &str, kind: SysctlKind) -> Result<bool, String> {
        if !self.relation.is_order() {
            let is_equal = self.is_equal(running, kind)?;
            return Ok(is_equal == (self.relation == Relation::Equal));
        }
        let wanted = self.bound(&self.value)?;
        let running = self.bound(running)?;
        Ok(match self.relation {
            Relation::AtLeast => running >= wanted,
            Relation::AtMost => running <= wanted,
            Relation::Above => running > wanted,
            Relation::Below => running < wanted,
            Relation::Equal | Relation::Unequal => running == wanted,
        })
    }

    /// The value that is as expected and nearest to `running`: that itself, if it will do. A value that
    /// has to be equal is given as it was written.
    pub fn nearest(&self, running: Option<&str>, kind: SysctlKind) -> Result<String, String> {
        // What was named is kept as it was written, so that it is the same each time.
        if self.relation == Relation::Equal {
            return Ok(self.value.clone());
        }
        if let Some(running) = running
            && self.is_met(running, kind)?
        {
            return Ok(running.to_owned());
        }
        let step = match self.relation {
            Relation::Equal | Relation::AtLeast | Relation::AtMost => 0,
            Relation::Above => 1,
            Relation::Below => -1,
            Relation::Unequal => {
                return Err(format!("`{self}`: it names no value that could be set"));
            }
        };
        Ok(self.bound(&self.value)?.saturating_add(step).to_string())
    }

    fn is_equal(&self, running: &str, kind: SysctlKind) -> Result<bool, String> {
        let wanted = kind.parse(&self.value).map_err(|bad| format!("`{self}`: {bad}"))?;
        if let Some(dropped) = wanted.dropped {
            return Err(format!("`{self}`: the kernel drops `{dropped}`: leave it out"));
        }
        if wanted.is_partial {
            return Err(format!("`{self}`: the key has {kind}: give all of them"));
        }
        match wanted.value {
            SysctlValue::Text(_) => {
                let words = || self.value.split_whitespace().eq(running.split_whitespace());
                Ok(words() || numbers(&self.value).is_some_and(|it| numbers(running) == Some(it)))
            }
            // The range of another release does not matter to a value that runs.
            SysctlValue::Numbers(wanted) => match numbers(running) {
                Some(found) => Ok(found == wanted),
                None => Err(format!("the running value of {}: it is no number", self.key)),
            },
            SysctlValue::Ports(_) => match kind.parse(running) {
                Ok(found) => Ok(found.value == wanted.value),
                Err(bad) => Err(format!("the running value of {}: {bad}", self.key)),
            },
        }
    }

    /// The one number that `value` is.
    fn bound(&self, value: &str) -> Result<i64, String> {
        one(value).ok_or_else(|| {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let sign = self.relation.sign();
            format!("`{self}`: `{value}` is not one number, which {sign} needs: write = or !=")
        })
    }
}

fn one(text: &str) -> Option<i64> {
    match numbers(text)?.as_slice() {
        [number] => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTEGER: SysctlKind = SysctlKind::Integer { low: 0, high: 255 };

    fn met(text: &str, running: &str, kind: SysctlKind) -> Result<bool, String> {
        text.parse::<Expectation>().unwrap().is_met(running, kind)
    }

    #[test]
    fn every_comparison_compares_numbers() {
        for (text, running, expected) in [
            ("a.b=30", "0x1e", true),
            ("a.b == 0x1e", "30", true),
            ("a.b!=30", "036\n", false),
            ("a.b!=30", "31", true),
            ("a.b>=9", "10", true),
            ("a.b>=10", "10", true),
            ("a.b>10", "10", false),
            ("a.b<10", "9", true),
            ("a.b<=10", "11", false),
            ("a/b>-2", "-1", true),
        ] {
            assert_eq!(met(text, running, INTEGER), Ok(expected), "{text}, {running}");
            assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
        }
        assert_eq!(met("a.b=3", "300", INTEGER), Ok(false), "beyond the range of the catalogue");
    }

    #[test]
    fn several_numbers_are_equal_if_all_are_and_have_no_order() {
        let pair = SysctlKind::RangePair;
        assert_eq!(met("a.b=32768 60999", "32768\t60999", pair), Ok(true));
        assert_eq!(met("a.b=32768 60998", "32768\t60999", pair), Ok(false));
        assert!(met("a.b=32768", "32768\t60999", pair).unwrap_err().contains("give all of them"));
        assert!(met("a.b>=1 2", "1\t2", pair).unwrap_err().contains("`1 2` is not one number"));
        assert!(met("a.b>=1", "1\t2", pair).unwrap_err().contains("write = or !="));
        let triple = SysctlKind::Triple { low: 1 };
        assert_eq!(met("a.b=4096 131072 6291456", "4096\t131072\t6291456", triple), Ok(true));
    }

    #[test]
    fn ports_are_sets_and_words_are_words() {
        assert_eq!(met("a.b=80,81,82", "80-82", SysctlKind::PortList), Ok(true));
        assert_eq!(met("a.b=", "", SysctlKind::PortList), Ok(true));
        assert_eq!(met("a.b=bbr", "cubic", SysctlKind::Word), Ok(false));
        assert_eq!(met("a.b=0x1", "1", SysctlKind::Word), Ok(true), "a key that is not known");
        assert_eq!(met("a.b>=1", "2", SysctlKind::Word), Ok(true));
        assert!(met("a.b>=1", "cubic", SysctlKind::Word).is_err());
        assert!(met("a.b=1 # on", "1", INTEGER).unwrap_err().contains("drops `# on`"));
        assert!(met("a.b=300", "1", INTEGER).unwrap_err().contains("not from 0 to 255"));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_to_write() {
        for (text, why) in [
            ("net.core.somaxconn", "nothing is compared"),
            ("net.core.somaxconn=>5", "the comparisons are"),
            ("net.core.somaxconn!5", "`!` alone"),
            ("net.core.somaxconn>=", "there is no number"),
            ("a.b=1\nc.d=2", "control characters"),
            ("=5", "is not a key"),
            ("net/../../x=1", "leaves /proc/sys"),
        ] {
            let error = text.parse::<Expectation>().unwrap_err();
            assert!(error.contains(why) && error.contains("write"), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_runs_is_kept_where_it_will_do() {
        let nearest = |text: &str, running| {
            text.parse::<Expectation>().unwrap().nearest(running, SysctlKind::Word)
        };
        assert_eq!(nearest("a.b>=4096", Some("8192")).unwrap(), "8192");
        assert_eq!(nearest("a.b>=4096", Some("128")).unwrap(), "4096");
        assert_eq!(nearest("a.b<4096", Some("8192")).unwrap(), "4095");
        assert_eq!(nearest("a.b>4096", None).unwrap(), "4097");
        assert_eq!(nearest("a.b=0x7", Some("7")).unwrap(), "0x7");
        assert!(nearest("a.b!=7", Some("7")).is_err() && nearest("a.b!=7", Some("8")).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}[=!<>]{0,3}\\PC{0,20}", running in "\\PC{0,20}") {
            if let Ok(expectation) = text.parse::<Expectation>() {
                for kind in [INTEGER, SysctlKind::RangePair, SysctlKind::PortList, SysctlKind::Word] {
                    drop(expectation.is_met(&running, kind));
                    drop(expectation.nearest(Some(&running), kind));
                }
            }
        }
    }
}
