//! `netkit explain`: what a state, an errno, a setting, a counter, a finding or a call is, from the
//! tables that the other commands judge by.

mod args;
mod list;
mod live;
mod markdown;
mod page;
mod pages;
mod related;
mod report;
mod said;
mod search;
mod text;
pub mod topics;

pub use args::Args;
use live::Now;
use page::Page;
use report::ExplainReport;
use topics::Topic;

use crate::exit::Exit;
use crate::kernel::clock::now;
use crate::kernel::{KernelError, Place};
use crate::output::{Format, Outcome, Report, Screen, emit, sanitize};

/// Answers `args` for `place` on `screen`.
pub fn run(args: &Args, place: &Place, screen: &mut Screen<'_>) -> anyhow::Result<Outcome> {
    if let Some(word) = &args.search {
        if word.trim().is_empty() {
            let problem = "--search has no word to look for\nhint: netkit explain --search backlog";
            return Ok(Outcome { exit: Exit::Usage, messages: vec![problem.to_owned()] });
        }
        let found = search::search(word);
        let exit = if found.topics.is_empty() { Exit::Found } else { Exit::Fine };
        return show(&found, exit, Vec::new(), screen);
    }
    if args.list || (args.topics.is_empty() && args.group.is_none()) {
        return show(&list::list(args.group, args.list), Exit::Fine, Vec::new(), screen);
    }
    let topics = match wanted(args) {
        Ok(topics) => topics,
        Err(problem) => return Ok(Outcome { exit: Exit::Usage, messages: vec![problem] }),
    };
    let (pages, warnings) = if screen.format == Format::Markdown {
        (explained(&topics, &Now::untold()), Vec::new())
    } else {
        told(&topics, place)?
    };
    let said = warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    let title = args.group.map(topics::Group::title);
    let report = ExplainReport::new(now().to_string(), title, pages, warnings);
    let is_part = matches!(screen.format, Format::Json);
    show(&report, Exit::Fine, if is_part { Vec::new() } else { said }, screen)
}

fn show(
    report: &impl Report,
    exit: Exit,
    messages: Vec<String>,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    emit(report, screen.format, screen.style, screen.out)?;
    screen.out.flush()?;
    Ok(Outcome { exit, messages })
}

/// The topics that were asked for, each once; or what is wrong with a word.
fn wanted(args: &Args) -> Result<Vec<Topic>, String> {
    if let Some(group) = args.group {
        return Ok(topics::all().filter(|topic| topic.group() == group).collect());
    }
    let mut wanted: Vec<Topic> = Vec::new();
    for word in &args.topics {
        let found = meant(word);
        let names: Vec<_> = found.iter().map(|it| it.name.as_ref()).collect();
        tracing::info!(word, topics = ?names, "looked for");
        if found.is_empty() {
            // An error's text is of several words.
            let joined = meant(&args.topics.join(" "));
            return if joined.is_empty() { Err(unknown(word)) } else { Ok(joined) };
        }
        for topic in found {
            if !wanted.iter().any(|known| known.name == topic.name) {
                wanted.push(topic);
            }
        }
    }
    Ok(wanted)
}

/// The topics of `word`, or of the error in it.
fn meant(word: &str) -> Vec<Topic> {
    let mut found = said::forms(word).into_iter().map(topics::find);
    found.find(|found| !found.is_empty()).unwrap_or_default()
}

/// That `word` is no topic, and what may have been meant.
fn unknown(word: &str) -> String {
    if word.trim().is_empty() {
        return "the topic is empty\nhint: netkit explain --list".to_owned();
    }
    let group = topics::Group::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(word));
    if let Some(group) = group {
        let name = group.name();
        return format!(
            "`{name}` is a group of topics, and none itself\nhint: netkit explain --list --group {name}"
        );
    }
    let near: Vec<_> = topics::near(word).iter().map(|name| format!("`{name}`")).collect();
    let meant = match near.split_last() {
        None => String::new(),
        Some((only, [])) => format!(", did you mean {only}?"),
        Some((last, others)) => format!(", did you mean {} or {last}?", others.join(", ")),
    };
    let shown = sanitize(word);
    format!(
        "there is no topic `{shown}`{meant}\nhint: `netkit explain --list` has every topic, `--search \
         WORD` looks into the pages"
    )
}

/// The pages with what is so at `place`, and what could not be read there.
fn told(topics: &[Topic], place: &Place) -> Result<(Vec<Page>, Vec<String>), KernelError> {
    place.visit(|proc_root, warning| {
        let now = Now::at(proc_root);
        let pages = explained(topics, &now);
        (pages, warning.into_iter().chain(now.problems()).collect())
    })
}

fn explained(topics: &[Topic], now: &Now<'_>) -> Vec<Page> {
    topics.iter().map(|topic| pages::page(topic, now)).collect()
}
