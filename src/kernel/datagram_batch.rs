//! Datagrams that are received and answered many at a time: recvmmsg(2) and sendmmsg(2).
//!
//! A call for each datagram costs a server a tenth of its time, and what has to be known of each
//! (its hops, the address that was asked) as much again.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

use nix::cmsg_space;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg,
};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::aligned::AlignedBuffer;
use super::datagrams::{Arrival, Asked, UdpEnd};

/// Datagrams of one call.
const MOST: usize = 32;
/// What a datagram holds at most (UDP's length has 16 bits), and one byte to see that it holds more.
const LONGEST: usize = 65_536;

/// What has come at once.
#[derive(Debug)]
pub struct Batch {
    buffer: AlignedBuffer,
    /// What is known of each piece of the buffer; `None` of one from nobody.
    arrivals: Vec<Option<Arrival>>,
    /// How many are asked for: about as many as there were. What the call needs for each has to be made
    /// anew, since the kernel shortens it to what it has used.
    wanted: usize,
}

impl Default for Batch {
    fn default() -> Self {
        // Of all these pages, as many are used as long datagrams come at once.
        Self { buffer: AlignedBuffer::new(MOST * LONGEST), arrivals: Vec::new(), wanted: 1 }
    }
}

impl Batch {
    /// Takes what has come to `end`, in place of what there was; how many those are.
    pub fn receive(&mut self, end: &UdpEnd) -> io::Result<usize> {
        self.arrivals.clear();
        let space = cmsg_space!(in6_pktinfo, in_pktinfo, i32, i32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(self.wanted, Some(space));
        let pieces = self.buffer.chunks_exact_mut(LONGEST).take(self.wanted);
        let mut parts: Vec<_> = pieces.map(|piece| [IoSliceMut::new(piece)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        match recvmmsg(end.as_raw_fd(), &mut headers, parts.iter_mut(), flags, None) {
            Ok(messages) => self.arrivals.extend(messages.map(|message| arrival(&message))),
            Err(errno) => {
                self.wanted = (self.wanted / 2).max(1);
                return Err(errno.into());
            }
        }
        if self.arrivals.len() == self.wanted {
            self.wanted = (self.wanted * 2).min(MOST);
        }
        Ok(self.arrivals.len())
    }

    /// What has come, and its bytes.
    pub fn datagrams(&mut self) -> impl Iterator<Item = (&Arrival, &mut [u8])> {
        let pieces = self.buffer.chunks_exact_mut(LONGEST);
        self.arrivals.iter().zip(pieces).filter_map(|(arrival, piece)| {
            let arrival = arrival.as_ref()?;
            Some((arrival, piece.get_mut(..arrival.length).unwrap_or_default()))
        })
    }
}

/// What is known of `message`; `None` if it does not come from an address.
fn arrival(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<Arrival> {
    let mut arrival = Arrival {
        length: message.bytes,
        is_cut: message.flags.contains(MsgFlags::MSG_TRUNC),
        source: message.address.as_ref().and_then(internet)?,
        hops: None,
        asked: None,
    };
    for control in message.cmsgs().ok()? {
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other was asked for")]
        match control {
            ControlMessageOwned::Ipv4PacketInfo(info) => arrival.asked = Some(Asked::V4(info)),
            ControlMessageOwned::Ipv6PacketInfo(info) => arrival.asked = Some(Asked::V6(info)),
            ControlMessageOwned::Ipv4Ttl(hops) | ControlMessageOwned::Ipv6HopLimit(hops) => {
                arrival.hops = u32::try_from(hops).ok();
            }
            _ => {}
        }
    }
    Some(arrival)
}

fn internet(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|it| SocketAddr::V4((*it).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|it| SocketAddr::V6((*it).into())))
}

/// A reply.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// To whom.
    pub to: SocketAddr,
    /// From where, if there is a choice.
    pub asked: Option<Asked>,
    /// How many hops it may go, if that is to be set.
    pub hops: Option<u32>,
}

impl Reply<'_> {
    /// Whether one call can send both.
    fn goes_with(&self, other: &Self) -> bool {
        self.hops == other.hops && self.asked.is_none() && other.asked.is_none()
    }
}

/// Sends `replies` from `end`; `told` hears of each, in this order, whether it was sent.
pub fn send_all(end: &UdpEnd, replies: &[Reply<'_>], mut told: impl FnMut(&Reply<'_>, bool)) {
    for run in replies.chunk_by(Reply::goes_with) {
        let hops = run.first().and_then(|first| first.hops);
        let can_be = hops.map_or(Ok(()), |hops| end.set_hops(hops));
        match run {
            _ if can_be.is_err() => run.iter().for_each(|reply| told(reply, false)),
            [one] => told(one, end.send(one.bytes, one.to, one.asked).is_ok()),
            several => send_run(end, several, &mut told),
        }
    }
}

/// Sends `replies` that go with each other.
fn send_run(end: &UdpEnd, replies: &[Reply<'_>], told: &mut impl FnMut(&Reply<'_>, bool)) {
    let addresses: Vec<_> = replies.iter().map(|reply| SocketAddrAny::from(reply.to)).collect();
    let parts: Vec<_> = replies.iter().map(|reply| [IoSlice::new(reply.bytes)]).collect();
    let mut controls: Vec<_> = replies.iter().map(|_| SendAncillaryBuffer::default()).collect();
    let each = addresses.iter().zip(&parts).zip(&mut controls);
    let mut headers: Vec<_> = each
        .map(|((address, part), control)| MMsgHdr::new_with_addr(address, part, control))
        .collect();
    let (mut headers, mut replies) = (headers.as_mut_slice(), replies);
    while !replies.is_empty() {
        // An error is of the first; after that, the call ends early, and the next one has the error.
        let sent = sendmmsg(end, headers, SendFlags::DONTWAIT).unwrap_or(0);
        let done = sent.max(1).min(replies.len());
        let (settled, rest) = replies.split_at(done);
        settled.iter().enumerate().for_each(|(index, reply)| told(reply, index < sent));
        (replies, headers) = (rest, headers.get_mut(done..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use socket2::{Domain, Socket, Type};

    use super::*;

    fn end(address: &str) -> UdpEnd {
        let address: SocketAddr = address.parse().unwrap();
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        UdpEnd::new(socket).unwrap()
    }

    fn client(end: &UdpEnd) -> UdpSocket {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client.connect(("127.0.0.1", end.local().port())).unwrap();
        client
    }

    /// All that is there, as (who sent it, its bytes).
    fn received(batch: &mut Batch, end: &UdpEnd) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut all = Vec::new();
        while let Ok(count) = batch.receive(end) {
            assert!((1..=MOST).contains(&count));
            for (arrival, bytes) in batch.datagrams() {
                assert_eq!((arrival.hops, arrival.is_cut), (Some(64), false));
                assert_eq!(arrival.asked.is_some(), end.local().ip().is_unspecified());
                assert!(arrival.asked.is_none_or(|asked| asked.is_own()));
                all.push((arrival.source, bytes.to_vec()));
            }
        }
        all
    }

    #[test]
    fn what_came_at_once_is_received_and_answered_whole_and_in_order() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let (end, mut batch) = (end(address), Batch::default());
            let clients = [client(&end), client(&end), client(&end)];
            // Other lengths each time, so that nothing of the round before can be taken for them.
            for (round, count) in [(1, 70), (2, 3), (3, 1), (4, 40)] {
                let message = |number: usize| vec![round; 1 + number * usize::from(round)];
                for number in 0..count {
                    clients[number % 3].send(&message(number)).unwrap();
                }
                let all = received(&mut batch, &end);
                assert_eq!(all.len(), count, "{address}");
                for (number, (source, bytes)) in all.iter().enumerate() {
                    assert_eq!(*source, clients[number % 3].local_addr().unwrap());
                    assert_eq!(*bytes, message(number));
                }
            }
            for (round, count) in [(1_u8, 5_usize), (2, 32), (3, 1)] {
                let all: Vec<_> = (0..count).map(|number| vec![round; number + 1]).collect();
                for (number, message) in all.iter().enumerate() {
                    clients[number % 3].send(message).unwrap();
                }
                let mut told = 0;
                while batch.receive(&end).is_ok() {
                    let replies: Vec<_> = batch
                        .datagrams()
                        .map(|(it, bytes)| Reply {
                            bytes,
                            to: it.source,
                            asked: it.asked,
                            hops: Some(63),
                        })
                        .collect();
                    send_all(&end, &replies, |_, is_sent| told += usize::from(is_sent));
                }
                assert_eq!(told, count, "{address}");
                for (number, message) in all.iter().enumerate() {
                    let mut came = [0; 100];
                    let length = clients[number % 3].recv(&mut came).unwrap();
                    assert_eq!(came.get(..length), Some(message.as_slice()));
                }
            }
        }
    }

    #[test]
    fn a_reply_that_cannot_be_sent_keeps_back_no_other() {
        let end = end("127.0.0.1:0");
        let client = client(&end);
        let to = client.local_addr().unwrap();
        // Port 0 is none (EINVAL).
        let nowhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let reply = |bytes, to| Reply { bytes, to, asked: None, hops: None };
        let replies = [
            reply(b"", nowhere),
            reply(b"a", to),
            reply(b"", nowhere),
            reply(b"", nowhere),
            reply(b"bc", to),
            reply(b"", nowhere),
        ];
        let mut told = Vec::new();
        send_all(&end, &replies, |reply, is_sent| told.push((reply.bytes.len(), is_sent)));
        let no = (0, false);
        assert_eq!(told, [no, (1, true), no, no, (2, true), no]);
        let mut came = [0; 10];
        assert_eq!((client.recv(&mut came).unwrap(), came[0]), (1, b'a'));
        assert_eq!((client.recv(&mut came).unwrap(), came[1]), (2, b'c'));
    }

    #[test]
    fn the_longest_datagram_comes_whole_and_so_does_the_next() {
        let (end, mut batch) = (end("127.0.0.1:0"), Batch::default());
        let client = client(&end);
        let longest = vec![9; 65_507];
        client.send(&longest).unwrap();
        client.send(b"x").unwrap();
        let all = received(&mut batch, &end);
        assert_eq!(all.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>(), [65_507, 1]);
        assert_eq!(all[0].1, longest);
    }
}
