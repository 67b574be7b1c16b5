//! Whether what comes back of a stream is what was sent, without keeping it. Pure.
//!
//! A server may answer nothing before the end, so that what is unanswered has no limit, and is not kept:
//! of each side there are a digest of all its whole blocks and the bytes of the last one. While one side
//! is ahead, its digest at the end of each block is noted as a mark, for the other to be compared with
//! when it comes there. Of too many marks every second is forgotten: the memory stays the same, and the
//! place of a difference is known less exactly.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

/// Bytes of a block: few in these tests, so that there are many blocks.
const BLOCK: usize = if cfg!(test) { 64 } else { 64 * 1024 };
/// The most marks.
const MARKS: usize = 1024;

/// The digest of all blocks before a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// How many blocks.
    blocks: u64,
    digest: u64,
}

/// The bytes of one direction.
#[derive(Debug, Default)]
struct Side {
    whole: Mark,
    /// What there is behind the last whole block.
    rest: Vec<u8>,
}

impl Side {
    /// How many bytes in all.
    fn total(&self) -> u64 {
        self.whole.blocks * offset(BLOCK) + offset(self.rest.len())
    }
}

/// What the whole comparison has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Each byte is as expected.
    Same,
    /// The first byte that is not as expected.
    Differs {
        /// Its number, from 0, is this at least.
        from: u64,
        /// And this at most.
        to: u64,
    },
    /// There are more or fewer than expected; as far as is known, the others are right.
    Length {
        /// How many were expected.
        expected: u64,
        /// How many came.
        came: u64,
    },
}

/// The comparison of both directions.
#[derive(Debug, Default)]
pub struct Comparison {
    hasher: RandomState,
    expected: Side,
    came: Side,
    /// Of the side that is ahead.
    marks: VecDeque<Mark>,
    /// How many blocks are known to be equal.
    equal: u64,
    /// The number of blocks of which a byte is known to differ.
    unequal: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    There,
    Back,
}

impl Comparison {
    /// Takes what is to come back, before that is possible.
    pub fn expect(&mut self, bytes: &[u8]) {
        self.add(Direction::There, bytes);
    }

    /// Takes what has come back.
    pub fn came(&mut self, bytes: &[u8]) {
        self.add(Direction::Back, bytes);
    }

    /// What all that was taken amounts to.
    pub fn end(&self) -> Compared {
        let (expected, came) = (self.expected.total(), self.came.total());
        if let Some(unequal) = self.unequal {
            let (from, to) = (self.equal * offset(BLOCK), unequal * offset(BLOCK) - 1);
            return Compared::Differs { from, to };
        }
        if self.expected.whole == self.came.whole {
            let mut pairs = self.expected.rest.iter().zip(&self.came.rest);
            if let Some(at) = pairs.position(|(one, other)| one != other) {
                let at = self.came.whole.blocks * offset(BLOCK) + offset(at);
                return Compared::Differs { from: at, to: at };
            }
        }
        if expected == came { Compared::Same } else { Compared::Length { expected, came } }
    }

    fn add(&mut self, direction: Direction, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let side = match direction {
                Direction::There => &mut self.expected,
                Direction::Back => &mut self.came,
            };
            let room = BLOCK.saturating_sub(side.rest.len()).min(bytes.len());
            let (head, tail) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            side.rest.extend_from_slice(head);
            bytes = tail;
            if side.rest.len() >= BLOCK {
                let digest = self.hasher.hash_one((side.whole.digest, &side.rest));
                side.whole = Mark { blocks: side.whole.blocks + 1, digest };
                side.rest.clear();
                self.settle(direction);
            }
        }
    }

    /// Compares the side that has one more whole block with what is known of the other at that place.
    fn settle(&mut self, direction: Direction) {
        let (own, other) = match direction {
            Direction::There => (self.expected.whole, self.came.whole),
            Direction::Back => (self.came.whole, self.expected.whole),
        };
        if own.blocks > other.blocks {
            self.marks.push_back(own);
            if self.marks.len() > MARKS {
                // The first of each two.
                let mut is_kept = false;
                self.marks.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
            }
            return;
        }
        while self.marks.front().is_some_and(|mark| mark.blocks < own.blocks) {
            self.marks.pop_front();
        }
        let known = self.marks.front().copied().into_iter().chain([other]);
        let Some(there) = known.into_iter().find(|it| it.blocks == own.blocks) else { return };
        if there.digest == own.digest {
            self.equal = own.blocks;
        } else if self.unequal.is_none() {
            self.unequal = Some(own.blocks);
        }
    }
}

