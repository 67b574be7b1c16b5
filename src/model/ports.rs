//! Ports: ranges as people write them, and sets of them.

use std::fmt;
use std::str::FromStr;

/// A range of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub low: u16,
    /// The highest port, at least `low`.
    pub high: u16,
}

impl PortRange {
    /// Whether `port` lies in the range.
    pub fn contains(self, port: u16) -> bool {
        (self.low..=self.high).contains(&port)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}-{}", self.low, self.high)
        }
    }
}

/// Text that is neither a port nor a range of ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPorts {
    /// Not a number from 0 to 65535.
    #[error("`{0}` is not a port: give a number from 0 to 65535, or a range such as 8000-8100")]
    NotAPort(String),
    /// The ends are the wrong way round.
    #[error("`{0}` runs backwards: give the lower port first")]
    Backwards(String),
}

impl FromStr for PortRange {
    type Err = BadPorts;

    fn from_str(text: &str) -> Result<Self, BadPorts> {
        let port = |part: &str| {
            part.trim().parse::<u16>().map_err(|_| BadPorts::NotAPort(text.to_owned()))
        };
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (port(low)?, port(high)?),
            None => (port(text)?, port(text)?),
        };
        if low > high {
            return Err(BadPorts::Backwards(text.to_owned()));
        }
        Ok(Self { low, high })
    }
}

/// A set of ports: one bit each, 8 KiB.
#[derive(Clone, PartialEq, Eq)]
pub struct PortSet {
    words: Box<[u64; 1024]>,
}

impl PortSet {
    /// The set of no port.
    pub fn new() -> Self {
        Self { words: Box::new([0; 1024]) }
    }

    /// Adds `port`.
    pub fn insert(&mut self, port: u16) {
        if let Some(word) = self.words.get_mut(usize::from(port >> 6)) {
            *word |= 1 << (port & 63);
        }
    }

    /// Adds every port of `range`.
    pub fn insert_range(&mut self, range: PortRange) {
        (range.low..=range.high).for_each(|port| self.insert(port));
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.words.get(usize::from(port >> 6)).is_some_and(|word| word & (1 << (port & 63)) != 0)
    }

    /// How many ports are in the set, 0 to 65,536.
    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether no port is in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ports as ranges, lowest first, each as long as can be.
    pub fn ranges(&self) -> impl Iterator<Item = PortRange> {
        let mut next = Some(0_u16);
        std::iter::from_fn(move || {
            let low = (next?..=u16::MAX).find(|port| self.contains(*port))?;
            let high = (low..=u16::MAX).take_while(|port| self.contains(*port)).last()?;
            next = high.checked_add(1);
            Some(PortRange { low, high })
        })
    }

    /// How many ports are in both sets.
    pub fn count_common(&self, other: &Self) -> u32 {
        let pairs = self.words.iter().zip(other.words.iter());
        pairs.map(|(a, b)| (a & b).count_ones()).sum()
    }

    /// Takes out every port of `other`.
    pub fn remove_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(other.words.iter()).for_each(|(a, b)| *a &= !b);
    }
}

impl Default for PortSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..=u16::MAX).filter(|port| self.contains(*port))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_refused() {
        assert_eq!("80".parse(), Ok(PortRange { low: 80, high: 80 }));
        assert_eq!("8000-8100".parse(), Ok(PortRange { low: 8000, high: 8100 }));
        assert!(matches!("70000".parse::<PortRange>(), Err(BadPorts::NotAPort(_))));
        assert!(matches!("90-80".parse::<PortRange>(), Err(BadPorts::Backwards(_))));
        assert!(matches!("-".parse::<PortRange>(), Err(BadPorts::NotAPort(_))));
    }

    #[test]
    fn a_set_is_told_in_ranges() {
        let mut set = PortSet::new();
        assert_eq!(set.ranges().count(), 0);
        for (low, high) in [(0, 0), (80, 90), (91, 92), (65534, 65535)] {
            set.insert_range(PortRange { low, high });
        }
        let ranges: Vec<_> = set.ranges().map(|range| range.to_string()).collect();
        assert_eq!(ranges, ["0", "80-92", "65534-65535"]);
    }

    #[test]
    fn a_set_counts_what_it_holds() {
        let mut set = PortSet::new();
        set.insert_range(PortRange { low: 0, high: u16::MAX });
        assert_eq!(set.len(), 65536);
        let mut other = PortSet::new();
        other.insert(0);
        other.insert(65535);
        assert_eq!(set.count_common(&other), 2);
        set.remove_all(&other);
        assert!(set.len() == 65534 && !set.contains(65535) && set.contains(65534));
    }
}
