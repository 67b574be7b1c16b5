//! One message and its reply.

use std::time::Duration;

use super::link::Link;
use super::replies::Message;
use super::trouble::{Step, Trouble, Why};
use crate::kernel::patience::Patience;

/// A reply that is longer is not one to a message.
const LONGEST: usize = 1 << 20;
/// How long a stream that has begun to answer may pause before that is taken for the whole: servers
/// that cut the line's end off do not send it back.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends `message` and takes its reply; in the error, what there was of it.
pub fn exchange(
    link: &Link,
    message: &Message,
    patience: &Patience<'_>,
) -> Result<Vec<u8>, (Vec<u8>, Trouble)> {
    tracing::debug!(bytes = message.bytes.len(), peer = %link.peer, "sending");
    let keeps_messages = link.peer.carrier.keeps_messages();
    let mut reply = Vec::new();
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
                reply.extend_from_slice(buffer.get(..came).unwrap_or_default());
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
