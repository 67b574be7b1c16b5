//! The reply to a datagram: its bytes, and when and how often it is sent.

use std::sync::Arc;

use super::faults::Chance;
use super::guard::Refusal;
use super::options::Options;
use super::request::{Request, Way};
use super::shared::Shared;
use crate::echo::datagram::{self, HEADER, Header};
use crate::echo::transform::Transform;

/// Makes the replies of one socket.
pub struct Desk {
    shared: Arc<Shared>,
    chance: Chance,
}

impl Desk {
    /// A desk whose faults follow from the server's seed.
    pub fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), chance: Chance::new(shared.options.seed) }
    }

    /// What it is a desk of.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether every reply is what came, and is sent once and at once.
    pub fn is_plain(&self) -> bool {
        let options = &self.shared.options;
        options.transform == Transform::None && !options.faults.are_any()
    }

    /// Sends the reply to `request` by `way`, and counts it: what --delay holds back, when it goes.
    pub fn answer(&mut self, request: &mut [u8], way: impl Way) {
        let length = request.len();
        let options = &self.shared.options;
        let mut changed = Vec::new();
        datagram::make_reply(request);
        let reply = if options.transform == Transform::None {
            &*request
        } else {
            transformed(options, request, &mut changed);
            &changed
        };
        // A reply that is larger than its request would be of use to whoever forges sources.
        let at_once = if reply.len() > length {
            Some(Err(Refusal::Larger))
        } else if !options.faults.are_any() {
            Some(if way.send(reply) { Ok(reply.len()) } else { Err(Refusal::NotSent) })
        } else if self.chance.strikes(options.faults.drop) {
            Some(Err(Refusal::Dropped))
        } else {
            None
        };
        if let Some(answered) = at_once {
            return self.shared.datagram(length, answered, || way.name());
        }
        let times = 1 + usize::from(self.chance.strikes(options.faults.duplicate));
        let request = Arc::new(Request::new(Arc::clone(&self.shared), length, way));
        for _ in 0..times {
            request.send_after(self.chance.wait(&self.shared.options.faults), reply);
        }
    }
}

/// What becomes of `request`; of one of netkit's, the header stays as it is.
fn transformed(options: &Options, request: &[u8], into: &mut Vec<u8>) {
    let head = if Header::of(request).is_some() { HEADER } else { 0 };
    let (head, text) = request.split_at_checked(head).unwrap_or_default();
    into.extend_from_slice(head);
    if options.by_line {
        options.transform.apply_to_lines(text, into);
    } else {
        options.transform.apply(text, into);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::echo::server::faults::{Faults, Share};

    /// Keeps what is sent.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Way for Kept {
        fn send(&self, reply: &[u8]) -> bool {
            self.0.lock().unwrap().push(reply.to_vec());
            true
        }
        fn name(&self) -> String {
            "somebody".to_owned()
        }
    }

    /// What is answered to `request`, and what is sent for that at once.
    fn answered(options: Options, request: &[u8]) -> (Result<usize, Refusal>, Vec<Vec<u8>>) {
        let shared = Arc::new(Shared::new(options, None));
        let kept = Kept::default();
        Desk::new(&shared).answer(&mut request.to_vec(), kept.clone());
        let tally = &shared.datagrams;
        assert_eq!(tally.received.get(), 1);
        let refused: Vec<_> = tally.refused().into_keys().collect();
        let answer = match (tally.sent.get(), &refused[..]) {
            (1, []) => Ok(usize::try_from(tally.sent_bytes.get()).unwrap()),
            (0, [refusal]) => Err(*refusal),
            counts => panic!("it is not counted once: {counts:?}"),
        };
        let sent = kept.0.lock().unwrap().clone();
        (answer, sent)
    }

    fn transforming(transform: Transform) -> Options {
        Options { transform, ..Options::default() }
    }

    #[test]
    fn a_reply_is_what_came_or_what_was_made_of_it() {
        assert_eq!(answered(Options::default(), b"abc"), (Ok(3), vec![b"abc".to_vec()]));
        let upper = transforming(Transform::Upper);
        assert_eq!(answered(upper, b"abc"), (Ok(3), vec![b"ABC".to_vec()]));
    }

    #[test]
    fn of_a_datagram_of_netkits_the_header_stays() {
        let header = Header { is_request: true, run_id: 0x6162, number: 1, sent_ns: 2 };
        let mut request = Vec::new();
        header.write(HEADER, &mut request);
        request.extend_from_slice(b"abc");
        let (answer, sent) = answered(transforming(Transform::Upper), &request);
        assert_eq!(answer, Ok(request.len()));
        assert_eq!(Header::of(&sent[0]), Some(Header { is_request: false, ..header }));
        assert_eq!(sent[0].get(HEADER..), Some(&b"ABC"[..]));
    }

    #[test]
    fn a_reply_is_never_larger_than_its_request() {
        let larger = "ŉ".as_bytes();
        let (answer, sent) = answered(transforming(Transform::Upper), larger);
        assert_eq!((answer, sent.len()), (Err(Refusal::Larger), 0));
    }

    #[test]
    fn faults_strike() {
        let of = |faults| Options { faults, ..Options::default() };
        let (answer, sent) = answered(of(Faults { drop: Share(1.0), ..Faults::default() }), b"a");
        assert_eq!((answer, sent.len()), (Err(Refusal::Dropped), 0));
        let twice = Faults { duplicate: Share(1.0), ..Faults::default() };
        assert_eq!(answered(of(twice), b"a").1.len(), 2);
    }
}
