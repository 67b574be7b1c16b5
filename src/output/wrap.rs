//! Sentences in lines.

use super::Style;
use crate::model::Severity;

/// `text` in lines of `width`, the first after `lead`, the others below its text.
pub fn wrapped(lead: &str, text: &str, width: u16) -> String {
    let indent = lead.chars().count();
    let mut lines = lead.to_owned();
    let mut column = indent;
    let room = usize::from(width).saturating_sub(indent);
    for word in words(text, room) {
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

/// What is said on a terminal, in lines of `width`: what does not fit goes on below the text behind
/// `netkit: `, `hint: ` or the blanks that a line begins with.
pub fn told(text: &str, width: u16) -> String {
    let line = |line: &str| {
        let text = ["netkit: ", "hint: "].iter().find_map(|lead| line.strip_prefix(lead));
        let text = text.unwrap_or_else(|| line.trim_start());
        let lead = line.strip_suffix(text).unwrap_or_default();
        if line.chars().count() <= usize::from(width) {
            line.to_owned()
        } else {
            wrapped(lead, text, width)
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Units, which stand in the line of their number.
const UNITS: [&str; 12] = ["µs", "ms", "s", "min", "h", "%", "×", "B", "KiB", "MiB", "GiB", "TiB"];

/// The words of `text`; a number and its unit are one, and so is a command in backticks that is no
/// longer than `room`.
fn words(text: &str, room: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut blanks = text.match_indices(' ').map(|(at, _)| at);
        let mut end = blanks.next();
        if let Some(first) = end {
            let second = blanks.next();
            let after = text.get(first + 1..second.unwrap_or(text.len())).unwrap_or_default();
            if is_number(text.get(..first).unwrap_or_default()) && is_unit(after) {
                end = second;
            }
        }
        while let Some(at) = end
            && let Some((word, others)) = text.split_at_checked(at)
            && word.matches('`').count() % 2 == 1
            && let Some(closing) = others.find('`')
        {
            let after = others.get(closing..).and_then(|it| it.find(' '));
            let further = after.map(|after| at + closing + after);
            let whole = text.get(..further.unwrap_or(text.len())).unwrap_or(text);
            if whole.chars().count() > room {
                break;
            }
            end = further;
        }
        let (word, others) = end.and_then(|at| text.split_at_checked(at)).unzip();
        rest = others.and_then(|it| it.get(1..));
        Some(word.unwrap_or(text))
    })
}

/// `206`, `1.2`, `27,702`, also behind a bracket.
fn is_number(word: &str) -> bool {
    let word = word.trim_start_matches('(');
    word.starts_with(|it: char| it.is_ascii_digit())
        && word.ends_with(|it: char| it.is_ascii_digit())
        && word.chars().all(|it| it.is_ascii_digit() || ".,".contains(it))
}

/// A unit, also before what ends a clause.
fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches([',', ';', ':', '.', ')']))
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
        let lead = if is_beside && words(text, room).all(|word| length(word) <= room) {
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
    fn what_is_told_stands_below_its_text_and_what_fits_stays() {
        assert_eq!(
            told(
                "netkit: no such thing as that\n\n  tip: one two three\nhint: try this or that",
                20
            ),
            "netkit: no such\n        thing as\n        that\n\n  tip: one two three\nhint: try this or\n      that"
        );
        assert_eq!(told("  tip: one two three", 14), "  tip: one two\n  three");
    }

    #[test]
    fn a_number_and_its_unit_stay_in_one_line() {
        assert_eq!(wrapped("", "unreachable, after 78 µs", 22), "unreachable, after\n78 µs");
        assert_eq!(wrapped("", "free in 41 s (43 s at most)", 17), "free in 41 s\n(43 s at most)");
        assert_eq!(wrapped("", "of 2 sockets", 4), "of 2\nsockets");
        assert_eq!(wrapped("", "two  blanks 5", 40), "two  blanks 5");
    }

    #[test]
    fn a_command_is_in_one_line_where_it_fits() {
        let text = "look at `nft list ruleset`, then at `ip rule`";
        assert_eq!(wrapped("", text, 24), "look at\n`nft list ruleset`, then\nat `ip rule`");
        assert_eq!(wrapped("", text, 14), "look at `nft\nlist ruleset`,\nthen at\n`ip rule`");
        assert_eq!(wrapped("", "an odd ` is no end", 12), "an odd ` is\nno end");
        assert_eq!(wrapped("", "`a b` `c d`", 8), "`a b`\n`c d`");
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
