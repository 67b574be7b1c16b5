//! What a diagnosis has to say: a place in its JSON, and what is expected there. Pure.
//!
//! A place is a path of names and indices, `/pileup/destinations/0/headroom`, in which `*` stands
//! for every element of an array and `[name=value]` for the first element of which that is true.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::numbers::thousands;

/// One thing that netkit has to find.
#[derive(Clone, Debug)]
pub struct Claim {
    /// In words.
    pub what: String,
    /// Where in the JSON; empty for the exit code.
    pub at: &'static str,
    /// What has to be there.
    pub expected: Expected,
}

/// What has to be at a place.
#[derive(Clone, Debug)]
pub enum Expected {
    /// This value.
    Is(Value),
    /// A number from the first to the second.
    Within(u64, u64),
    /// An array that has this value.
    Has(Value),
    /// An array that does not have this value.
    Lacks(Value),
    /// A text, or an array of texts, with these words in it: names and numbers that are known, and
    /// no phrase.
    Says(String),
}

/// A claim and what was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    /// The claim in words.
    pub what: String,
    /// Where in the JSON of the command; `exit` for its exit code.
    pub at: String,
    /// What was expected, in words.
    pub expected: String,
    /// What was found there; null if nothing was.
    pub found: Value,
    /// Whether the one is the other.
    pub holds: bool,
}

impl Claim {
    /// At the place `at` is what is `expected`.
    pub fn new(what: impl Into<String>, at: &'static str, expected: Expected) -> Self {
        Self { what: what.into(), at, expected }
    }

    /// At the place `at` is this value.
    pub fn is(what: impl Into<String>, at: &'static str, value: impl Into<Value>) -> Self {
        Self::new(what, at, Expected::Is(value.into()))
    }

    /// At the place `at` is a text, or a list of texts, that has `words` in it.
    pub fn says(what: impl Into<String>, at: &'static str, words: impl Into<String>) -> Self {
        Self::new(what, at, Expected::Says(words.into()))
    }

    /// The command ends with this exit code.
    pub fn exits(code: u8) -> Self {
        Self::is(format!("the exit code is {code}"), "", code)
    }

    /// Among the findings is `id`.
    pub fn finds(id: &'static str) -> Self {
        Self::new(format!("the finding {id} is made"), "/findings/*/id", Expected::Has(id.into()))
    }

    /// Among the findings there is no `id`.
    pub fn does_not_find(id: &'static str) -> Self {
        let what = format!("the finding {id} is not made");
        Self::new(what, "/findings/*/id", Expected::Lacks(id.into()))
    }

    /// Compares it with the `report` and the exit code of a command.
    pub fn check(&self, report: &Value, exit: u8) -> Checked {
        let (at, found) = match self.at {
            "" => ("exit", Value::from(exit)),
            path => (path, at(report, path)),
        };
        Checked {
            what: self.what.clone(),
            at: at.to_owned(),
            expected: self.expected.to_string(),
            holds: self.expected.is_met_by(&found),
            found,
        }
    }
}

impl Expected {
    fn is_met_by(&self, found: &Value) -> bool {
        let has = |value| found.as_array().map(|array| array.contains(value));
        match self {
            Self::Is(value) => found == value,
            Self::Within(low, high) => found.as_u64().is_some_and(|n| (*low..=*high).contains(&n)),
            Self::Has(value) => has(value) == Some(true),
            // What is not there cannot tell that something is not in it.
            Self::Lacks(value) => has(value) == Some(false),
            Self::Says(words) => match found {
                Value::Array(texts) => texts.iter().any(|text| says(text, words)),
                text => says(text, words),
            },
        }
    }
}

fn says(text: &Value, words: &str) -> bool {
    text.as_str().is_some_and(|text| text.contains(words))
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => f.write_str(&words(value)),
            Self::Within(low, high) => {
                write!(f, "{} to {}", thousands(*low), thousands(*high))
            }
            Self::Has(value) => write!(f, "{} among others", words(value)),
            Self::Lacks(value) => write!(f, "no {}", words(value)),
            Self::Says(words) => write!(f, "something with `{words}`"),
        }
    }
}

/// A value of JSON as people read it: text without quotes, numbers with thousands.
pub fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        Value::Array(array) if array.is_empty() => "none".to_owned(),
        Value::Array(array) => array.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), thousands),
        Value::Bool(_) | Value::Object(_) => value.to_string(),
    }
}

/// What is at the place `path`; null if there is nothing.
fn at(value: &Value, path: &str) -> Value {
    let Some(path) = path.strip_prefix('/') else {
        return value.clone();
    };
    let (step, rest) = path.find('/').map_or((path, ""), |end| path.split_at(end));
    if step == "*" {
        let Some(array) = value.as_array() else { return Value::Null };
        return array.iter().map(|element| at(element, rest)).collect();
    }
    step_into(value, step).map_or(Value::Null, |inner| at(inner, rest))
}

fn step_into<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    let condition = step.strip_prefix('[').and_then(|step| step.strip_suffix(']'));
    if let Some((name, wanted)) = condition.and_then(|condition| condition.split_once('=')) {
        let is_it = |element: &&Value| element.get(name).is_some_and(|it| plain(it) == wanted);
        return value.as_array()?.iter().find(is_it);
    }
    match value.as_array() {
        Some(array) => array.get(step.parse::<usize>().ok()?),
        None => value.get(step),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Value {
        json!({
            "states": [{"state": "LISTEN", "sockets": 1}, {"state": "TIME_WAIT", "sockets": 20}],
            "findings": [{"id": "A"}, {"id": "B"}],
            "free": false,
        })
    }

    #[test]
    fn places_are_names_indices_all_and_the_one_that() {
        assert_eq!(at(&report(), "/free"), json!(false));
        assert_eq!(at(&report(), "/states/0/sockets"), json!(1));
        assert_eq!(at(&report(), "/findings/*/id"), json!(["A", "B"]));
        assert_eq!(at(&report(), "/states/[state=TIME_WAIT]/sockets"), json!(20));
        assert_eq!(at(&report(), "/states/[sockets=1]/state"), json!("LISTEN"));
    }

    #[test]
    fn what_is_not_there_is_null_and_meets_nothing() {
        for path in ["/x", "/states/7", "/states/[state=CLOSE]/sockets", "/free/*", "/free/x/y"] {
            assert_eq!(at(&report(), path), Value::Null, "{path}");
        }
        for expected in [
            Expected::Is(json!(0)),
            Expected::Within(0, 9),
            Expected::Has(json!(1)),
            Expected::Lacks(json!(1)),
            Expected::Says(String::new()),
        ] {
            assert!(!expected.is_met_by(&Value::Null), "{expected}");
        }
    }

    #[test]
    fn a_claim_says_what_was_found_in_its_place() {
        let seen = Claim::new("few", "/states/1/sockets", Expected::Within(1, 9));
        let seen = seen.check(&report(), 0);
        assert!(!seen.holds);
        assert_eq!((seen.expected.as_str(), words(&seen.found).as_str()), ("1 to 9", "20"));
        assert!(Claim::finds("A").check(&report(), 0).holds);
        assert!(!Claim::does_not_find("A").check(&report(), 0).holds);
        assert!(Claim::says("in one", "/states/0/state", "IST").check(&report(), 0).holds);
        assert!(Claim::says("in any", "/findings/*/id", "B").check(&report(), 0).holds);
        assert!(!Claim::says("in none", "/findings/*/id", "C").check(&report(), 0).holds);
        assert!(Claim::exits(3).check(&report(), 3).holds);
        assert!(!Claim::exits(3).check(&report(), 0).holds);
    }
}
