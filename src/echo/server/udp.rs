//! Datagrams: each that may be answered is.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

use tokio::io::unix::AsyncFd;

use super::bucket::{Buckets, Empty};
use super::guard::{Question, Refusal, Rules};
use super::reply::Desk;
use super::shared::Shared;
use crate::echo::datagram::Header;
use crate::kernel::datagrams::{Arrival, UdpEnd, UnixEnd};

/// What a datagram holds at most (UDP's length has 16 bits), and one byte to see that it holds more.
const LONGEST: usize = 65_536;
/// Datagrams that are answered in a row before others get their turn.
const BURST: u32 = 64;

/// Answers over UDP for as long as it is let.
pub async fn serve_udp(end: AsyncFd<Arc<UdpEnd>>, rules: Rules, shared: Arc<Shared>) {
    let limits = (shared.options.rate_per_source, shared.options.rate_total);
    let mut buckets = Buckets::new(limits.0, limits.1, Instant::now());
    let mut desk = Desk::new(&shared);
    let each = |end: &Arc<UdpEnd>, buffer: &mut [u8]| {
        let arrival = end.receive(buffer)?;
        let bytes = buffer.get_mut(..arrival.length).unwrap_or_default();
        let judged = may_be_answered(&rules, &mut buckets, &arrival, bytes);
        let answered = judged.and_then(|()| {
            let end = Arc::clone(end);
            desk.answer(bytes, move |reply| {
                let hops = arrival.hops.map_or(Ok(()), |hops| end.set_hops(hops.saturating_sub(1)));
                hops.and_then(|()| end.send(reply, arrival.source, arrival.asked))
            })
        });
        shared.datagram(arrival.length, answered);
        Ok(())
    };
    serve(&end, each).await;
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

/// Answers over a Unix datagram socket for as long as it is let. Nobody can forge a name there, and who
/// answers is on this machine: what is kept is that a server does not answer itself.
pub async fn serve_unix(end: AsyncFd<Arc<UnixEnd>>, shared: Arc<Shared>) {
    let mut desk = Desk::new(&shared);
    let each = |end: &Arc<UnixEnd>, buffer: &mut [u8]| {
        let (length, source) = end.receive(buffer)?;
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        let is_reply = Header::of(bytes).is_some_and(|header| !header.is_request);
        let answered = if source.is_unnamed() {
            Err(Refusal::NoName)
        } else if end.is_own(&source) {
            Err(Refusal::OwnPort)
        } else if is_reply {
            Err(Refusal::Reply)
        } else {
            let end = Arc::clone(end);
            desk.answer(bytes, move |reply| end.send(reply, &source))
        };
        shared.datagram(length, answered);
        Ok(())
    };
    serve(&end, each).await;
}

/// Takes one datagram after the other by `each`, which does not block.
async fn serve<E: std::os::fd::AsRawFd>(
    end: &AsyncFd<Arc<E>>,
    mut each: impl FnMut(&Arc<E>, &mut [u8]) -> io::Result<()>,
) {
    let mut buffer = vec![0; LONGEST];
    let mut burst = 0_u32;
    while let Ok(mut guard) = end.readable().await {
        match each(guard.get_inner(), &mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            // What an earlier reply has met, nobody there or a firewall, is no news to an echo server.
            Ok(()) | Err(_) => {}
        }
        burst = burst.wrapping_add(1);
        if burst.is_multiple_of(BURST) {
            tokio::task::yield_now().await;
        }
    }
}
