//! A line of the terminal that is written over: how the work goes, told on standard error. The answer
//! may go to the same terminal, so that the line is taken away before a row of it.
//!
//! Not by indicatif: it draws to a terminal of its own choice, and what is drawn has to go to the
//! writer that was handed in.

use std::io::Write;

use super::sanitize_lines;
use super::screen::Aside;
use super::wrap::told;

/// To the line's beginning, and all of it gone (ECMA-48, CR and EL).
const CLEAR: &str = "\r\x1b[K";

/// Columns that are left free: a full line would move the next one down, and so would the `^C` that a
/// terminal shows behind it (termios(3), ECHOCTL), where only a part could be taken away.
const FREE: usize = 3;

/// The line. It is taken away when it is dropped.
pub struct LiveLine<'a> {
    out: &'a mut (dyn Write + Send),
    width: u16,
    is_terminal: bool,
    is_drawn: bool,
}

impl<'a> LiveLine<'a> {
    /// A line of `aside`. Where that is no terminal, nothing is drawn.
    pub fn on(aside: &'a mut Aside<'_>) -> Self {
        let Aside { is_terminal, style, .. } = *aside;
        Self { out: &mut *aside.out, width: style.width, is_terminal, is_drawn: false }
    }

    /// Puts `words` in the place of what was there, as far as there is room.
    pub fn draw(&mut self, words: &str) {
        if !self.is_terminal {
            return;
        }
        let room = usize::from(self.width).saturating_sub(FREE);
        let words: String = words.chars().take(room).collect();
        self.write(&format!("{CLEAR}{words}"));
        self.is_drawn = true;
    }

    /// Says something that stays, in a line of its own; also where there is no terminal.
    pub fn say(&mut self, words: &str) {
        self.clear();
        let words = sanitize_lines(words);
        let words = if self.is_terminal { told(&words, self.width) } else { words };
        self.write(&format!("{words}\n"));
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            self.write(CLEAR);
        }
    }

    /// In one piece. That nobody looks ends nothing.
    fn write(&mut self, text: &str) {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.unwrap_or_default();
    }
}

impl Drop for LiveLine<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    fn drawn(is_terminal: bool, words: &[&str]) -> String {
        let mut out = Vec::new();
        let style = Style { width: 12, ..Style::PLAIN };
        let mut aside = Aside { out: &mut out, style, is_terminal };
        let mut line = LiveLine::on(&mut aside);
        for it in words {
            line.draw(it);
        }
        line.clear();
        line.say("done");
        drop(line);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_takes_the_place_of_the_other_and_nothing_is_left() {
        assert_eq!(
            drawn(true, &["1 of 2", "2 of 2"]),
            "\r\x1b[K1 of 2\r\x1b[K2 of 2\r\x1b[Kdone\n"
        );
        assert_eq!(drawn(true, &["more than there is room"]), "\r\x1b[Kmore than\r\x1b[Kdone\n");
        assert_eq!(drawn(true, &[]), "done\n");
        assert_eq!(drawn(false, &["1 of 2"]), "done\n");
    }
}
