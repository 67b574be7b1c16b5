//! What the lines of a file say.
//!
//! `key = value`, `-key = value` where it may fail, `-key` to keep a key from patterns. A comment is
//! a line that begins with `#` or `;`: what follows a value is part of it.

use super::Peer;
use super::lines::{Line, Lines};
use super::name::{self, BadName, Name};

/// A line that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Counted from 1.
    pub line: usize,
    /// The left side as it is written, without `-`.
    pub key: String,
    /// What that names.
    pub name: Name,
    /// The text that is written to the kernel; `None`: patterns shall not set this key.
    pub value: Option<String>,
    /// Whether a `-` says that the kernel's refusal is no failure.
    pub may_fail: bool,
    pub(super) path: String,
    pub(super) is_plain: bool,
}

/// What was wrong with a line; it has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Counted from 1.
    pub line: usize,
    /// What it is.
    pub what: Problem,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither an assignment nor a comment.
    #[error("there is no `=` in `{0}`")]
    NoEquals(String),
    /// The key cannot be one.
    #[error("{0}")]
    BadName(#[from] BadName),
    /// The file begins with U+FEFF, which no editor shows, and its first line with it.
    #[error("the file begins with a byte order mark, which is taken for part of its first line")]
    ByteOrderMark,
    /// systemd reads no further.
    #[error("the line is longer than 1 MiB: from here on the file is not read")]
    TooLong,
}

impl Problem {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoEquals(_) | Self::BadName(_) => "write KEY = VALUE",
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark",
            Self::TooLong => "shorten the line, or take it out",
        }
    }
}

/// A file's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// In their order.
    pub statements: Vec<Statement>,
    /// In their order.
    pub problems: Vec<LineProblem>,
}

/// Reads the lines of a file as `peer` does.
pub fn parse(bytes: &[u8], peer: Peer) -> Parsed {
    let mut parsed = Parsed::default();
    if bytes.starts_with("\u{feff}".as_bytes()) {
        parsed.problems.push(LineProblem { line: 1, what: Problem::ByteOrderMark });
    }
    for (line, text) in (1..).zip(Lines::new(bytes, peer)) {
        let read = match text {
            Line::Text(text) => statement(line, text, peer),
            Line::TooLong => Err(Problem::TooLong),
        };
        match read {
            Ok(statement) => parsed.statements.extend(statement),
            Err(what) => parsed.problems.push(LineProblem { line, what }),
        }
    }
    parsed
}

/// What a line says; `None` if it is empty or a comment.
fn statement(line: usize, text: &[u8], peer: Peer) -> Result<Option<Statement>, Problem> {
    let text = peer.trim_start(text);
    if matches!(text.first(), None | Some(b'#' | b';')) {
        return Ok(None);
    }
    let (left, value) = match memchr::memchr(b'=', text) {
        Some(at) => {
            let (left, value) = text.split_at(at);
            (left, Some(peer.trimmed(value.get(1..).unwrap_or_default())))
        }
        None => (text, None),
    };
    let bare = left.strip_prefix(b"-");
    if value.is_none() && bare.is_none() {
        return Err(Problem::NoEquals(peer.trimmed(text)));
    }
    let key = key(bare.unwrap_or(left), peer);
    let name::Written { name, path, is_plain } = name::read(&key, peer)?;
    let may_fail = bare.is_some() && value.is_some();
    Ok(Some(Statement { line, key, name, value, may_fail, path, is_plain }))
}

/// The key without blanks: procps leaves those between `-` and the key, and then finds none.
fn key(left: &[u8], peer: Peer) -> String {
    let key = peer.trimmed(left);
    match (peer, left.first()) {
        (Peer::Procps, Some(first)) if peer.trim_start(left).len() < left.len() => {
            format!("{}{key}", char::from(*first))
        }
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The statements in short: `line:key=value`, with `-` before what may fail; exclusions without
    /// a value.
    fn statements(text: &str, peer: Peer) -> Vec<String> {
        let statements = parse(text.as_bytes(), peer).statements.into_iter();
        let short = statements.map(|it| {
            let dash = if it.may_fail { "-" } else { "" };
            let value = it.value.map(|value| format!("={value}")).unwrap_or_default();
            format!("{}:{dash}{}{value}", it.line, it.key)
        });
        short.collect()
    }

    fn problems(text: &str, peer: Peer) -> Vec<(usize, Problem)> {
        let problems = parse(text.as_bytes(), peer).problems.into_iter();
        problems.map(|problem| (problem.line, problem.what)).collect()
    }

    #[test]
    fn both_read_the_same_in_plain_lines() {
        let text = "# a\n ; b\n\n a.b = 1 \n-a.c=2 # no\n-a.d\na/e\t=\t3 4=5\r\na.f=";
        for peer in Peer::ALL {
            assert_eq!(
                statements(text, peer),
                ["4:a.b=1", "5:-a.c=2 # no", "6:a.d", "7:a/e=3 4=5", "8:a.f="],
                "{peer}"
            );
            assert_eq!(problems(text, peer), [], "{peer}");
        }
    }

    #[test]
    fn a_line_without_an_equals_sign_is_said() {
        for peer in Peer::ALL {
            let expected = Problem::NoEquals("a.b 1".to_owned());
            assert_eq!(problems("\n  a.b 1 \n", peer), [(2, expected)]);
            assert_eq!(problems("= 1\n", peer), [(1, Problem::BadName(BadName::Empty))]);
            assert_eq!(problems("-\n", peer), [(1, Problem::BadName(BadName::Empty))]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_said_and_spoils_the_first_line() {
        for peer in Peer::ALL {
            let text = "\u{feff}a.b = 1\na.c = 2\n";
            assert_eq!(problems(text, peer), [(1, Problem::ByteOrderMark)]);
            assert_eq!(statements(text, peer), ["1:\u{feff}a.b=1", "2:a.c=2"]);
        }
    }

    #[test]
    fn a_dash_and_a_blank_are_a_key_to_systemd_alone() {
        assert_eq!(statements("- a.b = 1\n", Peer::Systemd), ["1:-a.b=1"]);
        assert_eq!(statements("- a.b = 1\n", Peer::Procps), ["1:- a.b=1"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for peer in Peer::ALL {
                let parsed = parse(&bytes, peer);
                prop_assert!(parsed.statements.iter().all(|it| it.line <= bytes.len()));
            }
        }

        #[test]
        fn no_lines_make_it_panic(text in "[-=#;a.*/ \\[\\r\\n\\x00\u{feff}\u{b}]{0,60}") {
            for peer in Peer::ALL {
                parse(text.as_bytes(), peer);
            }
        }
    }
}
