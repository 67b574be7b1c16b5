//! What the command line says of how the server is to behave.

use std::hash::{BuildHasher as _, RandomState};

use super::{Args, Unit};
use crate::echo::server::bucket::Rate;
use crate::echo::server::faults::{Close, Faults};
use crate::echo::server::options::{Datagrams, Options};
use crate::kernel::serving::ServingOptions;

impl Args {
    /// How the server is to behave, or what is wrong with it.
    pub fn options(&self) -> Result<Options, String> {
        let size = |number: u64, option: &str| {
            let size = usize::try_from(number).ok().filter(|size| *size > 0);
            size.ok_or_else(|| format!("{option} {number}: give a number above 0"))
        };
        let some = |number: Option<u64>, option| number.map(|it| size(it, option)).transpose();
        let datagrams = match (self.strict, self.rfc862) {
            (true, _) => Datagrams::Strict,
            (_, true) => Datagrams::All,
            _ => Datagrams::ByAddress,
        };
        Ok(Options {
            sockets: ServingOptions {
                reuse_addr: !self.no_reuse_addr,
                reuse_port: self.reuse_port,
                v6only: self.v6only,
                backlog: self.backlog,
                nodelay: self.nodelay,
                linger: self.linger,
                receive_buffer: some(self.receive_buffer, "--receive-buffer")?,
                send_buffer: some(self.send_buffer, "--send-buffer")?,
                keepalive: self.keepalive,
            },
            transform: self.transform,
            by_line: self.by == Unit::Line,
            faults: self.faults(some(self.slice, "--slice")?),
            seed: self.seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
            log: self.log,
            max_connections: some(self.max_connections, "--max-connections")?,
            max_per_address: some(self.max_per_address, "--max-per-address")?,
            idle_timeout: Some(self.idle_timeout).filter(|it| !it.is_zero()),
            max_bytes: some(self.max_bytes, "--max-bytes")?.and(self.max_bytes),
            rate_per_source: rate(self.rate_per_source),
            rate_total: rate(self.rate_total),
            datagrams,
            drain: self.drain,
            lifetime: self.lifetime,
            one_off: self.one_off,
            threads: usize::try_from(self.threads).unwrap_or(1),
        })
    }

    fn faults(&self, slice: Option<usize>) -> Faults {
        let close = match (self.close_first, self.half_close) {
            (true, _) => Some(Close::All),
            (_, true) => Some(Close::Writing),
            _ => None,
        };
        Faults {
            delay: self.delay,
            jitter: self.jitter,
            drop: self.drop,
            duplicate: self.duplicate,
            reset_after: self.reset_after,
            close,
            slice,
        }
    }
}

/// So many a second, and twice as many at once; 0 is no limit.
fn rate(per_second: u64) -> Option<Rate> {
    let per_second = u32::try_from(per_second).unwrap_or(u32::MAX);
    (per_second > 0).then(|| Rate { per_second, burst: per_second.saturating_mul(2) })
}
