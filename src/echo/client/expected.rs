//! What is to come back of a stream, piece by piece as it is sent. Pure.

use std::borrow::Cow;

use crate::echo::transform::{Transform, unfinished};

/// What becomes of a stream, however it is cut.
#[derive(Debug)]
pub struct Expected {
    transform: Transform,
    keeps_messages: bool,
    /// The beginning of a character, which is transformed with its rest.
    begun: Vec<u8>,
}

impl Expected {
    /// From a server that does `transform`: to each message alone, if they are kept apart.
    pub fn new(transform: Transform, keeps_messages: bool) -> Self {
        Self { transform, keeps_messages, begun: Vec::new() }
    }

    /// What is to come back of `bytes`, which are sent next.
    pub fn of<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.transform == Transform::None {
            return Cow::Borrowed(bytes);
        }
        let mut text = std::mem::take(&mut self.begun);
        text.extend_from_slice(bytes);
        if !self.keeps_messages {
            self.begun = text.split_off(text.len() - unfinished(&text));
        }
        Cow::Owned(self.transformed(&text))
    }

    /// What is still to come back when all is sent: nothing completes a character any more.
    pub fn rest(&mut self) -> Vec<u8> {
        let begun = std::mem::take(&mut self.begun);
        self.transformed(&begun)
    }

    fn transformed(&self, text: &[u8]) -> Vec<u8> {
        let mut expected = Vec::new();
        self.transform.apply(text, &mut expected);
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(transform: Transform, keeps_messages: bool, pieces: &[&[u8]]) -> Vec<u8> {
        let mut expected = Expected::new(transform, keeps_messages);
        let mut all: Vec<_> = pieces.iter().flat_map(|it| expected.of(it).into_owned()).collect();
        all.extend(expected.rest());
        all
    }

    #[test]
    fn a_character_that_is_cut_is_transformed_as_a_whole() {
        let text = "straße, ähnlich";
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            let came = of(Transform::Upper, false, &[head, tail]);
            assert_eq!(came, "STRASSE, ÄHNLICH".as_bytes(), "{at}");
        }
        assert_eq!(of(Transform::Upper, false, &[b"a\xc3"]), b"A\xc3");
    }

    #[test]
    fn a_message_is_transformed_by_itself() {
        assert_eq!(of(Transform::Upper, true, &[b"a\xc3", b"\xa4b"]), b"A\xc3\xa4B");
        assert_eq!(of(Transform::Reverse, true, &[b"ab", b"cd"]), b"badc");
    }
}
