//! Datagrams: each that may be answered is.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::net;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::unix::AsyncFd;

use super::bucket::{Buckets, Empty};
use super::guard::{Question, Refusal, Rules};
use super::reply::Desk;
use super::request::Way;
use super::shared::Shared;
use crate::echo::datagram::{Header, make_reply};
use crate::kernel::aligned::AlignedBuffer;
use crate::kernel::datagram_batch::{Batch, Reply, send_all};
use crate::kernel::datagrams::{Arrival, Asked, UdpEnd, UnixEnd};

/// What a datagram of a Unix socket holds at most that is answered.
const LONGEST: usize = 65_536;
/// Datagrams that are answered in a row before others get their turn.
const BURST: usize = 64;

/// Answers over UDP for as long as it is let.
pub async fn serve_udp(end: AsyncFd<Arc<UdpEnd>>, rules: Rules, shared: Arc<Shared>) {
    let limits = (shared.options.rate_per_source, shared.options.rate_total);
    let mut buckets = Buckets::new(limits.0, limits.1, Instant::now());
    let mut desk = Desk::new(&shared);
    let mut batch = Batch::default();
    let each = |end: &Arc<UdpEnd>| {
        let count = batch.receive(end)?;
        let now = Instant::now();
        let mut judge = |arrival: &Arrival, bytes: &[u8]| {
            may_be_answered(&rules, (&mut buckets, now), arrival, bytes)
        };
        answer_all(end, &mut batch, &mut desk, &mut judge);
        Ok(count)
    };
    serve(&end, each).await;
}

/// Answers those datagrams that `judge` lets pass: together, if the replies are what came.
fn answer_all(
    end: &Arc<UdpEnd>,
    batch: &mut Batch,
    desk: &mut Desk,
    judge: &mut impl FnMut(&Arrival, &[u8]) -> Result<(), Refusal>,
) {
    let shared = Arc::clone(desk.shared());
    let mut replies = Vec::new();
    for (arrival, bytes) in batch.datagrams() {
        let length = arrival.length;
        let (to, asked) = (arrival.source, arrival.asked);
        let hops = arrival.hops.map(|hops| hops.saturating_sub(1));
        match judge(arrival, bytes) {
            Ok(()) if !shared.takes_datagram() => break,
            Ok(()) if desk.is_plain() => {
                make_reply(bytes);
                replies.push(Reply { bytes, to, asked, hops });
            }
            Ok(()) => {
                desk.answer(bytes, UdpWay { end: Arc::clone(end), to, asked, hops });
            }
            Err(refusal) => shared.datagram(length, Err(refusal), || to.to_string()),
        }
    }
    send_all(end, &replies, |reply, was_sent| {
        let length = reply.bytes.len();
        let answered = if was_sent { Ok(length) } else { Err(Refusal::NotSent) };
        shared.datagram(length, answered, || reply.to.to_string());
    });
}

/// The way back by UDP: from the address that was asked, one hop less far.
struct UdpWay {
    end: Arc<UdpEnd>,
    to: SocketAddr,
    asked: Option<Asked>,
    hops: Option<u32>,
}

impl Way for UdpWay {
    fn send(&self, reply: &[u8]) -> bool {
        let mut was_sent = false;
        let reply = Reply { bytes: reply, to: self.to, asked: self.asked, hops: self.hops };
        send_all(&self.end, &[reply], |_, is_sent| was_sent = is_sent);
        was_sent
    }

    fn name(&self) -> String {
        self.to.to_string()
    }
}

/// The way back to a Unix socket.
struct UnixWay {
    end: Arc<UnixEnd>,
    to: net::SocketAddr,
}

impl Way for UnixWay {
    fn send(&self, reply: &[u8]) -> bool {
        self.end.send(reply, &self.to).is_ok()
    }

    fn name(&self) -> String {
        format!("{:?}", self.to)
    }
}

fn may_be_answered(
    rules: &Rules,
    (buckets, now): (&mut Buckets, Instant),
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
    buckets.take(source.0, now).map_err(|empty| match empty {
        Empty::Source => Refusal::SourceRate,
        Empty::All => Refusal::GlobalRate,
    })
}

/// Answers over a Unix datagram socket for as long as it is let. Nobody can forge a name there, and who
/// answers is on this machine: what is kept is that a server does not answer itself.
pub async fn serve_unix(end: AsyncFd<Arc<UnixEnd>>, shared: Arc<Shared>) {
    let mut desk = Desk::new(&shared);
    // One byte more, which a longer one fills; the kernel drops the rest of it.
    let mut buffer = AlignedBuffer::new(LONGEST + 1);
    let each = |end: &Arc<UnixEnd>| {
        let (length, source) = end.receive(&mut buffer)?;
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        let is_reply = Header::of(bytes).is_some_and(|header| !header.is_request);
        let refusal = if length > LONGEST {
            Some(Refusal::TooLong)
        } else if source.is_unnamed() {
            Some(Refusal::NoName)
        } else if end.is_own(&source) {
            Some(Refusal::OwnPort)
        } else if is_reply {
            Some(Refusal::Reply)
        } else {
            None
        };
        match refusal {
            Some(refusal) => shared.datagram(length, Err(refusal), || format!("{source:?}")),
            None if !shared.takes_datagram() => {}
            None => desk.answer(bytes, UnixWay { end: Arc::clone(end), to: source }),
        }
        Ok(1)
    };
    serve(&end, each).await;
}

/// Takes datagrams by `each`, which does not block and says how many it has taken.
async fn serve<E: std::os::fd::AsRawFd>(
    end: &AsyncFd<Arc<E>>,
    mut each: impl FnMut(&Arc<E>) -> io::Result<usize>,
) {
    let mut burst = 0;
    while let Ok(mut guard) = end.readable().await {
        match each(guard.get_inner()) {
            Ok(count) => burst += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
            // What an earlier reply has met, nobody there or a firewall, is no news to an echo server.
            Err(_) => burst += 1,
        }
        if burst >= BURST {
            burst = 0;
            tokio::task::yield_now().await;
        }
    }
}
