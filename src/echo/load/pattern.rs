//! What is sent, and what is to come back: pieces of one pattern that is made once.
//!
//! A message is a piece of the pattern that begins at a place of its own, so that the reply to another
//! message, of this connection or another, is seen as wrong; and neither sending nor comparing makes
//! a copy of it.

use crate::echo::transform::Transform;

/// Places where a piece can begin; small, so that the pattern stays in the cache.
const STARTS: usize = 4096;

/// The pattern.
#[derive(Debug)]
pub struct Pattern {
    sent: Vec<u8>,
    /// What becomes of it; `None` if it stays.
    expected: Option<Vec<u8>>,
    shortest: usize,
    longest: usize,
}

/// A piece of the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    at: usize,
    /// Its bytes.
    pub length: usize,
}

impl Pattern {
    /// Of messages from `shortest` to `longest` bytes, for a server that does this to them.
    pub fn new(shortest: usize, longest: usize, transform: Transform) -> Self {
        let random = std::iter::successors(Some(1_u64), |state| Some(mixed(*state)));
        let bytes = random.map(|state| {
            let [byte, ..] = state.to_be_bytes();
            // Text has to stay text, and of the same length.
            if transform == Transform::None { byte } else { b'!' + byte % 94 }
        });
        let sent: Vec<u8> = bytes.take(STARTS + longest).collect();
        let expected = (transform != Transform::None).then(|| {
            let mut expected = Vec::new();
            transform.apply(&sent, &mut expected);
            expected
        });
        Self { sent, expected, shortest, longest }
    }

    /// Message `number` of `connection`.
    pub fn piece(&self, connection: usize, number: u64) -> Piece {
        let connection = u64::try_from(connection).unwrap_or(0);
        let place = mixed(mixed(connection) ^ number);
        let index = |most: usize, value: u64| {
            let most = u64::try_from(most).unwrap_or(1).max(1);
            usize::try_from(value % most).unwrap_or(0)
        };
        let length = self.shortest + index(self.longest - self.shortest + 1, place >> 32);
        Piece { at: index(STARTS, place & 0xffff_ffff), length }
    }

    /// Message `number` of one connection, of this length instead of one of the range; at most the
    /// longest.
    pub fn piece_of(&self, number: u64, length: usize) -> Piece {
        Piece { length: length.min(self.longest), ..self.piece(0, number) }
    }

    /// What of `piece` is still to be sent after so many bytes.
    pub fn rest(&self, piece: Piece, after: usize) -> &[u8] {
        self.sent.get(piece.at + after..piece.at + piece.length).unwrap_or_default()
    }

    /// Whether `came` is what is expected of `piece` after so many bytes.
    pub fn is_next(&self, piece: Piece, after: usize, came: &[u8]) -> bool {
        let expected = self.expected.as_ref().unwrap_or(&self.sent);
        let from = piece.at + after;
        expected.get(from..from + came.len()) == Some(came)
    }
}

/// A number that looks like none of its neighbours (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_or_as_it_becomes() {
        for transform in [Transform::None, Transform::Upper, Transform::Lower, Transform::Rot13] {
            let pattern = Pattern::new(10, 300, transform);
            for number in 0..200 {
                let piece = pattern.piece(3, number);
                assert!((10..=300).contains(&piece.length));
                let mut came = Vec::new();
                transform.apply(pattern.rest(piece, 0), &mut came);
                assert_eq!(came.len(), piece.length);
                assert!(pattern.is_next(piece, 0, &came));
                assert!(pattern.is_next(piece, 7, &came[7..]));
                came[9] ^= 1;
                assert!(!pattern.is_next(piece, 0, &came), "{transform:?}");
            }
        }
    }

    #[test]
    fn the_reply_to_another_message_is_seen() {
        let pattern = Pattern::new(32, 32, Transform::None);
        let piece = pattern.piece(0, 0);
        for (connection, number) in [(0, 1), (1, 0), (1, 1), (0, 2)] {
            let other = pattern.rest(pattern.piece(connection, number), 0);
            assert!(!pattern.is_next(piece, 0, other));
        }
    }

    #[test]
    fn sizes_are_of_the_whole_range() {
        let pattern = Pattern::new(1, 4, Transform::None);
        let sizes: std::collections::BTreeSet<_> =
            (0..100).map(|number| pattern.piece(0, number).length).collect();
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
