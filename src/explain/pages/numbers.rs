//! The pages of what the kernel and netkit call by a name or a number: errnos, settings, counters,
//! findings.

use crate::catalogue::connect_errnos::ConnectErrno;
use crate::catalogue::counters::CounterEntry;
use crate::catalogue::eai::EaiEntry;
use crate::catalogue::errnos::{ALIASES, ErrnoEntry};
use crate::catalogue::findings::{self, FindingEntry};
use crate::catalogue::sysctls::SysctlEntry;
use crate::catalogue::{bind_errnos, connect_errnos, errnos, sockets};
use crate::explain::live::Now;
use crate::explain::page::{Command, Fact, Page, Section};

/// The page of an error number.
pub(super) fn errno((number, name, text): &ErrnoEntry) -> Page {
    let mut facts = vec![("number", number.to_string())];
    let others = ALIASES.iter().filter(|(_, known)| known == name);
    facts.extend(others.map(|(other, _)| ("also", (*other).to_owned())));
    if *number == 0 {
        return no_error(facts, text);
    }
    let said = by_meaning(said_of(name));
    let mut page = Page {
        kind: Some("errno"),
        summary: (*text).to_owned(),
        sections: vec![Section::facts(facts)],
        sources: vec!["include/uapi/asm-generic/errno-base.h, errno.h".to_owned()],
        ..Page::default()
    };
    if said.is_empty() {
        let text = "none of the socket calls that netkit knows gives it".to_owned();
        page.sections.push(Section::Text { heading: None, text });
    } else {
        page.sections.push(Section::facts_of("What it says, by the call that gives it", said));
        page.sources
            .push("bind(2), connect(2), ip(7), unix(7), and the page of each call".to_owned());
    }
    let helps: Vec<_> = by_connect(name).filter(|(_, it)| !it.help.is_empty()).collect();
    if !helps.is_empty() {
        let helps = helps.into_iter().map(|(call, it)| (call, it.help));
        page.sections.push(Section::facts_of("What helps", helps));
        let line = "netkit connect HOST:PORT";
        page.commands
            .push(Command::new(line, "tells which of the causes it is, as far as can be seen"));
    }
    if bind_errnos::of_internet(name).or(bind_errnos::of_unix(name)).is_some() {
        page.commands.push(Command::new("netkit bind PORT", "why an address cannot be bound"));
    }
    page
}

/// The page of the number that is none of an error.
fn no_error(facts: Vec<(&str, String)>, text: &str) -> Page {
    let line = "netkit connect HOST:PORT --expect-reply";
    Page {
        kind: Some("no errno"),
        summary: text.to_owned(),
        sections: vec![Section::facts(facts), Section::facts_of("What it says", errnos::OK_SAYS)],
        commands: vec![Command::new(line, "whether the program there answers, too")],
        sources: vec!["errno(3), connect(2); include/uapi/asm-generic/errno-base.h".to_owned()],
        ..Page::default()
    }
}

/// What the catalogues of the calls say of an errno.
fn said_of(name: &str) -> impl Iterator<Item = (&'static str, String)> {
    let by_bind =
        [("bind", bind_errnos::of_internet(name)), ("bind Unix", bind_errnos::of_unix(name))];
    let by_bind = by_bind.into_iter().filter_map(|(call, it)| Some((call, it?.to_owned())));
    let by_connect = by_connect(name).map(|(call, it)| (call, it.meaning.to_owned()));
    let by_calls = sockets::errors(name).map(|(call, meaning)| (call.name, meaning.to_owned()));
    by_bind.chain(by_connect).chain(by_calls)
}

fn by_connect(name: &str) -> impl Iterator<Item = (&'static str, &'static ConnectErrno)> {
    let tables =
        [("connect", connect_errnos::internet(name)), ("connect Unix", connect_errnos::unix(name))];
    tables.into_iter().filter_map(|(call, it)| Some((call, it?)))
}

/// The page of an error of getaddrinfo(3).
pub(super) fn eai((number, _, meaning): &EaiEntry) -> Page {
    Page {
        kind: Some("name lookup"),
        summary: (*meaning).to_owned(),
        sections: vec![Section::facts([
            ("number", number.to_string()),
            (
                "given by",
                "getaddrinfo(3), before a packet goes to the service: no errno".to_owned(),
            ),
        ])],
        commands: vec![Command::new(
            "netkit connect HOST:PORT",
            "looks the name up, and says how that went",
        )],
        see_also: vec!["layer-7".to_owned()],
        sources: vec!["getaddrinfo(3); netdb.h".to_owned()],
        ..Page::default()
    }
}

/// The calls that mean the same, together.
fn by_meaning(said: impl Iterator<Item = (&'static str, String)>) -> Vec<(String, String)> {
    let mut together: Vec<(String, String)> = Vec::new();
    for (call, meaning) in said {
        match together.iter_mut().find(|(_, known)| *known == meaning) {
            Some((calls, _)) => *calls = format!("{calls}, {call}"),
            None => together.push((call.to_owned(), meaning)),
        }
    }
    together
}

/// The page of a setting: that of `netkit sysctl explain`.
pub(super) fn sysctl(entry: &'static SysctlEntry, now: &Now<'_>) -> Page {
    let (page, live) = now.setting(entry);
    let (_, summary) = page.title();
    let (sources, rest): (Vec<_>, Vec<_>) =
        page.paragraphs().into_iter().partition(|(name, _)| *name == "sources");
    let is_told = |name: &str| now.is_told() || name != "now";
    let facts = rest.into_iter().filter(|(name, _)| is_told(name));
    Page {
        summary: summary.to_owned(),
        live: live.into_iter().collect(),
        sections: vec![Section::facts(facts)],
        sources: sources.into_iter().map(|(_, text)| text).collect(),
        ..Page::default()
    }
}

/// The page of a counter.
pub(super) fn counter(entry: &CounterEntry, now: &Now<'_>) -> Page {
    let live = now.counter(entry.name);
    let mut facts = vec![
        ("where", format!("{} in /proc/net/{}", entry.table.head(), entry.table.file())),
        ("tells", entry.tells.to_owned()),
    ];
    facts.extend(live.iter().map(|it| ("now", it.text().to_owned())));
    facts.extend(entry.since.map(|since| ("since", format!("Linux {since} at the latest"))));
    Page {
        kind: Some("counter"),
        summary: entry.meaning.to_owned(),
        live: live.into_iter().collect(),
        sections: vec![Section::facts(facts)],
        commands: entry.look.map(|line| Command::new(line, "judges it")).into_iter().collect(),
        sources: vec![entry.source.to_owned()],
        ..Page::default()
    }
}

/// The page of a finding.
pub(super) fn finding(entry: &FindingEntry) -> Page {
    let about =
        if entry.about_destination { "a destination: there can be many" } else { "the whole" };
    let facts = vec![Fact { name: "about".to_owned(), text: about.to_owned() }];
    Page {
        kind: Some("finding"),
        summary: entry.meaning.to_owned(),
        sections: vec![Section::Facts { heading: None, facts }],
        commands: findings::maker(entry.id)
            .map(|line| Command::new(line, "finds it, with evidence and advice"))
            .into_iter()
            .collect(),
        sources: vec![entry.source.to_owned()],
        ..Page::default()
    }
}
