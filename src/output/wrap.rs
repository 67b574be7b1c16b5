//! Sentences in lines.

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
