//! EADDRINUSE of an Internet address.

use super::{Remedy, expected, myth, stop_owners, tried};
use crate::bind::blockers::{Blocker, Role};
use crate::bind::outlook::Outlook;
use crate::bind::probe::{Extra, Trials};
use crate::model::{PortSet, TcpState};
use crate::output::numbers::{duration, float};

/// Who and what has an Internet address.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The port.
    pub port: u16,
    /// Whether the address is one of IPv4.
    pub is_ipv4: bool,
    /// Who refuses it.
    pub blockers: &'a [Blocker],
    /// Processes that could not be looked into.
    pub hidden_processes: u64,
    /// How a command is run where the port is: empty, or `ip netns exec NAME `.
    pub prefix: &'a str,
    /// What waiting brings.
    pub outlook: Outlook,
    /// What bind(2) said; `None` for UDP.
    pub trials: Option<&'a Trials>,
    /// What could be bound instead.
    pub extra: Extra,
    /// The ports that connect(2) picks from.
    pub ephemeral: &'a PortSet,
}

impl Situation<'_> {
    fn has(&self, role: Role) -> bool {
        self.blockers.iter().any(|it| it.role == role)
    }

    /// Whether all were opened from here, though on ports that connect(2) had not picked.
    fn is_of_clients(&self) -> bool {
        let is_of_client = |it: &Blocker| it.role == Role::Outgoing || it.is_of_client();
        !self.blockers.is_empty() && self.blockers.iter().all(is_of_client)
    }

    /// Whether something is left of connections that a server here had.
    fn has_leftovers(&self) -> bool {
        self.has(Role::Accepted) || self.has(Role::Either)
    }
}

/// What there is to do about EADDRINUSE, most useful first; what does not help comes last.
pub fn in_use(now: &Situation<'_>) -> Vec<Remedy> {
    if now.port == 0 {
        return no_port_left();
    }
    let mut remedies = Vec::new();
    if let Some(trials) = now.trials {
        remedies.extend(options(now, trials));
    }
    remedies.extend(instead(now));
    remedies.extend(wait(&now.outlook));
    remedies.extend(stop_owners(now.blockers, now.hidden_processes));
    remedies.extend(prevention(now));
    if now.blockers.iter().any(|it| it.state == Some(TcpState::TIME_WAIT)) {
        remedies.push(myth(
            "tcp_tw_reuse",
            "net.ipv4.tcp_tw_reuse: it is about connect(), never about bind()",
        ));
        remedies.push(myth(
            "tcp_fin_timeout",
            "net.ipv4.tcp_fin_timeout: TIME_WAIT is a fixed 60 s, whatever it says",
        ));
    }
    // A stable sort: what helps now, what will help, what does not.
    remedies.sort_by_key(|it| (!it.helps, rank(it.id)));
    remedies
}

/// The order of what helps.
fn rank(id: &str) -> usize {
    const ORDER: [&str; 13] = [
        "reuse_addr",
        "v6only",
        "stop_owner",
        "wait",
        "reuse_addr_in_server",
        "v6only_in_server",
        "reserve_port",
        "reuse_addr_and_port",
        "reuse_port",
        "another_address",
        "another_port",
        "kill_socket",
        "tcp_tw_reuse",
    ];
    ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len())
}

/// `SO_REUSEADDR` and `SO_REUSEPORT`, as the kernel answered.
fn options(now: &Situation<'_>, trials: &Trials) -> Vec<Remedy> {
    let [_, addr, port, both] = trials.options.map(|it| it.trial.is_accepted());
    let mut remedies = vec![
        tried("reuse_addr", addr, reuse_addr_text(now, addr)),
        tried("reuse_port", port, reuse_port_text(now, port)),
    ];
    if both && !addr && !port {
        remedies.push(tried(
            "reuse_addr_and_port",
            true,
            "SO_REUSEADDR and SO_REUSEPORT together: each socket here has one of them",
        ));
    }
    remedies
}

