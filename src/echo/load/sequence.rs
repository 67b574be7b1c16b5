//! What became of the datagrams of one flow: on time, late, twice, out of order, or not at all.
//!
//! Pure. One bit is kept of each datagram, so that what comes is known as the first or as a
//! duplicate however late it is; and the last arrivals, to see how far back one is out of order.
//! Reordering is as RFC 4737 has it: a datagram is reordered if one that was sent later came before
//! it, and its extent is the number of arrivals since the first such one.

use std::collections::VecDeque;

/// Arrivals that are looked back upon: an extent beyond is told as this.
const LOOK_BACK: usize = 1024;

/// A flow's datagrams.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    sent: u64,
    came: Vec<u64>,
    next_expected: u64,
    arrivals: VecDeque<u64>,
}

/// What an arrival is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The first of its number, with the extent by which it is out of order; 0 if it is not.
    First {
        /// Arrivals since the first of a later number.
        extent: usize,
    },
    /// It had come before.
    Again,
    /// It was never sent.
    Unknown,
}

impl Sequence {
    /// The number of the next datagram, which is then sent.
    pub fn send(&mut self) -> u64 {
        let number = self.sent;
        self.sent += 1;
        if number.is_multiple_of(64) {
            self.came.push(0);
        }
        number
    }

    /// Takes the last number back: it was not sent after all.
    pub fn take_back(&mut self) {
        self.sent = self.sent.saturating_sub(1);
        if self.sent.is_multiple_of(64) {
            self.came.pop();
        }
    }

    /// Whether datagram `number` has come.
    pub fn has_come(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|index| self.came.get(index));
        word.is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// Takes the arrival of datagram `number`.
    pub fn arrive(&mut self, number: u64) -> Arrived {
        if number >= self.sent {
            return Arrived::Unknown;
        }
        if self.has_come(number) {
            return Arrived::Again;
        }
        let index = usize::try_from(number / 64).unwrap_or(usize::MAX);
        if let Some(word) = self.came.get_mut(index) {
            *word |= 1 << (number % 64);
        }
        let extent = if number < self.next_expected { self.extent(number) } else { 0 };
        self.next_expected = self.next_expected.max(number + 1);
        if self.arrivals.len() == LOOK_BACK {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(number);
        Arrived::First { extent }
    }

    fn extent(&self, number: u64) -> usize {
        let first_later = self.arrivals.iter().position(|other| *other > number);
        first_later.map_or(LOOK_BACK, |at| self.arrivals.len() - at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(number: usize) -> Sequence {
        let mut sequence = Sequence::default();
        (0..number).for_each(|_| {
            sequence.send();
        });
        sequence
    }

    fn first(extent: usize) -> Arrived {
        Arrived::First { extent }
    }

    #[test]
    fn order_is_no_news() {
        let mut sequence = sent(200);
        assert!((0..200).all(|number| sequence.arrive(number) == first(0)));
        assert!((0..200).all(|number| sequence.has_come(number)));
    }

    #[test]
    fn what_comes_late_has_the_extent_of_rfc_4737() {
        // The example of the RFC, section 4.2.2: 1 2 3 7 8 9 10 4 5 6 11, of which 4, 5 and 6 are
        // reordered by 4, 5 and 6 arrivals.
        let mut sequence = sent(12);
        let order = [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11];
        let extents = order.map(|number| sequence.arrive(number));
        let expected = [0, 0, 0, 0, 0, 0, 0, 4, 5, 6, 0].map(first);
        assert_eq!(extents, expected);
        assert!(!sequence.has_come(0));
    }

    #[test]
    fn twice_is_seen_and_the_unknown_too() {
        let mut sequence = sent(3);
        assert_eq!(sequence.arrive(2), first(0));
        assert_eq!(sequence.arrive(2), Arrived::Again);
        assert_eq!(sequence.arrive(0), first(1));
        assert_eq!(sequence.arrive(0), Arrived::Again);
        assert_eq!(sequence.arrive(3), Arrived::Unknown);
        assert_eq!(sequence.arrive(u64::MAX), Arrived::Unknown);
    }

    #[test]
    fn what_was_not_sent_is_taken_back() {
        let mut sequence = sent(65);
        sequence.take_back();
        assert_eq!(sequence.arrive(64), Arrived::Unknown);
        assert_eq!(sequence.send(), 64);
        assert_eq!(sequence.arrive(64), first(0));
    }

    proptest! {
        /// Whatever the order, each is first once, and an extent is 0 where nothing later came before.
        #[test]
        fn each_is_first_once(order in proptest::collection::vec(0_u64..40, 0..120)) {
            let mut sequence = sent(40);
            let mut seen = Vec::new();
            for number in order {
                match sequence.arrive(number) {
                    Arrived::First { extent } => {
                        prop_assert!(!seen.contains(&number));
                        let at = seen.iter().position(|other| *other > number);
                        prop_assert_eq!(extent, at.map_or(0, |at| seen.len() - at));
                        seen.push(number);
                    }
                    Arrived::Again => prop_assert!(seen.contains(&number)),
                    Arrived::Unknown => prop_assert!(false),
                }
            }
        }
    }
}
