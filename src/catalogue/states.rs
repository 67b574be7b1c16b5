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
    /// How long it lasts, and what ends it.
    pub lasts: &'static str,
    /// What it says that there are many.
    pub many: &'static str,
    /// The command that shows more.
    pub look: &'static str,
}

/// Every state that a socket can be shown in, in the order of a connection's life.
pub const STATES: [StateEntry; 15] = [
    StateEntry {
        lasts: "until the program closes it or ends",
        many: "one for each address and port that is served; several on one port with SO_REUSEPORT",
        look: "netkit states --listening --list",
        ..entry(TcpState::LISTEN, "waiting for connections")
    },
    StateEntry {
        lasts: "until the peer answers, or tcp_syn_retries SYNs went unanswered: some two minutes",
        many: "a peer that drops: a firewall, a host that is off, a full accept queue",
        look: "netkit states --state SYN_SENT --by remote",
        ..entry(TcpState::SYN_SENT, "connecting, the peer has not answered")
    },
    StateEntry {
        lasts: "until the last ACK comes, or tcp_synack_retries SYN-ACKs went unanswered: about a \
                minute",
        many: "a SYN flood, or clients whose ACKs are lost; see ListenOverflows and \
               TCPReqQFullDoCookies",
        look: "netkit states --state SYN_RECV --by local",
        ..entry(TcpState::SYN_RECV, "half open: the last ACK is missing")
    },
    StateEntry {
        lasts: "until one side closes. A peer that vanishes is noticed only when something is sent, or \
                by SO_KEEPALIVE",
        many: "what a busy host has; growth without end is a pool without a limit, or a peer that is \
               gone",
        look: "netkit states --state ESTABLISHED --by remote",
        ..entry(TcpState::ESTABLISHED, "open, data may flow")
    },
    StateEntry {
        lasts: "until the peer acknowledges the FIN; without a program, tcp_orphan_retries bounds it",
        many: "peers that vanished with data still on the way to them",
        look: "netkit states --state FIN_WAIT1 --by remote",
        ..entry(TcpState::FIN_WAIT1, "closed here, the FIN is unacknowledged")
    },
    StateEntry {
        lasts: "until the peer closes: without a limit, for a program still holds it after \
                shutdown(SHUT_WR)",
        many: "peers that never close; it is their CLOSE_WAIT",
        look: "netkit states --state FIN_WAIT2 --by remote",
        ..entry(TcpState::FIN_WAIT2, "closed here, a program still holds it")
    },
    StateEntry {
        class: StateClass::FinWait2Mini,
        lasts: "until the peer closes, then TIME_WAIT; tcp_fin_timeout at most, 60 s",
        many: "peers that do not close. The kernel's own count (`tw`, `ss -s`) calls them timewait, \
               hence the tale that tcp_fin_timeout shortens TIME_WAIT",
        look: "netkit states --state FIN_WAIT2_MINI --by remote",
        ..entry(TcpState::FIN_WAIT2, "closed here, no program holds it")
    },
    StateEntry {
        lasts: "until the peer acknowledges the FIN, then TIME_WAIT at both ends",
        many: "rare; both sides close at the same moment, by a common timer",
        look: "netkit states --state CLOSING --list",
        ..entry(TcpState::CLOSING, "both closed at once")
    },
    StateEntry {
        lasts: "60 s, whatever any setting says (TCP_TIMEWAIT_LEN), and up to 2 s for the timer, 4 s \
                with CONFIG_HZ=1000; it starts again when a segment of the old connection comes. No program owns it",
        many: "this side closes first, often. Server side: harmless at any number below \
               tcp_max_tw_buckets. Client side: each takes a port from one destination",
        look: "netkit states --time-wait",
        ..entry(TcpState::TIME_WAIT, "closed here first, kept 60 s")
    },
    StateEntry {
        lasts: "until the program calls close(): without a limit",
        many: "a bug: a program does not close what its peers have closed. No setting of the kernel \
               helps",
        look: "netkit states --state CLOSE_WAIT --by local",
        ..entry(TcpState::CLOSE_WAIT, "the peer closed, a program has not")
    },
    StateEntry {
        lasts: "until the peer acknowledges the FIN; tcp_orphan_retries bounds it",
        many: "peers that closed and vanished, or a firewall that forgot the connection",
        look: "netkit states --state LAST_ACK --by remote",
        ..entry(TcpState::LAST_ACK, "closed after the peer")
    },
    StateEntry {
        lasts: "until the program listens, connects, closes or ends",
        many: "programs that bind their source address, or that failed between bind() and listen(); \
               `ss -a` does not show it",
        look: "netkit states --bound --list",
        ..entry(TcpState::BOUND_INACTIVE, "holds a port and does not listen")
    },
    StateEntry {
        lasts: "it is the state of a socket before connect() and after the end",
        many: "sockets that a program made and does not use",
        look: "netkit states --state CLOSE --list",
        ..entry(TcpState::CLOSE, "not in use")
    },
    StateEntry {
        lasts: "as SYN_RECV: it is the kernel's inner name for it, seen in /proc alone",
        many: "as SYN_RECV",
        look: "netkit states --state SYN_RECV --by local",
        ..entry(TcpState::NEW_SYN_RECV, "half open: the last ACK is missing")
    },
    StateEntry {
        class: StateClass::UdpUnconnected,
        lasts: "until the program closes it or ends: UDP has no connections, and no TIME_WAIT",
        many: "UDP servers, and clients that use sendto()",
        look: "netkit states --udp --list",
        ..entry(TcpState::CLOSE, "UDP, takes datagrams from anyone")
    },
];

