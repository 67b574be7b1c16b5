//! How far a long list is, on a terminal: one line of standard error that is written over. A row of
//! the answer may go to the same terminal, so that the line is taken away before each.

use std::io::Write;

use crate::output::Aside;
use crate::output::numbers::{bar, count, ratio, thousands};

/// To the line's beginning, and all of it gone (ECMA-48, CR and EL).
const CLEAR: &str = "\r\x1b[K";
/// Columns of the bar.
const BAR: u16 = 20;

/// The line.
pub struct Progress<'a> {
    out: &'a mut (dyn Write + Send),
    width: u16,
    total: Option<u64>,
    tried: u64,
    unmet: u64,
    is_drawn: bool,
}

impl<'a> Progress<'a> {
    /// For `total` targets, if that is known; `None` where there is no terminal.
    pub fn begin(aside: &'a mut Aside<'_>, total: Option<u64>) -> Option<Self> {
        aside.is_terminal.then(|| Self {
            out: &mut *aside.out,
            width: aside.style.width,
            total,
            tried: 0,
            unmet: 0,
            is_drawn: false,
        })
    }

    /// One more target was tried.
    pub fn tried(&mut self, is_as_expected: bool) {
        self.tried += 1;
        self.unmet += u64::from(!is_as_expected);
        // The last column is left free: a full line would move the next one down.
        let room = usize::from(self.width).saturating_sub(1);
        let line: String = self.words().chars().take(room).collect();
        self.write(&format!("{CLEAR}{line}"));
        self.is_drawn = true;
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            self.write(CLEAR);
        }
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

    /// That nobody looks ends nothing.
    fn write(&mut self, text: &str) {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.unwrap_or_default();
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.clear();
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
        if let Some(mut progress) = Progress::begin(&mut aside, total) {
            progress.tried(true);
            progress.clear();
            progress.tried(false);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_tells_how_far_it_is_and_is_gone_at_the_end() {
        let expected = format!(
            "{CLEAR}█████                 1 of 4 targets tried{CLEAR}\
             {CLEAR}██████████            2 of 4 targets tried, 1 not as expect{CLEAR}"
        );
        assert_eq!(drawn(true, Some(4)), expected);
        assert!(drawn(true, None).contains("2 targets tried, 1 not as expected"));
        assert_eq!(drawn(false, Some(4)), "");
    }
}