/// A length as a place in a stream.
fn offset(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes in which no block is like another.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from((at * 31 + at / 8191) % 256).unwrap()).collect()
    }

    fn compared(sent: &[u8], came: &[u8]) -> Compared {
        let mut comparison = Comparison::default();
        comparison.expect(sent);
        comparison.came(came);
        comparison.end()
    }

    #[test]
    fn a_difference_is_found_and_its_place_is_told() {
        assert_eq!(compared(b"", b""), Compared::Same);
        assert_eq!(compared(b"hello", b"hello"), Compared::Same);
        assert_eq!(compared(b"hello", b"help!"), Compared::Differs { from: 3, to: 3 });
        assert_eq!(compared(b"hello", b"hell"), Compared::Length { expected: 5, came: 4 });
        assert_eq!(compared(b"hello", b"jello!!"), Compared::Differs { from: 0, to: 0 });
        assert_eq!(compared(b"", b"!"), Compared::Length { expected: 0, came: 1 });
    }

    #[test]
    fn a_difference_in_a_block_is_within_it() {
        let sent = bytes(5 * BLOCK + 7);
        for at in [0, BLOCK, 3 * BLOCK + 5, 4 * BLOCK - 1] {
            let mut came = sent.clone();
            came[at] ^= 1;
            let block = offset(at / BLOCK * BLOCK);
            let expected = Compared::Differs { from: block, to: block + offset(BLOCK) - 1 };
            assert_eq!(compared(&sent, &came), expected, "{at}");
        }
        let mut came = sent.clone();
        came[5 * BLOCK + 3] ^= 1;
        let at = offset(5 * BLOCK + 3);
        assert_eq!(compared(&sent, &came), Compared::Differs { from: at, to: at });
    }

    #[test]
    fn what_is_unanswered_takes_no_more_memory_however_much_it_is() {
        let sent = bytes(BLOCK);
        let all = 2 * offset(MARKS) + 3;
        for wrong in [None, Some(1500)] {
            let mut comparison = Comparison::default();
            for _ in 0..all {
                comparison.expect(&sent);
                assert!(comparison.marks.len() <= MARKS && comparison.expected.rest.len() < BLOCK);
            }
            for number in 0..all {
                comparison.came(if wrong == Some(number) { &sent[1..] } else { &sent });
            }
            match (wrong, comparison.end()) {
                (None, found) => assert_eq!(found, Compared::Same),
                (Some(wrong), Compared::Differs { from, to }) => {
                    let place = wrong * offset(BLOCK);
                    assert!((from..=to).contains(&place), "{from} to {to}, not {place}");
                    assert!(to - from < 16 * offset(BLOCK), "{from} to {to}");
                }
                (Some(_), other) => panic!("{other:?}"),
            }
        }
    }

    proptest! {
        /// However both directions are cut, and whichever is ahead.
        #[test]
        fn how_it_comes_changes_nothing(
            steps in proptest::collection::vec((any::<bool>(), 1_usize..3 * BLOCK), 0..12),
            wrong in proptest::option::of(0_usize..BLOCK * 4),
        ) {
            let sent = bytes(BLOCK * 4 + 100);
            let mut back = sent.clone();
            if let Some(at) = wrong {
                back[at] ^= 1;
            }
            let mut comparison = Comparison::default();
            let (mut there, mut here) = (&sent[..], &back[..]);
            for (is_there, length) in steps {
                if is_there {
                    let (head, tail) = there.split_at(length.min(there.len()));
                    comparison.expect(head);
                    there = tail;
                } else {
                    let (head, tail) = here.split_at(length.min(here.len()));
                    comparison.came(head);
                    here = tail;
                }
            }
            comparison.expect(there);
            comparison.came(here);
            let found = comparison.end();
            match (wrong.map(offset), found) {
                (None, found) => prop_assert_eq!(found, Compared::Same),
                (Some(at), Compared::Differs { from, to }) => {
                    prop_assert!(from <= at && at <= to && to - from < offset(BLOCK));
                }
                (Some(_), other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
