//! Taking connections: all that there are, and then waiting for more.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::connection;
use super::shared::{Local, Shared, Visit};
use crate::kernel::serving;

/// The longest pause after accept(2) has failed for want of descriptors or memory: the connection stays
/// in the queue and the listener readable, so that calling it again at once would be a busy loop. A
/// connection that ends meanwhile ends the pause.
const REST: Duration = Duration::from_millis(100);
/// Connections that are taken in a row before others get their turn.
const BURST: u32 = 64;

/// Takes connections for as long as it is let, and has each served by one of `hands`, in turn.
pub async fn accept(
    listener: AsyncFd<Socket>,
    local: Local,
    shared: Arc<Shared>,
    hands: Vec<Handle>,
) {
    let mut turns = hands.iter().enumerate().cycle();
    let (mut burst, mut failures) = (0_u32, 0_u32);
    while let Ok(mut guard) = listener.readable().await {
        while shared.may_accept() {
            match serving::accept(guard.get_inner()) {
                Ok(socket) => {
                    failures = 0;
                    let Some((hand, handle)) = turns.next() else { return };
                    if let Some(visit) = Visit::begin(&shared, &socket, &local, hand) {
                        drop(handle.spawn(connection::serve(socket, visit)));
                    } else {
                        // So that the refused client knows at once, and no TIME_WAIT stays.
                        drop(serving::reset_at_close(&socket));
                    }
                    burst = burst.wrapping_add(1);
                    if burst.is_multiple_of(BURST) {
                        tokio::task::yield_now().await;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    guard.clear_ready();
                    break;
                }
                Err(error) => {
                    shared.accept_failed(&error);
                    failures += 1;
                    if needs_rest(&error, failures) {
                        drop(tokio::time::timeout(REST, shared.limits.one_ends()).await);
                    }
                }
            }
        }
        if !shared.may_accept() {
            if !shared.limits.has_room() {
                shared.at_limit.fetch_add(1, Ordering::Relaxed);
                tracing::info!(at = %local.name, "takes no more for now: --max-connections");
            }
            shared.limits.until(|| shared.may_accept()).await;
        }
    }
}

/// Whether accept(2) is to be left alone for a while after `error`, the last of so many in a row. One of
/// the connection that it took costs that connection alone. Many in a row are not of one connection each:
/// a filter refuses the call itself.
fn needs_rest(error: &io::Error, failures: u32) -> bool {
    !serving::is_of_one_connection(error) || failures >= BURST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_went_away_in_the_queue_holds_up_no_other() {
        const ECONNABORTED: i32 = 103;
        const EMFILE: i32 = 24;
        let needs_rest = |code, failures| needs_rest(&io::Error::from_raw_os_error(code), failures);
        assert!(!needs_rest(ECONNABORTED, 1));
        assert!(!needs_rest(ECONNABORTED, BURST - 1));
        assert!(needs_rest(ECONNABORTED, BURST));
        assert!(needs_rest(EMFILE, 1));
    }
}
