//! Text from outside: process names and the like may hold bytes that move the cursor, recolour
//! the screen or turn the direction of writing. They are made visible before a terminal gets them.

/// `text` with every control, bidirectional and zero-width character written as its number.
pub fn sanitize(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The same for a text of several lines, whose ends stay.
pub fn sanitize_lines(text: &str) -> String {
    text.split('\n').map(sanitize).collect::<Vec<_>>().join("\n")
}

/// Control characters; Unicode's marks of direction, of joining and of no width.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_shown_and_others_kept() {
        assert_eq!(sanitize("nginx: wörker"), "nginx: wörker");
        assert_eq!(sanitize("a\x1b[31mb\n"), "a\\u{1b}[31mb\\u{a}");
        assert_eq!(sanitize_lines("a\x1b\nb\n"), "a\\u{1b}\nb\n");
        assert_eq!(sanitize("x\u{202e}y\u{200b}"), "x\\u{202e}y\\u{200b}");
    }
}