fn reuse_addr_text(now: &Situation<'_>, helps: bool) -> String {
    let lacks = |it: &&Blocker| it.reuse_addr != Some(true);
    let why = match (helps, now.has(Role::Listener)) {
        (false, _) if now.blockers.is_empty() => "who has the port is not seen",
        (true, _) if now.has(Role::Bound) => {
            "bind succeeds, but of the two sockets only the first to listen will"
        }
        (true, _) => "what is left here was made with it, and nothing listens",
        (false, true) => "it never helps against a socket that listens",
        (false, false) if now.has(Role::Outgoing) => {
            "an outgoing connection has no such option, and beats yours"
        }
        (false, false)
            if now.blockers.iter().find(lacks).is_some_and(|it| it.role == Role::Bound) =>
        {
            "the socket that is bound has not set it"
        }
        (false, false) if now.is_of_clients() => "the program that bound the port had not set it",
        (false, false) => "the server that left these had not set it",
    };
    format!("SO_REUSEADDR on your socket{}: {why}", before_bind(helps))
}

fn reuse_port_text(now: &Situation<'_>, helps: bool) -> String {
    let why = match helps {
        true if now.has(Role::Listener) => {
            "bind succeeds, and the kernel spreads connections over both servers"
        }
        true => "the sockets here have it too",
        false if now.blockers.is_empty() => "who has the port is not seen",
        false if now.blockers.iter().all(|it| it.reuse_port == Some(true)) => {
            "the sockets here have it, but belong to another user"
        }
        false if now.has(Role::Outgoing) => "an outgoing connection has no such option",
        false if now.blockers.iter().all(Blocker::is_mini) => "not every socket here had set it",
        false if now.blockers.iter().any(|it| it.reuse_port == Some(false)) => {
            "not every socket here has set it"
        }
        false => "not every socket here has set it, or one is another user's",
    };
    format!("SO_REUSEPORT on your socket{}: {why}", before_bind(helps))
}

fn before_bind(helps: bool) -> &'static str {
    if helps { ", before bind" } else { "" }
}

/// What could be bound in place of the address.
fn instead(now: &Situation<'_>) -> Vec<Remedy> {
    let extra = now.extra;
    let mut remedies = Vec::new();
    if let Some(helps) = extra.v6only {
        let why = if helps {
            "what is in the way is IPv4, which it does not serve then"
        } else {
            "IPv6 is taken too"
        };
        remedies.push(tried("v6only", helps, format!("IPV6_V6ONLY on your socket: {why}")));
    }
    if let Some((address, helps)) = extra.another_address {
        let why = if helps { "free, for clients on this host" } else { "taken too" };
        remedies.push(tried(
            "another_address",
            helps,
            format!("another address, {address}: {why}"),
        ));
    }
    if let Some(port) = extra.another_port {
        let is_picked = now.ephemeral.contains(port);
        let until = if is_picked { "free until connect() picks it" } else { "free" };
        remedies.push(tried("another_port", true, format!("another port, {port}: {until}")));
    }
    remedies
}

fn wait(outlook: &Outlook) -> Option<Remedy> {
    match (outlook.frees_itself, outlook.in_ms) {
        (Some(true), Some(0)) => Some(expected("wait", "wait a moment: the timers have run out")),
        (Some(true), Some(left)) => {
            let seconds = |ms: u64| duration(float(ms.div_ceil(1000)));
            let at_most = seconds(outlook.at_most_ms.unwrap_or(left));
            Some(expected("wait", format!("wait {}, or {at_most} at most", seconds(left))))
        }
        (Some(true), None) => Some(expected(
            "wait",
            "wait: the kernel ends it when the peer answers, or after its last retry",
        )),
        _ => None,
    }
}

/// What keeps it from coming again, and the last resort.
fn prevention(now: &Situation<'_>) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let addr = now.trials.is_some_and(|it| it.of(true, false).is_accepted());
    if now.has_leftovers() && !now.has(Role::Listener) && !now.is_of_clients() && !addr {
        remedies.push(expected(
            "reuse_addr_in_server",
            "next time: set SO_REUSEADDR before bind in the server, then a restart does not wait",
        ));
    }
    let is_picked = now.ephemeral.contains(now.port);
    if is_picked && (now.has(Role::Outgoing) || now.has(Role::Either)) {
        let text = format!(
            "reserve it: put {} into net.ipv4.ip_local_reserved_ports{}, and connect() will not pick \
             it again",
            now.port,
            if now.prefix.is_empty() { "" } else { " of that network namespace" }
        );
        remedies.push(expected("reserve_port", text));
    }
    let is_dual = |it: &Blocker| it.role == Role::Listener && it.local.starts_with("[::]");
    if now.is_ipv4 && now.blockers.iter().any(is_dual) {
        remedies.push(expected(
            "v6only_in_server",
            "IPV6_V6ONLY on the socket at [::], before its bind: it leaves IPv4 to others then",
        ));
    }
    let all_minis = !now.blockers.is_empty() && now.blockers.iter().all(Blocker::is_mini);
    if all_minis || now.has(Role::Outgoing) {
        let is_time_wait = |it: &Blocker| it.state == Some(TcpState::TIME_WAIT);
        let which = if now.blockers.iter().all(is_time_wait) { "state time-wait " } else { "" };
        remedies.push(expected(
            "kill_socket",
            format!(
                "as a last resort, as root: {}ss -tK {which}'sport = :{}' ends them, at every address",
                now.prefix, now.port
            ),
        ));
    }
    remedies
}

