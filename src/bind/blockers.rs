//! Who is in the way, and in which role.

use serde::Serialize;

use super::probe::Trials;
use super::sharing::{Asked, refuses};
use super::survey::{Holding, Survey};
use crate::kernel::owned_socket::SharingOptions;
use crate::kernel::owners::Holder;
use crate::model::{Protocol, Side, Sides, TcpState};

/// What a blocker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A listening TCP socket.
    Listener,
    /// A TCP socket that is bound and neither listens nor is connected.
    Bound,
    /// A connection that a listener made.
    Accepted,
    /// A connection whose port connect(2) picked.
    Outgoing,
    /// A connection that was the one or the other.
    Either,
    /// A UDP socket.
    Udp,
    /// A Unix socket that a program has open.
    UnixLive,
    /// A socket file that nobody has open any more.
    UnixStale,
    /// A file that is no socket.
    Path,
}

/// A socket or file that refuses the bind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// What it is.
    pub role: Role,
    /// Its state; `None` for a file.
    pub state: Option<TcpState>,
    /// Its own end.
    pub local: String,
    /// The other end of a connection.
    pub remote: Option<String>,
    /// Milliseconds that the kernel will keep a mini-socket.
    pub expires_ms: Option<u32>,
    /// The socket's user; `None` for one that only the kernel holds.
    pub uid: Option<u32>,
    /// The socket's inode.
    pub inode: Option<u32>,
    /// Everybody who has it open, as far as that can be seen.
    pub owners: Vec<Holder>,
    /// Its `SO_REUSEADDR`.
    pub reuse_addr: Option<bool>,
    /// Its `SO_REUSEPORT`.
    pub reuse_port: Option<bool>,
    /// Its `IPV6_V6ONLY`.
    pub v6only: Option<bool>,
    /// Why its role cannot be told.
    pub why: Option<&'static str>,
}

impl Blocker {
    /// Whether it is a connection that was opened from here on a port of a program's choice.
    pub fn is_of_client(&self) -> bool {
        self.why == Some(CLIENT_BOUND) || self.why == Some(CLIENT_SET)
    }

    /// Whether the kernel alone holds it, for a time that it tells.
    pub fn is_mini(&self) -> bool {
        self.expires_ms.is_some()
    }
}

/// The sockets that refuse `asked`, those that a program has to give up first.
pub fn blockers(asked: &Asked, survey: &Survey, trials: Option<&Trials>) -> Vec<Blocker> {
    let proof = Proof::of(survey, trials);
    let mut found: Vec<Blocker> = survey
        .holdings
        .iter()
        .map(|holding| (holding, proof.complete(holding)))
        .filter(|(holding, sharing)| refuses(asked, &holding.socket, *sharing) != Some(false))
        .map(|(holding, sharing)| blocker(holding, sharing, &survey.sides, proof))
        .collect();
    found.sort_by_cached_key(|it| {
        (it.role, it.is_mini(), it.state.map(TcpState::code), it.local.clone(), it.remote.clone())
    });
    found
}

fn blocker(holding: &Holding, sharing: SharingOptions, sides: &Sides, proof: Proof) -> Blocker {
    let socket = &holding.socket;
    let (role, why) = role(holding, sides, proof);
    Blocker {
        role,
        state: Some(socket.state),
        local: socket.local.to_string(),
        remote: (socket.remote.port != 0).then(|| socket.remote.to_string()),
        expires_ms: socket.timer.filter(|_| socket.is_mini()).map(|timer| timer.expires_ms),
        uid: socket.uid,
        inode: socket.inode,
        owners: holding.owners.clone(),
        reuse_addr: sharing.reuse_addr,
        reuse_port: sharing.reuse_port,
        v6only: sharing.v6only,
        why,
    }
}

const BOTH_IN_RANGE: &str = "both ports are in ip_local_port_range and no listener is left: a \
                             server that is gone may have accepted it, or a client here opened it";
const NEITHER_IN_RANGE: &str = "neither port is in ip_local_port_range: a server that is gone may \
                                have accepted it, or a client here had bound the port";
const CLIENT_BOUND: &str =
    "it was opened from here, by a program that had bound the port before connect()";
const CLIENT_SET: &str = "it was opened from here, by a program that had bound the port or set the \
                          option before connect()";
const RANGE_UNKNOWN: &str = "ip_local_port_range could not be read";

