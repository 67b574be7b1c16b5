//! Datagrams that are no reply to the message that was sent last, but to one before it: late, or once
//! more. Pure.
//!
//! A datagram says nothing of what it answers: it is taken for an earlier reply if it is what was expected
//! then and not what is expected now. Where both are the same, nobody can tell, and nothing is lost by it.

use std::collections::VecDeque;

use super::replies::{Judged, Message, judge};

/// Messages that are remembered.
const MOST: usize = 64;

/// What a datagram was that is no reply to the last message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stray {
    /// The reply to a message that was waited for in vain.
    Late(Vec<u8>),
    /// The reply to one that had its reply.
    Again(Vec<u8>),
    /// What no message is known to have asked for.
    Unasked(Vec<u8>),
}

/// Messages that were sent before, and what came of them since.
#[derive(Debug, Default)]
pub struct Earlier {
    messages: VecDeque<(Message, bool)>,
    strays: Vec<Stray>,
}

impl Earlier {
    /// Takes a message that nothing is waited for any more.
    pub fn add(&mut self, message: &Message, is_answered: bool) {
        if self.messages.len() >= MOST {
            self.messages.pop_front();
        }
        self.messages.push_back((message.clone(), is_answered));
    }

    /// Whether `datagram`, which came while the reply to `message` was waited for, is one to an earlier.
    pub fn takes(&mut self, datagram: &[u8], message: &Message) -> bool {
        if judge(message, datagram) == Judged::Right {
            return false;
        }
        let stray = self.recognized(datagram);
        let is_taken = stray.is_some();
        self.strays.extend(stray);
        is_taken
    }

    /// Takes what came when nothing was waited for.
    pub fn take(&mut self, datagram: &[u8]) {
        let stray = self.recognized(datagram);
        self.strays.push(stray.unwrap_or_else(|| Stray::Unasked(datagram.to_vec())));
    }

    /// What came since this was asked last.
    pub fn strays(&mut self) -> Vec<Stray> {
        std::mem::take(&mut self.strays)
    }

    fn recognized(&mut self, datagram: &[u8]) -> Option<Stray> {
        let is_right = |message: &Message| judge(message, datagram) == Judged::Right;
        let mut is_known = false;
        for (_, is_answered) in self.messages.iter_mut().filter(|(it, _)| is_right(it)) {
            if !*is_answered {
                *is_answered = true;
                return Some(Stray::Late(datagram.to_vec()));
            }
            is_known = true;
        }
        is_known.then(|| Stray::Again(datagram.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::transform::Transform;

    fn message(text: &str) -> Message {
        Message::new(text.as_bytes(), Transform::Upper, true)
    }

    #[test]
    fn what_an_earlier_message_expected_is_its_reply_late_or_once_more() {
        let mut earlier = Earlier::default();
        earlier.add(&message("a"), true);
        earlier.add(&message("b"), false);
        assert!(!earlier.takes(b"C", &message("c")) && !earlier.takes(b"?", &message("c")));
        for datagram in [b"A", b"B", b"B"] {
            assert!(earlier.takes(datagram, &message("c")), "{datagram:?}");
        }
        earlier.take(b"x");
        assert_eq!(
            earlier.strays(),
            [
                Stray::Again(b"A".to_vec()),
                Stray::Late(b"B".to_vec()),
                Stray::Again(b"B".to_vec()),
                Stray::Unasked(b"x".to_vec())
            ]
        );
        assert_eq!(earlier.strays(), []);
    }

    #[test]
    fn of_equal_messages_each_takes_what_comes() {
        let mut earlier = Earlier::default();
        earlier.add(&message("a"), true);
        assert!(!earlier.takes(b"A", &message("a")));
    }
}