/// EADDRINUSE of port 0, which asks for any port: none is left.
fn no_port_left() -> Vec<Remedy> {
    vec![expected(
        "widen_port_range",
        "widen net.ipv4.ip_local_port_range: every port of it that is not reserved is taken; \
         `netkit states --by state,local` shows by what",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::outlook::outlook;
    use crate::bind::outlook::tests::blocker;
    use crate::bind::probe::OptionTrial;
    use crate::kernel::binding::{Stage, Trial};

    /// The remedies for `blockers` on port 40000 where bind(2) accepts `SO_REUSEADDR` or not.
    fn remedies(blockers: &[Blocker], accepts_reuse_addr: bool) -> Vec<Remedy> {
        let option = |reuse_addr, reuse_port| OptionTrial {
            reuse_addr,
            reuse_port,
            trial: Trial {
                stage: Stage::Bind,
                code: if reuse_addr && accepts_reuse_addr { 0 } else { 98 },
                v6only: false,
            },
            verified: true,
        };
        let options =
            [option(false, false), option(true, false), option(false, true), option(true, true)];
        let mut ephemeral = PortSet::new();
        ephemeral.insert(40000);
        let extra = Extra { another_port: Some(40001), ..Extra::default() };
        let trials = Trials { options, listened: None, dual_stack_code: None, extra };
        in_use(&Situation {
            port: 40000,
            is_ipv4: true,
            blockers,
            hidden_processes: 0,
            prefix: "",
            outlook: outlook(blockers, 2_048),
            trials: Some(&trials),
            extra,
            ephemeral: &ephemeral,
        })
    }

    fn helpful(remedies: &[Remedy]) -> Vec<&'static str> {
        remedies.iter().filter(|it| it.helps).map(|it| it.id).collect()
    }

    #[test]
    fn a_server_without_reuse_addr_has_to_be_waited_for() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(40_500))];
        let found = remedies(&left, false);
        assert_eq!(
            helpful(&found),
            ["wait", "reuse_addr_in_server", "another_port", "kill_socket"]
        );
        assert_eq!(found[0].text, "wait 41 s, or 43 s at most");
        let refused = found.iter().find(|it| it.id == "reuse_addr").unwrap();
        assert!(refused.verified && !refused.helps && refused.text.contains("had not set it"));
    }

    #[test]
    fn reuse_addr_comes_first_where_it_helps() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(40_500))];
        let found = remedies(&left, true);
        assert_eq!(helpful(&found)[0], "reuse_addr");
        assert!(!helpful(&found).contains(&"reuse_addr_in_server"), "it has it already");
    }

    #[test]
    fn an_outgoing_connection_is_cured_by_a_reserved_port() {
        let connection = [blocker(Role::Outgoing, TcpState::ESTABLISHED, None)];
        let found = remedies(&connection, false);
        assert!(helpful(&found).contains(&"reserve_port"), "{found:?}");
        assert!(!helpful(&found).contains(&"reuse_addr_in_server"), "it is nobody's server");
    }

    #[test]
    fn folklore_is_named_and_never_advised() {
        let left = [blocker(Role::Accepted, TcpState::TIME_WAIT, Some(1))];
        for accepts in [true, false] {
            let found = remedies(&left, accepts);
            for myth in ["tcp_tw_reuse", "tcp_fin_timeout"] {
                assert!(found.iter().any(|it| it.id == myth && !it.helps), "{myth}");
            }
        }
    }

    #[test]
    fn port_0_is_short_of_ports_and_not_of_anybody() {
        let found = in_use(&Situation {
            port: 0,
            is_ipv4: true,
            blockers: &[],
            hidden_processes: 0,
            prefix: "",
            outlook: Outlook::default(),
            trials: None,
            extra: Extra::default(),
            ephemeral: &PortSet::new(),
        });
        assert_eq!(helpful(&found), ["widen_port_range"]);
    }
}
