//! Taking connections: all that there are, and then waiting for more.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use super::connection;
use super::listener::Shared;
use crate::kernel::serving;

/// How long accept(2) is left alone after it failed for want of descriptors or memory.
const REST: Duration = Duration::from_millis(100);
/// Connections that are taken in a row before others get their turn.
const BURST: u32 = 64;

/// A connection that was taken.
pub struct Accepted {
    /// The connection.
    pub socket: Socket,
}

/// Takes connections for as long as it is let.
pub async fn accept(listener: AsyncFd<Socket>, shared: Arc<Shared>, hands: Vec<Handle>) {
    let mut turns = (0..hands.len()).cycle();
    let mut burst = 0_u32;
    while let Ok(mut guard) = listener.readable().await {
        while shared.limits.has_room() {
            match serving::accept(guard.get_inner()) {
                Ok(socket) => {
                    let hand = turns.next().unwrap_or(0);
                    let Some(handle) = hands.get(hand) else { return };
                    begin(socket, &shared, handle, hand);
                    burst += 1;
                    if burst % BURST == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    guard.clear_ready();
                    break;
                }
                Err(error) if serving::is_of_one_connection(&error) => {}
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
        drop(guard);
        while !shared.limits.has_room() {
            shared.limits.one_ends().await;
        }
    }
}

fn begin(socket: Socket, shared: &Arc<Shared>, handle: &Handle, hand: usize) {
    shared.limits.enter(None);
    drop(handle.spawn(connection::serve(Accepted { socket }, Arc::clone(shared), hand)));
}
