//! `--layers`: the steps from the name to the application, and at which of them it stops. Pure.

use std::net::IpAddr;

use serde::Serialize;

use super::attempt::{Attempt, Destination, Stage};
use super::evidence::Evidence;
use super::outcome::Outcome;
use super::target::{Host, Target};
use crate::catalogue::errnos;
use crate::catalogue::layers::{STEPS, Step};
use crate::kernel::connecting::Step as Call;
use crate::kernel::neighbour::NeighbourState;
use crate::kernel::route::{Route, RouteKind};
use crate::model::Protocol;
use crate::output::numbers::short_duration;

/// How far a step is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is passed.
    Ok,
    /// It stops here.
    Stops,
    /// It is passed, or not needed, as far as can be seen.
    Unknown,
    /// It stopped before.
    NotReached,
}

/// A step and what was seen there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerStep {
    /// `name`, `address`, `link`, `route`, `neighbour`, `transport` or `application`.
    pub step: &'static str,
    /// The number of its OSI layer; of several, the lowest.
    pub osi: u8,
    /// Its layers, for people.
    #[serde(skip)]
    pub span: String,
    /// What is spoken there.
    pub protocols: Vec<&'static str>,
    /// How far it is passed.
    pub status: Status,
    /// What was seen.
    pub seen: String,
    /// What shows the same by hand.
    pub by_hand: String,
}

/// Walks from the name to the application.
pub fn walk(target: &Target, attempt: &Attempt, evidence: &Evidence) -> Vec<LayerStep> {
    let walk = Walk { target, attempt, evidence };
    let was_passed = attempt.outcome == Outcome::Connected
        || attempt.stage == Stage::Reply
        || (attempt.outcome == Outcome::Refused && attempt.icmp.is_none());
    let mut has_stopped = false;
    let mut steps = Vec::new();
    for step in &STEPS {
        let (mut status, seen) = walk.look(step.name);
        // What answers was reached, whatever a table says of the way.
        if was_passed
            && status == Status::Stops
            && !["transport", "application"].contains(&step.name)
        {
            status = Status::Unknown;
        }
        if has_stopped {
            status = Status::NotReached;
        }
        has_stopped |= status == Status::Stops;
        steps.push(LayerStep {
            step: step.name,
            osi: step.layer,
            span: step.span(),
            protocols: walk.spoken(step.protocols),
            seen: if status == Status::NotReached { String::new() } else { seen },
            status,
            by_hand: walk.by_hand(step),
        });
    }
    steps
}

struct Walk<'a> {
    target: &'a Target,
    attempt: &'a Attempt,
    evidence: &'a Evidence,
}

