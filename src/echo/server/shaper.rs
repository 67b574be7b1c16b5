//! What becomes of what came before it goes back, where that is not simply the same: lines and
//! messages, transformations, faults. A connection that only echoes has none of this.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::connection::READ;
use super::faults::{Chance, ResetAfter};
use super::options::Options;
use crate::echo::transform::{Transform, unfinished};

/// Between the pieces of a reply that is sliced, so that the client's reads see them apart.
const BETWEEN_SLICES: Duration = Duration::from_millis(1);

/// How long the beginning of a character waits for its rest. Bytes that only look like one come at the end
/// of a message too, and whoever waits for their reply sends nothing more.
const FOR_THE_REST: Duration = Duration::from_secs(1);

/// What of a reply is still to be sent, from `at` on, and when the next piece of it is.
struct Reply {
    due: Instant,
    bytes: Vec<u8>,
    at: usize,
}

/// The replies of one connection that are on their way.
pub struct Shaper {
    /// What came of a line, or of a character, that is not complete yet.
    held: Vec<u8>,
    /// When what is held goes back as it is; a line is waited for as long as it takes.
    held_until: Option<Instant>,
    replies: VecDeque<Reply>,
    waiting: usize,
    latest: Instant,
    /// How much of a reply is sent at a time, if not all. It is cut when it is sent: pieces of a byte each
    /// would take up much more than their bytes.
    slice: Option<usize>,
    chance: Chance,
    /// Whether the reply is there after which something is closed: nothing else is answered.
    is_last: bool,
}

/// What a message has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shaped {
    /// What there is of replies waits to be sent.
    Replies,
    /// The connection is to be reset.
    Reset,
}

impl Shaper {
    /// One for a connection, whose faults follow from `seed`; `None` if it only echoes.
    pub fn new(options: &Options, seed: u64, now: Instant) -> Option<Self> {
        let is_needed =
            options.transform != Transform::None || options.by_line || options.faults.are_any();
        is_needed.then(|| Self {
            held: Vec::new(),
            held_until: None,
            replies: VecDeque::new(),
            waiting: 0,
            latest: now,
            slice: options.faults.slice,
            chance: Chance::new(seed),
            is_last: false,
        })
    }

    /// Whether more may be read: what waits is bounded, and a client that does not take it waits too.
    pub fn has_room(&self) -> bool {
        self.waiting < READ
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// When the next reply is to be sent, or what is held is not to be held any more.
    pub fn next_due(&self) -> Option<Instant> {
        let reply = self.replies.front().map(|reply| reply.due);
        reply.into_iter().chain(self.held_until).min()
    }

    /// Gives up what has been held too long: nothing has completed it.
    pub fn release(&mut self, options: &Options, now: Instant) -> Shaped {
        if self.held_until.is_some_and(|moment| moment <= now) {
            self.finish(options, now)
        } else {
            Shaped::Replies
        }
    }

    /// The next reply, or piece of one, if it is time.
    pub fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        let reply = self.replies.front_mut().filter(|reply| reply.due <= now)?;
        let rest = reply.bytes.get(reply.at..).unwrap_or_default();
        if let Some(piece) = self.slice.and_then(|slice| rest.get(..slice.max(1)))
            && piece.len() < rest.len()
        {
            let piece = piece.to_vec();
            reply.at += piece.len();
            reply.due += BETWEEN_SLICES;
            self.waiting -= piece.len();
            return Some(piece);
        }
        let mut reply = self.replies.pop_front()?;
        let last = if reply.at == 0 { reply.bytes } else { reply.bytes.split_off(reply.at) };
        self.waiting -= last.len();
        Some(last)
    }

    /// Takes what came.
    pub fn take(&mut self, bytes: &[u8], options: &Options, now: Instant) -> Shaped {
        if self.is_last {
            return Shaped::Replies;
        }
        let mut came = std::mem::take(&mut self.held);
        came.extend_from_slice(bytes);
        let whole = if options.by_line { whole_lines(&came) } else { whole_text(&came, options) };
        self.held = came.split_off(whole);
        let waits = !options.by_line && !self.held.is_empty();
        self.held_until = waits.then(|| now + FOR_THE_REST);
        if options.by_line {
            for line in came.split_inclusive(|byte| *byte == b'\n') {
                if self.reply(line, options, now) == Shaped::Reset {
                    return Shaped::Reset;
                }
            }
            Shaped::Replies
        } else if came.is_empty() {
            Shaped::Replies
        } else {
            self.reply(&came, options, now)
        }
    }

