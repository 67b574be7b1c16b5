//! TCP states as the kernel numbers them, sets of them, and the spellings people use for them.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// The state of a socket, by the kernel's number (`include/net/tcp_states.h`).
///
/// A number without a name is a state like any other: a newer kernel costs a name, not a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TcpState(u8);

impl TcpState {
    /// Open, data may flow.
    pub const ESTABLISHED: Self = Self(1);
    /// connect(2) sent a SYN, no answer yet.
    pub const SYN_SENT: Self = Self(2);
    /// A SYN came, the handshake is not complete.
    pub const SYN_RECV: Self = Self(3);
    /// This side closed, its FIN is not acknowledged.
    pub const FIN_WAIT1: Self = Self(4);
    /// This side closed, the peer has not.
    pub const FIN_WAIT2: Self = Self(5);
    /// Both closed, this side first.
    pub const TIME_WAIT: Self = Self(6);
    /// Not in use; the state of a UDP socket that is not connected.
    pub const CLOSE: Self = Self(7);
    /// The peer closed, the local program has not.
    pub const CLOSE_WAIT: Self = Self(8);
    /// The peer closed first, our FIN is not acknowledged.
    pub const LAST_ACK: Self = Self(9);
    /// Waiting for connections.
    pub const LISTEN: Self = Self(10);
    /// Both closed at once, our FIN is not acknowledged.
    pub const CLOSING: Self = Self(11);
    /// The kernel's inner name for a half-open connection; seen in /proc, never over netlink.
    pub const NEW_SYN_RECV: Self = Self(12);
    /// Bound to a port, neither listening nor connected. A pseudo-state of `sock_diag` requests
    /// (Linux 6.8): the kernel answers such rows as `CLOSE`.
    pub const BOUND_INACTIVE: Self = Self(13);

    /// The state with the kernel's number `code`.
    pub const fn from_kernel(code: u8) -> Self {
        Self(code)
    }

    /// The kernel's number, 1 to 13 for those that have a name.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The kernel's name, as in `TIME_WAIT`; `STATE_n` for a number without one.
    pub fn name(self) -> Cow<'static, str> {
        let named = NAMED.iter().find(|(state, _)| *state == self);
        named.map_or_else(|| Cow::Owned(format!("STATE_{}", self.0)), |(_, name)| (*name).into())
    }
}

/// Every state that has a name, in the kernel's order.
const NAMED: [(TcpState, &str); 13] = [
    (TcpState::ESTABLISHED, "ESTABLISHED"),
    (TcpState::SYN_SENT, "SYN_SENT"),
    (TcpState::SYN_RECV, "SYN_RECV"),
    (TcpState::FIN_WAIT1, "FIN_WAIT1"),
    (TcpState::FIN_WAIT2, "FIN_WAIT2"),
    (TcpState::TIME_WAIT, "TIME_WAIT"),
    (TcpState::CLOSE, "CLOSE"),
    (TcpState::CLOSE_WAIT, "CLOSE_WAIT"),
    (TcpState::LAST_ACK, "LAST_ACK"),
    (TcpState::LISTEN, "LISTEN"),
    (TcpState::CLOSING, "CLOSING"),
    (TcpState::NEW_SYN_RECV, "NEW_SYN_RECV"),
    (TcpState::BOUND_INACTIVE, "BOUND_INACTIVE"),
];

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// What a socket is counted under: its state, with the two cases apart that share a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StateClass {
    /// A state that means one thing.
    State(TcpState),
    /// FIN_WAIT2 that only the kernel holds: the program is gone, a mini-socket waits for the
    /// peer's FIN as long as `tcp_fin_timeout` allows (`net/ipv4/tcp_minisocks.c`, `tcp_time_wait`).
    FinWait2Mini,
    /// A UDP socket that is not connected; the kernel numbers it like `CLOSE`.
    UdpUnconnected,
}

impl StateClass {
    /// The name in tables and in JSON.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::State(state) => state.name(),
            Self::FinWait2Mini => Cow::Borrowed("FIN_WAIT2_MINI"),
            Self::UdpUnconnected => Cow::Borrowed("UNCONN"),
        }
    }
}

impl StateClass {
    /// How many places [`Self::place`] can name.
    pub const PLACES: usize = 258;

    /// A place of its own in a table of all classes.
    #[inline]
    pub fn place(self) -> usize {
        match self {
            Self::State(state) => usize::from(state.code()),
            Self::FinWait2Mini => 256,
            Self::UdpUnconnected => 257,
        }
    }

