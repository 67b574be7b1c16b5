//! A page as Markdown: the reference pages of docs/ are made of it.

use super::page::{Page, Section};
use super::text::lines;

/// The page under a heading of the second level.
pub fn page(page: &Page) -> String {
    let kind = page.kind.map(|kind| format!("{kind}: ")).unwrap_or_default();
    let mut text = format!("## {}\n\n{kind}{}\n", escaped(&page.topic), escaped(&page.summary));
    for part in &page.sections {
        text.push('\n');
        text.push_str(&section(part));
    }
    if !page.commands.is_empty() {
        text.push_str("\n### Commands\n\n");
        for it in &page.commands {
            text.push_str(&format!("- `{}`: {}\n", it.line, escaped(&it.shows)));
        }
    }
    text.push('\n');
    for (name, items) in [("See also", &page.see_also), ("Sources", &page.sources)] {
        if !items.is_empty() {
            text.push_str(&format!("{name}: {}\n\n", escaped(&items.join("; "))));
        }
    }
    format!("{}\n", text.trim_end())
}

fn section(section: &Section) -> String {
    let head = section.heading().map(|it| format!("### {}\n\n", escaped(it))).unwrap_or_default();
    let body = match section {
        Section::Text { text, .. } => format!("{}\n", escaped(text)),
        Section::List { ordered, items, .. } => {
            let mark = if *ordered { "1." } else { "-" };
            lines(items.iter().map(|item| format!("{mark} {}", escaped(item))))
        }
        Section::Facts { facts, .. } => {
            let facts = facts.iter();
            lines(facts.map(|it| format!("- **{}**: {}", escaped(&it.name), escaped(&it.text))))
        }
        Section::Table { columns, rows, .. } => table(columns, rows),
        Section::Diagram { lines, .. } => format!("```text\n{}\n```\n", lines.join("\n")),
    };
    format!("{head}{body}")
}

fn table(columns: &[&'static str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = line(columns.iter().map(|title| escaped(&title.to_lowercase())).collect());
    let rule = format!("|{}\n", "---|".repeat(columns.len()));
    let rows = rows.iter().map(|row| line(row.iter().map(|it| escaped(it)).collect()));
    format!("{head}{rule}{}", rows.collect::<String>())
}

/// `text` with what Markdown would read as its own escaped, but between backticks.
fn escaped(text: &str) -> String {
    let mut is_code = false;
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        is_code ^= c == '`';
        if c == '|' || (!is_code && matches!(c, '*' | '<' | '[' | ']' | '\\')) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_read_is_escaped_and_code_is_left() {
        assert_eq!(escaped("a*b <c> `x*y` p|q"), "a\\*b \\<c> `x*y` p\\|q");
        assert_eq!(escaped("[::]:80"), "\\[::\\]:80");
    }
}
