//! How answers are shown. Reads nothing and decides nothing.

mod format;
mod line;
mod live_line;
pub mod numbers;
mod report;
mod rows;
mod sanitize;
mod screen;
mod style;
mod table;
mod unified;
mod wrap;

pub use format::Format;
pub use live_line::LiveLine;
pub use report::{Report, csv_rows, emit, json_tail, microseconds, ndjson_rows};
pub use rows::RowWriter;
pub use sanitize::{sanitize, sanitize_lines};
pub use screen::{Aside, Outcome, Screen};
pub use style::{Color, Style};
pub use table::{Align, Column, last_column, render_fitting, render_listed, render_table};
pub use unified::unified;
pub use wrap::{described, stated, told, wrapped};