    /// Takes the end: what is held will not be completed any more.
    pub fn finish(&mut self, options: &Options, now: Instant) -> Shaped {
        let held = std::mem::take(&mut self.held);
        self.held_until = None;
        if held.is_empty() { Shaped::Replies } else { self.reply(&held, options, now) }
    }

    fn reply(&mut self, message: &[u8], options: &Options, now: Instant) -> Shaped {
        if self.is_last {
            return Shaped::Replies;
        }
        let faults = &options.faults;
        if let Some(ResetAfter::Any(share)) = faults.reset_after
            && self.chance.strikes(share)
        {
            return Shaped::Reset;
        }
        if self.chance.strikes(faults.drop) {
            return Shaped::Replies;
        }
        let mut reply = Vec::with_capacity(message.len());
        if options.by_line {
            options.transform.apply_to_lines(message, &mut reply);
        } else {
            options.transform.apply(message, &mut reply);
        }
        let times = 1 + usize::from(self.chance.strikes(faults.duplicate));
        for _ in 0..times {
            // A stream keeps its order, whatever each reply would wait for.
            let due = (now + self.chance.wait(faults)).max(self.latest);
            self.push(reply.clone(), due);
        }
        self.is_last = faults.close.is_some();
        Shaped::Replies
    }

    fn push(&mut self, reply: Vec<u8>, due: Instant) {
        let pieces = self.slice.map_or(1, |slice| reply.len().div_ceil(slice.max(1)));
        let between = u32::try_from(pieces.saturating_sub(1)).unwrap_or(u32::MAX);
        self.latest = due + BETWEEN_SLICES * between;
        self.waiting += reply.len();
        self.replies.push_back(Reply { due, bytes: reply, at: 0 });
    }
}

/// How much of `came` is whole lines; all of it, where a line is longer than what is held.
fn whole_lines(came: &[u8]) -> usize {
    match memchr::memrchr(b'\n', came) {
        Some(at) => at + 1,
        None if came.len() >= READ => came.len() - unfinished(came),
        None => 0,
    }
}

