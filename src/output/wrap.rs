//! Sentences in lines.

use super::Style;
use crate::model::Severity;

/// `text` in lines of `width`, the first after `lead`, the others below its text.
pub fn wrapped(lead: &str, text: &str, width: u16) -> String {
    let indent = lead.chars().count();
    let mut lines = lead.to_owned();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > usize::from(width) {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// Names and what each is, in two columns of together `width`; a text below its name where the names,
/// or a word of its own, leave too little room.
pub fn described<N: AsRef<str>, T: AsRef<str>>(pairs: &[(N, T)], width: u16) -> String {
    let length = |text: &str| text.chars().count();
    let names = pairs.iter().map(|(name, _)| length(name.as_ref()));
    let column = names.max().unwrap_or(0).max(NAMES);
    let width_of_all = usize::from(width);
    let room = width_of_all.saturating_sub(column + 3);
    let is_beside = NAMES.max(width_of_all * 2 / 5) >= column;
    let mut lines = String::new();
    for (name, text) in pairs {
        let (name, text) = (name.as_ref(), text.as_ref());
        let lead = if is_beside && text.split(' ').all(|word| length(word) <= room) {
            format!("  {name:<column$} ")
        } else {
            lines.push_str(&wrapped("  ", name, width));
            lines.push('\n');
            "    ".to_owned()
        };
        lines.push_str(&wrapped(&lead, text, width));
        lines.push('\n');
    }
    lines
}

/// The least width of a column of names, so that lists below each other are in line.
const NAMES: usize = 8;

/// `CRITICAL  10.0.3.7 cannot …`, the word in its colour.
pub fn stated(severity: Severity, word: &str, sentence: &str, style: Style) -> String {
    let plain = wrapped(&format!("{word}  "), sentence, style.width);
    let painted = style.severity(severity, word);
    format!("{}\n", plain.replacen(word, &painted, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_at_most_as_wide_and_stand_below_the_text() {
        assert_eq!(
            wrapped("  1  ", "one two three four", 14),
            "  1  one two\n     three\n     four"
        );
        assert_eq!(wrapped("", "a-word-that-is-too-long b", 5), "a-word-that-is-too-long\nb");
    }

    #[test]
    fn names_stand_beside_their_texts_where_there_is_room() {
        let pairs = [("now", "60"), ("a long name", "one two three four five")];
        assert_eq!(
            described(&pairs, 40),
            "  now         60\n  a long name one two three four five\n"
        );
        assert_eq!(
            described(&pairs, 24),
            "  now\n    60\n  a long name\n    one two three four\n    five\n"
        );
    }
}
