//! What each socket state means, in the few words of a table.
//!
//! Sources: RFC 9293 section 3.3.2 for the states, `net/ipv4/tcp_minisocks.c` for what Linux keeps as
//! mini-sockets, `net/ipv4/inet_connection_sock.c` for half-open connections.

use crate::model::{StateClass, TcpState};

/// A state and what it says about a socket.
#[derive(Clone, Copy, Debug)]
pub struct StateEntry {
    /// The state.
    pub class: StateClass,
    /// At most 38 characters, so that the table of states fits 80 columns.
    pub meaning: &'static str,
}

/// Every state that a socket can be shown in, in the order of a connection's life.
pub const STATES: [StateEntry; 15] = [
    entry(TcpState::LISTEN, "waiting for connections"),
    entry(TcpState::SYN_SENT, "connecting, the peer has not answered"),
    entry(TcpState::SYN_RECV, "half open: the last ACK is missing"),
    entry(TcpState::ESTABLISHED, "open, data may flow"),
    entry(TcpState::FIN_WAIT1, "closed here, the FIN is unacknowledged"),
    entry(TcpState::FIN_WAIT2, "closed here, a program still holds it"),
    StateEntry { class: StateClass::FinWait2Mini, meaning: "closed here, no program holds it" },
    entry(TcpState::CLOSING, "both closed at once"),
    entry(TcpState::TIME_WAIT, "closed here first, kept 60 s"),
    entry(TcpState::CLOSE_WAIT, "the peer closed, a program has not"),
    entry(TcpState::LAST_ACK, "closed after the peer"),
    entry(TcpState::BOUND_INACTIVE, "holds a port and does not listen"),
    entry(TcpState::CLOSE, "not in use"),
    entry(TcpState::NEW_SYN_RECV, "half open: the last ACK is missing"),
    StateEntry { class: StateClass::UdpUnconnected, meaning: "UDP, takes datagrams from anyone" },
];

const fn entry(state: TcpState, meaning: &'static str) -> StateEntry {
    StateEntry { class: StateClass::State(state), meaning }
}

/// What `class` means; for a number without a name, that it has none.
pub fn meaning(class: StateClass) -> &'static str {
    let known = STATES.iter().find(|entry| entry.class == class);
    known.map_or("a state that this netkit does not know", |entry| entry.meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_state_has_a_meaning_that_fits() {
        for code in 1..=13 {
            let class = StateClass::State(TcpState::from_kernel(code));
            assert!(STATES.iter().any(|entry| entry.class == class), "{}", class.name());
        }
        for entry in STATES {
            assert!(entry.meaning.chars().count() <= 38, "{}", entry.meaning);
        }
    }
}