/// How much of `came` is whole characters, where those count.
fn whole_text(came: &[u8], options: &Options) -> usize {
    match options.transform {
        Transform::None | Transform::Rot13 => came.len(),
        Transform::Upper | Transform::Lower | Transform::Reverse => came.len() - unfinished(came),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::server::faults::{Close, Faults, Share};

    fn options(transform: Transform, by_line: bool, faults: Faults) -> Options {
        Options { transform, by_line, faults, ..Options::default() }
    }

    /// What goes back after each part of what comes, and after the end.
    fn replies(options: &Options, parts: &[&[u8]]) -> Vec<String> {
        let now = Instant::now();
        let mut shaper = Shaper::new(options, 1, now).unwrap();
        let mut replies = Vec::new();
        let later = now + Duration::from_secs(3600);
        for part in parts {
            assert_eq!(shaper.take(part, options, now), Shaped::Replies);
            let all: Vec<_> = std::iter::from_fn(|| shaper.next(later)).collect();
            replies.push(String::from_utf8(all.join(&b"|"[..])).unwrap());
        }
        shaper.finish(options, now);
        let all: Vec<_> = std::iter::from_fn(|| shaper.next(later)).collect();
        replies.push(String::from_utf8(all.join(&b"|"[..])).unwrap());
        assert!(shaper.is_empty() && shaper.has_room());
        replies
    }

    #[test]
    fn one_that_only_echoes_needs_none() {
        assert!(Shaper::new(&Options::default(), 1, Instant::now()).is_none());
    }

    #[test]
    fn lines_are_answered_when_they_are_whole() {
        let upper = options(Transform::Upper, true, Faults::default());
        assert_eq!(replies(&upper, &[b"a", b"b\nc\r\nd", b""]), ["", "AB\n|C\r\n", "", "D"]);
        let reverse = options(Transform::Reverse, true, Faults::default());
        assert_eq!(replies(&reverse, &[b"abc\n", b"\n"]), ["cba\n", "\n", ""]);
    }

    #[test]
    fn a_character_that_is_cut_is_answered_whole() {
        let upper = options(Transform::Upper, false, Faults::default());
        assert_eq!(replies(&upper, &[b"a\xc3", b"\xa4b"]), ["A", "ÄB", ""]);
    }

    #[test]
    fn the_beginning_of_a_character_does_not_wait_for_ever() {
        let upper = options(Transform::Upper, false, Faults::default());
        let now = Instant::now();
        let mut shaper = Shaper::new(&upper, 1, now).unwrap();
        assert_eq!(shaper.take(b"a\xc3", &upper, now), Shaped::Replies);
        assert_eq!(shaper.next(now).as_deref(), Some(&b"A"[..]));
        assert_eq!(shaper.next_due(), Some(now + FOR_THE_REST));
        assert_eq!(shaper.release(&upper, now), Shaped::Replies);
        assert_eq!(shaper.next(now), None);
        let later = now + FOR_THE_REST;
        assert_eq!(shaper.release(&upper, later), Shaped::Replies);
        assert_eq!(shaper.next(later).as_deref(), Some(&b"\xc3"[..]));
        assert_eq!(shaper.next_due(), None);
        // A line is not whole before its end.
        let lines = options(Transform::Upper, true, Faults::default());
        let mut shaper = Shaper::new(&lines, 1, now).unwrap();
        assert_eq!(shaper.take(b"a\xc3", &lines, now), Shaped::Replies);
        assert_eq!(shaper.next_due(), None);
    }

    #[test]
    fn a_line_without_end_is_not_held_for_ever() {
        let upper = options(Transform::Upper, true, Faults::default());
        let long = vec![b'x'; READ];
        let replies = replies(&upper, &[&long, b"y\n"]);
        assert_eq!((replies[0].len(), replies[1].as_str()), (READ, "Y\n"));
    }

    #[test]
    fn faults_strike() {
        let all = Share(1.0);
        let drop = options(Transform::None, false, Faults { drop: all, ..Faults::default() });
        assert_eq!(replies(&drop, &[b"a"]), ["", ""]);
        let twice = options(Transform::None, false, Faults { duplicate: all, ..Faults::default() });
        assert_eq!(replies(&twice, &[b"a"]), ["a|a", ""]);
        let slice = options(Transform::None, false, Faults { slice: Some(2), ..Faults::default() });
        assert_eq!(replies(&slice, &[b"abcde", b"fg"]), ["ab|cd|e", "fg", ""]);
        let reset = Faults { reset_after: Some(ResetAfter::Any(all)), ..Faults::default() };
        let reset = options(Transform::None, false, reset);
        let mut shaper = Shaper::new(&reset, 1, Instant::now()).unwrap();
        assert_eq!(shaper.take(b"a", &reset, Instant::now()), Shaped::Reset);
    }

    #[test]
    fn pieces_are_apart_and_in_order_and_cost_no_more_than_their_bytes() {
        let slice = Faults { slice: Some(1), duplicate: Share(1.0), ..Faults::default() };
        let options = options(Transform::None, false, slice);
        let now = Instant::now();
        let mut shaper = Shaper::new(&options, 1, now).unwrap();
        assert_eq!(shaper.take(b"abc", &options, now), Shaped::Replies);
        // What waits is two replies, and not six pieces.
        assert_eq!((shaper.replies.len(), shaper.waiting), (2, 6));
        let mut pieces = Vec::new();
        while let Some(due) = shaper.next_due() {
            pieces.push((due - now, shaper.next(due).unwrap()));
        }
        let at = |piece: u32| BETWEEN_SLICES * piece;
        let expected = [(0, b"a"), (1, b"b"), (2, b"c"), (2, b"a"), (3, b"b"), (4, b"c")];
        assert_eq!(pieces, expected.map(|(piece, bytes)| (at(piece), bytes.to_vec())));
        assert!(shaper.is_empty() && shaper.waiting == 0);
    }

    #[test]
    fn nothing_is_answered_after_the_reply_that_is_the_last() {
        let faults = Faults { close: Some(Close::All), ..Faults::default() };
        let lines = options(Transform::None, true, faults);
        assert_eq!(replies(&lines, &[b"a", b"b\nc\nd", b"e\n"]), ["", "ab\n", "", ""]);
        let messages = options(Transform::None, false, faults);
        assert_eq!(replies(&messages, &[b"a", b"b"]), ["a", "", ""]);
        let twice = Faults { duplicate: Share(1.0), ..faults };
        let twice = options(Transform::None, true, twice);
        assert_eq!(replies(&twice, &[b"a\nb\n"]), ["a\n|a\n", ""]);
    }

    #[test]
    fn replies_wait_and_keep_their_order() {
        let ms = Duration::from_millis;
        let faults = Faults { delay: ms(50), jitter: ms(50), ..Faults::default() };
        let options = options(Transform::None, false, faults);
        let now = Instant::now();
        let mut shaper = Shaper::new(&options, 1, now).unwrap();
        let mut last = now;
        for number in 0..100_u8 {
            shaper.take(&[number], &options, now);
        }
        for number in 0..100 {
            let due = shaper.next_due().unwrap();
            assert!(due >= last && due <= now + ms(100));
            assert_eq!(shaper.next(due), Some(vec![number]));
            last = due;
        }
    }
}
