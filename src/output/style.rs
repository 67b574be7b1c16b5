//! Colour and width: what the place that the answer goes to can show.

use anstyle::{AnsiColor, Style as Ansi};
use clap::ValueEnum;

use crate::model::Severity;

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the text of an answer may look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether escape sequences for colour are written.
    pub color: bool,
    /// Columns of the terminal; 80 where there is none.
    pub width: u16,
}

impl Style {
    /// Without colour, 80 columns wide.
    pub const PLAIN: Self = Self { color: false, width: 80 };

    /// `text` in the colour of `severity`.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Ok => AnsiColor::Green,
            Severity::Info => AnsiColor::Cyan,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Critical => AnsiColor::Red,
        };
        self.paint(color.on_default().bold(), text)
    }

    /// `text` as the title of a part.
    pub fn title(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    /// `text` as a line that goes.
    pub fn removed(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// `text` as a line that comes.
    pub fn added(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    fn paint(self, ansi: Ansi, text: &str) -> String {
        if self.color { format!("{ansi}{text}{ansi:#}") } else { text.to_owned() }
    }
}
