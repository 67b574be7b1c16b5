//! What is said of a stream at its end: what went wrong, or has not come back.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::{Pipe, Streamed, Unfed};
use crate::catalogue::errnos::ECONNRESET;
use crate::echo::client::comparison::Compared;
use crate::echo::client::replies::CHANGES;
use crate::echo::client::trouble::{Step, Why};
use crate::echo::transform::Transform;
use crate::exit::Exit;
use crate::output::Outcome;
use crate::output::numbers::{count, microseconds_of, short_duration, thousands};

impl Pipe<'_> {
    /// What became of it.
    pub(super) fn outcome(&self, streamed: Streamed) -> Outcome {
        let Streamed { has_sent_all, has_lulled, fed, drained } = streamed;
        let trouble = match (fed, drained) {
            (Err(Unfed::Input(error)), _) => {
                let problem = format!("cannot read standard input: {error}");
                return Outcome { exit: Exit::Blind, messages: vec![problem] };
            }
            (Err(Unfed::Trouble(trouble)), _) if trouble.failure.why == Why::Late => {
                Some(self.stuck())
            }
            (_, Some(trouble)) if trouble.failure.why == Why::Late => Some(self.silent()),
            (_, Some(trouble)) => Some(trouble.message()),
            (Ok(()), None) if has_sent_all => None,
            (Ok(()), None) if has_lulled => Some(self.lulled()),
            (Ok(()), None) => Some(self.closed()),
            // A reset is told to one direction alone, and looks like an end to the other. EPIPE comes of
            // `cut` as well.
            (Err(Unfed::Trouble(trouble)), None) => {
                let is_told = has_sent_all || trouble.failure.code() == Some(ECONNRESET);
                Some(if is_told { trouble.message() } else { self.closed() })
            }
        };
        let problem = trouble.or_else(|| self.problem());
        let exit = if problem.is_some() { Exit::Found } else { Exit::Fine };
        Outcome { exit, messages: problem.or_else(|| self.note()).into_iter().collect() }
    }

    /// What is said of a stream that the server ended first.
    fn closed(&self) -> String {
        let peer = &self.link.peer;
        let closed = self.link.trouble(Step::Receive, Why::Closed).failure.meaning(peer.carrier);
        format!("{peer} closed the connection (FIN) before standard input ended: {closed}")
    }

    /// The same, where nothing more could tell whether it still reads.
    fn lulled(&self) -> String {
        let lull = short_duration(microseconds_of(self.lull));
        format!(
            "{} closed the connection (FIN) before standard input ended, which has given nothing for \
             {lull} since\nhint: a longer --timeout, if the server still reads",
            self.link.peer
        )
    }

    /// The timeout in words.
    fn waited(&self) -> String {
        self.timeout.map(|it| short_duration(microseconds_of(it))).unwrap_or_default()
    }

    /// What is said of a stream to which nothing could be sent in time.
    fn stuck(&self) -> String {
        let waited = self.waited();
        format!(
            "nothing could be sent to {} for {waited}, and nothing came: it does not read what is \
             sent\nhint: a longer --timeout; without --timeout, the client waits until the server reads",
            self.link.peer
        )
    }

    /// What is said of a stream on which nothing came in time.
    fn silent(&self) -> String {
        let waited = self.waited();
        format!(
            "nothing came from {} for {waited} after standard input had ended, and it keeps the \
             connection open: the server is slow, hangs, or does not answer to the end of what is \
             sent\nhint: a longer --timeout; without --timeout, the client waits until the server closes",
            self.link.peer
        )
    }

    /// What is worth to be known of a stream that ended well, and has not brought back what was sent.
    fn note(&self) -> Option<String> {
        let (sent, came) = (self.sent.load(Ordering::Relaxed), self.came.load(Ordering::Relaxed));
        let sent_bytes = count(sent, "byte");
        let peer = &self.link.peer;
        if came == 0 && sent > 0 {
            return Some(format!(
                "nothing of {sent_bytes} came back from {peer}: is it an echo server"
            ));
        }
        (came < sent && self.wants_all_back).then(|| {
            let came = thousands(came);
            format!(
                "{came} of {sent_bytes} came back from {peer} (--verify makes that exit code 1)"
            )
        })
    }

    /// What is wrong with what came back, if it was judged.
    fn problem(&self) -> Option<String> {
        let comparison = self.comparison.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted from 1, as cmp(1) does.
        let place = |at: u64| thousands(at.saturating_add(1));
        let (from, to) = match comparison.end() {
            Compared::Same => return None,
            Compared::Length { expected, came } => {
                let expected = count(expected, "byte");
                return Some(format!("{} of {expected} came back", thousands(came)));
            }
            Compared::Differs { from, to } => (from, to),
        };
        let first = if from == to {
            format!("is byte {}", place(from))
        } else {
            format!("is between byte {} and byte {}", place(from), place(to))
        };
        let hint = match self.transform {
            Transform::None => format!("\nhint: {CHANGES}"),
            Transform::Upper | Transform::Lower | Transform::Reverse | Transform::Rot13 => {
                String::new()
            }
        };
        Some(format!("what came back is not as expected: the first that differs {first}{hint}"))
    }
}
