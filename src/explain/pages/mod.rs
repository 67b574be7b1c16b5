//! From a row of a catalogue to its page; one file a catalogue. What is said here of a topic is said
//! in no catalogue: headings, and the order of things.

mod guides;
mod networks;
mod numbers;
mod sockets;
mod states;

use super::live::Now;
use super::page::{Command, Page};
use super::related;
use super::topics::{Subject, Topic};

/// The page of `topic`, with what is so `now`.
pub fn page(topic: &Topic, now: &Now<'_>) -> Page {
    let mut page = match topic.subject {
        Subject::Guide(name) => guides::guide(name, now),
        Subject::State(entry) => states::state(entry, now),
        Subject::Word(word, kind) => sockets::word(word, kind),
        Subject::Call(call) => sockets::call(call),
        Subject::Layer(layer) => networks::layer(layer),
        Subject::Errno(entry) => numbers::errno(entry),
        Subject::Eai(entry) => numbers::eai(entry),
        Subject::Sysctl(entry) => numbers::sysctl(entry, now),
        Subject::Counter(entry) => numbers::counter(entry, now),
        Subject::Finding(entry) => numbers::finding(entry),
    };
    for (line, shows) in related::commands(&topic.name) {
        page.commands.push(Command::new(line, shows));
    }
    for scenario in related::scenarios(&topic.name) {
        let line = format!("netkit lab run {scenario}");
        page.commands.push(Command::new(&line, "makes it, in a namespace of its own"));
    }
    for other in related::see_also(&topic.name) {
        if !page.see_also.contains(&other) {
            page.see_also.push(other);
        }
    }
    page.topic = topic.name.clone().into_owned();
    page.group = topic.group().name();
    page
}

/// What `topic` is in one sentence, without making its page.
pub fn summary(topic: &Topic) -> &'static str {
    match topic.subject {
        Subject::Guide(guide) => {
            let own = related::GUIDES.iter().find(|(name, _, _)| *name == guide);
            own.map_or("", |(_, _, about)| about)
        }
        Subject::State(it) => it.meaning,
        Subject::Word(it, _) => it.meaning,
        Subject::Call(it) => it.meaning,
        Subject::Layer(it) => it.meaning,
        Subject::Errno((_, _, text)) | Subject::Eai((_, _, text)) => text,
        Subject::Sysctl(it) => it.meaning,
        Subject::Counter(it) => it.meaning,
        Subject::Finding(it) => it.meaning,
    }
}
