//! The pages of what the kernel and netkit call by a name or a number: errnos, settings, counters,
//! findings.

use crate::catalogue::counters::CounterEntry;
use crate::catalogue::errnos::{ALIASES, ErrnoEntry};
use crate::catalogue::findings::{self, FindingEntry};
use crate::catalogue::sysctls::SysctlEntry;
use crate::catalogue::{bind_errnos, sockets};
use crate::explain::live::Now;
use crate::explain::page::{Command, Fact, Page, Section};

/// The page of an error number.
pub(super) fn errno((number, name, text): &ErrnoEntry) -> Page {
    let mut facts = vec![("number", number.to_string())];
    let others = ALIASES.iter().filter(|(_, known)| known == name);
    facts.extend(others.map(|(other, _)| ("also", (*other).to_owned())));
    let by_bind =
        [("bind", bind_errnos::of_internet(name)), ("bind Unix", bind_errnos::of_unix(name))];
    let by_bind = by_bind.into_iter().filter_map(|(call, it)| Some((call, it?.to_owned())));
    let by_calls = sockets::errors(name).map(|(call, meaning)| (call.name, meaning.to_owned()));
    let said = by_meaning(by_bind.chain(by_calls));
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
        page.sources.push("bind(2), ip(7), unix(7), and the page of each call".to_owned());
    }
    page
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
