//! Pages in their formats: the JSON of docs/schema/explain.json, CSV, and what `text` and `markdown`
//! make of them.

use std::io::{self, Write};

use serde::Serialize;

use super::page::{Page, Section};
use super::{markdown, text};
use crate::output::{Report, Style, csv_rows, ndjson_rows};

/// The name and version of the JSON.
const SCHEMA: &str = "netkit.explain/1";

/// What was explained.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainReport {
    schema: &'static str,
    captured_at: String,
    topics: Vec<Page>,
    warnings: Vec<String>,
    /// What stands above all pages, where they are those of a group.
    #[serde(skip)]
    title: Option<&'static str>,
}

impl ExplainReport {
    /// Of `pages`, made at `captured_at`.
    pub fn new(
        captured_at: String,
        title: Option<&'static str>,
        topics: Vec<Page>,
        warnings: Vec<String>,
    ) -> Self {
        Self { schema: SCHEMA, captured_at, topics, warnings, title }
    }
}

impl Report for ExplainReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let pages: Vec<_> = self.topics.iter().map(|page| text::page(page, style)).collect();
        out.write_all(pages.join("\n\n").as_bytes())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(["topic", "part", "name", "text"])?;
            self.topics.iter().flat_map(rows).try_for_each(|row| csv.write_record(row))
        })
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.topics)
    }

    fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(title) = self.title {
            writeln!(out, "# {title}\n")?;
        }
        let pages: Vec<_> = self.topics.iter().map(markdown::page).collect();
        out.write_all(pages.join("\n").as_bytes())
    }
}

/// Everything that a page says, a piece a row: topic, part, name, text.
fn rows(page: &Page) -> Vec<[String; 4]> {
    let row = |part: &str, name: &str, text: &str| {
        [page.topic.as_str(), part, name, text].map(str::to_owned)
    };
    let mut rows = vec![row("summary", "", &page.summary)];
    let live = page.live.iter();
    rows.extend(live.map(|it| row("live", &it.name, it.value.as_deref().unwrap_or(""))));
    for section in &page.sections {
        let part = section.heading().unwrap_or(kind(section));
        rows.extend(section.words().iter().map(|(name, text)| row(part, name, text)));
    }
    rows.extend(page.commands.iter().map(|it| row("commands", &it.line, &it.shows)));
    rows.extend(page.see_also.iter().map(|name| row("see also", name, "")));
    rows.extend(page.sources.iter().map(|source| row("sources", "", source)));
    rows
}

fn kind(section: &Section) -> &'static str {
    match section {
        Section::Text { .. } => "text",
        Section::List { .. } => "list",
        Section::Facts { .. } => "facts",
        Section::Table { .. } => "table",
        Section::Diagram { .. } => "diagram",
    }
}
