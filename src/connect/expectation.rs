//! `--expect`: the codes and outcomes that are as they should be.

use std::fmt;
use std::str::FromStr;

use super::attempt::Attempt;
use super::outcome::{OUTCOMES, Outcome};
use crate::catalogue::{eai, errnos};

/// One word of `--expect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    word: String,
    meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Outcome(Outcome),
    Code(i32),
    /// Our deadline or the kernel's, whatever the code.
    Silence,
}

/// Words beside the names of the outcomes.
const WORDS: [(&str, Meaning); 6] = [
    ("ok", Meaning::Outcome(Outcome::Connected)),
    ("open", Meaning::Outcome(Outcome::Connected)),
    ("timeout", Meaning::Silence),
    ("timed_out", Meaning::Silence),
    ("silent", Meaning::Silence),
    ("self", Meaning::Outcome(Outcome::SelfConnect)),
];

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase().replace('-', "_");
        let meaning = WORDS
            .iter()
            .find(|(word, _)| *word == lower)
            .map(|(_, meaning)| *meaning)
            .or_else(|| {
                OUTCOMES.into_iter().find(|it| it.word() == lower).map(Meaning::Outcome)
            })
            .or_else(|| code(text).map(Meaning::Code))
            .ok_or_else(|| {
                "write ok, refused, rejected, timeout, unreachable, denied, the name of an errno as \
                 in ECONNREFUSED, or its number; `netkit connect --codes` lists them"
                    .to_owned()
            })?;
        Ok(Self { word: text.to_owned(), meaning })
    }
}

/// The code of a name or number.
fn code(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let number = |(number, name, _): &(i32, &str, &str)| (*name == upper).then_some(*number);
    let synonym = match upper.as_str() {
        "EWOULDBLOCK" => Some(errnos::EAGAIN),
        _ => None,
    };
    let known = |code: &i32| {
        let is_it = |(number, _, _): &(i32, &str, &str)| number == code;
        *code == 0 || errnos::ERRNOS.iter().any(is_it) || eai::EAI.iter().any(is_it)
    };
    text.parse()
        .ok()
        .filter(known)
        .or(synonym)
        .or_else(|| errnos::ERRNOS.iter().find_map(number))
        .or_else(|| eai::EAI.iter().find_map(number))
}

impl Expected {
    /// Whether it is that somebody takes the connection.
    pub fn is_success(&self) -> bool {
        matches!(self.meaning, Meaning::Outcome(Outcome::Connected) | Meaning::Code(0))
    }

    /// Whether `attempt` came to this. A code is also met by what `connect_ex` gives, so that 11 and
    /// 115 can be expected.
    pub fn is_met_by(&self, attempt: &Attempt) -> bool {
        match self.meaning {
            Meaning::Outcome(outcome) => attempt.outcome == outcome,
            Meaning::Silence => attempt.outcome == Outcome::TimedOut,
            Meaning::Code(0) => attempt.outcome == Outcome::Connected,
            Meaning::Code(code) => attempt.code == code || attempt.connect_ex == Some(code),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(outcome: Outcome, code: i32, connect_ex: i32) -> Attempt {
        Attempt { outcome, code, connect_ex: Some(connect_ex), ..Attempt::new(None) }
    }

    #[test]
    fn words_names_and_numbers_are_the_same() {
        let refused = attempt(Outcome::Refused, 111, 111);
        for word in ["refused", "REFUSED", "ECONNREFUSED", "econnrefused", "111"] {
            assert!(word.parse::<Expected>().unwrap().is_met_by(&refused), "{word}");
        }
        for word in ["ok", "0", "timeout", "rejected", "113"] {
            assert!(!word.parse::<Expected>().unwrap().is_met_by(&refused), "{word}");
        }
        for wrong in ["nonsense", "ECONNREFUSE", "", "4711", "-77"] {
            assert!(wrong.parse::<Expected>().unwrap_err().contains("ECONNREFUSED"), "{wrong}");
        }
    }

    #[test]
    fn a_timeout_is_either_deadline_and_a_code_is_also_pythons() {
        for late in [attempt(Outcome::TimedOut, 11, 11), attempt(Outcome::TimedOut, 110, 110)] {
            assert!("timeout".parse::<Expected>().unwrap().is_met_by(&late));
        }
        let nonblock = attempt(Outcome::Connected, 0, 115);
        for word in ["EINPROGRESS", "ok", "0"] {
            assert!(word.parse::<Expected>().unwrap().is_met_by(&nonblock), "{word}");
        }
        let itself = attempt(Outcome::SelfConnect, 0, 0);
        assert!(!"ok".parse::<Expected>().unwrap().is_met_by(&itself));
        assert!(!"0".parse::<Expected>().unwrap().is_met_by(&itself));
        assert!("self-connect".parse::<Expected>().unwrap().is_met_by(&itself));
    }
}
