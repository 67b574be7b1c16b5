//! A set of rows seen, in a fixed amount of memory.

use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::RandomState;

/// Remembers up to a fixed number of keys by 32 bits each, in a table with open addressing.
///
/// A new key is taken for a known one with a probability below 10⁻⁸: 32 bits are compared in a
/// handful of slots that other bits of the same hash choose.
pub struct Seen {
    slots: Vec<u32>,
    held: usize,
    hasher: RandomState,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Seen for the first time.
    New,
    /// Seen before.
    Repeated,
    /// There is no room to remember it.
    Full,
}

impl Seen {
    /// A set with room for `capacity` keys: 5⅓ bytes each.
    pub fn with_capacity(capacity: usize) -> Self {
        let slots = capacity.saturating_add(capacity / 3).max(64);
        Self { slots: vec![0; slots], held: 0, hasher: RandomState::default() }
    }

    /// Remembers `key`.
    pub fn insert(&mut self, key: &impl Hash) -> Novelty {
        let hash = self.hasher.hash_one(key);
        let fingerprint = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0).max(1);
        let spread = hash >> 32;
        let length = self.slots.len();
        let scaled = spread.wrapping_mul(u64::try_from(length).unwrap_or(u64::MAX)) >> 32;
        let start = usize::try_from(scaled).unwrap_or(0).min(length);
        let (before, after) = self.slots.split_at_mut(start);
        for slot in after.iter_mut().chain(before) {
            if *slot == fingerprint {
                return Novelty::Repeated;
            }
            if *slot == 0 {
                if self.held.saturating_mul(4) >= length.saturating_mul(3) {
                    return Novelty::Full;
                }
                *slot = fingerprint;
                self.held += 1;
                return Novelty::New;
            }
        }
        Novelty::Full
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_new_once_and_the_room_is_bounded() {
        let mut seen = Seen::with_capacity(1000);
        assert!((0..1000).all(|key| seen.insert(&key) == Novelty::New));
        assert!((0..1000).all(|key| seen.insert(&key) == Novelty::Repeated));
        assert!((1000..2000).any(|key| seen.insert(&key) == Novelty::Full));
    }
}
