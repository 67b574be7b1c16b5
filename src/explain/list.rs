//! The list of topics: in short by names, or a line each; what a search found.

use std::io::{self, Write};

use serde::Serialize;

use super::pages;
use super::topics::{self, Group, Topic};
use crate::output::{Report, Style, csv_rows, described, ndjson_rows, wrapped};

/// Topics; the JSON of docs/schema/explain_list.json.
#[derive(Clone, Debug, Serialize)]
pub struct ListReport {
    schema: &'static str,
    /// What was looked for.
    pub search: Option<String>,
    /// The topics.
    pub topics: Vec<Entry>,
    #[serde(skip)]
    form: Form,
}

/// How a list is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Names alone, but for the guides.
    Names,
    /// A line each.
    Lines,
}

/// A topic in the list.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub topic: String,
    /// Its group.
    pub group: &'static str,
    /// Other names.
    pub aliases: Vec<String>,
    /// What it is, in one sentence.
    pub summary: &'static str,
    /// Where the word that was looked for stands; `None` where none was.
    pub found: Option<String>,
}

impl Entry {
    /// Of `topic`, where `found` was found.
    pub fn new(topic: &Topic, found: Option<String>) -> Self {
        Self {
            topic: topic.name.clone().into_owned(),
            group: topic.group().name(),
            aliases: topic.aliases(),
            summary: pages::summary(topic),
            found,
        }
    }
}

/// Every topic, or those of `group`; `is_full` for a line each.
pub fn list(group: Option<Group>, is_full: bool) -> ListReport {
    let wanted = topics::all().filter(|topic| group.is_none_or(|group| topic.group() == group));
    let topics = wanted.map(|topic| Entry::new(&topic, None)).collect();
    let form = if is_full { Form::Lines } else { Form::Names };
    ListReport::new(None, topics, form)
}

impl ListReport {
    /// Of `topics`.
    pub fn new(search: Option<String>, topics: Vec<Entry>, form: Form) -> Self {
        Self { schema: "netkit.explain_list/1", search, topics, form }
    }

    fn of(&self, group: Group) -> Vec<&Entry> {
        self.topics.iter().filter(|it| it.group == group.name()).collect()
    }
}

impl Report for ListReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut parts = Vec::new();
        for group in Group::ALL {
            let entries = self.of(group);
            if entries.is_empty() {
                continue;
            }
            let title = style.title(group.title());
            let body = match self.form {
                Form::Names if group != Group::Guides => names(group, &entries, style.width),
                Form::Names | Form::Lines => lines(&entries, style.width),
            };
            parts.push(format!("{title}\n{body}"));
        }
        if self.topics.is_empty() {
            let word = self.search.as_deref().unwrap_or_default();
            parts.push(format!("no page has `{}`\n", crate::output::sanitize(word)));
        }
        if self.form == Form::Names {
            let text = "`netkit explain TOPIC` explains one, `--list` says what each is, `--search WORD` \
                        looks into all";
            parts.push(format!("{}\n", wrapped("", text, style.width)));
        }
        out.write_all(parts.join("\n").as_bytes())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(["topic", "group", "summary", "found"])?;
            let mut topics = self.topics.iter();
            topics.try_for_each(|it| csv.serialize((&it.topic, it.group, it.summary, &it.found)))
        })
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.topics)
    }

    fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        for it in &self.topics {
            writeln!(out, "- `{}`: {}", it.topic, it.found.as_deref().unwrap_or(it.summary))?;
        }
        Ok(())
    }
}

/// The names beside each other. Those of settings by their last part, where that is enough to name
/// them.
fn names(group: Group, entries: &[&Entry], width: u16) -> String {
    let is_one =
        |short: &String| entries.iter().filter(|it| it.aliases.first() == Some(short)).count() == 1;
    let short = |entry: &&Entry| match (group, entry.aliases.first()) {
        (Group::Sysctls, Some(short)) if is_one(short) => short.clone(),
        _ => entry.topic.clone(),
    };
    let names: Vec<_> = entries.iter().map(short).collect();
    format!("{}\n", wrapped("  ", &names.join(", "), width))
}

fn lines(entries: &[&Entry], width: u16) -> String {
    let text = |entry: &Entry| entry.found.clone().unwrap_or_else(|| entry.summary.to_owned());
    let pairs: Vec<_> = entries.iter().map(|it| (it.topic.as_str(), text(it))).collect();
    described(&pairs, width)
}
