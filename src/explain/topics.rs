//! Every topic: a row of a catalogue, or a page on many. Which one a word means, and which is most
//! like a word that means none.

use std::borrow::Cow;

use clap::ValueEnum;

use super::related::GUIDES;
use crate::catalogue::counters::{COUNTERS, CounterEntry};
use crate::catalogue::eai::{self, EAI, EaiEntry};
use crate::catalogue::errnos::{ALIASES, ERRNOS, ErrnoEntry, OK};
use crate::catalogue::findings::{FINDINGS, FindingEntry};
use crate::catalogue::layers::{LAYERS, Layer};
use crate::catalogue::sockets::{CALLS, FAMILIES, OPTIONS, SocketCall, SocketWord, TYPES};
use crate::catalogue::states::{STATES, StateEntry};
use crate::catalogue::sysctls::{self, SysctlEntry};
use crate::model::{StateClass, StateSet, SysctlKey};

/// The groups that topics are listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Pages on many things at once.
    Guides,
    /// States of a socket.
    States,
    /// Families, types, options and calls.
    Sockets,
    /// The layers of OSI.
    Layers,
    /// Error numbers.
    Errnos,
    /// Settings of the kernel.
    Sysctls,
    /// The kernel's counters.
    Counters,
    /// What netkit finds.
    Findings,
}

impl Group {
    /// Every group, in the order of the list.
    pub const ALL: [Self; 8] = [
        Self::Guides,
        Self::States,
        Self::Sockets,
        Self::Layers,
        Self::Errnos,
        Self::Sysctls,
        Self::Counters,
        Self::Findings,
    ];

    /// Its word on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guides => "guides",
            Self::States => "states",
            Self::Sockets => "sockets",
            Self::Layers => "layers",
            Self::Errnos => "errnos",
            Self::Sysctls => "sysctls",
            Self::Counters => "counters",
            Self::Findings => "findings",
        }
    }

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Guides => "Guides",
            Self::States => "TCP states",
            Self::Sockets => "Sockets: families, types, options, calls",
            Self::Layers => "Layers",
            Self::Errnos => "Error numbers and name lookups",
            Self::Sysctls => "Settings of the kernel",
            Self::Counters => "The kernel's counters",
            Self::Findings => "Findings of netkit",
        }
    }
}