/// What the socket is, and for [`Role::Either`] why that is all.
fn role(holding: &Holding, sides: &Sides, proof: Proof) -> (Role, Option<&'static str>) {
    let socket = &holding.socket;
    if socket.protocol == Protocol::Udp {
        return (Role::Udp, None);
    }
    match socket.state {
        TcpState::LISTEN => return (Role::Listener, None),
        TcpState::BOUND_INACTIVE => return (Role::Bound, None),
        _ => {}
    }
    let is_to_us = sides.listeners.is_own(socket.remote, socket.local);
    let opened_here = match (socket.state, socket.opened_here, holding.side) {
        (TcpState::SYN_SENT, _, _) | (_, Some(true), _) => Some(true),
        (_, Some(false), _) | (_, _, Side::Server(_)) => Some(false),
        (_, _, Side::Client) => Some(true),
        (_, None, Side::Open) => is_to_us.then_some(true),
    };
    let Some(range) = sides.range() else {
        return match opened_here {
            Some(false) => (Role::Accepted, None),
            Some(true) | None => (Role::Either, Some(RANGE_UNKNOWN)),
        };
    };
    let in_range = [socket.local.port, socket.remote.port].map(|port| range.contains(port));
    match (opened_here, in_range) {
        // Options are not for connect(2), but a client may set them and bind no port.
        (Some(true), [true, _]) if proof.has_options() => (Role::Either, Some(CLIENT_SET)),
        (Some(true), [true, _]) => (Role::Outgoing, None),
        (Some(true), [false, _]) => (Role::Either, Some(CLIENT_BOUND)),
        (Some(false), _) | (None, [false, true]) => (Role::Accepted, None),
        (None, [true, _]) => (Role::Either, Some(BOTH_IN_RANGE)),
        (None, [false, false]) => (Role::Either, Some(NEITHER_IN_RANGE)),
    }
}

/// What the answers of bind(2) prove about the sockets on the port.
#[derive(Clone, Copy, Debug, Default)]
struct Proof {
    /// Whether a bind with `SO_REUSEADDR` was accepted: then all have it.
    reuse_addr: Option<bool>,
    /// The same of `SO_REUSEPORT`, where there is but one socket.
    reuse_port: Option<bool>,
    /// Whether there is but one socket, so that a refusal is its own.
    is_single: bool,
}

impl Proof {
    fn of(survey: &Survey, trials: Option<&Trials>) -> Self {
        let refused = |trials: &&Trials| !trials.of(false, false).is_accepted();
        let Some(trials) = trials.filter(refused) else {
            return Self::default();
        };
        let [_, addr, port, _] = trials.options;
        let answer = |it: super::probe::OptionTrial| it.verified.then(|| it.trial.is_accepted());
        let is_single = survey.holdings.len() == 1 && survey.warnings.is_empty();
        Self {
            reuse_addr: answer(addr),
            // With several sockets the note of the port can let it in beside one that lacks it.
            reuse_port: answer(port).filter(|accepted| !accepted || is_single),
            is_single,
        }
    }

    /// Whether the sockets are shown to have an option.
    fn has_options(self) -> bool {
        self.reuse_addr == Some(true) || self.reuse_port == Some(true)
    }

