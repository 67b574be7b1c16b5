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
}
