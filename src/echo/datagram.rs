//! The form of netkit's own datagrams: those of a load, over UDP and over the Unix sockets that keep
//! messages apart.
//!
//! ```text
//! 0        4         5       6          8           16       24          32
//! ┌────────┬─────────┬───────┬──────────┬───────────┬────────┬───────────┬─────────┐
//! │ "nkEC" │ version │ flags │ reserved │ run id    │ number │ sent, ns  │ pattern │
//! └────────┴─────────┴───────┴──────────┴───────────┴────────┴───────────┴─────────┘
//! ```
//!
//! Numbers are in network byte order. Flag 1 says that it is a request. netkit's server clears it in the
//! reply and answers nothing of this form that has it not, so that no two such servers can send one to
//! and fro (CVE-2024-2169); a strict one answers nothing of any other form either. The other flags and
//! the reserved bytes are 0: a server ignores them and sends them back, and a client takes a reply in
//! which they are not 0 for a spoilt one. The reply is otherwise the request, byte for byte and of the
//! same length: it can be reflected and never grows. A server that clears no flag, as any other is, gives
//! the request itself back, which is as good. `sent` is a moment of the sender's own monotonic clock,
//! which nobody else can read anything from. The rest is a pattern that depends on run id, number and
//! place, so that bytes of another datagram are seen as wrong.

/// The bytes before the pattern.
pub const HEADER: usize = 32;

const MAGIC: [u8; 4] = *b"nkEC";
const VERSION: u8 = 1;
/// Where the flags are, and behind them the reserved bytes.
const FLAGS_AT: usize = 5;
/// It is to be answered.
const REQUEST: u8 = 1;

/// What is at the head of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether it is to be answered.
    pub is_request: bool,
    /// Which run of a client it belongs to.
    pub run_id: u64,
    /// Which datagram of that run it is.
    pub number: u64,
    /// When it was sent, in nanoseconds of the sender's clock.
    pub sent_ns: u64,
}

impl Header {
    /// The header of `datagram`; `None` if it is not one of netkit's, or of another version.
    pub fn of(datagram: &[u8]) -> Option<Self> {
        let head: &[u8; HEADER] = datagram.first_chunk()?;
        let (fixed, numbers) = head.split_first_chunk::<8>()?;
        let [magic @ .., version, flags, _, _] = *fixed;
        if magic != MAGIC || version != VERSION {
            return None;
        }
        let mut numbers = numbers.iter().copied();
        let mut next = || {
            let bytes = numbers.by_ref().take(8);
            bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
        };
        Some(Self {
            is_request: flags & REQUEST != 0,
            run_id: next(),
            number: next(),
            sent_ns: next(),
        })
    }

    /// Makes a datagram of `length` bytes in the place of what `into` holds; at least the header.
    pub fn write(&self, length: usize, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&MAGIC);
        into.extend_from_slice(&[VERSION, u8::from(self.is_request) * REQUEST, 0, 0]);
        for number in [self.run_id, self.number, self.sent_ns] {
            into.extend_from_slice(&number.to_be_bytes());
        }
        let rest = length.saturating_sub(HEADER);
        into.extend(self.pattern().take(rest));
    }

    /// Whether `datagram`, which this is the header of, is whole and as it was sent: of `length` bytes,
    /// no bit of the flags and reserved bytes set but that of the request, and the pattern behind them.
    pub fn is_intact(&self, datagram: &[u8], length: usize) -> bool {
        let Some((head, rest)) = datagram.split_first_chunk::<HEADER>() else { return false };
        let [_, _, _, _, _, flags, reserved @ ..] = head;
        datagram.len() == length
            && flags & !REQUEST == 0
            && reserved.starts_with(&[0, 0])
            && rest.iter().copied().eq(self.pattern().take(rest.len()))
    }

    /// A sequence of bytes of this run and number: a linear congruence (the constants of Knuth's
    /// MMIX), of which the high bytes are taken.
    fn pattern(&self) -> impl Iterator<Item = u8> {
        let seed = self.run_id ^ self.number.rotate_left(32);
        let next = |state: &u64| {
            Some(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            )
        };
        std::iter::successors(next(&seed), next).map(|state| state.to_be_bytes()[0])
    }
}

/// Makes a request into its reply. False if it is no request: nothing is to be sent then.
pub fn make_reply(datagram: &mut [u8]) -> bool {
    let is_request = Header::of(datagram).is_some_and(|header| header.is_request);
    match datagram.get_mut(FLAGS_AT) {
        Some(flags) if is_request => {
            *flags &= !REQUEST;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_datagram_says_what_was_put_into_it() {
        let header = Header { is_request: true, run_id: 7, number: u64::MAX, sent_ns: 1 << 40 };
        let mut datagram = Vec::new();
        for length in [0, HEADER, HEADER + 1, 1400] {
            header.write(length, &mut datagram);
            assert_eq!(datagram.len(), length.max(HEADER));
            assert_eq!(Header::of(&datagram), Some(header));
            assert!(header.is_intact(&datagram, length.max(HEADER)));
        }
    }

    #[test]
    fn what_was_cut_off_added_or_changed_is_not_intact() {
        let header = Header { is_request: false, run_id: 7, number: 3, sent_ns: 9 };
        let mut datagram = Vec::new();
        header.write(64, &mut datagram);
        assert!(header.is_intact(&datagram, 64));
        // A prefix of the pattern is a pattern too: the length tells.
        for length in [0, HEADER, 50, 63] {
            assert!(!header.is_intact(&datagram[..length], 64), "cut at {length}");
        }
        assert!(!header.is_intact(&[&datagram[..], b"!"].concat(), 64));
        for at in [5, 6, 7, HEADER, 63] {
            let mut changed = datagram.clone();
            changed[at] ^= 4;
            assert!(!header.is_intact(&changed, 64), "byte {at}");
        }
    }

    #[test]
    fn a_request_is_answered_once_and_a_reply_never() {
        let header = Header { is_request: true, run_id: 1, number: 2, sent_ns: 3 };
        let mut datagram = Vec::new();
        header.write(64, &mut datagram);
        let request = datagram.clone();
        assert!(make_reply(&mut datagram));
        assert_eq!(datagram.len(), request.len());
        assert_eq!(Header::of(&datagram), Some(Header { is_request: false, ..header }));
        assert!(header.is_intact(&datagram, 64));
        assert!(!make_reply(&mut datagram));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let before = bytes.clone();
            if !make_reply(&mut bytes) {
                prop_assert_eq!(bytes, before);
            }
        }
    }
}
