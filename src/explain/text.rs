//! A page for people, as wide as the terminal and readable at 40 columns.

use super::page::{Command, Page, Section};
use crate::output::{
    Align, Column, Style, described, last_column, render_fitting, render_listed, sanitize, wrapped,
};

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: u16 = 100;
/// What words beside something else need.
const WORDS: usize = 24;
/// In how many lines a table's last column may be broken.
const LINES: usize = 3;

/// The page as lines.
pub fn page(page: &Page, style: Style) -> String {
    let style = Style { width: style.width.min(WIDEST), ..style };
    let kind = page.kind.map(|kind| format!("{kind}: ")).unwrap_or_default();
    let mut text = format!("{}\n", style.title(&page.topic));
    text.push_str(&wrapped("", &format!("{kind}{}", page.summary), style.width));
    text.push('\n');
    for part in parts(page, style) {
        text.push('\n');
        text.push_str(&part);
    }
    let end = ending(page, style.width);
    let is_list = matches!(page.sections.last(), Some(Section::Facts { heading: None, .. }));
    if !(end.is_empty() || is_list && page.commands.is_empty()) {
        text.push('\n');
    }
    text.push_str(&end);
    text
}

/// What stands between the summary and the end, with an empty line between. What is so now stands
/// behind what it is, before all else.
fn parts(page: &Page, style: Style) -> Vec<String> {
    let mut parts: Vec<_> = page.sections.iter().map(|part| section(part, style)).collect();
    if !page.live.is_empty() && !has_now(page) {
        let live: Vec<_> =
            page.live.iter().map(|it| (it.name.clone(), it.text().to_owned())).collect();
        let now = format!("{}{}", heading("Now", style), described(&safe(&live), style.width));
        parts.insert(parts.len().min(1), now);
    }
    if !page.commands.is_empty() {
        parts.push(format!("{}{}", heading("Commands", style), commands(&page.commands, style)));
    }
    parts
}

fn has_now(page: &Page) -> bool {
    let mut pieces = page.sections.iter().flat_map(Section::words);
    pieces.any(|(name, _)| name == "now")
}

fn section(section: &Section, style: Style) -> String {
    let head = section.heading().map(|it| heading(it, style)).unwrap_or_default();
    let body = match section {
        Section::Text { heading, text } => {
            let lead = if heading.is_some() { "  " } else { "" };
            format!("{}\n", wrapped(lead, text, style.width))
        }
        Section::List { ordered, items, .. } => list(items, *ordered, style.width),
        Section::Facts { facts, .. } => {
            let pairs: Vec<_> = facts.iter().map(|it| (it.name.clone(), it.text.clone())).collect();
            described(&safe(&pairs), style.width)
        }
        Section::Table { columns, rows, .. } => table(columns, rows, style.width),
        Section::Diagram { lines, .. } => diagram(lines, style.width),
    };
    format!("{head}{body}")
}

fn heading(text: &str, style: Style) -> String {
    lines(wrapped("", text, style.width).lines().map(|line| style.title(line)))
}

fn list(items: &[String], ordered: bool, width: u16) -> String {
    let lead =
        |index: usize| if ordered { format!("  {}  ", index + 1) } else { "  - ".to_owned() };
    let items = items.iter().enumerate();
    lines(items.map(|(index, item)| wrapped(&lead(index), item, width)))
}

/// Columns where they fit; else each row below the other, the first cell above the rest.
fn table(titles: &[&'static str], rows: &[Vec<String>], width: u16) -> String {
    let columns: Vec<Column> = titles.iter().map(|title| (*title, Align::Left)).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| sanitize(cell)).collect()).collect();
    let (room, widest) = last_column(&columns, &rows, width);
    if widest <= room.saturating_mul(LINES) {
        render_fitting(&columns, rows, width)
    } else {
        render_listed(&columns, &rows, width)
    }
}

/// The drawing, where it fits.
fn diagram(drawn: &[String], width: u16) -> String {
    let needed = drawn.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    if needed > usize::from(width) {
        let text = format!("(the drawing needs {needed} columns; the table below says the same)");
        return lines([wrapped("", &text, width)]);
    }
    lines(drawn.iter().cloned())
}

/// Pieces in lines of their own.
pub fn lines(pieces: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for piece in pieces {
        text.push_str(&piece);
        text.push('\n');
    }
    text
}

fn commands(commands: &[Command], style: Style) -> String {
    let pairs: Vec<_> = commands.iter().map(|it| (it.line.clone(), it.shows.clone())).collect();
    let longest = pairs.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    if longest + WORDS + 3 > usize::from(style.width) {
        let below = |(line, shows): &(String, String)| {
            format!(
                "{}\n{}\n",
                wrapped("  ", line, style.width),
                wrapped("    ", shows, style.width)
            )
        };
        return pairs.iter().map(below).collect();
    }
    let beside = |(line, shows): &(String, String)| {
        format!("{}\n", wrapped(&format!("  {line:<longest$}  "), shows, style.width))
    };
    pairs.iter().map(beside).collect()
}

/// Other topics, and the sources.
fn ending(page: &Page, width: u16) -> String {
    let mut pairs = Vec::new();
    if !page.see_also.is_empty() {
        pairs.push(("see also", page.see_also.join(", ")));
    }
    if !page.sources.is_empty() {
        pairs.push(("sources", page.sources.join("; ")));
    }
    described(&pairs, width)
}

/// Values come from the system: what could harm a terminal is made visible.
fn safe(pairs: &[(String, String)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| (name.clone(), sanitize(text))).collect()
}
