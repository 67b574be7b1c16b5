//! Tables for people: no frame, columns two apart, a heading that says what the numbers are.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

use super::wrap::{described, wrapped};

/// The least width of the last column: where the others leave less, the table is wider than asked.
const WORDS: u16 = 8;
/// What words beside other columns need to be read.
const READABLE: usize = 24;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column's heading and alignment.
pub type Column = (&'static str, Align);

/// The table as lines that end in no spaces, at most `width` columns wide where that can be.
pub fn render_table(columns: &[Column], rows: Vec<Vec<String>>, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(columns.iter().map(|(title, align)| cell(title, *align)));
    for row in rows {
        table.add_row(row.iter().zip(columns).map(|(text, (_, align))| cell(text, *align)));
    }
    // Addresses and numbers are never broken; the last column, of words, gives way.
    let last = columns.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((1, 0));
        let is_words = columns.get(index).is_some_and(|(_, align)| *align == Align::Left);
        column.set_constraint(if index == last && is_words {
            ColumnConstraint::LowerBoundary(Width::Fixed(WORDS))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The table where it fits and its last column can be read; else each row as a list.
pub fn render_fitting(columns: &[Column], rows: Vec<Vec<String>>, width: u16) -> String {
    let (room, widest) = last_column(columns, &rows, width);
    if room >= widest.min(READABLE) {
        render_table(columns, rows, width)
    } else {
        render_listed(columns, &rows, width)
    }
}

/// The room that the other columns leave to the last one, and its widest text.
pub fn last_column(columns: &[Column], rows: &[Vec<String>], width: u16) -> (usize, usize) {
    let widest = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.chain(columns.get(index).map(|(title, _)| title.chars().count())).max().unwrap_or(0)
    };
    let last = columns.len().saturating_sub(1);
    let others: usize = (0..last).map(|index| widest(index) + 1).sum();
    (usize::from(width).saturating_sub(others + 1), widest(last))
}

/// Each row below the other: its first cell, and below it the others, beside their headings.
pub fn render_listed(columns: &[Column], rows: &[Vec<String>], width: u16) -> String {
    let mut text = String::new();
    for row in rows {
        let mut cells = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let head = cells.next().map_or("", |(_, cell)| cell.as_str());
        let rest: Vec<_> = cells.map(|((title, _), cell)| (title.to_lowercase(), cell)).collect();
        text.push_str(&wrapped(" ", head, width));
        text.push('\n');
        text.push_str(&described(&rest, width));
    }
    text
}

fn cell(text: impl ToString, align: Align) -> Cell {
    Cell::new(text).set_alignment(match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_beside_each_other_stands_below_each_other() {
        let columns =
            [("TARGET", Align::Left), ("ATTEMPTS", Align::Right), ("LAST SEEN", Align::Left)];
        let words = "ECONNREFUSED (111) refused by 10.0.0.2";
        let row = |target: &str| vec![target.to_owned(), "12".to_owned(), words.to_owned()];
        let at = |width| render_fitting(&columns, vec![row("db:5432"), row("cache:6379")], width);
        assert!(at(80).starts_with(" TARGET "), "{}", at(80));
        assert_eq!(
            at(40).matches(" db:5432\n  attempts  12\n  last seen ECONN").count(),
            1,
            "{}",
            at(40)
        );
        assert!(at(40).lines().all(|line| line.chars().count() <= 40), "{}", at(40));
    }
}
