//! A message, what is expected of its reply, and whether that came. Pure.

use crate::echo::transform::Transform;

/// What helps where a server sends other bytes back, and is to.
pub const CHANGES: &str = "a server that changes what it sends back is judged with --transform upper, lower \
                           or rot13";

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// As it was written.
    pub text: String,
    /// As it is sent: to a stream, a line.
    pub bytes: Vec<u8>,
    /// What is expected back.
    pub expected: Vec<u8>,
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
    pub fn new(text: &str, transform: Transform, is_bare: bool) -> Self {
        let mut expected = Vec::new();
        // A line's end stays at its end, also where the line is turned round.
        transform.apply(text.as_bytes(), &mut expected);
        let mut bytes = text.as_bytes().to_vec();
        if !is_bare {
            bytes.push(b'\n');
            expected.push(b'\n');
        }
        Self { text: text.to_owned(), bytes, expected, is_line: !is_bare }
    }

    /// Whether `reply` is all that can be waited for: a line for a line, else as many bytes as are
    /// expected.
    pub fn is_whole(&self, reply: &[u8]) -> bool {
        // What was sent may have line ends within.
        let ends = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count();
        if self.is_line {
            ends(reply) >= ends(&self.bytes)
        } else {
            reply.len() >= self.expected.len()
        }
    }
}

/// Whether `reply` is as expected.
pub fn judge(message: &Message, reply: &[u8]) -> Judged {
    if reply == message.expected { Judged::Right } else { Judged::Wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_answered_by_a_line() {
        let message = Message::new("straße", Transform::Upper, false);
        assert_eq!(message.bytes, "straße\n".as_bytes());
        assert!(!message.is_whole(b"STRASSE"));
        assert!(message.is_whole(b"STRASSE\n"));
        assert_eq!(judge(&message, b"STRASSE\n"), Judged::Right);
        assert_eq!(judge(&message, "straße\n".as_bytes()), Judged::Wrong);
    }

    #[test]
    fn bare_bytes_are_answered_by_as_many() {
        let message = Message::new("abc", Transform::Reverse, true);
        assert!(!message.is_whole(b"cb"));
        assert!(message.is_whole(b"cba"));
        assert_eq!(judge(&message, b"cba"), Judged::Right);
        assert_eq!(judge(&message, b"cbax"), Judged::Wrong);
    }

    #[test]
    fn lines_within_are_waited_for() {
        let message = Message::new("a\nb", Transform::None, false);
        assert!(!message.is_whole(b"a\n"));
        assert!(message.is_whole(b"a\nb\n"));
        assert!(Message::new("", Transform::None, true).bytes.is_empty());
    }
}
