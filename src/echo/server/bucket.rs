//! How many datagrams a second are answered: token buckets, one for each source and one for all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// Sources that are remembered. Those that have been quiet for long enough to be full again are
/// forgotten first; a flood of forged sources meets the bucket of all.
const SOURCES: usize = 4096;

/// So many at once, and so many a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// A second.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Self { tokens: f64::from(rate.burst), filled: now }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        let most = f64::from(rate.burst);
        self.tokens = (self.tokens + since * f64::from(rate.per_second)).min(most);
        self.filled = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// Which bucket was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// That of the source.
    Source,
    /// That of all.
    All,
}

/// The buckets of a server.
#[derive(Debug)]
pub struct Buckets {
    each: Option<Rate>,
    all: Option<Rate>,
    global: Bucket,
    sources: HashMap<IpAddr, Bucket>,
}

impl Buckets {
    /// Full buckets: for `each` source, and for `all`.
    pub fn new(each: Option<Rate>, all: Option<Rate>, now: Instant) -> Self {
        let nothing = Rate { per_second: 0, burst: 0 };
        let global = Bucket::full(all.unwrap_or(nothing), now);
        Self { each, all, global, sources: HashMap::new() }
    }

    /// Takes a token for a datagram of `source`.
    pub fn take(&mut self, source: IpAddr, now: Instant) -> Result<(), Empty> {
        if let Some(rate) = self.each {
            if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
                self.forget(rate, now);
            }
            let bucket = self.sources.entry(source).or_insert_with(|| Bucket::full(rate, now));
            if !bucket.take(rate, now) {
                return Err(Empty::Source);
            }
        }
        match self.all {
            Some(rate) if !self.global.take(rate, now) => Err(Empty::All),
            _ => Ok(()),
        }
    }

    /// Forgets whoever is full again; and if that is nobody, all.
    fn forget(&mut self, rate: Rate, now: Instant) {
        self.sources.retain(|_, bucket| {
            bucket.fill(rate, now);
            bucket.tokens < f64::from(rate.burst)
        });
        if self.sources.len() >= SOURCES {
            self.sources.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn a_source_gets_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Some(RATE), None, start);
        let mut taken = |source, ms| {
            let now = start + Duration::from_millis(ms);
            (0..9).filter(|_| buckets.take(address(source), now).is_ok()).count()
        };
        assert_eq!(taken(1, 0), 3);
        assert_eq!(taken(2, 0), 3);
        assert_eq!(taken(1, 99), 0);
        assert_eq!(taken(1, 200), 2);
        assert_eq!(taken(1, 60_000), 3);
    }

    #[test]
    fn all_together_get_theirs_and_the_memory_is_bounded() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Some(RATE), Some(Rate { per_second: 1, burst: 5 }), start);
        let answers: Vec<_> = (0..8).map(|it| buckets.take(address(it), start)).collect();
        assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 5);
        assert_eq!(answers.last(), Some(&Err(Empty::All)));
        for source in 0..20_000 {
            assert_eq!(buckets.take(address(source), start), Err(Empty::All));
        }
        assert!(buckets.sources.len() <= SOURCES);
    }
}