/// What a topic is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A guide, by its name.
    Guide(&'static str),
    /// A state.
    State(&'static StateEntry),
    /// A family, type or option; the word says which.
    Word(&'static SocketWord, &'static str),
    /// A call.
    Call(&'static SocketCall),
    /// A layer.
    Layer(&'static Layer),
    /// An error number.
    Errno(&'static ErrnoEntry),
    /// An error of getaddrinfo(3).
    Eai(&'static EaiEntry),
    /// A setting.
    Sysctl(&'static SysctlEntry),
    /// A counter.
    Counter(&'static CounterEntry),
    /// A finding.
    Finding(&'static FindingEntry),
}

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name, which means it alone when it is written exactly so.
    pub name: Cow<'static, str>,
    /// What it is about.
    pub subject: Subject,
}

/// Every topic, group by group.
pub fn all() -> impl Iterator<Item = Topic> {
    let guides = GUIDES.iter().map(|(name, _, _)| topic(*name, Subject::Guide(name)));
    let states = STATES.iter().map(|it| topic(it.class.name(), Subject::State(it)));
    let words =
        [(&FAMILIES[..], "address family"), (&TYPES, "socket type"), (&OPTIONS, "socket option")];
    let words = words.into_iter().flat_map(|(words, kind)| {
        words.iter().map(move |it| topic(it.name, Subject::Word(it, kind)))
    });
    let calls = CALLS.iter().map(|it| topic(it.name, Subject::Call(it)));
    let layers = LAYERS.iter().map(|it| topic(format!("layer-{}", it.number), Subject::Layer(it)));
    let errnos = [&OK].into_iter().chain(&ERRNOS).map(|it| topic(it.1, Subject::Errno(it)));
    let lookups = EAI.iter().map(|it| topic(it.1, Subject::Eai(it)));
    let sysctls = sysctls::all().map(|it| topic(it.key, Subject::Sysctl(it)));
    let counters = COUNTERS.iter().map(|it| topic(it.name, Subject::Counter(it)));
    let findings = FINDINGS.iter().map(|it| topic(it.id, Subject::Finding(it)));
    let network = guides.chain(states).chain(words).chain(calls).chain(layers);
    network.chain(errnos).chain(lookups).chain(sysctls).chain(counters).chain(findings)
}

fn topic(name: impl Into<Cow<'static, str>>, subject: Subject) -> Topic {
    Topic { name: name.into(), subject }
}

/// The topics that `word` means: one, or those that are told apart by capitals alone, where it is
/// written like none of them. Empty if it means none.
pub fn find(word: &str) -> Vec<Topic> {
    let folded = fold(word);
    let mut found: Vec<Topic> = Vec::new();
    let mut best = Likeness::Alias;
    for topic in all() {
        let Some(likeness) = topic.likeness(word, &folded) else { continue };
        if found.is_empty() || likeness < best {
            found.clear();
            best = likeness;
        }
        if likeness == best {
            found.push(topic);
        }
    }
    found
}

/// Names are alike from here on, of 0 to 1 (Jaro and Winkler).
const LIKE: f64 = 0.87;
/// Fewer letters are part of too many names.
const PART: usize = 5;

/// The names most like `word`, the most like first; at most three.
pub fn near(word: &str) -> Vec<String> {
    let folded = fold(word);
    let score = |topic: &Topic| {
        let names = topic.aliases().into_iter().chain([topic.name.to_string()]);
        let likeness = |name: String| {
            let name = fold(&name);
            // A part of a name, such as a setting's without its beginning, is as good as a slip.
            let is_part = folded.len() >= PART && name.contains(&folded);
            strsim::jaro_winkler(&name, &folded).max(if is_part { LIKE + 0.01 } else { 0.0 })
        };
        names.map(likeness).fold(0.0, f64::max)
    };
    let mut scored: Vec<_> = all().map(|topic| (score(&topic), topic)).collect();
    scored.retain(|(score, _)| *score > LIKE);
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored.into_iter().take(3).map(|(_, topic)| topic.name.into_owned()).collect()
}

/// How a word means a topic, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// It is the name.
    Name,
    /// It is another name.
    ExactAlias,
    /// It is the name but for capitals, `-` and `_`.
    Folded,
    /// It is another name but for those, or a form that the kernel's tools have.
    Alias,
}

impl Topic {
    /// The group that it is listed in.
    pub fn group(&self) -> Group {
        match self.subject {
            Subject::Guide(_) => Group::Guides,
            Subject::State(_) => Group::States,
            Subject::Word(..) | Subject::Call(_) => Group::Sockets,
            Subject::Layer(_) => Group::Layers,
            Subject::Errno(_) | Subject::Eai(_) => Group::Errnos,
            Subject::Sysctl(_) => Group::Sysctls,
            Subject::Counter(_) => Group::Counters,
            Subject::Finding(_) => Group::Findings,
        }
    }

    /// Other names of it.
    pub fn aliases(&self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match self.subject {
            Subject::Guide(guide) => {
                let aliases = GUIDES.iter().find(|(name, _, _)| *name == guide);
                aliases.map(|(_, aliases, _)| owned(aliases)).unwrap_or_default()
            }
            Subject::State(_) | Subject::Word(..) | Subject::Finding(_) => Vec::new(),
            Subject::Call(it) => vec![format!("{}()", it.name), format!("{}(2)", it.name)],
            Subject::Layer(it) => vec![it.name.to_owned(), format!("{} layer", it.name)],
            Subject::Errno((number, name, text)) => {
                let others = ALIASES.iter().filter(|(_, known)| known == name);
                let success = (*number == 0).then(|| "success".to_owned());
                [number.to_string()]
                    .into_iter()
                    .chain(success)
                    .chain(others.map(|(it, _)| (*it).to_owned()))
                    .chain((*number != 0).then(|| (*text).to_owned()))
                    .collect()
            }
            Subject::Eai((number, _, _)) => {
                let texts = eai::TEXTS.iter().filter(|(it, _)| it == number);
                let texts = texts.map(|(_, text)| (*text).to_owned());
                [number.to_string()].into_iter().chain(texts).collect()
            }
            Subject::Sysctl(it) => {
                let short = it.key.rsplit('.').next().unwrap_or(it.key);
                vec![short.to_owned(), it.key.replace('.', "/")]
            }
            Subject::Counter(it) => {
                let table = it.table.name();
                vec![format!("{table}{}", it.name), format!("{table}.{}", it.name)]
            }
        }
    }

    fn likeness(&self, word: &str, folded: &str) -> Option<Likeness> {
        if self.name == word {
            return Some(Likeness::Name);
        }
        let aliases = self.aliases();
        if aliases.iter().any(|alias| alias == word) {
            Some(Likeness::ExactAlias)
        } else if fold(&self.name) == folded {
            Some(Likeness::Folded)
        } else {
            let is_alias = aliases.iter().any(|alias| fold(alias) == folded);
            (is_alias || self.is_written(word)).then_some(Likeness::Alias)
        }
    }

    /// Whether `word` is a spelling of it that another part of netkit knows.
    fn is_written(&self, word: &str) -> bool {
        match self.subject {
            Subject::State(it) => match it.class {
                StateClass::State(state) => word.parse() == Ok(StateSet::only(state)),
                StateClass::FinWait2Mini | StateClass::UdpUnconnected => false,
            },
            Subject::Sysctl(it) => {
                word.contains('/')
                    && SysctlKey::parse(word).is_ok_and(|key| key.to_string() == it.key)
            }
            Subject::Guide(_)
            | Subject::Word(..)
            | Subject::Call(_)
            | Subject::Layer(_)
            | Subject::Errno(_)
            | Subject::Eai(_)
            | Subject::Counter(_)
            | Subject::Finding(_) => false,
        }
    }
}

/// `TIME_WAIT`, `time-wait` and `Time Wait` are one word.
fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(word: &str) -> Vec<String> {
        find(word).into_iter().map(|topic| topic.name.into_owned()).collect()
    }

    #[test]
    fn every_name_means_its_own_topic_and_no_other() {
        for topic in all() {
            assert_eq!(names(&topic.name), [topic.name.clone().into_owned()]);
        }
    }

    #[test]
    fn spellings_of_a_topic_are_one() {
        for word in ["TIME_WAIT", "time-wait", "TIME-WAIT", "timewait", "Time Wait"] {
            assert_eq!(names(word), ["TIME_WAIT"], "{word}");
        }
        for word in ["111", "econnrefused", "ECONNREFUSED"] {
            assert_eq!(names(word), ["ECONNREFUSED"], "{word}");
        }
        for word in ["Connection refused", "connection refused"] {
            assert_eq!(names(word), ["ECONNREFUSED"], "{word}");
        }
        assert_eq!(names("Name or service not known"), ["EAI_NONAME"]);
        for word in ["EWOULDBLOCK", "11", "eagain"] {
            assert_eq!(names(word), ["EAGAIN"], "{word}");
        }
        for word in
            ["tcp_tw_reuse", "net.ipv4.tcp_tw_reuse", "net/ipv4/tcp_tw_reuse", "TCP-TW-REUSE"]
        {
            assert_eq!(names(word), ["net.ipv4.tcp_tw_reuse"], "{word}");
        }
        assert_eq!(names("/proc/sys/net/core/somaxconn"), ["net.core.somaxconn"]);
        assert_eq!(names("estab"), ["ESTABLISHED"]);
        assert_eq!(names("TcpExtTWRecycled"), ["TWRecycled"]);
        assert_eq!(names("connect(2)"), ["connect"]);
        assert_eq!(names("transport"), ["layer-4"]);
    }

    #[test]
    fn capitals_tell_a_state_from_a_call() {
        assert_eq!(names("LISTEN"), ["LISTEN"]);
        assert_eq!(names("listen"), ["listen"]);
        assert_eq!(names("Listen"), ["LISTEN", "listen"]);
        assert_eq!((names("TW"), names("tw")), (vec!["TW".to_owned()], vec!["tw".to_owned()]));
    }

    #[test]
    fn a_near_miss_is_suggested_and_nonsense_is_not() {
        assert_eq!(near("TIMEWIAT").first().map(String::as_str), Some("TIME_WAIT"));
        assert_eq!(near("ECONNREFUSD").first().map(String::as_str), Some("ECONNREFUSED"));
        assert_eq!(near("fin_timeout"), ["net.ipv4.tcp_fin_timeout"]);
        assert_eq!(near("qqqq"), Vec::<String>::new());
        assert_eq!(names("4711"), Vec::<String>::new());
    }
}