const fn entry(state: TcpState, meaning: &'static str) -> StateEntry {
    StateEntry { class: StateClass::State(state), meaning, lasts: "", many: "", look: "" }
}

/// A move from one state to another: from, what happens, to. What is received has its arrow before
/// it, what is sent behind it. RFC 9293 figure 5; any state goes to CLOSE by a RST.
pub type Move = (TcpState, &'static str, TcpState);

/// Every move of [`DIAGRAM`].
pub const MOVES: [Move; 18] = [
    (TcpState::CLOSE, "listen()", TcpState::LISTEN),
    (TcpState::CLOSE, "connect(): SYN →", TcpState::SYN_SENT),
    (TcpState::LISTEN, "← SYN, SYN+ACK →", TcpState::SYN_RECV),
    (TcpState::LISTEN, "close()", TcpState::CLOSE),
    (TcpState::SYN_SENT, "← SYN+ACK, ACK →", TcpState::ESTABLISHED),
    (TcpState::SYN_SENT, "← SYN, SYN+ACK →: both connect at once", TcpState::SYN_RECV),
    (TcpState::SYN_SENT, "close(), or no answer", TcpState::CLOSE),
    (TcpState::SYN_RECV, "← ACK", TcpState::ESTABLISHED),
    (TcpState::ESTABLISHED, "close(): FIN →", TcpState::FIN_WAIT1),
    (TcpState::ESTABLISHED, "← FIN, ACK →", TcpState::CLOSE_WAIT),
    (TcpState::FIN_WAIT1, "← ACK", TcpState::FIN_WAIT2),
    (TcpState::FIN_WAIT1, "← FIN, ACK →: both close at once", TcpState::CLOSING),
    (TcpState::FIN_WAIT1, "← FIN+ACK, ACK →", TcpState::TIME_WAIT),
    (TcpState::FIN_WAIT2, "← FIN, ACK →", TcpState::TIME_WAIT),
    (TcpState::CLOSING, "← ACK", TcpState::TIME_WAIT),
    (TcpState::TIME_WAIT, "60 s", TcpState::CLOSE),
    (TcpState::CLOSE_WAIT, "close(): FIN →", TcpState::LAST_ACK),
    (TcpState::LAST_ACK, "← ACK", TcpState::CLOSE),
];

/// The states of a connection, drawn. Whoever closes first goes down on the left, the other side on
/// the right.
pub const DIAGRAM: &str = r"                                ┌───────────┐
                                │   CLOSE   │
              listen()          └──┬─────┬──┘   connect(): SYN →
          ┌────────────────────────┘     └──────────────────────┐
          ▼                                                     ▼
    ┌───────────┐                                         ┌───────────┐
    │  LISTEN   │                                         │ SYN_SENT  │
    └─────┬─────┘            ← SYN, SYN+ACK →             └─┬───┬─────┘
          │   ┌─────────────────────────────────────────────┘   │
    ← SYN │   │                                                 │ ← SYN+ACK
SYN+ACK → │   │                                                 │ ACK →
          ▼   ▼                                                 ▼
    ┌───────────┐                  ← ACK                  ┌─────────────┐
    │ SYN_RECV  ├────────────────────────────────────────▶│ ESTABLISHED │
    └───────────┘                                         └─┬───┬───────┘
                             close(): FIN →                 │   │ ← FIN
          ┌─────────────────────────────────────────────────┘   │ ACK →
          ▼                                                     ▼
    ┌───────────┐     ← FIN     ┌───────────┐             ┌────────────┐
    │ FIN_WAIT1 ├──────────────▶│  CLOSING  │             │ CLOSE_WAIT │
    └─────┬───┬─┘     ACK →     └─────┬─────┘             └─────┬──────┘
          │   │                       │                         │
    ← ACK │   │ ← FIN+ACK, ACK →      │ ← ACK                   │ close(): FIN →
          │   └─────────────────────┐ │                         │
          ▼                         ▼ ▼                         ▼
    ┌───────────┐     ← FIN     ┌───────────┐             ┌──────────┐
    │ FIN_WAIT2 ├──────────────▶│ TIME_WAIT │             │ LAST_ACK │
    └───────────┘     ACK →     └─────┬─────┘             └─────┬────┘
                                      │ 60 s                    │ ← ACK
                                      ▼                         ▼
                                    CLOSE                     CLOSE";

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
            for words in [entry.lasts, entry.many, entry.look] {
                assert!(!words.is_empty() && !words.ends_with('.'), "{}", entry.class.name());
            }
        }
    }

    #[test]
    fn the_diagram_has_every_state_that_is_moved_to_and_fits_a_terminal() {
        for (from, _, to) in MOVES {
            for state in [from, to] {
                assert!(DIAGRAM.contains(&*state.name()), "{state}");
            }
        }
        assert!(DIAGRAM.lines().all(|line| line.chars().count() <= 80));
        assert_eq!(strokes_that_end_nowhere(), Vec::<String>::new());
    }

    /// The sides to which each character of a drawing goes: up, down, left, right.
    fn sides(c: char) -> [bool; 4] {
        let is_one_of = |set: &str| set.contains(c);
        [is_one_of("│└┘├┤┴▼"), is_one_of("│┌┐├┤┬"), is_one_of("─┐┘┤┬┴▶"), is_one_of("─┌└├┬┴")]
    }

    /// Where a line of the drawing ends at nothing.
    fn strokes_that_end_nowhere() -> Vec<String> {
        let grid: Vec<Vec<char>> = DIAGRAM.lines().map(|line| line.chars().collect()).collect();
        let at =
            |y: usize, x: usize| grid.get(y).and_then(|row| row.get(x)).copied().unwrap_or(' ');
        let mut loose = Vec::new();
        for (y, row) in grid.iter().enumerate() {
            for (x, c) in row.iter().enumerate() {
                let [_, down, _, right] = sides(*c);
                let (below, beside) = (at(y + 1, x), at(y, x + 1));
                let is_held = !down || sides(below)[0] || "─C".contains(below);
                let is_met = !right || sides(beside)[2] || beside == '│';
                if !is_held || !is_met {
                    loose.push(format!("{c} in line {}, column {}", y + 1, x + 1));
                }
            }
        }
        loose
    }
}
