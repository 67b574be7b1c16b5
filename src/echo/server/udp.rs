//! Datagrams: each that may be answered is.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::unix::AsyncFd;

use super::bucket::{Buckets, Empty};
use super::guard::{Question, Refusal, Rules};
use super::shared::Shared;
use crate::echo::datagram::{self, Header};
use crate::kernel::datagrams::{Arrival, UdpEnd, UnixEnd};

/// What a datagram holds at most (UDP's length has 16 bits), and one byte to see that it holds more.
const LONGEST: usize = 65_536;
/// Datagrams that are answered in a row before others get their turn.
const BURST: u32 = 64;

/// Answers over UDP for as long as it is let.
pub async fn serve_udp(end: AsyncFd<UdpEnd>, rules: Rules, shared: Arc<Shared>) {
    let limits = (shared.options.rate_per_source, shared.options.rate_total);
    let mut buckets = Buckets::new(limits.0, limits.1, Instant::now());
    let mut buffer = vec![0; LONGEST];
    let mut burst = 0_u32;
    while let Ok(mut guard) = end.readable().await {
        let end = guard.get_inner();
        match end.receive(&mut buffer) {
            Ok(arrival) => {
                let bytes = buffer.get_mut(..arrival.length).unwrap_or_default();
                let answered = may_be_answered(&rules, &mut buckets, &arrival, bytes)
                    .and_then(|()| answer(end, &arrival, bytes));
                shared.datagram(arrival.length, answered);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            // What an earlier reply has met: nobody there, a firewall. It is no news to an echo server.
            Err(_) => {}
        }
        burst = burst.wrapping_add(1);
        if burst % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn may_be_answered(
    rules: &Rules,
    buckets: &mut Buckets,
    arrival: &Arrival,
    bytes: &[u8],
) -> Result<(), Refusal> {
    if arrival.is_cut {
        return Err(Refusal::TooLong);
    }
    let source = (arrival.source.ip(), arrival.source.port());
    let is_to_us_alone = arrival.asked.is_none_or(|asked| asked.is_own());
    rules.judge(&Question { bytes, source, is_to_us_alone, hops: arrival.hops })?;
    // A request of netkit's cannot go round, and loopback is nobody's source to forge from outside.
    if source.0.to_canonical().is_loopback() && Header::of(bytes).is_some() {
        return Ok(());
    }
    buckets.take(source.0, Instant::now()).map_err(|empty| match empty {
        Empty::Source => Refusal::SourceRate,
        Empty::All => Refusal::GlobalRate,
    })
}

fn answer(end: &UdpEnd, arrival: &Arrival, bytes: &mut [u8]) -> Result<usize, Refusal> {
    datagram::make_reply(bytes);
    let hops = arrival.hops.map_or(Ok(()), |hops| end.set_hops(hops.saturating_sub(1)));
    let sent = hops.and_then(|()| end.send(bytes, arrival.source, arrival.asked));
    sent.map_or(Err(Refusal::NotSent), |()| Ok(bytes.len()))
}

/// Answers over a Unix datagram socket for as long as it is let. Nobody can forge a name there, and who
/// answers is on this machine: what is kept is that a server does not answer itself.
pub async fn serve_unix(end: AsyncFd<UnixEnd>, shared: Arc<Shared>) {
    let mut buffer = vec![0; LONGEST];
    let mut burst = 0_u32;
    while let Ok(mut guard) = end.readable().await {
        let end = guard.get_inner();
        match end.receive(&mut buffer) {
            Ok((length, source)) => {
                let bytes = buffer.get_mut(..length).unwrap_or_default();
                let is_reply = Header::of(bytes).is_some_and(|header| !header.is_request);
                let answered = if source.is_unnamed() {
                    Err(Refusal::NoName)
                } else if end.is_own(&source) {
                    Err(Refusal::OwnPort)
                } else if is_reply {
                    Err(Refusal::Reply)
                } else {
                    datagram::make_reply(bytes);
                    end.send(bytes, &source).map_or(Err(Refusal::NotSent), |()| Ok(length))
                };
                shared.datagram(length, answered);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            Err(_) => {}
        }
        burst = burst.wrapping_add(1);
        if burst % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
}