    /// The class that has `place`.
    pub fn at(place: usize) -> Self {
        match u8::try_from(place) {
            Ok(code) => Self::State(TcpState::from_kernel(code)),
            Err(_) if place == Self::FinWait2Mini.place() => Self::FinWait2Mini,
            Err(_) => Self::UdpUnconnected,
        }
    }
}

impl Serialize for TcpState {
    /// By name, as in `TIME_WAIT`; `STATE_77` for a number without one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl Serialize for StateClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

/// A set of states, as `--state` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StateSet {
    bits: u32,
    mini_fin_wait2: bool,
}

/// Named sets of states; the words are those of ss(8).
const GROUPS: [(&str, StateSet); 5] = [
    ("all", ALL),
    ("connected", CONNECTED),
    ("synchronized", SYNCHRONIZED),
    ("bucket", BUCKET),
    ("big", BIG),
];

const ALL: StateSet =
    CONNECTED.union(StateSet::of(&[TcpState::CLOSE, TcpState::LISTEN, TcpState::BOUND_INACTIVE]));
const CONNECTED: StateSet = SYNCHRONIZED.union(StateSet::only(TcpState::SYN_SENT));
const SYNCHRONIZED: StateSet = BUCKET.union(StateSet::of(&[
    TcpState::ESTABLISHED,
    TcpState::FIN_WAIT1,
    TcpState::FIN_WAIT2,
    TcpState::CLOSE_WAIT,
    TcpState::LAST_ACK,
    TcpState::CLOSING,
]));
const BUCKET: StateSet =
    StateSet::of(&[TcpState::SYN_RECV, TcpState::NEW_SYN_RECV, TcpState::TIME_WAIT]);
const BIG: StateSet = StateSet::of(&[
    TcpState::ESTABLISHED,
    TcpState::SYN_SENT,
    TcpState::FIN_WAIT1,
    TcpState::FIN_WAIT2,
    TcpState::CLOSE,
    TcpState::CLOSE_WAIT,
    TcpState::LAST_ACK,
    TcpState::LISTEN,
    TcpState::CLOSING,
]);

/// Other spellings, in the folded form of [`fold`]: those of ss, netstat and the RFCs.
const ALIASES: [(&str, TcpState); 8] = [
    ("estab", TcpState::ESTABLISHED),
    ("listening", TcpState::LISTEN),
    ("closed", TcpState::CLOSE),
    ("unconn", TcpState::CLOSE),
    ("unconnected", TcpState::CLOSE),
    ("synreceived", TcpState::SYN_RECV),
    ("newsynrecv", TcpState::SYN_RECV),
    ("bound", TcpState::BOUND_INACTIVE),
];

impl StateSet {
    /// The set of no state.
    pub const EMPTY: Self = Self { bits: 0, mini_fin_wait2: false };

    /// Every state, bound sockets that do not listen included.
    pub const ALL: Self = ALL;

    /// The set of these states.
    pub const fn of(states: &[TcpState]) -> Self {
        let mut set = Self::EMPTY;
        let mut rest = states;
        while let Some((state, others)) = rest.split_first() {
            set = set.union(Self::only(*state));
            rest = others;
        }
        set
    }

    /// The set of one state; a number above 31 has no bit, so it gives the empty set.
    #[inline]
    pub const fn only(state: TcpState) -> Self {
        let bits = if state.code() < 32 { 1 << state.code() } else { 0 };
        Self { bits, mini_fin_wait2: false }
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            mini_fin_wait2: self.mini_fin_wait2 || other.mini_fin_wait2,
        }
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self { bits: self.bits & !other.bits, mini_fin_wait2: self.mini_fin_wait2 }
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// Whether rows of `state` can be in the set.
    #[inline]
    pub fn contains(self, state: TcpState) -> bool {
        self.bits & Self::only(state).bits != 0
    }

    /// Whether a socket counted under `class` is in the set.
    #[inline]
    pub fn matches(self, class: StateClass) -> bool {
        match class {
            StateClass::State(state) => self.contains(state),
            StateClass::FinWait2Mini => self.mini_fin_wait2 || self.contains(TcpState::FIN_WAIT2),
            // It waits for datagrams as a listener does for connections: `ss -lu` shows it.
            StateClass::UdpUnconnected => {
                self.contains(TcpState::CLOSE) || self.contains(TcpState::LISTEN)
            }
        }
    }