impl Walk<'_> {
    fn look(&self, step: &str) -> (Status, String) {
        match step {
            "name" => self.name(),
            "address" => self.address(),
            "link" => self.link(),
            "route" => self.route(),
            "neighbour" => self.neighbour(),
            "transport" => self.transport(),
            _ => self.application(),
        }
    }

    /// The command of `step`, for this target; of the transport, it is for the host's own shell.
    fn by_hand(&self, step: &Step) -> String {
        let Target::Internet { protocol, host, port } = self.target else {
            return step.by_hand.to_owned();
        };
        let address = self.ip().map_or_else(|| host.to_string(), |ip| ip.to_string());
        let host = match host {
            Host::Ip(_) => address.clone(),
            Host::Name(name) => name.clone(),
        };
        let command = step.by_hand.replace("HOST", &host).replace("ADDRESS", &address);
        let command = command.replace("PORT", &port.to_string());
        let command = match protocol {
            Protocol::Tcp => command,
            Protocol::Udp => command.replace("ss -ltn", "ss -lun").replace("nc ", "nc -u "),
        };
        let is_there = step.name == "transport" && !self.evidence.is_here;
        if is_there { format!("{command}, there") } else { command }
    }

    /// Of a step's protocols, those of this target's family and transport.
    fn spoken(&self, all: &[&'static str]) -> Vec<&'static str> {
        let ip = self.ip();
        let is_v4 = ip.is_none_or(|ip| ip.is_ipv4());
        let is_v6 = ip.is_none_or(|ip| ip.is_ipv6());
        let is_tcp = self.target.protocol() == "tcp";
        let is_spoken = |name: &&&str| match **name {
            "IPv4" | "ARP" | "ICMP" => is_v4,
            "IPv6" | "NDP" | "ICMPv6" => is_v6,
            "TCP" => is_tcp,
            "UDP" => !is_tcp,
            _ => true,
        };
        all.iter().filter(is_spoken).copied().collect()
    }

    fn ip(&self) -> Option<IpAddr> {
        let ip = self.attempt.destination.as_ref().and_then(Destination::ip);
        ip.or_else(|| self.target.ip()).map(|ip| ip.to_canonical())
    }

    fn name(&self) -> (Status, String) {
        if self.attempt.stage == Stage::Resolve {
            return (Status::Stops, self.attempt.reason());
        }
        match (self.target, self.ip()) {
            (Target::Internet { host: Host::Name(name), .. }, Some(ip)) => {
                (Status::Ok, format!("{name} is {ip}"))
            }
            _ => (Status::Ok, "it is written as an address".to_owned()),
        }
    }

    fn address(&self) -> (Status, String) {
        let is_source = self.attempt.stage == Stage::Call(Call::Bind);
        if is_source || self.attempt.code == errnos::EADDRNOTAVAIL {
            return (Status::Stops, self.attempt.reason());
        }
        let route = self.evidence.route.as_ref().and_then(|it| it.as_ref().ok());
        let local = self.attempt.local.map(|it| it.ip()).or(route.and_then(|it| it.source));
        match local {
            Some(ip) => (Status::Ok, format!("from {}", ip.to_canonical())),
            None => (Status::Unknown, "no source address was chosen".to_owned()),
        }
    }

    fn link(&self) -> (Status, String) {
        let Some(name) = &self.evidence.interface else {
            let down = self.evidence.links_down().map(|it| format!("; {it}")).unwrap_or_default();
            return (Status::Unknown, format!("no interface was chosen{down}"));
        };
        match self.evidence.link {
            Some((false, _)) => (Status::Stops, format!("{name} is down")),
            Some((true, false)) => (Status::Stops, format!("{name} is up and has no carrier")),
            Some((true, true)) => (Status::Ok, format!("{name} is up")),
            None => (Status::Unknown, format!("{name}, of which nothing is known")),
        }
    }

    fn route(&self) -> (Status, String) {
        if let Some(forbidding) = self.evidence.forbidding() {
            return (Status::Stops, format!("{forbidding} of this machine covers it"));
        }
        match &self.evidence.route {
            None => (Status::Unknown, "it could not be asked for".to_owned()),
            Some(Err(errno)) => {
                let code = format!("{errno:?}");
                (Status::Stops, format!("the kernel says {code}: {}", errno.desc()))
            }
            Some(Ok(Route { kind: RouteKind::Local, .. })) => {
                (Status::Ok, "it is this machine".to_owned())
            }
            Some(Ok(Route { gateway: Some(gateway), .. })) => {
                (Status::Ok, format!("by way of {gateway}"))
            }
            Some(Ok(_)) => (Status::Ok, "on the link".to_owned()),
        }
    }

    fn neighbour(&self) -> (Status, String) {
        let Some((hop, state)) = self.evidence.neighbour else {
            let seen =
                if self.evidence.is_here { "none is needed" } else { "it could not be asked for" };
            return (Status::Unknown, seen.to_owned());
        };
        match state {
            NeighbourState::Known => (Status::Ok, format!("{hop} is known")),
            NeighbourState::Absent => (Status::Unknown, format!("{hop} was not asked for")),
            NeighbourState::Incomplete | NeighbourState::Failed => {
                (Status::Stops, format!("{hop} does not answer"))
            }
        }
    }

    fn transport(&self) -> (Status, String) {
        let attempt = self.attempt;
        match (attempt.outcome, attempt.stage) {
            (Outcome::Connected, _) => {
                let took = short_duration(crate::output::numbers::microseconds_of(attempt.elapsed));
                (Status::Ok, format!("{} answers, in {took}", self.port()))
            }
            // Of UDP nothing but an answer is known, which is the application's.
            (Outcome::TimedOut, Stage::Reply) if self.target.protocol() == "tcp" => {
                (Status::Ok, format!("{} answers", self.port()))
            }
            (Outcome::TimedOut, Stage::Reply) => {
                (Status::Unknown, "nothing came back, which UDP does not promise".to_owned())
            }
            _ => (Status::Stops, attempt.reason()),
        }
    }

    fn port(&self) -> String {
        match self.target {
            Target::Internet { port, .. } => format!("port {port}"),
            Target::Unix { .. } => "it".to_owned(),
        }
    }

    fn application(&self) -> (Status, String) {
        let attempt = self.attempt;
        match (&attempt.reply, attempt.stage) {
            (Some(reply), _) if reply.is_empty() => {
                (Status::Stops, "it closed without a word".to_owned())
            }
            (Some(reply), _) => {
                let length = crate::output::numbers::count(
                    u64::try_from(reply.len()).unwrap_or(u64::MAX),
                    "byte",
                );
                (Status::Ok, format!("it said {length}"))
            }
            (None, Stage::Reply) => (Status::Stops, attempt.reason()),
            (None, _) => (
                Status::Unknown,
                "it was not spoken to: --banner, or --send and --expect-reply".to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Errno;

    fn statuses(attempt: &Attempt, evidence: &Evidence) -> Vec<(&'static str, Status)> {
        let target = Target::parse("10.0.0.1:80").unwrap();
        walk(&target, attempt, evidence).iter().map(|it| (it.step, it.status)).collect()
    }

    fn attempt(outcome: Outcome, code: i32) -> Attempt {
        Attempt { outcome, code, ..Attempt::new(None) }
    }

    #[test]
    fn what_is_done_by_hand_is_for_this_target() {
        let by_hand = |text: &str, is_here| -> Vec<String> {
            let target = Target::parse(text).unwrap();
            let evidence = Evidence { is_here, ..Evidence::default() };
            let steps = walk(&target, &attempt(Outcome::Refused, 111), &evidence);
            let wanted = ["route", "transport", "application"];
            let steps = steps.into_iter().filter(|it| wanted.contains(&it.step));
            steps.map(|it| it.by_hand).collect()
        };
        assert_eq!(
            by_hand("10.0.0.1:80", false),
            ["ip route get 10.0.0.1", "ss -ltn, there", "nc 10.0.0.1 80"]
        );
        assert_eq!(
            by_hand("udp://[::1]:53", true),
            ["ip route get ::1", "ss -lun", "nc -u ::1 53"]
        );
    }

    #[test]
    fn it_stops_at_the_first_step_that_is_not_passed() {
        let unreachable = attempt(Outcome::Unreachable, 101);
        let no_route = Evidence { route: Some(Err(Errno::ENETUNREACH)), ..Evidence::default() };
        let steps = statuses(&unreachable, &no_route);
        assert_eq!(steps[3], ("route", Status::Stops));
        assert!(steps[4..].iter().all(|(_, it)| *it == Status::NotReached), "{steps:?}");

        let hop = "10.0.0.254".parse().unwrap();
        let route = Route {
            kind: RouteKind::Unicast,
            interface: Some(2),
            gateway: Some(hop),
            source: None,
        };
        let no_neighbour = Evidence {
            route: Some(Ok(route)),
            neighbour: Some((hop, NeighbourState::Failed)),
            ..Evidence::default()
        };
        let steps = statuses(&attempt(Outcome::Unreachable, 113), &no_neighbour);
        assert_eq!(steps[4], ("neighbour", Status::Stops));
    }

    #[test]
    fn a_route_or_rule_that_forbids_is_called_so() {
        let seen = |evidence: &Evidence| {
            let target = Target::parse("10.0.0.1:80").unwrap();
            let steps = walk(&target, &attempt(Outcome::Unreachable, 113), evidence);
            let route = steps.into_iter().find(|it| it.step == "route").unwrap();
            assert_eq!(route.status, Status::Stops);
            route.seen
        };
        let refused = |errno| Evidence { route: Some(Err(errno)), ..Evidence::default() };
        let route = seen(&refused(Errno::EHOSTUNREACH));
        assert_eq!(route, "an `unreachable` route of this machine covers it");
        assert!(seen(&refused(Errno::EACCES)).contains("a `prohibit` route or rule"));
        let nothing = refused(Errno::ENETUNREACH);
        assert!(seen(&nothing).contains("ENETUNREACH"));
        let by_rule = Evidence { rule: Some(99), ..nothing };
        assert!(seen(&by_rule).contains("rule 99, of type `unreachable`"));
        let stuck =
            Evidence { source: Some("127.0.0.1".parse().unwrap()), ..refused(Errno::EINVAL) };
        assert!(seen(&stuck).contains("EINVAL"), "no route is to blame");
    }

    #[test]
    fn who_answers_was_reached_whatever_the_tables_say() {
        let hop = "10.0.0.254".parse().unwrap();
        let stale =
            Evidence { neighbour: Some((hop, NeighbourState::Failed)), ..Evidence::default() };
        let steps = statuses(&attempt(Outcome::Connected, 0), &stale);
        assert_eq!((steps[4].1, steps[5].1), (Status::Unknown, Status::Ok));
        let steps = statuses(&attempt(Outcome::Refused, 111), &stale);
        assert_eq!((steps[5], steps[6].1), (("transport", Status::Stops), Status::NotReached));
    }
}
