//! A message, what is expected of its reply, and whether that came. Pure.

use crate::echo::transform::Transform;

/// What helps where a server sends other bytes back, and is to.
pub const CHANGES: &str = "a server that changes what it sends back is judged with --transform upper, lower \
                           or rot13";

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// As it was written, as text.
    pub text: String,
    /// As it is sent: to a stream, a line.
    pub bytes: Vec<u8>,
    /// What is expected back.
    pub expected: Vec<u8>,
    /// The same where what is turned round is the whole in the place of each line, or each line in the
    /// place of the whole: which, is the server's choice (`--by`).
    turned: Option<Vec<u8>>,
    is_line: bool,
}

/// What a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// As expected.
    Right,
    /// Something else.
    Wrong,
    /// It was not asked.
    Not,
}

impl Judged {
    /// `ok`, `wrong`, `unjudged`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "ok",
            Self::Wrong => "wrong",
            Self::Not => "unjudged",
        }
    }
}

impl Message {
    /// The message `text` to a server that does `transform`; `is_bare`: without a line's end.
    pub fn new(text: &[u8], transform: Transform, is_bare: bool) -> Self {
        let mut bytes = text.to_vec();
        if !is_bare {
            bytes.push(b'\n');
        }
        let (mut by_line, mut by_message) = (Vec::new(), Vec::new());
        transform.apply_to_lines(&bytes, &mut by_line);
        transform.apply(&bytes, &mut by_message);
        let (expected, other) = if is_bare { (by_message, by_line) } else { (by_line, by_message) };
        let turned = (transform == Transform::Reverse).then_some(other);
        let text = String::from_utf8_lossy(text).into_owned();
        Self { text, bytes, expected, turned, is_line: !is_bare }
    }

    /// Whether `reply` is all that can be waited for: a line for a line, else as many bytes as are
    /// expected.
    pub fn is_whole(&self, reply: &[u8]) -> bool {
        // What was sent may have line ends within.
        let ends = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count();
        if self.turned.is_some() {
            // Its line's end comes first, or last.
            reply.len() >= self.bytes.len()
        } else if self.is_line {
            ends(reply) >= ends(&self.bytes)
        } else {
            reply.len() >= self.expected.len()
        }
    }
}

/// Whether `reply` is as expected.
pub fn judge(message: &Message, reply: &[u8]) -> Judged {
    let is_right = reply == message.expected || message.turned.as_deref() == Some(reply);
    if is_right { Judged::Right } else { Judged::Wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_answered_by_a_line() {
        let message = Message::new("straße".as_bytes(), Transform::Upper, false);
        assert_eq!(message.bytes, "straße\n".as_bytes());
        assert!(!message.is_whole(b"STRASSE"));
        assert!(message.is_whole(b"STRASSE\n"));
        assert_eq!(judge(&message, b"STRASSE\n"), Judged::Right);
        assert_eq!(judge(&message, "straße\n".as_bytes()), Judged::Wrong);
    }

    #[test]
    fn bare_bytes_are_answered_by_as_many() {
        let message = Message::new("abc".as_bytes(), Transform::Reverse, true);
        assert!(!message.is_whole(b"cb"));
        assert!(message.is_whole(b"cba"));
        assert_eq!(judge(&message, b"cba"), Judged::Right);
        assert_eq!(judge(&message, b"cbax"), Judged::Wrong);
    }

    #[test]
    fn a_line_is_turned_round_with_its_end_or_before_it() {
        let message = Message::new("añb".as_bytes(), Transform::Reverse, false);
        for reply in ["bña\n", "\nbña"] {
            assert_eq!(judge(&message, reply.as_bytes()), Judged::Right, "{reply:?}");
            assert!(message.is_whole(reply.as_bytes()) && !message.is_whole(b"\n"));
        }
        assert_eq!(judge(&message, "bña".as_bytes()), Judged::Wrong);
        let lines = Message::new(b"ab\ncd", Transform::Reverse, false);
        for reply in [b"ba\ndc\n", b"\ndc\nba"] {
            assert_eq!(judge(&lines, reply), Judged::Right, "{reply:?}");
        }
        let datagram = Message::new(b"ab\ncd", Transform::Reverse, true);
        for reply in [b"ba\ndc", b"dc\nba"] {
            assert_eq!(judge(&datagram, reply), Judged::Right, "{reply:?}");
        }
    }

    #[test]
    fn lines_within_are_waited_for() {
        let message = Message::new("a\nb".as_bytes(), Transform::None, false);
        assert!(!message.is_whole(b"a\n"));
        assert!(message.is_whole(b"a\nb\n"));
        assert!(Message::new("".as_bytes(), Transform::None, true).bytes.is_empty());
    }
}