    /// The options of a socket that were read, and those that are proved.
    ///
    /// A refusal proves the lack of an option where nothing else can be the cause: a listener
    /// refuses `SO_REUSEADDR` whatever it has, and `SO_REUSEPORT` is refused for the user's sake too.
    fn complete(self, holding: &Holding) -> SharingOptions {
        let (read, socket) = (holding.sharing, &holding.socket);
        let accepted = |answer: Option<bool>| answer.filter(|accepted| *accepted);
        let refused = |answer: Option<bool>, is_sure: bool| {
            answer.filter(|accepted| !accepted && is_sure && self.is_single)
        };
        let listens = socket.state == TcpState::LISTEN;
        SharingOptions {
            reuse_addr: read
                .reuse_addr
                .or(accepted(self.reuse_addr))
                .or(refused(self.reuse_addr, !listens)),
            reuse_port: read
                .reuse_port
                .or(accepted(self.reuse_port))
                .or(refused(self.reuse_port, socket.is_mini())),
            v6only: read.v6only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::probe::{Extra, OptionTrial};
    use crate::kernel::binding::{Stage, Trial};
    use crate::model::test_sockets::{end, socket, time_wait};
    use crate::model::{PortRange, Socket};

    fn survey(range: Option<PortRange>, listeners: &[&str], sockets: &[Socket]) -> Survey {
        let mut sides = Sides::new(range);
        for listener in listeners {
            sides.listeners.add(&socket("LISTEN", listener, "0.0.0.0:0"));
        }
        let holding = |socket: &Socket| Holding {
            socket: *socket,
            sharing: SharingOptions::default(),
            owners: Vec::new(),
            side: sides.of(socket.local, socket.remote),
        };
        let holdings = sockets.iter().map(holding).collect();
        Survey { holdings, sides, hidden_processes: 0, warnings: Vec::new() }
    }

    const RANGE: Option<PortRange> = Some(PortRange { low: 32768, high: 60999 });

    fn asked(address: &str) -> Asked {
        Asked {
            protocol: Protocol::Tcp,
            end: end(address),
            v6only: false,
            interface: None,
            reuse_addr: false,
            reuse_port: false,
            uid: 1000,
        }
    }

    /// bind(2) refuses without options, and answers so with `SO_REUSEADDR` and `SO_REUSEPORT`.
    fn trials(addr: i32, port: i32) -> Trials {
        let option = |reuse_addr, reuse_port, code| OptionTrial {
            reuse_addr,
            reuse_port,
            trial: Trial { stage: Stage::Bind, code, v6only: false },
            verified: true,
        };
        let both = addr.min(port);
        let options = [
            option(false, false, 98),
            option(true, false, addr),
            option(false, true, port),
            option(true, true, both),
        ];
        Trials { options, listened: None, dual_stack_code: None, extra: Extra::default() }
    }

    /// The role of one socket on its port, with these listeners about.
    fn role_of(
        socket: Socket,
        listeners: &[&str],
        trials: &Trials,
    ) -> (Role, Option<&'static str>) {
        let survey = survey(RANGE, listeners, &[socket]);
        let all = blockers(&asked("0.0.0.0:0"), &survey, Some(trials));
        (all[0].role, all[0].why)
    }

    #[test]
    fn roles_are_told_by_listeners_ranges_and_the_syn() {
        let refused = trials(98, 98);
        let role = |state: &str, local: &str, remote: &str, listeners: &[&str]| {
            role_of(socket(state, local, remote), listeners, &refused).0
        };
        let there = "10.0.0.9:50000";
        assert_eq!(role("LISTEN", "0.0.0.0:80", "0.0.0.0:0", &[]), Role::Listener);
        assert_eq!(role("BOUND_INACTIVE", "0.0.0.0:80", "0.0.0.0:0", &[]), Role::Bound);
        assert_eq!(role("TIME_WAIT", "10.0.0.1:8080", there, &[]), Role::Accepted);
        assert_eq!(
            role("ESTABLISHED", "10.0.0.1:40000", there, &["0.0.0.0:40000"]),
            Role::Accepted
        );
        assert_eq!(role("SYN_SENT", "10.0.0.1:40000", "10.0.0.9:443", &[]), Role::Outgoing);
        assert_eq!(role("TIME_WAIT", "10.0.0.1:40000", "10.0.0.9:443", &[]), Role::Outgoing);
        assert_eq!(role("TIME_WAIT", "10.0.0.1:40000", there, &[]), Role::Either);
        let open = socket("ESTABLISHED", "10.0.0.1:40000", there);
        let told = |here| role_of(Socket { opened_here: Some(here), ..open }, &[], &refused).0;
        assert_eq!((told(true), told(false)), (Role::Outgoing, Role::Accepted));
    }

    #[test]
    fn a_client_that_had_bound_is_not_called_outgoing() {
        let far = "127.0.0.1:9000";
        let client = time_wait("127.0.0.1:7000", far, 9_000);
        let (role, why) = role_of(client, &[far], &trials(98, 98));
        assert_eq!((role, why), (Role::Either, Some(CLIENT_BOUND)), "connect() picks no such port");
        let client = time_wait("127.0.0.1:40000", far, 9_000);
        let (role, why) = role_of(client, &[far], &trials(0, 98));
        assert_eq!((role, why), (Role::Either, Some(CLIENT_SET)), "it has SO_REUSEADDR");
        assert_eq!(role_of(client, &[far], &trials(98, 98)).0, Role::Outgoing);
    }

    #[test]
    fn without_the_range_only_the_sure_is_said() {
        let waits = [time_wait("10.0.0.1:8080", "10.0.0.9:50000", 9_000)];
        let survey = survey(None, &[], &waits);
        let all = blockers(&asked("0.0.0.0:8080"), &survey, Some(&trials(98, 98)));
        assert_eq!((all[0].role, all[0].why), (Role::Either, Some(RANGE_UNKNOWN)));
    }

    #[test]
    fn answers_prove_the_options_of_what_nobody_can_ask() {
        let one = [time_wait("10.0.0.1:8080", "10.0.0.9:50000", 9_000)];
        let two = [one[0], time_wait("10.0.0.1:8080", "10.0.0.9:50001", 9_000)];
        let options = |waits: &[Socket], addr, port| {
            let survey = survey(RANGE, &[], waits);
            let all = blockers(&asked("0.0.0.0:8080"), &survey, Some(&trials(addr, port)));
            (all[0].reuse_addr, all[0].reuse_port)
        };
        assert_eq!(options(&one, 0, 98), (Some(true), Some(false)));
        assert_eq!(options(&two, 0, 98), (Some(true), None), "one of them, but which?");
    }

    #[test]
    fn only_what_refuses_the_judged_bind_is_a_blocker() {
        let survey = survey(
            RANGE,
            &["0.0.0.0:8080"],
            &[
                socket("LISTEN", "0.0.0.0:8080", "0.0.0.0:0"),
                socket("ESTABLISHED", "10.0.0.1:8080", "10.0.0.9:50000"),
            ],
        );
        let known = |reuse_addr| {
            let mut survey = Survey {
                holdings: survey.holdings.clone(),
                sides: Sides::new(RANGE),
                hidden_processes: 0,
                warnings: Vec::new(),
            };
            for holding in &mut survey.holdings {
                holding.sharing.reuse_addr = Some(reuse_addr);
                holding.sharing.reuse_port = Some(false);
            }
            let asked = Asked { reuse_addr: true, ..asked("0.0.0.0:8080") };
            blockers(&asked, &survey, None).iter().map(|it| it.role).collect::<Vec<_>>()
        };
        assert_eq!(known(true), [Role::Listener]);
        assert_eq!(known(false).len(), 2);
    }
}
