//! What a server may do to what it sends back, and a client expects of it: whole messages or lines in,
//! the same transformed out. Characters are those of UTF-8; bytes that are none are left as they are.

use clap::ValueEnum;

/// What is done to text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Transform {
    /// Nothing: what came goes back, byte for byte (RFC 862)
    #[default]
    None,
    /// Upper case, as of Unicode: `ß` becomes `SS`
    Upper,
    /// Lower case
    Lower,
    /// The characters in reverse
    Reverse,
    /// Latin letters moved by 13
    Rot13,
}

impl Transform {
    /// Appends what becomes of `text` to `into`.
    pub fn apply(self, text: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::None => into.extend_from_slice(text),
            Self::Upper => map(text, into, char::to_uppercase),
            Self::Lower => map(text, into, char::to_lowercase),
            Self::Rot13 => into.extend(text.iter().copied().map(rot13)),
            Self::Reverse => reverse(text, into),
        }
    }

    /// The same for each line of `text`; where it ends stays.
    pub fn apply_to_lines(self, text: &[u8], into: &mut Vec<u8>) {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (line, end) = match line {
                [line @ .., b'\r', b'\n'] => (line, &b"\r\n"[..]),
                [line @ .., b'\n'] => (line, &b"\n"[..]),
                line => (line, &b""[..]),
            };
            self.apply(line, into);
            into.extend_from_slice(end);
        }
    }
}

fn map<I: Iterator<Item = char>>(text: &[u8], into: &mut Vec<u8>, change: fn(char) -> I) {
    for part in text.utf8_chunks() {
        for character in part.valid().chars().flat_map(change) {
            push(character, into);
        }
        into.extend_from_slice(part.invalid());
    }
}

fn reverse(text: &[u8], into: &mut Vec<u8>) {
    let parts: Vec<_> = text.utf8_chunks().collect();
    for part in parts.iter().rev() {
        into.extend_from_slice(part.invalid());
        part.valid().chars().rev().for_each(|character| push(character, into));
    }
}

fn push(character: char, into: &mut Vec<u8>) {
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'm' | b'A'..=b'M' => byte + 13,
        b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
        other => other,
    }
}

/// How many bytes at the end of `text` are the beginning of a character whose rest may follow; 0 if
/// it ends with a character, or with bytes that are none.
pub fn unfinished(text: &[u8]) -> usize {
    let tail = text.get(text.len().saturating_sub(3)..).unwrap_or_default();
    let Some(last) = tail.utf8_chunks().last() else { return 0 };
    // An error that more bytes could mend is one that the end of the input has caused.
    match std::str::from_utf8(last.invalid()) {
        Err(error) if error.error_len().is_none() => last.invalid().len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(transform: Transform, text: &[u8]) -> Vec<u8> {
        let mut into = Vec::new();
        transform.apply(text, &mut into);
        into
    }

    #[test]
    fn text_is_transformed() {
        for (transform, text, expected) in [
            (Transform::None, "Straße", "Straße"),
            (Transform::Upper, "straße, ﬁn", "STRASSE, FIN"),
            (Transform::Lower, "ÄÖÜ", "äöü"),
            (Transform::Reverse, "añb\u{1f980}", "\u{1f980}bña"),
            (Transform::Rot13, "Hello, Nz!", "Uryyb, Am!"),
        ] {
            assert_eq!(applied(transform, text.as_bytes()), expected.as_bytes(), "{transform:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        assert_eq!(applied(Transform::Upper, b"a\xff\xc3b"), b"A\xff\xc3B");
        assert_eq!(applied(Transform::Reverse, b"a\xff\xc3b"), b"b\xc3\xffa");
    }

    #[test]
    fn lines_are_transformed_each_by_itself() {
        let mut into = Vec::new();
        Transform::Reverse.apply_to_lines(b"ab\ncd\r\n\n\xc3\xa9f", &mut into);
        assert_eq!(into, b"ba\ndc\r\n\nf\xc3\xa9");
    }

    #[test]
    fn the_beginning_of_a_character_is_seen() {
        let crab = "\u{1f980}".as_bytes();
        for (text, length) in [
            (&b"abc"[..], 0),
            (b"ab\xc3", 1),
            (b"\xc3", 1),
            (&crab[..1], 1),
            (&crab[..2], 2),
            (&crab[..3], 3),
            (crab, 0),
            (b"ab\xff", 0),
            (b"ab\x80\x80", 0),
            (b"", 0),
        ] {
            assert_eq!(unfinished(text), length, "{text:?}");
        }
    }

    proptest! {
        /// Wherever a stream is cut, holding the unfinished back gives what the whole gives.
        #[test]
        fn a_cut_changes_nothing(text in ".{0,30}", cut in 0_usize..90) {
            let bytes = text.as_bytes();
            let at = cut.min(bytes.len());
            for transform in [Transform::Upper, Transform::Lower, Transform::Rot13] {
                let (head, tail) = bytes.split_at(at);
                let (whole, begun) = head.split_at(head.len() - unfinished(head));
                let mut into = applied(transform, whole);
                transform.apply(&[begun, tail].concat(), &mut into);
                prop_assert_eq!(&into, &applied(transform, bytes));
            }
        }
    }
}