    /// The mask for `idiag_states`: bit *n* asks for state *n*.
    pub fn kernel_mask(self) -> u32 {
        let mini = if self.mini_fin_wait2 { Self::only(TcpState::FIN_WAIT2).bits } else { 0 };
        self.bits | mini
    }
}

/// A word that names no state and no group of states.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown state `{word}`{}\nhint: states: {}\nhint: groups of states: {}",
    near(.nearest.as_deref()),
    state_words().join(", "),
    GROUPS.map(|(name, _)| name).join(", ")
)]
pub struct UnknownState {
    word: String,
    nearest: Option<String>,
}

fn near(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// The states that can be named, as they are printed.
fn state_words() -> Vec<String> {
    let states = NAMED.iter().filter(|(state, _)| *state != TcpState::NEW_SYN_RECV);
    let mini = StateClass::FinWait2Mini.name().into_owned();
    states.map(|(_, name)| (*name).to_owned()).chain([mini]).collect()
}

/// `TIME_WAIT`, `time-wait` and `timewait` are one word.
fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

impl std::str::FromStr for StateSet {
    type Err = UnknownState;

    fn from_str(word: &str) -> Result<Self, UnknownState> {
        let folded = fold(word);
        if let Some((_, set)) = GROUPS.iter().find(|(name, _)| *name == folded) {
            return Ok(*set);
        }
        if folded == fold(&StateClass::FinWait2Mini.name()) {
            return Ok(Self { bits: 0, mini_fin_wait2: true });
        }
        let alias = ALIASES.iter().find(|(name, _)| *name == folded).map(|(_, state)| *state);
        let named = NAMED.iter().find(|(_, name)| fold(name) == folded).map(|(state, _)| *state);
        alias
            .or(named)
            .map(Self::only)
            .ok_or_else(|| UnknownState { word: word.to_owned(), nearest: nearest(&folded) })
    }
}

/// The known word that is most like `folded`, if any is like it at all.
fn nearest(folded: &str) -> Option<String> {
    let words = state_words().into_iter().chain(GROUPS.map(|(name, _)| name.to_owned()));
    let scored = words.map(|name| (strsim::jaro_winkler(&fold(&name), folded), name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_the_round_trip() {
        for code in 0..=u8::MAX {
            assert_eq!(TcpState::from_kernel(code).code(), code);
        }
        assert_eq!(TcpState::from_kernel(77).name(), "STATE_77");
    }

    #[test]
    fn any_spelling_names_the_same_state() {
        let expected = StateSet::only(TcpState::TIME_WAIT);
        for word in ["TIME_WAIT", "time-wait", "timewait", "Time Wait"] {
            assert_eq!(word.parse(), Ok(expected), "{word}");
        }
        assert_eq!("estab".parse(), Ok(StateSet::only(TcpState::ESTABLISHED)));
    }

    #[test]
    fn groups_are_those_of_ss() {
        let connected: StateSet = "connected".parse().unwrap();
        assert!(!connected.contains(TcpState::LISTEN) && !connected.contains(TcpState::CLOSE));
        let synchronized: StateSet = "synchronized".parse().unwrap();
        assert_eq!(synchronized.union(StateSet::only(TcpState::SYN_SENT)), connected);
        let big: StateSet = "big".parse().unwrap();
        assert!(big.contains(TcpState::LISTEN) && !big.contains(TcpState::TIME_WAIT));
    }

    #[test]
    fn a_near_miss_is_suggested() {
        let error = "TIMEWIAT".parse::<StateSet>().unwrap_err().to_string();
        assert!(
            error.starts_with("unknown state `TIMEWIAT`, did you mean `TIME_WAIT`?"),
            "{error}"
        );
        let error = "zzz".parse::<StateSet>().unwrap_err().to_string();
        assert!(!error.contains("did you mean") && error.contains("SYN_RECV"), "{error}");
    }

    #[test]
    fn fin_wait2_holds_both_kinds_and_mini_only_one() {
        let both: StateSet = "fin-wait-2".parse().unwrap();
        let mini: StateSet = "fin_wait2_mini".parse().unwrap();
        assert!(both.matches(StateClass::FinWait2Mini));
        assert!(!mini.matches(StateClass::State(TcpState::FIN_WAIT2)));
        assert_eq!(mini.kernel_mask(), 1 << 5);
    }
}
