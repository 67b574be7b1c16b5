//! What of the client's command line does not go together.

use super::{Args, SIZE};
use crate::echo::address::Carrier;
use crate::echo::client::quote::quoted;
use crate::echo::client::target::Target;
use crate::echo::datagram::HEADER;
use crate::echo::transform::Transform;
use crate::model::Family;
use crate::output::Format;
use crate::output::numbers::thousands;

/// Messages that may be under way at once: each takes memory while it is.
const MOST_UNDER_WAY: u64 = 10_000_000;
/// The most bytes of UDP over IPv4, and of a Unix datagram here.
const DATAGRAM_MAX: usize = 65_507;

impl Args {
    /// What of -4, -6 and --source does not go together, with each other or with the target.
    pub(super) fn wrong_with_family(&self, target: &Target) -> Option<String> {
        let text = &self.target;
        if !matches!(target.carrier, Carrier::Tcp | Carrier::Udp) {
            let given = [(self.ipv4, "-4"), (self.ipv6, "-6"), (self.source.is_some(), "--source")];
            let wrong = given.into_iter().find(|(is_given, _)| *is_given);
            return wrong.map(|(_, name)| format!("{name} is not for a Unix socket: leave it out"));
        }
        let wanted = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::Ipv4),
            (_, true) => Some(Family::Ipv6),
            (false, false) => None,
        };
        if let Some(problem) = wanted.zip(target.ip()).and_then(|(it, ip)| it.leaves_out(ip)) {
            return Some(format!("`{text}`: {problem}"));
        }
        let source = self.source?;
        if let Some(problem) = wanted.and_then(|family| family.leaves_out(source)) {
            return Some(format!("--source {source}: {problem}"));
        }
        let is_foreign = target.ip().is_some_and(|ip| ip.is_ipv4() != source.is_ipv4());
        is_foreign.then(|| {
            format!(
                "--source {source} is an address of another family than `{text}`: give one of its"
            )
        })
    }

    pub(super) fn load_option(&self) -> Option<&'static str> {
        let given = [
            (self.connections.is_some(), "--connections"),
            (self.count.is_some(), "--count"),
            (self.duration.is_some(), "--duration"),
            (self.rate.is_some(), "--rate"),
            (self.size.is_some(), "--size"),
            (self.pipeline.is_some(), "--pipeline"),
            (self.reconnect, "--reconnect"),
            (self.close.is_some(), "--close"),
            (self.connect_rate.is_some(), "--connect-rate"),
            (self.warmup.is_some(), "--warmup"),
            (self.interval.is_some(), "--interval"),
            (self.max_p99.is_some(), "--max-p99"),
            (self.max_loss.is_some(), "--max-loss"),
            (self.min_rate.is_some(), "--min-rate"),
        ];
        given.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// What a stream from standard input, which goes there and comes back as it is, does not take.
    pub fn wrong_with_stream(&self, carrier: Carrier, format: Format) -> Option<String> {
        let name = match (self.no_newline, format) {
            (true, _) => "--no-newline",
            (false, Format::Table) => return self.wrong_with_reverse(carrier, "a stream has"),
            (false, _) => "--format",
        };
        Some(format!(
            "{name} is for messages and loads: standard input is streamed as it is, and so is what comes \
             back\nhint: a message comes after the target: netkit echo client {} hello",
            self.target
        ))
    }

    /// What a prompt, which is for people, does not take.
    pub fn wrong_with_prompt(&self, format: Format) -> Option<String> {
        (format != Format::Table).then(|| {
            format!(
                "--format is for messages and loads: a prompt shows replies to who types\nhint: a message \
                 comes after the target: netkit echo client {} hello",
                self.target
            )
        })
    }

    /// What follows without a pause cannot be judged in reverse.
    fn wrong_with_reverse(&self, carrier: Carrier, has: &str) -> Option<String> {
        let is_wrong = self.transform == Transform::Reverse && !carrier.keeps_messages();
        is_wrong.then(|| {
            format!(
                "--transform reverse: {has} no end of a message, from which it could be turned round; \
                 upper, lower and rot13 can be judged"
            )
        })
    }

    /// What does not go together.
    pub fn contradiction(&self, carrier: Carrier, format: Format) -> Option<String> {
        let option = self.load_option();
        if let (Some(option), Some(message)) = (option, self.messages.first()) {
            return Some(format!(
                "{option} is a load, which makes its own messages: leave out {}, or {option}",
                quoted(&message.to_string_lossy())
            ));
        }
        option?;
        let (connections, pipeline) = (self.connections.unwrap_or(1), self.pipeline.unwrap_or(1));
        if connections.saturating_mul(pipeline) > MOST_UNDER_WAY {
            let most = thousands(MOST_UNDER_WAY);
            return Some(format!(
                "--connections {} times --pipeline {} is more than the {most} messages that can be under \
                 way at once: give less of one",
                thousands(connections),
                thousands(pipeline)
            ));
        }
        if self.no_newline {
            return Some(
                "--no-newline is for messages; those of a load have no line's end: leave it out"
                    .to_owned(),
            );
        }
        if self.reconnect && self.connect_rate.is_some() {
            return Some(
                "--connect-rate paces the connections that are opened before the load, and with --reconnect \
                 there are none: --rate paces those that each message makes"
                    .to_owned(),
            );
        }
        if self.interval.is_some() && format != Format::Ndjson {
            return Some(
                "--interval is for --format ndjson, which has a row for each: give that too"
                    .to_owned(),
            );
        }
        if carrier.keeps_messages() {
            return self.wrong_with_datagrams(carrier);
        }
        self.wrong_with_reverse(carrier, "a load of a stream has")
    }

    fn wrong_with_datagrams(&self, carrier: Carrier) -> Option<String> {
        let (shortest, longest) = self.size.unwrap_or(SIZE);
        if shortest < HEADER {
            return Some(format!(
                "--size {shortest}: a datagram of a load has a head of {HEADER} bytes, which says \
                 which it is: write {HEADER} or more"
            ));
        }
        if longest > DATAGRAM_MAX {
            let (longest, most) = (thousands_of(longest), thousands_of(DATAGRAM_MAX));
            return Some(format!("--size: a datagram has {most} bytes at most, and not {longest}"));
        }
        if self.transform != Transform::None {
            return Some("--transform: in a load, datagrams come back as they were".to_owned());
        }
        let streams_alone = [
            (self.reconnect, "--reconnect"),
            (self.connect_rate.is_some(), "--connect-rate"),
            (self.close.is_some(), "--close"),
        ];
        let wrong = streams_alone.into_iter().find(|(is_given, _)| *is_given);
        wrong.map(|(_, name)| {
            format!(
                "{name} is for connections, of TCP or unix:PATH, and {} has none here: leave it out",
                carrier.name()
            )
        })
    }
}

fn thousands_of(number: usize) -> String {
    thousands(u64::try_from(number).unwrap_or(u64::MAX))
}
