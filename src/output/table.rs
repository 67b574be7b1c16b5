//! Tables for people: no frame, columns two apart, a heading that says what the numbers are.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

/// The least width of the last column: where the others leave less, the table is wider than asked.
const WORDS: u16 = 8;

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

fn cell(text: impl ToString, align: Align) -> Cell {
    Cell::new(text).set_alignment(match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    })
}
