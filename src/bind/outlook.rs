//! When the address will be free, if nobody does anything.

use super::blockers::{Blocker, Role};
use crate::model::{TIME_WAIT_MS, TcpState};

/// What waiting brings. Times are milliseconds from the look at the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Whether it frees itself; `None` if that is not known, or there is nothing to wait for.
    pub frees_itself: Option<bool>,
    /// When the timer of the last mini-socket runs out.
    pub in_ms: Option<u64>,
    /// The latest that this can be.
    pub at_most_ms: Option<u64>,
}

/// What becomes of `blockers`. `slack_ms` is how late the kernel's timers may be.
pub fn outlook(blockers: &[Blocker], slack_ms: u64) -> Outlook {
    let Some(last) = blockers.iter().map(|it| it.expires_ms.unwrap_or(0)).max() else {
        return Outlook::default();
    };
    if !blockers.iter().all(Blocker::is_mini) {
        let is_over_soon = |it: &Blocker| it.is_mini() || is_closing(it);
        return Outlook {
            frees_itself: Some(blockers.iter().all(is_over_soon)),
            ..Outlook::default()
        };
    }
    // The peer's FIN turns a FIN_WAIT2 into a TIME_WAIT, of the full length (`tcp_timewait_state_process`).
    let waits_for_peer = blockers.iter().any(|it| it.state == Some(TcpState::FIN_WAIT2));
    let restart = if waits_for_peer { u64::from(TIME_WAIT_MS) } else { 0 };
    Outlook {
        frees_itself: Some(true),
        in_ms: Some(last.into()),
        at_most_ms: Some(u64::from(last) + restart + slack_ms),
    }
}

/// Whether it is a connection that no program holds any more, and which the kernel ends when the
/// peer answers or it has tried often enough.
fn is_closing(blocker: &Blocker) -> bool {
    let is_orphan = blocker.inode.is_none() && blocker.owners.is_empty();
    let closing = [TcpState::FIN_WAIT1, TcpState::FIN_WAIT2, TcpState::CLOSING, TcpState::LAST_ACK];
    is_orphan
        && !matches!(blocker.role, Role::UnixStale | Role::Path)
        && blocker.state.is_some_and(|state| closing.contains(&state))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A blocker without an owner.
    pub(crate) fn blocker(role: Role, state: TcpState, expires_ms: Option<u32>) -> Blocker {
        Blocker {
            role,
            state: Some(state),
            local: "127.0.0.1:8080".to_owned(),
            remote: None,
            expires_ms,
            uid: None,
            inode: None,
            owners: Vec::new(),
            reuse_addr: None,
            reuse_port: None,
            v6only: None,
            why: None,
        }
    }

    fn mini(state: TcpState, left_ms: u32) -> Blocker {
        blocker(Role::Accepted, state, Some(left_ms))
    }

    #[test]
    fn the_last_timer_decides() {
        let both = [mini(TcpState::TIME_WAIT, 41_000), mini(TcpState::TIME_WAIT, 7_000)];
        let expected =
            Outlook { frees_itself: Some(true), in_ms: Some(41_000), at_most_ms: Some(43_048) };
        assert_eq!(outlook(&both, 2_048), expected);
    }

    #[test]
    fn a_fin_wait2_may_wait_as_long_again() {
        let outlook = outlook(&[mini(TcpState::FIN_WAIT2, 5_000)], 2_048);
        assert_eq!((outlook.in_ms, outlook.at_most_ms), (Some(5_000), Some(67_048)));
    }

    #[test]
    fn what_a_program_holds_does_not_free_itself() {
        let listener =
            Blocker { inode: Some(7), ..blocker(Role::Listener, TcpState::LISTEN, None) };
        let mixed = [listener, mini(TcpState::TIME_WAIT, 9_000)];
        let expected = Outlook { frees_itself: Some(false), ..Outlook::default() };
        assert_eq!(outlook(&mixed, 2_048), expected);
        assert_eq!(outlook(&[], 2_048), Outlook::default());
    }

    #[test]
    fn an_orphan_ends_at_a_time_that_nobody_knows() {
        let orphan = blocker(Role::Accepted, TcpState::LAST_ACK, None);
        let expected = Outlook { frees_itself: Some(true), ..Outlook::default() };
        assert_eq!(outlook(&[orphan], 2_048), expected);
    }
}
