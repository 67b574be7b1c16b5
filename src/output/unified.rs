//! A file before and after, as diff(1) -u shows it.

use similar::{ChangeTag, TextDiff};

use super::{Style, sanitize};

/// What stands for a file that is not there.
const NOWHERE: &str = "/dev/null";

/// The lines that differ between two texts, with three lines around them; nothing if none does. A name
/// and no text: there is no such file.
pub fn unified(
    (name_before, before): (&str, Option<&str>),
    (name_after, after): (&str, Option<&str>),
    style: Style,
) -> String {
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    let mut text = String::new();
    for hunk in diff.unified_diff().iter_hunks() {
        text += &format!("{}\n", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().strip_suffix('\n').unwrap_or(change.value());
            let line = sanitize(line);
            text += &match change.tag() {
                ChangeTag::Delete => style.removed(&format!("-{line}")),
                ChangeTag::Insert => style.added(&format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            };
            text +=
                if change.missing_newline() { "\n\\ No newline at end of file\n" } else { "\n" };
        }
    }
    if text.is_empty() {
        return text;
    }
    let name = |name, text: Option<&str>| sanitize(if text.is_some() { name } else { NOWHERE });
    let before = style.title(&format!("--- {}", name(name_before, before)));
    let after = style.title(&format!("+++ {}", name(name_after, after)));
    format!("{before}\n{after}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(before: Option<&str>, after: Option<&str>) -> String {
        unified(("a", before), ("b", after), Style::PLAIN)
    }

    #[test]
    fn it_is_what_patch_reads() {
        assert_eq!(
            plain(Some("1\n2\n3\n4\n5\n"), Some("1\n2\n3\n4\nfive\n")),
            "--- a\n+++ b\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n"
        );
        assert_eq!(plain(None, Some("x\n")), "--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert_eq!(plain(Some("x\n"), None), "--- a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
        assert_eq!(plain(Some("x\n"), Some("x\n")), "");
    }

    #[test]
    fn what_is_not_seen_is_made_visible() {
        let text = plain(Some("x\r\n"), Some("x\u{1b}[2J"));
        assert!(text.contains("-x\\u{d}\n+x\\u{1b}[2J\n\\ No newline at end of file\n"), "{text}");
    }

    #[test]
    fn signs_are_there_without_colour_and_with_it() {
        let style = Style { color: true, ..Style::PLAIN };
        let text = unified(("a", Some("x\n")), ("b", Some("y\n")), style);
        assert!(text.contains("\u{1b}[31m-x") && text.contains("\u{1b}[32m+y"), "{text:?}");
    }
}
