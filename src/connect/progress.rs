//! How far a long list is, on a line of the terminal.

use crate::output::numbers::{bar, count, ratio, thousands};
use crate::output::{Aside, LiveLine};

/// Columns of the bar.
const BAR: u16 = 20;

/// The line, and what it tells.
pub struct Progress<'a> {
    line: LiveLine<'a>,
    total: Option<u64>,
    tried: u64,
    unmet: u64,
}

impl<'a> Progress<'a> {
    /// For `total` targets, if that is known.
    pub fn begin(aside: &'a mut Aside<'_>, total: Option<u64>) -> Self {
        Self { line: LiveLine::on(aside), total, tried: 0, unmet: 0 }
    }

    /// One more target was tried.
    pub fn tried(&mut self, is_as_expected: bool) {
        self.tried += 1;
        self.unmet += u64::from(!is_as_expected);
        self.line.draw(&self.words());
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        self.line.clear();
    }

    fn words(&self) -> String {
        let unmet = match self.unmet {
            0 => String::new(),
            some => format!(", {} not as expected", thousands(some)),
        };
        let tried = thousands(self.tried);
        match self.total.filter(|total| *total > 0) {
            None => format!("{} tried{unmet}", count(self.tried, "target")),
            Some(total) => {
                let bar = bar(ratio(self.tried, total), BAR);
                let width = usize::from(BAR);
                format!("{bar:<width$}  {tried} of {} tried{unmet}", count(total, "target"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    fn drawn(is_terminal: bool, total: Option<u64>) -> String {
        let mut out = Vec::new();
        let style = Style { width: 60, ..Style::PLAIN };
        let mut aside = Aside { out: &mut out, style, is_terminal };
        let mut progress = Progress::begin(&mut aside, total);
        progress.tried(true);
        progress.clear();
        progress.tried(false);
        drop(progress);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_tells_how_far_it_is() {
        let lines = drawn(true, Some(4));
        let lines: Vec<_> = lines.split("\r\x1b[K").filter(|line| !line.is_empty()).collect();
        let expected = [
            "█████                 1 of 4 targets tried",
            "██████████            2 of 4 targets tried, 1 not as expe",
        ];
        assert_eq!(lines, expected);
        assert!(drawn(true, None).contains("2 targets tried, 1 not as expected"));
        assert_eq!(drawn(false, Some(4)), "");
    }
}
