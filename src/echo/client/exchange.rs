//! One message and its reply.

use std::time::Duration;

use super::earlier::Earlier;
use super::link::Link;
use super::replies::Message;
use super::trouble::{Step, Trouble, Why};
use crate::kernel::patience::Patience;

/// A reply that is longer is not one to a message.
const LONGEST: usize = 1 << 20;
/// How long a stream that has begun to answer may pause before that is taken for the whole: servers
/// that cut the line's end off do not send it back.
const PAUSE: Duration = Duration::from_millis(500);

/// The most datagrams that are taken for replies to others, before a message and while its own is waited
/// for: who sends more, without an end, is not waited for. The next one is then its reply.
const MOST_STRAYS: usize = 1024;

/// Sends `message` and takes its reply; in the error, what there was of it. A datagram that answers one of
/// the `earlier` is theirs.
pub fn exchange(
    link: &Link,
    message: &Message,
    earlier: &mut Earlier,
    patience: &Patience<'_>,
) -> Result<Vec<u8>, (Vec<u8>, Trouble)> {
    if link.peer.carrier.keeps_messages() {
        clear(link, earlier);
    }
    let came = ask(link, message, earlier, patience);
    earlier.add(message, came.is_ok());
    came
}

/// Takes what has come before a message is sent: it answers none that is sent now.
fn clear(link: &Link, earlier: &mut Earlier) {
    let now = Patience::of(Duration::ZERO);
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..MOST_STRAYS {
        match link.receive(&mut buffer, &now) {
            // Nothing, the end, or what is wrong with one that was sent before.
            Ok(0) | Err(_) => return,
            Ok(came) => earlier.take(buffer.get(..came).unwrap_or_default()),
        }
    }
}

fn ask(
    link: &Link,
    message: &Message,
    earlier: &mut Earlier,
    patience: &Patience<'_>,
) -> Result<Vec<u8>, (Vec<u8>, Trouble)> {
    tracing::debug!(bytes = message.bytes.len(), peer = %link.peer, "sending");
    let keeps_messages = link.peer.carrier.keeps_messages();
    let (mut reply, mut strays) = (Vec::new(), 0);
    link.send(&message.bytes, patience).map_err(|trouble| (Vec::new(), trouble))?;
    // Room for more than the message: a datagram that is longer is cut off at the buffer's end.
    let mut buffer = vec![0; message.bytes.len().max(64 * 1024) + 1];
    loop {
        let patience = if reply.is_empty() { *patience } else { patience.at_most(PAUSE) };
        match link.receive(&mut buffer, &patience) {
            Ok(0) if !keeps_messages => {
                return Err((reply, link.trouble(Step::Receive, Why::Closed)));
            }
            Ok(came) => {
                tracing::debug!(bytes = came, peer = %link.peer, "received");
                let bytes = buffer.get(..came).unwrap_or_default();
                if keeps_messages && strays < MOST_STRAYS && earlier.takes(bytes, message) {
                    strays += 1;
                    continue;
                }
                reply.extend_from_slice(bytes);
            }
            Err(trouble) if trouble.failure.why == Why::Late && !reply.is_empty() => {
                return Ok(reply);
            }
            Err(trouble) => return Err((reply, trouble)),
        }
        if keeps_messages || message.is_whole(&reply) || reply.len() > LONGEST {
            return Ok(reply);
        }
    }
}

/// A reply without its line's end.
pub fn without_end(reply: &[u8]) -> &[u8] {
    reply.strip_suffix(b"\n").unwrap_or(reply)
}

/// The same as text.
pub fn text_of(reply: &[u8]) -> String {
    String::from_utf8_lossy(without_end(reply)).into_owned()
}
