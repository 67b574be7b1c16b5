//! Texts of others within a sentence. Pure.

use crate::output::numbers::count;
use crate::output::sanitize;

/// Characters of a text that are quoted; of a longer one, its length tells the rest.
const MOST: usize = 60;

/// `text` in backticks, made visible, its beginning alone if it is long.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => format!("`{}`", sanitize(text)),
        Some((end, _)) => {
            let length = count(u64::try_from(text.len()).unwrap_or(u64::MAX), "byte");
            format!("`{}…` ({length})", sanitize(text.get(..end).unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_its_length_told() {
        assert_eq!(quoted("a\tb"), "`a\\u{9}b`");
        assert_eq!(quoted(&"ä".repeat(60)), format!("`{}`", "ä".repeat(60)));
        let long = quoted(&"ä".repeat(1000));
        assert_eq!(long, format!("`{}…` (2,000 bytes)", "ä".repeat(60)));
    }
}
